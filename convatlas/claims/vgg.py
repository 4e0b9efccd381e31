"""What is printed of the networks of nets/vgg.py."""

from convatlas.claim import Claim, counts, each, misprint

WHY_1 = misprint(
    "The convolutions alone take 15,346,630,656; the three fully connected layers, 123,633,664 "
    "more, are left out."
)
CLAIMS = {
    "vgg11": (
        Claim("params", "133M", "Table 2"),
        Claim("layers", "11", "Table 1, weight layers"),
        *counts("VGG11_Weights", "132,863,336", "7.609G", by="torchvision"),
    ),
    "vgg11_lrn": (
        Claim("params", "133M", "Table 2"),
        Claim("layers", "11", "Table 1, weight layers"),
    ),
    "vgg13": (
        Claim("params", "133M", "Table 2"),
        Claim("layers", "13", "Table 1, weight layers"),
        *counts("VGG13_Weights", "133,047,848", "11.308G", by="torchvision"),
    ),
    "vgg16_c": (
        Claim("params", "134M", "Table 2"),
        Claim("layers", "16", "Table 1, weight layers"),
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
    ),
    "vgg19": (
        Claim("params", "144M", "Table 2"),
        Claim("layers", "19", "Table 1, weight layers"),
        *counts("VGG19_Weights", "143,667,240", "19.632G", by="torchvision"),
        Claim("macs", "19.6 billion", "Sec. 4.1", by="ResNet"),
    ),
    "vgg11_bn": (*counts("VGG11_BN_Weights", "132,868,840", "7.609G", by="torchvision"),),
    "vgg13_bn": (*counts("VGG13_BN_Weights", "133,053,736", "11.308G", by="torchvision"),),
    "vgg16_bn": (*counts("VGG16_BN_Weights", "138,365,992", "15.47G", by="torchvision"),),
    "vgg19_bn": (*counts("VGG19_BN_Weights", "143,678,248", "19.632G", by="torchvision"),),
}
