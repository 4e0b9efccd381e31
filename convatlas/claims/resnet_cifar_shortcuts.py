"""What is printed of the networks of nets/resnet_cifar_shortcuts.py."""

from convatlas.claim import Claim, each, table

STAGES = ("stage1", "stage2", "stage3")
SHARED = (
    Claim("layers", "110", "Table 1: ResNet-110"),
    *each("repeats", "Sec. 3.1: 54 two-layer Residual Units", dict.fromkeys(STAGES, "18")),
    *each(
        "kernel",
        "Sec. 3.1: consisting of 3x3 convolutional layers",
        {f"{stage}.*.branch": "3x3" for stage in STAGES},
    ),
    *table(
        "Sec. 4.2, output map size and # filters",
        "size filters:*.branch",
        {"stage1": "32x32 16", "stage2": "16x16 32", "stage3": "8x8 64"},
        by="ResNet",
    ),
)
GATES = Claim("kernel", "1x1", "Sec. 3.1: g(x) is realized by a 1x1 convolutional layer", "*.gate")
CONV = Claim("kernel", "1x1", "Table 1: 1x1 conv on the shortcut", "*.shortcut")
CLAIMS = {
    "resnet110_cifar_constant_scaling": SHARED,
    "resnet110_cifar_frozen_gating": SHARED,
    "resnet110_cifar_exclusive_gating": (*SHARED, GATES),
    "resnet110_cifar_shortcut_gating": (*SHARED, GATES),
    "resnet110_cifar_conv_shortcut": (*SHARED, CONV),
    "resnet110_cifar_dropout_shortcut": SHARED,
}
