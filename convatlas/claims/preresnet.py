"""What is printed of the networks of nets/preresnet.py."""

from convatlas.claim import Claim

CLAIMS = {
    "preresnet152": (Claim("layers", "152", "Table 5, ResNet-152"),),
    "preresnet200": (
        Claim("layers", "200", "Table 5, ResNet-200"),
        Claim(
            "size",
            "28x28",
            "Footnote 3: 16 more units than ResNet-152, on the feature map of 28x28",
            "conv3_x",
        ),
    ),
    "preresnet50": (Claim("layers", "50", "Table 1, layer name", by="ResNet"),),
    "preresnet101": (Claim("layers", "101", "Table 1, layer name", by="ResNet"),),
}
