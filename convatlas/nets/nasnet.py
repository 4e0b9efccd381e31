"""Learning Transferable Architectures for Scalable Image Recognition (Zoph, Vasudevan, Shlens, Le;
CVPR 2018): NASNet-A.

Figure 4, the two cells, is NORMAL and REDUCTION below. FIGURE_2 stacks them, on CIFAR-10 without
the stem; a reduction cell halves the map and doubles the filters. N @ width: N normal cells in a
row, and the width of the last one, 24 times that of the convolutions in normal1.

    Tables 1 to 3            6 @ 768    4 @ 1056    6 @ 4032
    image                    32x32      224x224     331x331
    parameters               3.3M       5.3M        88.9M
    multiply-adds                       564M        23.8B
"""
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import Network, Same, seq, truncated_normal
from convatlas.paper import Paper

PAPER = Paper(
    title="Learning Transferable Architectures for Scalable Image Recognition",
    authors="Zoph, Vasudevan, Shlens, Le",
    year=2018, venue="CVPR", arxiv="1707.07012v4",
    code="github.com/tensorflow/models research/slim/nets/nasnet",
    silent="All from the authors' code: the first layer, 3x3, unpadded and of stride 2 on "
           "ImageNet, and its width (32, 96 in 6 @ 4032 and on CIFAR-10); filters of a quarter and "
           "a half in the two cells of the stem; 1x1 convolutions that fit both inputs to a cell, "
           "two shifted ones side by side where h_{i-1} is twice as large; h_{i-1} among what a "
           "normal cell gives out; in 6 @ 4032, the first normal cell after a reduction reads as "
           "h_{i-1} what the reduction did. TensorFlow's padding, the odd row below and right, and "
           "averages that leave it out. Batch norm's epsilon is 0.001 and its decay 0.9997, on "
           "CIFAR-10 1e-5 and 0.9. A path is dropped with a probability that grows with its cell, "
           "to 0.3 in the last of 6 @ 4032 and 0.4 on CIFAR-10, and with the batches seen, up to "
           "250,000 and 937,500; 4 @ 1056 drops none. Initial weights are He's for the outputs of "
           "a filter, truncated. The auxiliary head reads the last cell of normal2; smaller maps "
           "than the printed image's are brought to size.",
    departs="Published weights tell 1001 classes apart, the first of which is the background. Not "
            "here, for neither text nor code says how they are made, and the code gives other "
            "counts at their N and width: 7 @ 2304 (32.4M parameters, printed 27.6M), 5 @ 1538 "
            "(12.2M, printed 10.9M; 1538 is no multiple of 24) and 7 @ 1920 (24.6M, printed "
            "22.6M). NASNet-B and -C are drawn in figures alone, and not released.",
    page="nasnet", bare="nasnet_a_4_1056")


class Block(NamedTuple):    # two operations, whose results are added, and the states they read
    left: str
    of: int                 # 0 is h_i, 1 is h_{i-1}, 2 and on what the blocks before have made
    right: str
    and_of: int


class Design(NamedTuple):
    blocks: tuple[Block, ...]
    joined: tuple[int, ...]     # the states that a cell gives out, one after the other
    stride: int                 # of what reads h_i and h_{i-1}


NORMAL = Design((
    Block("sep 5x5", 0, "sep 3x3", 1),
    Block("sep 5x5", 1, "sep 3x3", 1),
    Block("avg 3x3", 0, "identity", 1),
    Block("avg 3x3", 1, "avg 3x3", 1),
    Block("sep 3x3", 0, "identity", 0),
), joined=(1, 2, 3, 4, 5, 6), stride=1)
REDUCTION = Design((
    Block("sep 5x5", 0, "sep 7x7", 1),
    Block("max 3x3", 0, "sep 7x7", 1),
    Block("avg 3x3", 0, "sep 5x5", 1),
    Block("identity", 3, "avg 3x3", 2),
    Block("sep 3x3", 2, "max 3x3", 0),
), joined=(3, 4, 5, 6), stride=2)


class Section(NamedTuple):
    name: str
    design: Design
    filters: float              # of its convolutions, in units of those of normal1


