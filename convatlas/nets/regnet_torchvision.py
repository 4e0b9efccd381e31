"""RegNet as torchvision rounds its widths to multiples of the group width: never by more than a
tenth down, which widens a stage of three networks.
"""
from functools import partial

from convatlas.layers import make_divisible
from convatlas.nets.regnet import Design, RegNet, Shape, X, Y, quantised, x_block, y_block
from convatlas.paper import Paper

PAPER = Paper(
    title="RegNet (torchvision)",
    authors="torchvision contributors",
    year=2021, code="github.com/pytorch/vision",
    silent="There is no paper. Initial weights are those of torchvision, which are the authors'. "
           "Batch norm has PyTorch's epsilon and momentum, 1e-5 and 0.1. The other networks of "
           "torchvision have the printed widths: regnetx_800mf and so on.",
    page="regnet_torchvision", bare="regnetx_400mf_torchvision")


def widened(design: Design) -> list[Shape]:
    return [Shape(depth, make_divisible(width, min(design.g, width)), min(design.g, width))
            for width, depth in quantised(design)]


VARIANTS = {
    "regnetx_400mf_torchvision": partial(RegNet, x_block, widened(X["400mf"])),
    "regnety_800mf_torchvision": partial(RegNet, y_block, widened(Y["800mf"])),
    "regnety_8gf_torchvision": partial(RegNet, y_block, widened(Y["8gf"])),
}
