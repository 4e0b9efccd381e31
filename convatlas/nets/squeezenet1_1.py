"""SqueezeNet v1.1: the authors' later release, SqueezeNet with a smaller first layer and with the
pools earlier.

    conv1 64, 3x3/2   maxpool1   fire2, 3   maxpool3   fire4, 5   maxpool5   fire6, 7, 8, 9   conv10
"""
from functools import partial

from convatlas.nets.squeezenet import Layout, SqueezeNet
from convatlas.paper import Paper

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
