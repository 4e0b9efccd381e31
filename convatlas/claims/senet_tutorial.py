"""What is printed of the networks of nets/senet_tutorial.py."""

from convatlas.claim import Claim, counts

CLAIMS = {
    "senet18_32_tutorial": (
        Claim("layers", "18", "models/senet.py, SENet18", by="pytorch-cifar"),
        *counts("models/senet.py, SENet18: counted", "11,260,354", "", by="pytorch-cifar"),
    ),
    "senet18_tutorial": (Claim("layers", "18", "models/senet.py, SENet18", by="pytorch-cifar"),),
}
