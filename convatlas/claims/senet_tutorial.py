"""What is printed of the networks of nets/senet_tutorial.py."""

from convatlas.claim import Claim

CLAIMS = {
    "senet18_32_tutorial": (Claim("layers", "18", "models/senet.py, SENet18", by="pytorch-cifar"),),
    "senet18_tutorial": (Claim("layers", "18", "models/senet.py, SENet18", by="pytorch-cifar"),),
}
