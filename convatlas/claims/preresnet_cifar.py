"""What is printed of the networks of nets/preresnet_cifar.py."""

from convatlas.claim import Claim, each, misprint

WHY_1 = misprint(
    "Convolutions and the fully connected layer have 10,178,490 parameters, which make 10.2M; "
    "with the 149,216 scales and shifts of batch norm, also trained, there are 10,327,706."
)
SHARED_1 = each(
    "size",
    "Sec. 4.2, output map size",
    {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"},
    by="ResNet",
)
STAGES = ("stage1", "stage2", "stage3")
CLAIMS = {
    "preresnet110_cifar": (
        *SHARED_1,
        Claim("layers", "110", "Table 3"),
        Claim("params", "1.7M", "Table 4, ResNet-110: Figure 4's units only reorder"),
    ),
    "preresnet110_cifar_one_layer": (
        *SHARED_1,
        Claim("layers", "110", "Table 3: ResNet-110 (1 layer skip)"),
        *each("repeats", "Sec. 4.1: each shortcut skips only 1 layer", dict.fromkeys(STAGES, "36")),
    ),
    "preresnet164_cifar": (
        *SHARED_1,
        Claim("layers", "164", "Table 3"),
        Claim("params", "1.7M", "Table 4, ResNet-164 [ours]"),
    ),
    "preresnet1001_cifar": (
        *SHARED_1,
        Claim("layers", "1001", "Table 3"),
        Claim("params", "10.2M", "Table 4, ResNet-1001 [ours]", remark=WHY_1),
    ),
}
