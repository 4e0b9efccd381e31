"""What is printed of the networks of nets/vgg_32.py."""

from convatlas.claim import Claim, misprint

OF_THREE_ONE = misprint(
    "The name is VGG's, whose three fully connected layers are one here: two layers fewer."
)
CLAIMS = {
    "vgg16_bn_32": (
        Claim("layers", "16", "models/vgg.py, VGG16", by="release", remark=OF_THREE_ONE),
    ),
    "vgg19_bn_32": (
        Claim("layers", "19", "models/vgg.py, VGG19", by="release", remark=OF_THREE_ONE),
    ),
}
