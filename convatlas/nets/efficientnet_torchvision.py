"""EfficientNet with the same padding on all sides of an image: torchvision's form of it, and timm's
without tf_.
"""
from functools import partial

from convatlas.layers import ConvBN, ConvBNKeras
from convatlas.nets.efficientnet import SCALES, EfficientNet
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNet (torchvision)",
    authors="torchvision contributors",
    year=2021, code="github.com/pytorch/vision",
    silent="There is no paper. B0 to B4 keep PyTorch's batch norm (epsilon 1e-5, momentum 0.1), B5 "
           "to B7 have the paper's, as in torchvision.",
    departs="Initial weights are the EfficientNet authors'; torchvision starts depthwise "
            "convolutions smaller. The sides are the paper's; torchvision evaluates B2 at 288.",
    page="efficientnet_torchvision")

VARIANTS = {
    "efficientnet_b0_torchvision": partial(EfficientNet, SCALES["b0"], ConvBN),
    "efficientnet_b1_torchvision": partial(EfficientNet, SCALES["b1"], ConvBN),
    "efficientnet_b2_torchvision": partial(EfficientNet, SCALES["b2"], ConvBN),
    "efficientnet_b3_torchvision": partial(EfficientNet, SCALES["b3"], ConvBN),
    "efficientnet_b4_torchvision": partial(EfficientNet, SCALES["b4"], ConvBN),
    "efficientnet_b5_torchvision": partial(EfficientNet, SCALES["b5"], ConvBNKeras),
    "efficientnet_b6_torchvision": partial(EfficientNet, SCALES["b6"], ConvBNKeras),
    "efficientnet_b7_torchvision": partial(EfficientNet, SCALES["b7"], ConvBNKeras),
}
