"""What is printed of the networks of nets/preresnet_cifar.py."""

from convatlas.claim import Claim, counted_otherwise, each

WITHOUT_NORMS = counted_otherwise(
    "Convolutions and the fully connected layer have 10,178,490; the 149,216 scales and shifts of "
    "batch norm are left out."
)
MAP_SIZES = each(
    "size",
    "Sec. 4.2, output map size",
    {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"},
    by="ResNet",
)
STAGES = ("stage1", "stage2", "stage3")
CLAIMS = {
    "preresnet110_cifar": (
        *MAP_SIZES,
        Claim("layers", "110", "Table 3"),
    ),
    "preresnet110_cifar_one_layer": (
        *MAP_SIZES,
        Claim("layers", "110", "Table 3: ResNet-110 (1 layer skip)"),
        *each("repeats", "Sec. 4.1: each shortcut skips only 1 layer", dict.fromkeys(STAGES, "36")),
    ),
    "preresnet164_cifar": (
        *MAP_SIZES,
        Claim("layers", "164", "Table 3"),
        Claim("params", "1.7M", "Table 4, ResNet-164 [ours]"),
    ),
    "preresnet1001_cifar": (
        *MAP_SIZES,
        Claim("layers", "1001", "Table 3"),
        Claim("params without norms", "10.2M", "Table 4, ResNet-1001 [ours]", remark=WITHOUT_NORMS),
    ),
}
