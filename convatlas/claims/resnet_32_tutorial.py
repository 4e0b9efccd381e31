"""What is printed of the networks of nets/resnet_32_tutorial.py."""

from convatlas.claim import Claim

CLAIMS = {
    "resnet18_32_tutorial": (
        Claim("layers", "18", "CommandRecognition/model.py, ResNet18", by="Ryuk17"),
    ),
}
