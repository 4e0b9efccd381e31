"""What tutorials call GoogLeNet."""

from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from lenets import xavier
from listing import (
    NORMALISATION,
    TRAINING,
    TUTORIAL_1,
    Difference,
    Listing,
    Source,
    dropout,
    gone,
    new,
)
from pieces import Beside, conv, conv_norm_relu, flat, mean
from torch import Tensor

# 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, behind the pool
MODULES = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


def plain(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(conv(c_in, c_out, k, stride, bias=True), nn.ReLU(inplace=True))


normed = partial(conv_norm_relu, bias=True)


def inception(c: int, row: tuple[int, ...], layer, fives: bool) -> nn.Module:
    n1, r3, n3, r5, n5, proj = row
    wide = [layer(r5, n5, 5)] if fives else [layer(r5, n5, 3), layer(n5, n5, 3)]
    return Beside(
        layer(c, n1, 1),
        nn.Sequential(layer(c, r3, 1), layer(r3, n3, 3)),
        nn.Sequential(layer(c, r5, 1), *wide),
        nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), layer(c, proj, 1)),
    )


def modules(rows, c: int, layer, fives: bool) -> nn.Sequential:
    found = nn.Sequential()
    for row in rows:
        found.append(inception(c, row, layer, fives))
        c = row[0] + row[2] + row[4] + row[5]
    return found


def body(layer, fives: bool, pool) -> nn.Sequential:
    """All nine modules, with the two pools between them."""
    return nn.Sequential(
        *(modules(MODULES[:2], 192, layer, fives), pool()),
        *(modules(MODULES[2:7], 480, layer, fives), pool()),
        modules(MODULES[7:], 832, layer, fives),
    )


padded = partial(nn.MaxPool2d, 3, stride=2, padding=1)
rounded_up = partial(nn.MaxPool2d, 3, stride=2, ceil_mode=True)


def for_32_pixels() -> nn.Sequential:
    return nn.Sequential(
        *(normed(3, 192, 3), body(normed, False, padded)),
        *(nn.AvgPool2d(8, stride=1), flat(), nn.Linear(1024, 10)),
    )


def with_three_first() -> nn.Sequential:
    first = [conv_norm_relu(3, 64, 3), conv_norm_relu(64, 64, 3), conv_norm_relu(64, 192, 3)]
    return nn.Sequential(
        *first,
        *(padded(), body(normed, False, padded)),
        *(nn.AdaptiveAvgPool2d((1, 1)), nn.Dropout2d(0.4), nn.Flatten(), nn.Linear(1024, 100)),
    )


def book(c_in: int, classes: int, p: float | None) -> nn.Sequential:
    return nn.Sequential(
        *(plain(c_in, 64, 7, 2), padded()),
        *(plain(64, 64, 1), plain(64, 192, 3), padded()),
        *(body(plain, True, padded), mean()),
        nn.Identity() if p is None else nn.Dropout(p),
        nn.Linear(1024, classes),
    )


class Head(nn.Module):
    def __init__(self, c: int):
        super().__init__()
        self.conv = plain(c, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.avg_pool2d(x, 5, stride=3)).flatten(1)
        x = F.relu(self.fc1(F.dropout(x, 0.5, training=self.training)))
        return self.fc2(F.dropout(x, 0.5, training=self.training))


class WithHeads(nn.Module):
    """The two auxiliary heads speak in training only."""

    def __init__(self):
        super().__init__()
        self.before = nn.Sequential(plain(3, 64, 7, 2), rounded_up(), plain(64, 64, 1))
        self.before.extend([plain(64, 192, 3), rounded_up()])
        self.three = modules(MODULES[:2], 192, plain, True)
        self.four = modules(MODULES[2:7], 480, plain, True)
        self.five = modules(MODULES[7:], 832, plain, True)
        self.pool = rounded_up()
        self.aux1 = Head(512)
        self.aux2 = Head(528)
        self.head = nn.Sequential(mean(), nn.Dropout(0.4), nn.Linear(1024, 1000))

    def forward(self, x: Tensor):
        x = self.pool(self.three(self.before(x)))
        heads = []
        for i, module in enumerate(self.four):
            x = module(x)
            if self.training and i in (0, 3):
                heads.append((self.aux1, self.aux2)[i // 3](x))
        x = self.head(self.five(self.pool(x)))
        return (x, *reversed(heads)) if self.training else x


BOOK = Source(
    "d2l-ai/d2l-en",
    "chapter_convolutional-modern/googlenet.md",
    "090e88bd8f64fb5c7a886fdf5e9737afdcb24baf",
)
NO_HEADS = Difference(TRAINING, "auxiliary head", "", None, (), 2)

LISTINGS = (
    Listing(
        "googlenet_pytorch_cifar",
        for_32_pixels,
        Source(
            "kuangliu/pytorch-cifar",
            "models/googlenet.py",
            "64fe317af0709823a23de5010c173c1912881965",
        ),
        (3, 32, 32),
        params=6_166_250,
        atlas="googlenet_bn_32",
        starts_alike=True,
    ),
    Listing(
        "googlenet_cifar100",
        with_three_first,
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/googlenet.py",
            "49ddb268f6bb03d6595b16f0317d749227635668",
        ),
        (3, 32, 32),
        params=6_402_564,
        atlas="googlenet_bn_32",
        differences=(
            new("conv", 2),
            new("batch norm", 2, NORMALISATION),
            new("relu", 2, "activation"),
            new("max pool", 1),
            Difference("structure", "conv", "bias", False, True, 1),
            dropout(0.4, None),
        ),
        starts_alike=True,
        remark="three 3x3 convolutions in front, the last of them pytorch-cifar's without its "
        "bias, and a pool",
    ),
    Listing(
        "googlenet_d2l",
        partial(xavier, partial(book, 1, 10, None)),
        BOOK,
        (1, 224, 224),
        params=5_977_530,
        atlas="googlenet_tutorial",
        differences=(dropout(None, 0.5), NO_HEADS),
        starts_alike=True,
    ),
    Listing(
        "googlenet_without_normalisation",
        partial(book, 3, 10, 0.5),
        TUTORIAL_1,
        (3, 224, 224),
        params=5_983_802,
        atlas="googlenet_tutorial",
        differences=(NO_HEADS,),
        shapes={"1": (64, 56, 56), "4": (192, 28, 28), "5.1": (480, 14, 14), "5.3": (832, 7, 7)},
        remark="its heads are printed, and never called",
    ),
    Listing(
        "googlenet_wzmiaomiao",
        WithHeads,
        Source(
            "WZMIAOMIAO/deep-learning-for-image-processing",
            "pytorch_classification/Test4_googlenet/model.py",
            "37abd8242e353591ece85d2a8e1668f54b79af4b",
        ),
        (3, 224, 224),
        params=13_378_280,
        atlas="googlenet",
        differences=(
            gone("local response norm", 2, NORMALISATION),
            Difference(TRAINING, "dropout in a head", "p", 0.5, None, 2),
            Difference(TRAINING, "dropout in a head", "p", 0.5, 0.7, 2),
        ),
        remark="the paper's heads drop out once, 0.7",
    ),
)
