"""What is printed of the networks of nets/res2net_cifar.py."""

from convatlas.claim import Claim, not_explained

WHY = (
    "With 100 classes there are {}, as in a copy of the networks "
    "(github.com/dl19940602/res2net-pytorch); neither one convolution more in each unit nor in the "
    "first of a stage makes up the difference, nor do biases or running statistics. By Sec. 4.3 "
    "the first of the three has 35 % of the 68.1M of ResNeXt-29 16c x 64w, which is 23.8M."
)
FIRST = not_explained(WHY.format("23,705,732"))
SECOND = not_explained(WHY.format("32,957,436"))
THIRD = not_explained(WHY.format("36,146,180"))
CIFAR = "100 classes"

CLAIMS = {
    "res2next29_6c24w4s_cifar": (
        Claim("params", "24.3M", "Table 4", at=CIFAR, remark=FIRST),
        Claim("groups", "6", "Table 4: 6c", "stage1.*.splits"),
        Claim("filters", "144", "Table 4: 6c x 24w", "stage1.*.splits"),
        Claim("layers", "29", "Table 4, Res2NeXt-29"),
    ),
    "res2next29_8c25w4s_cifar": (
        Claim("params", "33.8M", "Table 4", at=CIFAR, remark=SECOND),
        Claim("groups", "8", "Table 4: 8c", "stage1.*.splits"),
        Claim("filters", "200", "Table 4: 8c x 25w", "stage1.*.splits"),
        Claim("layers", "29", "Table 4, Res2NeXt-29"),
    ),
    "res2next29_6c24w6s_cifar": (
        Claim("params", "36.7M", "Table 4", at=CIFAR, remark=THIRD),
        Claim("groups", "6", "Table 4: 6c", "stage1.*.splits"),
        Claim("filters", "144", "Table 4: 6c x 24w", "stage1.*.splits"),
        Claim("layers", "29", "Table 4, Res2NeXt-29"),
    ),
}
