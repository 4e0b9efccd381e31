"""What is printed of the networks of nets/resnet.py."""

from convatlas.claim import Claim, counts, each, within_one_unit

SHARED_1 = each(
    "size",
    "Table 1, output size",
    {
        "conv1": "112x112",
        "conv2_x": "56x56",
        "conv3_x": "28x28",
        "conv4_x": "14x14",
        "conv5_x": "7x7",
    },
)
WITH_PROJECTIONS = within_one_unit(
    "3,663,761,408 with projections (option B); without them (option A) the 3.6e9 hold, as "
    "Figure 3 prints them for the plain network."
)
CUT_OFF = within_one_unit(
    "3,857,973,248, cut off; the table's 7.6e9 and 11.3e9 are rounded, from 7.57 and 11.28."
)
CLAIMS = {
    "resnet18": (
        *SHARED_1,
        Claim("macs", "1.8e9", "Table 1, FLOPs"),
        Claim("layers", "18", "Table 1, layer name"),
        *counts("ResNet18_Weights", "11,689,512", "1.814G", by="torchvision"),
    ),
    "resnet34": (
        *SHARED_1,
        Claim("macs", "3.6e9", "Table 1, FLOPs", remark=WITH_PROJECTIONS),
        Claim("layers", "34", "Table 1, layer name"),
        *counts("ResNet34_Weights", "21,797,672", "3.664G", by="torchvision"),
    ),
    "resnet50": (
        *SHARED_1,
        Claim("macs", "3.8e9", "Table 1, FLOPs", remark=CUT_OFF),
        Claim("layers", "50", "Table 1, layer name"),
    ),
    "resnet101": (
        *SHARED_1,
        Claim("macs", "7.6e9", "Table 1, FLOPs"),
        Claim("layers", "101", "Table 1, layer name"),
    ),
    "resnet152": (
        *SHARED_1,
        Claim("macs", "11.3e9", "Table 1, FLOPs"),
        Claim("layers", "152", "Table 1, layer name"),
        *counts("Table 2", "60M", "11B", by="EfficientNet"),
    ),
    "resnet18_option_a": (
        *SHARED_1,
        Claim("macs", "1.8e9", "Table 1, FLOPs"),
        Claim("layers", "18", "Table 1, layer name"),
    ),
    "resnet34_option_a": (
        *SHARED_1,
        Claim("macs", "3.6e9", "Table 1, FLOPs"),
        Claim("layers", "34", "Table 1, layer name"),
    ),
}
