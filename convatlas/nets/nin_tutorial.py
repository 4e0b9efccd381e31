"""What Dive into Deep Learning calls NiN: the ImageNet network with pools that round down, and a
last mlpconv as wide as the classes.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network
from convatlas.nets.nin import IMAGENET, MLPConv, mlpconv
from convatlas.paper import Paper

PAPER = Paper(
    title="Dive into Deep Learning, NiN", authors="Zhang, Lipton, Li, Smola",
    year=2019, code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. Weights are Xavier-uniform, as in the book.",
    page="nin_tutorial")


class NiNTutorial(Network):
    """(N, 1, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 67
    stages = ("mlpconv1", "mlpconv2", "mlpconv3", "mlpconv4")
    classifier_path = "mlpconv4.cccp2"

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        last = MLPConv(3, num_classes, num_classes, None, padding=1)
        self.mlpconv1 = mlpconv(in_channels, IMAGENET[0], 96)
        self.mlpconv2 = mlpconv(96, IMAGENET[1], 256)
        self.mlpconv3 = mlpconv(256, IMAGENET[2], 384)
        self.mlpconv4 = mlpconv(384, last, num_classes)
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.pool3 = nn.MaxPool2d(3, stride=2)
        self.dropout = nn.Dropout(0.5)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:     # (N, 1, 224, 224)
        x = self.pool1(self.mlpconv1(x))        # (N, 96, 54, 54), (N, 96, 26, 26)
        x = self.pool2(self.mlpconv2(x))        # (N, 256, 26, 26), (N, 256, 12, 12)
        x = self.pool3(self.mlpconv3(x))        # (N, 384, 12, 12), (N, 384, 5, 5)
        x = self.mlpconv4(self.dropout(x))      # (N, num_classes, 5, 5)
        return x.mean((2, 3))                   # (N, num_classes)


VARIANTS = {"nin_tutorial": NiNTutorial}
