"""What is printed of the networks of nets/efficientnet_torchvision.py."""

from convatlas.claim import counts

CLAIMS = {
    "efficientnet_b0_torchvision": (
        *counts("EfficientNet_B0_Weights", "5,288,548", "0.386G", by="torchvision"),
    ),
    "efficientnet_b1_torchvision": (
        *counts("EfficientNet_B1_Weights", "7,794,184", "0.687G", by="torchvision"),
    ),
    "efficientnet_b2_torchvision": (
        *counts("EfficientNet_B2_Weights", "9,109,994", "1.088G", by="torchvision", at="288x288"),
    ),
    "efficientnet_b3_torchvision": (
        *counts("EfficientNet_B3_Weights", "12,233,232", "1.827G", by="torchvision"),
    ),
    "efficientnet_b4_torchvision": (
        *counts("EfficientNet_B4_Weights", "19,341,616", "4.394G", by="torchvision"),
    ),
    "efficientnet_b5_torchvision": (
        *counts("EfficientNet_B5_Weights", "30,389,784", "10.266G", by="torchvision"),
    ),
    "efficientnet_b6_torchvision": (
        *counts("EfficientNet_B6_Weights", "43,040,704", "19.068G", by="torchvision"),
    ),
    "efficientnet_b7_torchvision": (
        *counts("EfficientNet_B7_Weights", "66,347,960", "37.746G", by="torchvision"),
    ),
}
