"""EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan, Le; ICML 2019).

TABLE below is Table 1, EfficientNet-B0, stages 2 to 8. Stage 1 is a 3x3 convolution to 32 channels
on 224x224, stage 9 a 1x1 convolution to 1280 on 7x7, pooling and a full layer. SCALES makes B1 to
B7 of it: wider, deeper, larger.
"""
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import NamedTuple

import torch.nn as nn
import torch.nn.functional as F

from convatlas.layers import ConvBN, Network, make_divisible, seq
from convatlas.paper import Claim, Paper, sizes

PAPER = Paper(
    title="EfficientNet: Rethinking Model Scaling for Convolutional Neural "
          "Networks", authors="Tan, "
                                                                                              "Le", year=2019,
    venue="ICML", arxiv="1905.11946v5", code="github.com/tensorflow/tpu "
                                             "models/official/efficientnet",
    silent="All from the authors' code: the scales of B1 to B7, which are near powers of 1.1, 1.2 "
           "and 1.15 but no more; channels rounded to multiples of 8, layers rounded up; a squeeze "
           "to a quarter of a block's input; TensorFlow's padding, which for a stride puts the odd "
           "row below and right; batch norm's epsilon 0.001; stochastic depth that grows from 0 in "
           "the first block by 0.2 / blocks; the initial weights. Where a stage strides: in its "
           "first layer, as the printed resolutions demand.",
    page="efficientnet", bare="efficientnet_b0")


class Row(NamedTuple):      # the columns of Table 1: MBConv1, k3x3 is t = 1, k = 3
    stage: int
    t: int
    k: int
    resolution: int         # of its input
    channels: int
    layers: int


TABLE = (
    Row(2, t=1, k=3, resolution=112, channels=16, layers=1),
    Row(3, t=6, k=3, resolution=112, channels=24, layers=2),
    Row(4, t=6, k=5, resolution=56, channels=40, layers=2),
    Row(5, t=6, k=3, resolution=28, channels=80, layers=3),
    Row(6, t=6, k=5, resolution=14, channels=112, layers=3),
    Row(7, t=6, k=5, resolution=14, channels=192, layers=4),
    Row(8, t=6, k=3, resolution=7, channels=320, layers=1),
)
RESOLUTION = {1: 224} | {row.stage: row.resolution for row in TABLE} | {9: 7}


class Scale(NamedTuple):
    width: float
    depth: float
    resolution: int
    dropout: float          # Sec. 5.2: from 0.2 for B0 to 0.5 for B7


SCALES = {
    "b0": Scale(1.0, 1.0, 224, 0.2), "b1": Scale(1.0, 1.1, 240, 0.2), "b2": Scale(1.1, 1.2, 260, 0.3),
    "b3": Scale(1.2, 1.4, 300, 0.3), "b4": Scale(1.4, 1.8, 380, 0.4), "b5": Scale(1.6, 2.2, 456, 0.4),
    "b6": Scale(1.8, 2.6, 528, 0.5), "b7": Scale(2.0, 3.1, 600, 0.5),
}


