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
        Claim("macs", "15 billion", "Sec. 5.1: variants of ~15 billion FLOPs", by="ResNeXt"),
    ),
}
