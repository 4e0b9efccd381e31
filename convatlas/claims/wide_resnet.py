"""What is printed of the networks of nets/wide_resnet.py."""

from convatlas.claim import Claim, counts

CLAIMS = {
    "wide_resnet18_1_5": (
        Claim("params", "25.9M", "Table 7, WRN-18, #parameters"),
        Claim("layers", "18", "Table 7, WRN-18"),
    ),
    "wide_resnet18_2": (
        Claim("params", "45.6M", "Table 7, WRN-18, #parameters"),
        Claim("layers", "18", "Table 7, WRN-18"),
    ),
    "wide_resnet18_3": (
        Claim("params", "101.8M", "Table 7, WRN-18, #parameters"),
        Claim("layers", "18", "Table 7, WRN-18"),
    ),
    "wide_resnet34_1_5": (
        Claim("params", "48.6M", "Table 7, WRN-34, #parameters"),
        Claim("layers", "34", "Table 7, WRN-34"),
    ),
    "wide_resnet34_2": (
        Claim("params", "86.0M", "Table 7, WRN-34, #parameters"),
        Claim("layers", "34", "Table 7, WRN-34"),
    ),
    "wide_resnet50_2": (
        Claim("params", "68.9M", "Table 8, #params"),
        Claim("layers", "50", "Table 8: WRN-50-2-bottleneck"),
        *counts("Wide_ResNet50_2_Weights", "68,883,240", "11.398G", by="torchvision"),
    ),
    "wide_resnet101_2": (
        Claim("layers", "101", "wide_resnet101_2, the name", by="torchvision"),
        *counts("Wide_ResNet101_2_Weights", "126,886,696", "22.753G", by="torchvision"),
    ),
}
