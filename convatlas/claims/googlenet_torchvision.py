"""What is printed of the networks of nets/googlenet_torchvision.py."""

from convatlas.claim import counts

CLAIMS = {
    "googlenet_torchvision": (
        *counts("GoogLeNet_Weights", "6,624,904", "1.498G", by="torchvision"),
    ),
}
