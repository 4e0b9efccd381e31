"""What is printed of the networks of nets/resnet_released.py."""

from convatlas.claim import Claim

CLAIMS = {
    f"resnet{layers}_released": (Claim("layers", layers, "README, Results", by="release"),)
    for layers in ("50", "101", "152")
}
