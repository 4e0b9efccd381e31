"""Aggregated Residual Transformations for Deep Neural Networks (Xie, Girshick, Dollár, Tu, He; CVPR
2017).

Table 1, right: ResNeXt-50 (32x4d), 224x224 input; [k, c] is a k x k convolution to c channels,
C = 32 its groups.

    stage   output    ResNeXt-50 (32x4d)
    conv1   112x112   7x7, 64, stride 2
    conv2   56x56     3x3 max pool, stride 2, then [1,128] [3,128, C=32] [1,256]    x3
    conv3   28x28     [1,256] [3,256, C=32] [1,512]      x4
    conv4   14x14     [1,512] [3,512, C=32] [1,1024]     x6
    conv5   7x7       [1,1024] [3,1024, C=32] [1,2048]   x3
                      # params 25.0e6, FLOPs 4.2e9

Table 2, the template of conv2: at one cost, the more groups, the thinner each. All widths double
from stage to stage.

    cardinality C            2     4     8     32
    width of bottleneck d    40    24    14    4
    width of group conv.     80    96    112   128

Table 3 has them in 50 and in 101 layers, Table 4 two at twice the cost.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import DEPTHS, ResNet, projection
from convatlas.paper import Claim, Paper, counts, sizes, torchvision

CVPR = Paper(
    title="Aggregated Residual Transformations for Deep Neural Networks",
    authors="Xie, Girshick, Dollár, Tu, He", year=2017, venue="CVPR", arxiv="1611.05431v2",
    code="github.com/facebookresearch/ResNeXt",
    silent="Padding of conv1 and of the pool: 3 and 1, as in the release, which gives the printed "
           "112 and 56. The form is Figure 3(c), a grouped convolution, the one that the authors "
           "trained; stride is in the 3x3 (Sec. 4). Batch norm has PyTorch's epsilon and momentum, "
           "1e-5 and 0.1. Fully connected layers start as PyTorch's.",
    page="resnext", bare="resnext50_32x4d")
WSL = Paper(
    title="Exploring the Limits of Weakly Supervised Pretraining",
    authors="Mahajan, Girshick, Ramanathan, He, Paluri, Li, Bharambe, van der Maaten", year=2018,
    venue="ECCV", arxiv="1805.00932v1", code="github.com/facebookresearch/WSL-Images",
    silent="The paper uses ResNeXt-101 with another width; all else is ResNeXt's. Batch norm has "
           "PyTorch's epsilon and momentum, 1e-5 and 0.1. Fully connected layers start as "
           "PyTorch's.",
    page="resnext101_32x8d")


def block(cardinality: int, d: int, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 3(c): ResNet's bottleneck, with d channels a group in conv2, where `width` is 64, and
    so in proportion.
    """
    grouped = cardinality * (d * width // 64)
    branch = seq(
        conv1=ConvBN(c_in, grouped, 1), relu1=nn.ReLU(),
        conv2=ConvBN(grouped, grouped, 3, stride, groups=cardinality), relu2=nn.ReLU(),
        conv3=ConvBN(grouped, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


VARIANTS = {
    "resnext50_2x40d": partial(ResNet, partial(block, 2, 40), DEPTHS[50]),
    "resnext50_4x24d": partial(ResNet, partial(block, 4, 24), DEPTHS[50]),
    "resnext50_8x14d": partial(ResNet, partial(block, 8, 14), DEPTHS[50]),
    "resnext50_32x4d": partial(ResNet, partial(block, 32, 4), DEPTHS[50]),
    "resnext101_32x4d": partial(ResNet, partial(block, 32, 4), DEPTHS[101]),
    "resnext101_2x64d": partial(ResNet, partial(block, 2, 64), DEPTHS[101]),
    "resnext101_64x4d": partial(ResNet, partial(block, 64, 4), DEPTHS[101]),
    "resnext101_32x8d": partial(ResNet, partial(block, 32, 8), DEPTHS[101]),
}
PAPER = dict.fromkeys(VARIANTS, CVPR) | {"resnext101_32x8d": WSL}

TEMPLATE = "conv2_x.1"  # conv2's first block changes widths; the second is Table 2's template
WITHOUT_BN = ("Eq. (4), C(256d + 9dd + 256d), counts no batch norm: 70,144 then, and 1,024 more "
              "with it.")
ROUGHLY = ("Complexity is preserved roughly (Table 2); footnote 5 grants marginally higher FLOPs "
           "in the blocks where map sizes change. ")


def network(layers: str, group_conv: str) -> tuple[Claim, ...]:
    return (
        Claim("layers", layers, "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", f"{group_conv}x56x56", "Table 2, width of group conv.",
              f"{TEMPLATE}.branch.conv2"))


def same_cost(layers: str, group_conv: str, flops_erratum: str = "",
              template_erratum: str = "") -> tuple[Claim, ...]:
    """What Figure 5 prints for all networks of a depth at once, and Table 2 for all templates."""
    costs = {"50": ("25 million", "4.1 billion"), "101": ("44 million", "7.8 billion")}[layers]
    return (
        *network(layers, group_conv),
        *counts("Figure 5, preserved complexity", *costs, errata=("", flops_erratum)),
        Claim("params", "70K", "Table 2: ~70k for the template of conv2", TEMPLATE,
              erratum=template_erratum),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", TEMPLATE))


TWICE = Claim("macs", "15 billion", "Sec. 5.1: variants of ~15 billion FLOPs")
CLAIMS = {
    "resnext50_2x40d": same_cost("50", "80"),
    "resnext50_4x24d": same_cost("50", "96"),
    "resnext50_8x14d": same_cost(
        "50", "112", ROUGHLY + "Torchvision's ResNet(groups=8, width_per_group=14) agrees.",
        "Eq. (4) gives 71,456 for C = 8, d = 14, without batch norm."),
    "resnext50_32x4d": (
        *same_cost("50", "128", ROUGHLY + "Table 1 prints 4.2e9 for this very network.",
                   WITHOUT_BN),
        *sizes("Table 1, output", {
            "conv1": "112x112", "pool1": "56x56", "conv2_x": "56x56", "conv3_x": "28x28",
            "conv4_x": "14x14", "conv5_x": "7x7"}),
        *sizes("Table 1, output and 3x3", {
            "conv3_x.1.branch.conv2": "256x28x28", "conv4_x.1.branch.conv2": "512x14x14",
            "conv5_x.1.branch.conv2": "1024x7x7"}),
        *sizes("Table 1, output and last 1x1", {
            "conv2_x": "256x56x56", "conv3_x": "512x28x28", "conv4_x": "1024x14x14",
            "conv5_x": "2048x7x7"}),
        *counts("Table 1", "25.0e6", "4.2e9"),
        *torchvision("ResNeXt50_32X4D_Weights", "25,028,904", "4.23")),
    "resnext101_32x4d": same_cost(
        "101", "128", ROUGHLY + "7.8e9 is ResNet-101's, with the stride in the 3x3.", WITHOUT_BN),
    "resnext101_2x64d": (*network("101", "128"), TWICE),
    "resnext101_64x4d": (
        *network("101", "256"), TWICE,
        Claim("macs", "15.6 billion", "Authors' README, GFLOPS", erratum=(
            "It is twice the rounded 7.8 of ResNet-101; the network of 64 groups costs "
            "15,460,270,080, which torchvision's resnext101_64x4d confirms.")),
        *torchvision("ResNeXt101_64X4D_Weights", "83,455,272", "15.46"),
        *counts("NASNet (arXiv:1707.07012), Table 2", "83.6M", "31.5B", at="320x320", errata=(
            "83,455,272, as in torchvision; 83.66 million with the running statistics of batch "
            "norm, which are not trained.", "")),
        *counts("EfficientNet (arXiv:1905.11946), Table 2", "84M", "32B", at="320x320")),
    "resnext101_32x8d": (
        *counts("The authors' README (WSL-Images)", "88M", "16B"),
        *torchvision("ResNeXt101_32X8D_Weights", "88,791,336", "16.414")),
}
