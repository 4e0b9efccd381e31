"""DenseNet as tutorials teach it: dense blocks of Dive into Deep Learning, four layers each,
without bottlenecks.
"""
import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.nets.densenet import DenseBlock
from convatlas.paper import Paper

PAPER = Paper(
    title="Dive into Deep Learning, DenseNet",
    authors="Zhang, Lipton, Li, Smola",
    year=2019, code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. Convolutions have biases, as in the book. Its pool is padded (56, "
           "28, 14, 7 pixels); this one is not (55, 27, 13, 6). Weights are Xavier-uniform, as in "
           "the book.",
    page="densenet_tutorial")


def conv(c_in: int, c_out: int, k: int) -> nn.Sequential:
    return seq(
        bn=nn.BatchNorm2d(c_in),
        relu=nn.ReLU(),
        conv=nn.Conv2d(c_in, c_out, k, padding=k // 2))


class Layer(nn.Module):
    """BN-ReLU-Conv(3x3).  Several maps (N, c_i, H, W), of c channels together -> (N, k, H, W)"""

    def __init__(self, c: int, k: int):
        super().__init__()
        self.conv = conv(c, k, 3)

    def forward(self, *maps: Tensor) -> Tensor:
        return self.conv(torch.cat(maps, 1))


class DenseNetTutorial(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    smallest = 33       # the pool must leave 8 pixels, to be halved three times
    stages = ("convolution", "dense_block1", "dense_block2", "dense_block3", "dense_block4")
    cam_path = "activation"

    def __init__(self, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.convolution = seq(
            conv=nn.Conv2d(in_channels, 64, 7, stride=2, padding=3),
            bn=nn.BatchNorm2d(64),
            relu=nn.ReLU())
        self.pooling = nn.MaxPool2d(3, stride=2)
        c = 64
        for i in (1, 2, 3, 4):
            self.add_module(f"dense_block{i}", DenseBlock(Layer, depth=4, c=c, k=32))
            c += 4 * 32
            if i < 4:
                halved = seq(conv=conv(c, c // 2, 1), pool=nn.AvgPool2d(2, stride=2))
                self.add_module(f"transition{i}", halved)
                c //= 2
        self.activation = seq(bn=nn.BatchNorm2d(c), relu=nn.ReLU())
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.pooling(self.convolution(x))         # (N, 64, 112, 112), (N, 64, 55, 55)
        x = self.transition1(self.dense_block1(x))    # (N, 192, 55, 55), (N, 96, 27, 27)
        x = self.transition2(self.dense_block2(x))    # (N, 224, 27, 27), (N, 112, 13, 13)
        x = self.transition3(self.dense_block3(x))    # (N, 240, 13, 13), (N, 120, 6, 6)
        x = self.activation(self.dense_block4(x))     # (N, 248, 6, 6)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {"densenet_tutorial": DenseNetTutorial}
