"""What is printed of the networks of nets/squeezenet1_1.py."""

from convatlas.claim import Claim, counts, misprint

WHY_1 = misprint(
    "0.78 billion at the 227x227 that the release crops, 0.70 at 224x224. The README calls v1.1 "
    "2.4 times cheaper than v1.0, and 0.72 is the 1.72 of v1.0 over 2.4."
)
CLAIMS = {
    "squeezenet1_1": (
        Claim("flops", "0.72G", "README, computation", by="release", remark=WHY_1),
        *counts("SqueezeNet1_1_Weights", "1,235,496", "0.349G", by="torchvision", at="224x224"),
    ),
}
