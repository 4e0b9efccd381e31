"""What is printed of the networks of nets/resnet_32.py."""

from convatlas.claim import Claim

CLAIMS = {
    "resnet18_32": (Claim("layers", "18", "models/resnet.py, ResNet18", by="release"),),
}