class Same(nn.Module):
    """TensorFlow's padding for a kernel k at stride s: as little as gives ceil(H/s) rows, the odd
    one at the end.
    """

    def __init__(self, k: int, s: int):
        super().__init__()
        self.k, self.s = k, s

    def forward(self, x):
        rows, columns = (max((n - 1) // self.s * self.s + self.k - n, 0) for n in x.shape[2:])
        return F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


def averaging(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    norm.eps, norm.momentum = 0.001, 0.01               # Sec. 5.2: batch norm momentum 0.99
    return norm


def conv_same(c_in: int, c_out: int, k: int, s: int = 1, groups: int = 1) -> nn.Sequential:
    """Bias-free convolution, padded as TensorFlow does, and batch norm.  (N, c_in, H, W) -> (N,
    c_out, ceil(H/s), .)
    """
    if s == 1:                                          # then it is the same on all sides
        layer = ConvBN(c_in, c_out, k, 1, groups)
        averaging(layer.bn)
        return layer
    return seq(pad=Same(k, s), conv=nn.Conv2d(c_in, c_out, k, s, groups=groups, bias=False),
               bn=averaging(nn.BatchNorm2d(c_out)))


Conv = Callable[..., nn.Module]                         # conv_same and its like


class SqueezeExcite(nn.Module):
    """A swish within, a sigmoid as the gate.  (N, c, H, W) -> same"""

    def __init__(self, c: int, squeezed: int):
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(c, squeezed, 1), nn.Conv2d(squeezed, c, 1)
        self.swish, self.gate = nn.SiLU(), nn.Sigmoid()

    def forward(self, x):
        return x * self.gate(self.excite(self.swish(self.squeeze(x.mean((2, 3), keepdim=True)))))


class StochasticDepth(nn.Module):
    """In training, leaves a block out for an image with probability p, and else scales it by 1 / (1
    - p).
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * F.dropout(x.new_ones(x.shape[0], 1, 1, 1), self.p) if self.training else x


class MBConv(nn.Module):
    """MobileNetV2's bottleneck with squeeze-and-excitation.  (N, c_in, H, W) -> (N, c_out, H/s,
    W/s)
    """

    def __init__(self, c_in: int, c_out: int, row: Row, s: int, conv: Conv, drop: float):
        super().__init__()
        c = row.t * c_in
        expand = {} if row.t == 1 else {"expand": conv(c_in, c, 1), "swish_e": nn.SiLU()}
        self.layers = seq(
            **expand, depthwise=conv(c, c, row.k, s, groups=c), swish_d=nn.SiLU(),
            se=SqueezeExcite(c, max(1, c_in // 4)), project=conv(c, c_out, 1))
        self.residual = s == 1 and c_in == c_out
        self.drop = StochasticDepth(drop)

    def forward(self, x):
        return x + self.drop(self.layers(x)) if self.residual else self.layers(x)


class EfficientNet(Network):
    stages = tuple(f"stage{i}" for i in RESOLUTION)

    def __init__(self, scale: Scale, conv: Conv = conv_same, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.side = scale.resolution

        def scaled(c: int) -> int:
            return make_divisible(c * scale.width)

        c, done = scaled(32), 0
        self.stage1 = seq(conv=conv(in_channels, c, 3, RESOLUTION[1] // RESOLUTION[2]), swish=nn.SiLU())
        layers = {row: ceil(row.layers * scale.depth) for row in TABLE}
        for row in TABLE:
            blocks = nn.Sequential()
            for i in range(layers[row]):
                s = row.resolution // RESOLUTION[row.stage + 1] if i == 0 else 1
                # Sec. 5.2: survival probability 0.8 at the end
                drop = 0.2 * (done + i) / sum(layers.values())
                blocks.append(MBConv(c, scaled(row.channels), row, s, conv, drop))
                c = scaled(row.channels)
            self.add_module(f"stage{row.stage}", blocks)
            done += layers[row]
        self.stage9 = seq(conv=conv(c, scaled(1280), 1), swish=nn.SiLU())
        self.dropout = nn.Dropout(scale.dropout)
        self.fc = nn.Linear(scaled(1280), num_classes)
        self.apply(self.initialise)

    def initialise(self, layer):  # an output of a depthwise convolution fans out to k x k
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.weight[0, 0].numel() * layer.out_channels // layer.groups
            nn.init.normal_(layer.weight, std=(2 / fan_out) ** 0.5)
        elif isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -layer.out_features ** -0.5, layer.out_features ** -0.5)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, x):                               # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # (N, channels, the next row's resolution)
        return self.fc(self.dropout(x.mean((2, 3))))    # (N, 1280, 7, 7) -> (N, num_classes)


VARIANTS = {f"efficientnet_{name}": partial(EfficientNet, scale) for name, scale in SCALES.items()}

FLOPS = ("The paper prints neither widths nor depths nor resolutions of B1 to B7; with those of "
         "the authors' code, which give the printed parameters, the network has {}.")
TABLE_2 = {"b0": ("5.3M", "0.39B", ""), "b1": ("7.8M", "0.70B", "0.687B"), "b2": ("9.2M", "1.0B", ""),
           "b3": ("12M", "1.8B", ""), "b4": ("19M", "4.2B", "4.39B"), "b5": ("30M", "9.9B", "10.27B"),
           # parameters, FLOPS, and what it has instead
           "b6": ("43M", "19B", ""), "b7": ("66M", "37B", "")}


def printed_outputs() -> dict[str, str]:
    """Channels of each stage at the resolution printed for the next."""
    channels = {1: 32} | {row.stage: row.channels for row in TABLE} | {9: 1280}
    return {f"stage{i}": f"{c}x{side}x{side}"
            for (i, c), side in zip(channels.items(), [*list(RESOLUTION.values())[1:], 7], strict=True)}


def cost(params: str, flops: str, instead: str) -> tuple[Claim, ...]:
    return (Claim("params", params, "Table 2"),
            Claim("macs", flops, "Table 2", erratum=FLOPS.format(instead) if instead else ""))


CLAIMS = {f"efficientnet_{name}": cost(*figures) for name, figures in TABLE_2.items()}
CLAIMS["efficientnet_b0"] += (
    Claim("size", "3x224x224", "Table 1", "input"), *sizes("Table 1, resolution of the next "
                                                           "stage", printed_outputs()),
    Claim("macs", "0.4B", "Table 7, baseline model"))
