"""What is printed of the networks of nets/inception_v3.py."""

from convatlas.claim import (
    Claim,
    counted_otherwise,
    counts,
    each,
    misprint,
    not_explained,
    within_one_unit,
)

NEXT_ROW_CONTRADICTS = misprint(
    "The release reduces by a 1x1 there, so the map stays 73x73. As printed, a 3x3 of stride 2 on "
    "71x71 gives 35x35, and the unpadded 3x3 after it cannot give the 35x35 of the next row."
)
THIRD_FIGURE = not_explained(
    "The release takes 5,713,216,096; Sec. 6 has a third figure, 2.5 times GoogLeNet, whose cost "
    "the same table gives as 1.5 billion."
)
LONGEST_WAY = not_explained(
    "The longest way through the release is 5 layers before the modules, 3 x 3 + 3 at 35x35, 4 x 5 "
    "+ 4 at 17x17, 2 x 3 at 8x8 and the classifier: 48. Table 1 has 6 layers before its modules, "
    "of which three are 3 deep, five 5 deep and two 3 deep, and the classifier: 47."
)
TOO_SMALL_FOR_THE_GRAPH = not_explained(
    "The convolutions and the classifier have 23,800,136 without any batch norm; no count of this "
    "graph is smaller than that."
)
ROUNDED_FURTHER = within_one_unit(
    "5,713,216,096. Table 3 of the same paper has 4.8 billion, which rounds to 5."
)
WITH_NORMS = counted_otherwise(
    "One operation for each value that a batch norm gives out makes this row, Xception's 8.38B and "
    "SENet's 42.3B hold; the table's two other rows hold by the usual count."
)
CLAIMS = {
    "inception_v3": (
        *each(
            "size",
            "Table 1, the input of what follows",
            {
                "input": "3x299x299",
                "conv_1a": "32x149x149",
                "conv_2a": "32x147x147",
                "conv_2b": "64x147x147",
                "pool_3a": "64x73x73",
                "pool_5a": "192x35x35",
                "mixed_5d": "288x35x35",
                "mixed_6a": "768x17x17",
                "mixed_7a": "1280x8x8",
                "mixed_7c": "2048x8x8",
                "avg_pool": "2048x1x1",
            },
        ),
        Claim(
            "size",
            "80x71x71",
            "Table 1, the input of what follows",
            "conv_3b",
            remark=NEXT_ROW_CONTRADICTS,
        ),
        Claim("units", "1000", "Table 1, softmax", "fc"),
        Claim("macs", "5 billion", "Abstract", remark=ROUNDED_FURTHER),
        Claim("params", "less than 25 million", "Abstract"),
        Claim("macs", "4.8 billion", "Table 3, last row, cost", remark=THIRD_FIGURE),
        Claim("layers", "42", "Sec. 6", remark=LONGEST_WAY),
        Claim("params", "23,626,728", "Table 3", by="Xception", remark=TOO_SMALL_FOR_THE_GRAPH),
        Claim("params", "23.8M", "Table 2", by="NASNet", truncated=True),
        Claim("macs with norms", "5.72B", "Table 2", by="NASNet", remark=WITH_NORMS),
        *counts("Table 2", "24M", "5.7B", by="EfficientNet"),
        Claim("macs", "5.713G", "Inception_V3_Weights", by="torchvision"),
        Claim("params with heads", "27,161,264", "Inception_V3_Weights", by="torchvision"),
    ),
}
