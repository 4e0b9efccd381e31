"""What is printed of the networks of nets/bn_inception.py."""

from convatlas.claim import Claim, each, misprint, table, within_one_unit

WHY_1 = misprint(
    "The row has two convolutions, 64 of 1x1 and 192 of 3x3; GoogLeNet's Table 1 prints 2 for it."
)
WHY_2 = misprint(
    "The row has stride 2, and the next one prints the halved map. The channels are right."
)
WHY_3 = misprint("160 + 160 + 160 + 128 = 608.")
WHY_4 = misprint("96 + 192 + 192 + 128 = 608.")
WHY_5 = misprint(
    "The row has stride 2, and the next one prints the halved map. 192 + 256, and the 608 of 4d "
    "passed through, are 1056."
)
WHY_6 = misprint(
    "Figure 5 makes 11.2 or 11.3 million whichever way it is read: 11,278,528 with the "
    "separable first layer, 11,285,224 with the full one, 11,188,288 in TF-slim's 576-channel "
    "form."
)
OF_THE_FULL_FIRST_LAYER = within_one_unit(
    "1.95 billion; with the full 7x7 in the first layer it is 2.03."
)
WIDTHS = table(
    "Figure 5, #1x1 to proj",
    "filters:1x1 filters:3x3.reduce filters:3x3.conv filters:double_3x3.reduce "
    "filters:double_3x3.conv* "
    "filters:pool.proj",
    {
        "inception_3a": "64 64 64 64 96 32",
        "inception_3b": "64 64 96 64 96 64",
        "inception_3c": "- 128 160 64 96 -",
        "inception_4a": "224 64 96 96 128 128",
        "inception_4b": "192 96 128 96 128 128",
        "inception_4c": "160 128 160 128 160 128",
        "inception_4d": "96 128 192 160 192 128",
        "inception_4e": "- 128 192 192 256 -",
        "inception_5a": "352 192 320 160 224 128",
        "inception_5b": "352 192 320 192 224 128",
    },
)
PATCHES = (
    *table(
        "Figure 5, patch size/stride", "kernel stride", {"conv1": "7x7 2", "conv2.conv": "3x3 1"}
    ),
    *table("Figure 5, patch size/stride", "kernel stride", {"pool1": "3x3 2", "pool2": "3x3 2"}),
    *table("Figure 5", "filters", {"conv1": "64", "conv2.reduce": "64", "conv2.conv": "192"}),
    *each(
        "stride", "Figure 5, stride 2", {"inception_3c.3x3.conv": "2", "inception_4e.3x3.conv": "2"}
    ),
    *each("stride", "Figure 5, stride 2", {"inception_3c.pool": "2", "inception_4e.pool": "2"}),
)
CLAIMS = {
    "bn_inception": (
        Claim("size", "64x112x112", "Figure 5", "conv1"),
        Claim("layers", "1", "Figure 5", "conv1"),
        Claim("size", "64x56x56", "Figure 5", "pool1"),
        Claim("layers", "0", "Figure 5", "pool1"),
        Claim("size", "192x56x56", "Figure 5", "conv2"),
        Claim("layers", "1", "Figure 5", "conv2", remark=WHY_1),
        Claim("size", "192x28x28", "Figure 5", "pool2"),
        Claim("layers", "0", "Figure 5", "pool2"),
        Claim("size", "256x28x28", "Figure 5", "inception_3a"),
        Claim("layers", "3", "Figure 5", "inception_3a"),
        Claim("size", "320x28x28", "Figure 5", "inception_3b"),
        Claim("layers", "3", "Figure 5", "inception_3b"),
        Claim("size", "576x28x28", "Figure 5", "inception_3c", remark=WHY_2),
        Claim("layers", "3", "Figure 5", "inception_3c"),
        Claim("size", "576x14x14", "Figure 5", "inception_4a"),
        Claim("layers", "3", "Figure 5", "inception_4a"),
        Claim("size", "576x14x14", "Figure 5", "inception_4b"),
        Claim("layers", "3", "Figure 5", "inception_4b"),
        Claim("size", "576x14x14", "Figure 5", "inception_4c", remark=WHY_3),
        Claim("layers", "3", "Figure 5", "inception_4c"),
        Claim("size", "576x14x14", "Figure 5", "inception_4d", remark=WHY_4),
        Claim("layers", "3", "Figure 5", "inception_4d"),
        Claim("size", "1024x14x14", "Figure 5", "inception_4e", remark=WHY_5),
        Claim("layers", "3", "Figure 5", "inception_4e"),
        Claim("size", "1024x7x7", "Figure 5", "inception_5a"),
        Claim("layers", "3", "Figure 5", "inception_5a"),
        Claim("size", "1024x7x7", "Figure 5", "inception_5b"),
        Claim("layers", "3", "Figure 5", "inception_5b"),
        Claim("size", "1024x1x1", "Figure 5", "avg_pool"),
        Claim("layers", "0", "Figure 5", "avg_pool"),
        Claim("macs", "2.0 billion", "Table 3: cost of BN-Inception", by="Inception-v3"),
        *WIDTHS,
        *PATCHES,
    ),
    "bn_inception_separable": (
        Claim("params", "13.6e6", "Sec. 4.2", remark=WHY_6),
        Claim(
            "macs",
            "2.0 billion",
            "Table 3: cost of BN-Inception",
            by="Inception-v3",
            remark=OF_THE_FULL_FIRST_LAYER,
        ),
    ),
    "bn_inception_caffe": (
        Claim("params", "11,295,240", "'s README, BN-Inception", by="pytorchcv"),
    ),
}
