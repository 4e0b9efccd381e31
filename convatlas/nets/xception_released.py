"""Xception as its author released it (keras.applications): Figure 5 of the paper with TensorFlow's
padding, batch norm's constants of that code and its first weights.
"""
import torch.nn as nn

from convatlas.layers import SameForPool, seq
from convatlas.nets.xception import Xception
from convatlas.paper import Paper

PAPER = Paper(
    title="Xception (Keras)", authors="Chollet",
    year=2017, arxiv="1610.02357v3",
    code="github.com/keras-team/keras-applications keras_applications/xception.py",
    silent="The paper leaves all of this to the code: pools are padded as little as gives half the "
           "size, the odd row below and right; batch norm's epsilon is 0.001, its decay 0.99; "
           "initial weights are Glorot's, uniform, and biases zero.",
    departs="No dropout before the classifier, where Sec. 4.3 has 0.5.",
    page="xception_released")


EPSILON = 0.001
MOMENTUM = 0.01                                       # 1 less Keras's decay


def glorot_init(layer: nn.Module) -> None:
    """Keras's defaults."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


class XceptionReleased(Xception):
    """(N, 3, 299, 299) -> (N, num_classes)"""
    initialise = staticmethod(glorot_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(num_classes, in_channels)
        self.dropout = nn.Identity()
        entry = self.entry_flow
        for block in (entry.block1, entry.block2, entry.block3, self.exit_flow.block):
            block.branch = seq(convs=block.branch.convs, pad=SameForPool(3, 2),
                               pool=nn.MaxPool2d(3, stride=2))
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eps = EPSILON
                layer.momentum = MOMENTUM


VARIANTS = {"xception_released": XceptionReleased}
