"""What is printed of the networks of nets/resnet_32_tutorial.py."""

from convatlas.claim import Claim, counts

CLAIMS = {
    "resnet18_32_tutorial": (
        Claim("layers", "18", "CommandRecognition/model.py, ResNet18", by="Ryuk17"),
        *counts(
            "CommandRecognition/model.py, with 3 channels and 10 classes: counted",
            "11,173,962",
            "725,292,032",
            by="Ryuk17",
        ),
    ),
}