FIGURE_2 = (
    Section("stem1", REDUCTION, 1 / 4),
    Section("stem2", REDUCTION, 1 / 2),
    Section("normal1", NORMAL, 1),
    Section("reduction1", REDUCTION, 2),
    Section("normal2", NORMAL, 2),
    Section("reduction2", REDUCTION, 4),
    Section("normal3", NORMAL, 4),
)


class Column(NamedTuple):
    n: int
    filters: int                # of the convolutions in normal1: the printed width / 24
    conv1: int
    image: int
    aux: int                    # side of the auxiliary head's window: all of its map
    dropout: float
    drop_path: float            # of the last cell, after so many batches
    batches: int


CIFAR = Column(n=6, filters=32, conv1=96, image=32, aux=4, dropout=0.0, drop_path=0.4,
               batches=937_500)
MOBILE = Column(n=4, filters=44, conv1=32, image=224, aux=4, dropout=0.5, drop_path=0.0,
                batches=250_000)
LARGE = Column(n=6, filters=168, conv1=96, image=331, aux=6, dropout=0.5, drop_path=0.3,
               batches=250_000)

Norm = Callable[[int], nn.BatchNorm2d]


class Maps(NamedTuple):
    channels: int
    halvings: int


class SameMaxPool(nn.MaxPool2d):
    """3x3, stride 2, padded as TensorFlow does: on both sides of an odd number of rows, else below.

    (N, c, H, W) -> (N, c, H/2, W/2), rounded up
    """

    def forward(self, x: Tensor) -> Tensor:
        padding = x.shape[2] % 2, x.shape[3] % 2
        return F.max_pool2d(x, self.kernel_size, self.stride, padding, ceil_mode=True)


class SameAvgPool(nn.AvgPool2d):
    """The same windows, averaged over what of them lies within the map."""

    def forward(self, x: Tensor) -> Tensor:
        padding = x.shape[2] % 2, x.shape[3] % 2
        return F.avg_pool2d(x, self.kernel_size, self.stride, padding, ceil_mode=True,
                            count_include_pad=False)


def fit(c_in: int, c: int, norm: Norm) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c, 1, bias=False), bn=norm(c))


def relu_fit(c_in: int, c: int, norm: Norm) -> nn.Sequential:
    """App. A.4: "an ordering of ReLU, convolution operation and Batch Normalization"."""
    return seq(relu=nn.ReLU(), **dict(fit(c_in, c, norm).named_children()))


