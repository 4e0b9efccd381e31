"""What is printed of the networks of nets/resnet_32_tutorial.py."""

from convatlas.claim import counts

CLAIMS = {
    "resnet18_32_tutorial": counts(
        "CommandRecognition/model.py, with 3 channels and 10 classes: counted",
        "11,173,962",
        "725,292,032",
        by="Ryuk17",
    ),
}
