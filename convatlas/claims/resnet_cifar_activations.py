"""What is printed of the networks of nets/resnet_cifar_activations.py."""

from convatlas.claim import Claim, counted_otherwise, each, table

WITHOUT_NORMS = counted_otherwise(
    "Convolutions and the fully connected layer have 10,178,490 parameters, which make 10.2M; with "
    "the scales and shifts of batch norm, also trained, there are 10,328,602."
)
STAGES = ("stage1", "stage2", "stage3")
SIZES = each(
    "size",
    "Sec. 4.2, output map size",
    {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"},
    by="ResNet",
)
BASIC = (
    *SIZES,
    Claim("layers", "110", "Table 2: ResNet-110"),
    *each("repeats", "Sec. 3.1: 54 two-layer Residual Units", dict.fromkeys(STAGES, "18")),
    *each("kernel", "Sec. 3.1: 3x3 convolutional layers", {"*.branch": "3x3"}),
)
BOTTLENECK = (
    *SIZES,
    *table(
        "Sec. 4.1: a bottleneck Residual Unit",
        "kernel:conv1 kernel:conv2 kernel:conv3",
        {"*.branch": "1x1 3x3 1x1"},
    ),
)
CLAIMS = {
    "resnet164_cifar": (
        *BOTTLENECK,
        Claim("layers", "164", "Tables 2 and 3: ResNet-164"),
        Claim("params", "1.7M", "Table 4, ResNet-164 [1]"),
    ),
    "resnet1001_cifar": (
        *BOTTLENECK,
        Claim("layers", "1001", "Table 3: ResNet-1001"),
        Claim("params without norms", "10.2M", "Table 4, ResNet-1001 [1]", remark=WITHOUT_NORMS),
        *each("repeats", "Sec. 4.1: 111 on each feature map size", dict.fromkeys(STAGES, "111")),
    ),
    "resnet110_cifar_one_layer": (
        *SIZES,
        Claim("layers", "110", "Table 3: ResNet-110 (1 layer skip)"),
        *each("kernel", "Sec. 3.1: 3x3 convolutional layers", {"*.branch": "3x3"}),
    ),
    "resnet110_cifar_bn_after_addition": BASIC,
    "resnet110_cifar_relu_before_addition": BASIC,
    "resnet110_cifar_relu_preactivation": BASIC,
    "resnet164_cifar_bn_after_addition": (
        *BOTTLENECK,
        Claim("layers", "164", "Table 2: ResNet-164"),
    ),
    "resnet164_cifar_relu_before_addition": (
        *BOTTLENECK,
        Claim("layers", "164", "Table 2: ResNet-164"),
    ),
    "resnet164_cifar_relu_preactivation": (
        *BOTTLENECK,
        Claim("layers", "164", "Table 2: ResNet-164"),
    ),
}
