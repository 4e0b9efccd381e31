"""GoogLeNet as torchvision has it: no paper. Table 1's widths with batch norm, and with a 3x3 where
the 5x5 belongs.
"""
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import FilterConcat, Network, seq
from convatlas.nets.googlenet import MODULES, Row, pool
from convatlas.paper import Paper

PAPER = Paper(
    title="GoogLeNet (torchvision)", authors="torchvision contributors",
    year=2018, code="github.com/pytorch/vision",
    silent="There is no paper. Against the paper's network: the 5x5 is a 3x3 (a known fault, kept "
           "for the sake of old weights), the fourth pool is 2x2, dropout 0.2 for 0.4, and the "
           "auxiliary heads bring any map to 4x4. The weight of the heads' losses, 0.3, is the "
           "paper's; torchvision leaves it to the user.",
    page="googlenet_torchvision")


def conv(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, stride, padding=k // 2, bias=False),
               bn=nn.BatchNorm2d(c_out, eps=1e-3), relu=nn.ReLU())


def inception(c: int, row: Row) -> FilterConcat:
    """A 3x3 in the branch called 5x5.  (N, c, H, W) -> (N, n1x1 + n3x3 + n5x5 + pool_proj, H, W)"""
    return FilterConcat(**{
        "1x1": conv(c, row.n1x1, 1),
        "3x3": seq(reduce=conv(c, row.n3x3_reduce, 1), conv=conv(row.n3x3_reduce, row.n3x3, 3)),
        "5x5": seq(reduce=conv(c, row.n5x5_reduce, 1), conv=conv(row.n5x5_reduce, row.n5x5, 3)),
        "pool": seq(pool=nn.MaxPool2d(3, stride=1, padding=1), proj=conv(c, row.pool_proj, 1))})


class Auxiliary(nn.Module):
    """(N, c, H, W) -> (N, num_classes)"""

    def __init__(self, c: int, num_classes: int):
        super().__init__()
        self.conv = conv(c, 128, 1)
        self.fc1 = seq(fc=nn.Linear(128 * 4 * 4, 1024), relu=nn.ReLU(), dropout=nn.Dropout(0.7))
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, 4))      # (N, 128, 4, 4)
        return self.fc2(self.fc1(x.flatten(1)))         # (N, 1024), (N, num_classes)


class GoogLeNetTorchvision(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 15
    stages = ("conv1", "conv2", "inception_3b", "inception_4e", "inception_5b")
    auxiliary_paths = ("aux_4a.fc2", "aux_4d.fc2")

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 64, 7, stride=2)
        self.conv2 = seq(reduce=conv(64, 64, 1), conv=conv(64, 192, 3))
        self.pool1 = pool()
        self.pool2 = pool()
        self.pool3 = pool()
        self.pool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        c = 192
        for row in MODULES:
            self.add_module(row.part, inception(c, row))
            c = row.n1x1 + row.n3x3 + row.n5x5 + row.pool_proj
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(c, num_classes)
        self.aux_4a = Auxiliary(512, num_classes)
        self.aux_4d = Auxiliary(528, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.01)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the heads read: the outputs of 4a, 4d and 5b."""
        x = self.pool1(self.conv1(x))                           # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.pool2(self.conv2(x))                           # (N, 192, 56, 56), (N, 192, 28, 28)
        x = self.inception_3b(self.inception_3a(x))             # (N, 480, 28, 28)
        out_4a = self.inception_4a(self.pool3(x))               # (N, 512, 14, 14)
        x = self.inception_4c(self.inception_4b(out_4a))        # (N, 512, 14, 14)
        out_4d = self.inception_4d(x)                           # (N, 528, 14, 14)
        x = self.pool4(self.inception_4e(out_4d))               # (N, 832, 14, 14), (N, 832, 7, 7)
        out_5b = self.inception_5b(self.inception_5a(x))        # (N, 1024, 7, 7)
        return out_4a, out_4d, out_5b

    def head(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))  # (N, num_classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, 224, 224)
        return self.head(self.maps(x)[-1])

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        out_4a, out_4d, out_5b = self.maps(x)
        return [(self.head(out_5b), 1.0), (self.aux_4a(out_4a), 0.3), (self.aux_4d(out_4d), 0.3)]


VARIANTS = {"googlenet_torchvision": GoogLeNetTorchvision}
