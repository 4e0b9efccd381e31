"""What is printed of the networks of nets/xception.py."""

from convatlas.claim import Claim, counts, each, misprint

WHY_1 = misprint(
    "Convolutions and the fully connected layer take 8,357,403,496; by EfficientNet's Table 2 "
    "it is 8.4B."
)
CLAIMS = {
    "xception": (
        Claim("params", "22,855,952", "Table 3"),
        *each(
            "size",
            "Figure 5",
            {"input": "3x299x299", "entry_flow": "728x19x19", "middle_flow": "728x19x19"},
        ),
        Claim("units", "2048", "Figure 5: 2048-dimensional vectors", "avg_pool"),
        *counts("Table 2", "22.8M", "8.38B", by="NASNet", remarks=(None, WHY_1)),
        *counts("Table 2", "23M", "8.4B", by="EfficientNet"),
    ),
}
