"""SqueezeNet v1.1: the authors' later release, SqueezeNet with a smaller first layer and with the
pools earlier.

    conv1 64, 3x3/2   maxpool1   fire2, 3   maxpool3   fire4, 5   maxpool5   fire6, 7, 8, 9   conv10
"""
from functools import partial

from convatlas.nets.squeezenet import Layout, SqueezeNet
from convatlas.paper import Claim, Paper, torchvision

PAPER = Paper(
    title="SqueezeNet v1.1",
    authors="Iandola",
    year=2016, arxiv="1602.07360v4", code="github.com/forresti/SqueezeNet SqueezeNet_v1.1",
    silent="There is no paper; the table is the authors' release. Initial weights as in v1.0.",
    page="squeezenet1_1")

V1_1 = Layout(64, 3, smallest=17, parts=(
    "maxpool1", "fire2", "fire3",
    "maxpool3", "fire4", "fire5",
    "maxpool5", "fire6", "fire7", "fire8", "fire9"))
VARIANTS = {"squeezenet1_1": partial(SqueezeNet, V1_1)}

CHEAPER = ("0.78 billion at the 227x227 that the release crops, 0.70 at 224x224. The README calls "
           "v1.1 2.4 times cheaper than v1.0, and 0.72 is the 1.72 of v1.0 over 2.4.")
CLAIMS = {
    "squeezenet1_1": (
        Claim("flops", "0.72G", "README, computation", erratum=CHEAPER),
        *torchvision("SqueezeNet1_1_Weights", "1,235,496", "0.349", at="224x224")),
}
