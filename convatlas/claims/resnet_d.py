"""What is printed of the networks of nets/resnet_d.py."""

from convatlas.claim import Claim, counted_otherwise, each, table

TWEAK_C = table(
    "Sec. 4.2: three 3x3 convolutions, of 32, 32 and 64 channels",
    "kernel filters",
    {"conv1.conv1": "3x3 32", "conv1.conv2": "3x3 32", "conv1.conv3": "3x3 64"},
)
TWEAK_B = each(
    "stride",
    "Sec. 4.2: ResNet-B switches the strides of the first two convolutions in path A",
    {
        "conv3_x.0.branch.conv1": "1",
        "conv3_x.0.branch.conv2": "2",
        "conv5_x.0.branch.conv1": "1",
        "conv5_x.0.branch.conv2": "2",
    },
)
TWEAK_D = (
    *table(
        "Sec. 4.2: a 2x2 average pooling layer with a stride of 2",
        "kernel stride",
        {
            "conv3_x.0.shortcut.pool": "2x2 2",
            "conv4_x.0.shortcut.pool": "2x2 2",
            "conv5_x.0.shortcut.pool": "2x2 2",
        },
    ),
    *each(
        "stride",
        "Sec. 4.2: before the convolution, whose stride is changed to 1",
        {
            "conv3_x.0.shortcut.projection": "1",
            "conv4_x.0.shortcut.projection": "1",
            "conv5_x.0.shortcut.projection": "1",
        },
    ),
)
NAMED_AFTER_RESNET = counted_otherwise(
    "The name is that of the ResNet whose 7x7 the three 3x3 convolutions of conv1 replace: with "
    "conv1 as one layer every such name holds. The longest way is two layers longer."
)
CLAIMS = {
    "resnet50_c": (
        *TWEAK_B,
        *TWEAK_C,
        Claim("stride", "2", "Figure 2: path B", "conv3_x.0.shortcut.conv"),
        Claim("layers, conv1 as one", "50", "Table 5, ResNet-50", remark=NAMED_AFTER_RESNET),
    ),
    "resnet50_d": (
        *(*TWEAK_B, *TWEAK_C, *TWEAK_D),
        Claim("layers, conv1 as one", "50", "Table 5, ResNet-50", remark=NAMED_AFTER_RESNET),
    ),
    "resnet101_d": (
        *(*TWEAK_B, *TWEAK_C, *TWEAK_D),
        Claim(
            "layers, conv1 as one",
            "101",
            "resnet101d, the name",
            by="timm",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
    "resnet152_d": (
        *(*TWEAK_B, *TWEAK_C, *TWEAK_D),
        Claim(
            "layers, conv1 as one",
            "152",
            "resnet152d, the name",
            by="timm",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
}
