"""What is printed of the networks of nets/vgg.py."""

from convatlas.claim import Claim, counts, each, misprint, table

WHY_1 = misprint(
    "The convolutions alone take 15,346,630,656; the three fully connected layers, 123,633,664 "
    "more, are left out."
)
EVERYWHERE = (
    Claim("size", "3x224x224", "Sec. 2.1: a fixed-size 224x224 RGB image", "input"),
    Claim("stride", "1", "Sec. 2.1: the convolution stride is fixed to 1 pixel", "conv*"),
    Claim("kernel", "2x2", "Sec. 2.1: over a 2x2 pixel window", "pool*"),
    Claim("stride", "2", "Sec. 2.1: with stride 2", "pool*"),
    Claim("nonlinearity", "ReLU", "Sec. 2.1: all hidden layers"),
    *each("units", "Table 1, FC", {"fc6": "4096", "fc7": "4096", "fc8": "1000"}),
)
COLUMN_A = table(
    "Table 1, A",
    "kernel filters",
    {
        "conv1.conv1_1": "3x3 64",
        "conv2.conv2_1": "3x3 128",
        "conv3.conv3_1": "3x3 256",
        "conv3.conv3_2": "3x3 256",
        "conv4.conv4_1": "3x3 512",
        "conv4.conv4_2": "3x3 512",
        "conv5.conv5_1": "3x3 512",
        "conv5.conv5_2": "3x3 512",
    },
)
COLUMN_A_LRN = table(
    "Table 1, A-LRN",
    "kernel filters",
    {
        "conv1.conv1_1": "3x3 64",
        "conv2.conv2_1": "3x3 128",
        "conv3.conv3_1": "3x3 256",
        "conv3.conv3_2": "3x3 256",
        "conv4.conv4_1": "3x3 512",
        "conv4.conv4_2": "3x3 512",
        "conv5.conv5_1": "3x3 512",
        "conv5.conv5_2": "3x3 512",
    },
)
COLUMN_B = table(
    "Table 1, B",
    "kernel filters",
    {
        "conv1.conv1_1": "3x3 64",
        "conv1.conv1_2": "3x3 64",
        "conv2.conv2_1": "3x3 128",
        "conv2.conv2_2": "3x3 128",
        "conv3.conv3_1": "3x3 256",
        "conv3.conv3_2": "3x3 256",
        "conv4.conv4_1": "3x3 512",
        "conv4.conv4_2": "3x3 512",
        "conv5.conv5_1": "3x3 512",
        "conv5.conv5_2": "3x3 512",
    },
)
COLUMN_C = table(
    "Table 1, C",
    "kernel filters",
    {
        "conv1.conv1_1": "3x3 64",
        "conv1.conv1_2": "3x3 64",
        "conv2.conv2_1": "3x3 128",
        "conv2.conv2_2": "3x3 128",
        "conv3.conv3_1": "3x3 256",
        "conv3.conv3_2": "3x3 256",
        "conv3.conv3_3": "1x1 256",
        "conv4.conv4_1": "3x3 512",
        "conv4.conv4_2": "3x3 512",
        "conv4.conv4_3": "1x1 512",
        "conv5.conv5_1": "3x3 512",
        "conv5.conv5_2": "3x3 512",
        "conv5.conv5_3": "1x1 512",
    },
)
COLUMN_D = table(
    "Table 1, D",
    "kernel filters",
    {
        "conv1.conv1_1": "3x3 64",
        "conv1.conv1_2": "3x3 64",
        "conv2.conv2_1": "3x3 128",
        "conv2.conv2_2": "3x3 128",
        "conv3.conv3_1": "3x3 256",
        "conv3.conv3_2": "3x3 256",
        "conv3.conv3_3": "3x3 256",
        "conv4.conv4_1": "3x3 512",
        "conv4.conv4_2": "3x3 512",
        "conv4.conv4_3": "3x3 512",
        "conv5.conv5_1": "3x3 512",
        "conv5.conv5_2": "3x3 512",
        "conv5.conv5_3": "3x3 512",
    },
)
COLUMN_E = table(
    "Table 1, E",
    "kernel filters",
    {
        "conv1.conv1_1": "3x3 64",
        "conv1.conv1_2": "3x3 64",
        "conv2.conv2_1": "3x3 128",
        "conv2.conv2_2": "3x3 128",
        "conv3.conv3_1": "3x3 256",
        "conv3.conv3_2": "3x3 256",
        "conv3.conv3_3": "3x3 256",
        "conv3.conv3_4": "3x3 256",
        "conv4.conv4_1": "3x3 512",
        "conv4.conv4_2": "3x3 512",
        "conv4.conv4_3": "3x3 512",
        "conv4.conv4_4": "3x3 512",
        "conv5.conv5_1": "3x3 512",
        "conv5.conv5_2": "3x3 512",
        "conv5.conv5_3": "3x3 512",
        "conv5.conv5_4": "3x3 512",
    },
)
CLAIMS = {
    "vgg11": (
        Claim("params", "133M", "Table 2"),
        Claim("layers", "11", "Table 1, weight layers"),
        *counts("VGG11_Weights", "132,863,336", "7.609G", by="torchvision"),
        *EVERYWHERE,
        *COLUMN_A,
    ),
    "vgg11_lrn": (
        Claim("params", "133M", "Table 2"),
        Claim("layers", "11", "Table 1, weight layers"),
        *EVERYWHERE,
        *COLUMN_A_LRN,
    ),
    "vgg13": (
        Claim("params", "133M", "Table 2"),
        Claim("layers", "13", "Table 1, weight layers"),
        *counts("VGG13_Weights", "133,047,848", "11.308G", by="torchvision"),
        *EVERYWHERE,
        *COLUMN_B,
    ),
    "vgg16_c": (
        Claim("params", "134M", "Table 2"),
        Claim("layers", "16", "Table 1, weight layers"),
        *EVERYWHERE,
        *COLUMN_C,
    ),
    "vgg16": (
        Claim("params", "138M", "Table 2"),
        Claim("layers", "16", "Table 1, weight layers"),
        *counts("VGG16_Weights", "138,357,544", "15.47G", by="torchvision"),
        Claim("macs", "15.3 billion", "Sec. 4.1", by="ResNet", remark=WHY_1),
        *counts("Table 8", "138M", "15300 million", by="MobileNets", remarks=(None, WHY_1)),
        *each(
            "size",
            "Printed outputs for 1x224x224",
            {
                "pool1": "64x112x112",
                "pool2": "128x56x56",
                "pool3": "256x28x28",
                "pool4": "512x14x14",
                "pool5": "512x7x7",
            },
            by="tutorials",
            at="1x224x224",
        ),
        *each(
            "units",
            "Printed outputs for 1x224x224",
            {"pool5": "25088", "fc6": "4096", "fc7": "4096", "fc8": "1000"},
            by="tutorials",
            at="1x224x224",
        ),
        *EVERYWHERE,
        *COLUMN_D,
    ),
    "vgg19": (
        Claim("params", "144M", "Table 2"),
        Claim("layers", "19", "Table 1, weight layers"),
        *counts("VGG19_Weights", "143,667,240", "19.632G", by="torchvision"),
        Claim("macs", "19.6 billion", "Sec. 4.1", by="ResNet"),
        *EVERYWHERE,
        *COLUMN_E,
    ),
    "vgg11_bn": (*counts("VGG11_BN_Weights", "132,868,840", "7.609G", by="torchvision"),),
    "vgg13_bn": (*counts("VGG13_BN_Weights", "133,053,736", "11.308G", by="torchvision"),),
    "vgg16_bn": (*counts("VGG16_BN_Weights", "138,365,992", "15.47G", by="torchvision"),),
    "vgg19_bn": (*counts("VGG19_BN_Weights", "143,678,248", "19.632G", by="torchvision"),),
}
