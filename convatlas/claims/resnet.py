"""What is printed of the networks of nets/resnet.py."""

from convatlas.claim import Claim, counts, each, not_explained, table, within_one_unit

OUTPUT_SIZES = each(
    "size",
    "Table 1, output size",
    {
        "conv1": "112x112",
        "conv2_x": "56x56",
        "conv3_x": "28x28",
        "conv4_x": "14x14",
        "conv5_x": "7x7",
    },
)
WITH_PROJECTIONS = within_one_unit(
    "3,663,761,408 with projections (option B); without them (option A) the 3.6e9 hold, as Figure "
    "3 prints them for the plain network."
)
CUT_OFF = within_one_unit(
    "3,857,973,248, cut off; the table's 7.6e9 and 11.3e9 are rounded, from 7.57 and 11.28."
)
HALVING = {
    "conv3_x.0.branch.conv1": "2",
    "conv4_x.0.branch.conv1": "2",
    "conv5_x.0.branch.conv1": "2",
}
STEM = (
    *table("Table 1", "kernel filters stride", {"conv1": "7x7 64 2"}),
    *table("Table 1", "kernel stride", {"pool1": "3x3 2"}),
    *each("stride", "Table 1, caption: downsampling is performed by these", HALVING),
    Claim("units", "1000", "Table 1, last row", "fc"),
)
BLOCKS_18 = table(
    "Table 1",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2",
    {
        "conv2_x": "2 3x3 64 3x3 64",
        "conv3_x": "2 3x3 128 3x3 128",
        "conv4_x": "2 3x3 256 3x3 256",
        "conv5_x": "2 3x3 512 3x3 512",
    },
)
BLOCKS_34 = table(
    "Table 1",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2",
    {
        "conv2_x": "3 3x3 64 3x3 64",
        "conv3_x": "4 3x3 128 3x3 128",
        "conv4_x": "6 3x3 256 3x3 256",
        "conv5_x": "3 3x3 512 3x3 512",
    },
)
BLOCKS_50 = table(
    "Table 1",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2 kernel:*.conv3 "
    "filters:*.conv3",
    {
        "conv2_x": "3 1x1 64 3x3 64 1x1 256",
        "conv3_x": "4 1x1 128 3x3 128 1x1 512",
        "conv4_x": "6 1x1 256 3x3 256 1x1 1024",
        "conv5_x": "3 1x1 512 3x3 512 1x1 2048",
    },
)
BLOCKS_101 = table(
    "Table 1",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2 kernel:*.conv3 "
    "filters:*.conv3",
    {
        "conv2_x": "3 1x1 64 3x3 64 1x1 256",
        "conv3_x": "4 1x1 128 3x3 128 1x1 512",
        "conv4_x": "23 1x1 256 3x3 256 1x1 1024",
        "conv5_x": "3 1x1 512 3x3 512 1x1 2048",
    },
)
BLOCKS_152 = table(
    "Table 1",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2 kernel:*.conv3 "
    "filters:*.conv3",
    {
        "conv2_x": "3 1x1 64 3x3 64 1x1 256",
        "conv3_x": "8 1x1 128 3x3 128 1x1 512",
        "conv4_x": "36 1x1 256 3x3 256 1x1 1024",
        "conv5_x": "3 1x1 512 3x3 512 1x1 2048",
    },
)
SENET_PLACE = "Table 2, re-implementation, GFLOPs"
SENET_101 = within_one_unit(
    "7.570G; what else SENet's Table 2 counts was not found: se_resnet101 lists what was tried."
)
SENET_152 = not_explained(
    "11.282G; what else SENet's Table 2 counts was not found: se_resnet101 lists what was tried."
)
CLAIMS = {
    "resnet18": (
        *OUTPUT_SIZES,
        Claim("macs", "1.8e9", "Table 1, FLOPs"),
        Claim("layers", "18", "Table 1, layer name"),
        *counts("ResNet18_Weights", "11,689,512", "1.814G", by="torchvision"),
        *STEM,
        *BLOCKS_18,
    ),
    "resnet34": (
        *OUTPUT_SIZES,
        Claim("macs", "3.6e9", "Table 1, FLOPs", remark=WITH_PROJECTIONS),
        Claim("layers", "34", "Table 1, layer name"),
        *counts("ResNet34_Weights", "21,797,672", "3.664G", by="torchvision"),
        *STEM,
        *BLOCKS_34,
    ),
    "resnet50": (
        *OUTPUT_SIZES,
        Claim("macs", "3.8e9", "Table 1, FLOPs", remark=CUT_OFF),
        Claim("layers", "50", "Table 1, layer name"),
        *counts("Tables 10, 13 and 16, original", "25.6M", "3.86G", by="SENet"),
        *STEM,
        *BLOCKS_50,
    ),
    "resnet101": (
        *OUTPUT_SIZES,
        Claim("macs", "7.6e9", "Table 1, FLOPs"),
        Claim("layers", "101", "Table 1, layer name"),
        Claim("macs", "7.58G", SENET_PLACE, by="SENet", remark=SENET_101),
        *STEM,
        *BLOCKS_101,
    ),
    "resnet152": (
        *OUTPUT_SIZES,
        Claim("macs", "11.3e9", "Table 1, FLOPs"),
        Claim("layers", "152", "Table 1, layer name"),
        Claim("macs", "11.30G", SENET_PLACE, by="SENet", remark=SENET_152),
        *counts("Table 2", "60M", "11B", by="EfficientNet"),
        *STEM,
        *BLOCKS_152,
    ),
    "resnet18_option_a": (
        *OUTPUT_SIZES,
        Claim("macs", "1.8e9", "Table 1, FLOPs"),
        Claim("layers", "18", "Table 1, layer name"),
        *STEM,
        *BLOCKS_18,
    ),
    "resnet34_option_c": (
        *OUTPUT_SIZES,
        Claim("layers", "34", "Table 3: ResNet-34 C"),
        Claim("kernel", "1x1", "Sec. 4.1: all shortcuts are projections", "*.shortcut"),
        *STEM,
        *BLOCKS_34,
    ),
    "resnet34_option_a": (
        *OUTPUT_SIZES,
        Claim("macs", "3.6e9", "Table 1, FLOPs"),
        Claim("layers", "34", "Table 1, layer name"),
        *STEM,
        *BLOCKS_34,
    ),
}