def separable(c_in: int, c: int, k: int, stride: int, norm: Norm) -> nn.Sequential:
    """App. A.4: applied twice, and nothing between the depthwise and the pointwise operation."""
    pad = {"pad": Same(k, stride)} if stride > 1 else {}
    padding = 0 if stride > 1 else k // 2
    return seq(
        relu1=nn.ReLU(), **pad,
        depthwise1=nn.Conv2d(c_in, c_in, k, stride, padding, groups=c_in, bias=False),
        pointwise1=nn.Conv2d(c_in, c, 1, bias=False), bn1=norm(c),
        relu2=nn.ReLU(),
        depthwise2=nn.Conv2d(c, c, k, padding=k // 2, groups=c, bias=False),
        pointwise2=nn.Conv2d(c, c, 1, bias=False), bn2=norm(c))


def pool(kind: str, stride: int) -> nn.Module:
    if stride == 1:
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return {"max": SameMaxPool, "avg": SameAvgPool}[kind](3, stride)


def operation(name: str, c_in: int, c: int, stride: int, norm: Norm) -> nn.Module:
    kind, _, kernel = name.partition(" ")
    if kind == "sep":
        return separable(c_in, c, int(kernel[0]), stride, norm)
    if kind == "identity":
        return nn.Identity() if c_in == c else relu_fit(c_in, c, norm)
    pooled = pool(kind, stride)
    return pooled if c_in == c else seq(pool=pooled, **dict(fit(c_in, c, norm).named_children()))


class FactorizedReduction(nn.Module):
    """Every second pixel, and in the other half of the filters every second pixel one row and
    column on.  (N, c_in, H, W) -> (N, c, H/2, W/2), rounded up
    """

    def __init__(self, c_in: int, c: int, norm: Norm):
        super().__init__()
        self.relu = nn.ReLU()
        self.path1 = nn.Conv2d(c_in, c // 2, 1, stride=2, bias=False)
        self.path2 = nn.Conv2d(c_in, c // 2, 1, stride=2, bias=False)
        self.paths_bn = norm(c)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        shifted = F.pad(x, (-1, 1, -1, 1))
        return self.paths_bn(torch.cat([self.path1(x), self.path2(shifted)], dim=1))


class ScheduledDropPath(nn.Module):
    """Sec. 4: in training, zeroes an image with a probability that grows from 0 to p over the
    course of training, and else scales it so that its mean stays. `progress` is 1 at the end.
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor, progress: Tensor | None) -> Tensor:
        if progress is None or not self.p:
            return x
        keep = 1 - self.p * progress
        kept = torch.rand(x.shape[0], 1, 1, 1, device=x.device) < keep
        return x * (kept / keep).to(x.dtype)


class Cell(nn.Module):
    """Figure 4. What it reads is fitted to c filters first, but not h_{i-1} of the first cell: that
    is h_i.

    (N, h.channels, H, W), (N, before.channels, H or 2H, W or 2W) -> (N, out.channels, H', W')
    """

    def __init__(self, design: Design, c: int, h: Maps, before: Maps | None, norm: Norm, p: float):
        super().__init__()
        self.design = design
        self.current = relu_fit(h.channels, c, norm)
        self.before = fitted(before, h, c, norm)
        raw = h.channels if before is None else c
        read = [c, raw, *(c for _ in design.blocks)]    # channels of each state

        def made(name: str, of: int) -> nn.Module:
            return operation(name, read[of], c, design.stride if of < 2 else 1, norm)

        self.left = nn.ModuleList(made(b.left, b.of) for b in design.blocks)
        self.right = nn.ModuleList(made(b.right, b.and_of) for b in design.blocks)
        self.drop = ScheduledDropPath(p)
        widens = 1 in design.joined and raw != c
        self.joining = fit(raw, c, norm) if widens else nn.Identity()
        self.out = Maps(len(design.joined) * c, h.halvings + design.stride - 1)

    def forward(self, h: Tensor, before: Tensor, progress: Tensor | None) -> Tensor:
        states = [self.current(h), self.before(before)]
        for block, left, right in zip(self.design.blocks, self.left, self.right, strict=True):
            a = left(states[block.of])
            b = right(states[block.and_of])
            a = a if block.left == "identity" else self.drop(a, progress)
            b = b if block.right == "identity" else self.drop(b, progress)
            states.append(a + b)
        states[1] = self.joining(states[1])
        return torch.cat([states[i] for i in self.design.joined], dim=1)


def fitted(before: Maps | None, h: Maps, c: int, norm: Norm) -> nn.Module:
    """h_{i-1} with c filters and at the size of h_i."""
    if before is None or before == Maps(c, h.halvings):
        return nn.Identity()
    if before.halvings < h.halvings:
        return FactorizedReduction(before.channels, c, norm)
    return relu_fit(before.channels, c, norm)


class Auxiliary(nn.Module):
    """`side` is that of the last window, all of the printed image's map.

    (N, c, H, W) -> (N, num_classes)
    """

    def __init__(self, c: int, side: int, norm: Norm, num_classes: int):
        super().__init__()
        self.side = side
        self.convs = seq(
            conv1=nn.Conv2d(c, 128, 1, bias=False), bn1=norm(128), relu1=nn.ReLU(),
            conv2=nn.Conv2d(128, 768, side, bias=False), bn2=norm(768), relu2=nn.ReLU())
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        if min(x.shape[2:]) >= 5:
            x = F.avg_pool2d(x, 5, stride=3)                # (N, c, side, side)
        if min(x.shape[2:]) < self.side:                    # images smaller than the printed one
            x = F.adaptive_avg_pool2d(x, self.side)
        return self.fc(self.convs(x).mean((2, 3)))          # (N, num_classes)


class NASNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes) for 4 @ 1056"""

    smallest = 3
    sections = FIGURE_2
    auxiliary_paths = ("aux.fc",)
    norm = staticmethod(partial(nn.BatchNorm2d, eps=0.001, momentum=0.0003))

    def __init__(self, column: Column, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.side = column.image
        self.batches = column.batches
        self.conv1 = self.first(in_channels, column.conv1)
        h = self.add_cells(column)
        self.relu = nn.ReLU()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(column.dropout)
        self.fc = nn.Linear(h.channels, num_classes)
        self.aux = Auxiliary(self.normal2[-1].out.channels, column.aux, self.norm, num_classes)
        self.apply(self.initialise)

    def add_cells(self, column: Column) -> Maps:
        """What the last one gives out."""
        counts = [column.n if section.design is NORMAL else 1 for section in self.sections]
        h = Maps(column.conv1, halvings=0)
        before = None
        number = 0
        for section, count in zip(self.sections, counts, strict=True):
            cells = nn.ModuleList()
            for _ in range(count):
                number += 1
                cell = Cell(section.design, int(column.filters * section.filters), h, before,
                            self.norm, column.drop_path * number / sum(counts))
                cells.append(cell)
                before = self.passed_on(section, h, before)
                h = cell.out
            self.add_module(section.name, cells)
        last = [f"{s.name}.{count - 1}" for s, count in zip(self.sections, counts, strict=True)]
        self.stages = ("conv1", *last)
        return h

    def first(self, in_channels: int, c: int) -> nn.Sequential:
        return seq(conv=nn.Conv2d(in_channels, c, 3, stride=2, bias=False), bn=self.norm(c))

    @staticmethod
    def passed_on(section: Section, h: Any, before: Any) -> Any:
        """What the cell after one of this section reads as h_{i-1}."""
        return h

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):    # a depthwise convolution's input fans out to k x k
            outputs = layer.weight[0, 0].numel() * layer.out_channels // layer.groups
        elif isinstance(layer, nn.Linear):
            outputs = layer.out_features
            nn.init.zeros_(layer.bias)
        else:
            return
        truncated_normal(layer.weight, (1.3 * 2 / outputs) ** 0.5)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads read: the outputs of normal2 and normal3."""
        seen = self.conv1.bn.num_batches_tracked
        progress = (seen / self.batches).clamp(max=1) if self.training else None
        h = self.conv1(x)                               # (N, 32, 111, 111) for 4 @ 1056
        before = h
        last = {}
        for section in self.sections:
            for cell in self.get_submodule(section.name):
                out = cell(h, before, progress)
                before = self.passed_on(section, h, before)
                h = out
            last[section.name] = h                      # (N, 264, 28, 28), (N, 352, 14, 14), ...
        return last["normal2"], h                       # (N, 528, 14, 14), (N, 1056, 7, 7)

    def head(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.avg_pool(self.relu(x)).flatten(1)))    # (N, num_classes)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        return self.head(self.maps(x)[-1])

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        middle, last = self.maps(x)
        return [(self.head(last), 1.0), (self.aux(middle), 0.4)]    # App. A.7


class NASNetALarge(NASNet):
    """(N, 3, 331, 331) -> (N, num_classes)"""

    @staticmethod
    def passed_on(section: Section, h: Any, before: Any) -> Any:
        return before if section.name.startswith("reduction") else h


class NASNetACIFAR(NASNet):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    smallest = 1
    sections = FIGURE_2[2:]
    norm = nn.BatchNorm2d

    def __init__(self, column: Column, num_classes: int = 10, in_channels: int = 3):
        super().__init__(column, num_classes, in_channels)

    def first(self, in_channels: int, c: int) -> nn.Sequential:
        return seq(conv=nn.Conv2d(in_channels, c, 3, padding=1, bias=False), bn=self.norm(c))


VARIANTS = {
    "nasnet_a_4_1056": partial(NASNet, MOBILE),
    "nasnet_a_6_4032": partial(NASNetALarge, LARGE),
    "nasnet_a_6_768_cifar": partial(NASNetACIFAR, CIFAR),
}
