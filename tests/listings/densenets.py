"""What tutorials call DenseNet."""

from functools import partial

import torch
import torch.nn as nn
from lenets import xavier
from listing import (
    ACTIVATION,
    NORMALISATION,
    PADDING,
    TUTORIAL_0,
    TUTORIAL_4,
    Listing,
    Source,
    changed,
    epsilon,
    gone,
    momentum,
    new,
)
from pieces import conv, mean
from torch import Tensor

LAYERS = (6, 12, 24, 16)


KERAS = 1.001e-5


def norm(c: int, eps: float) -> nn.BatchNorm2d:
    """Keras forgets more slowly than PyTorch."""
    return nn.BatchNorm2d(c, eps=eps, momentum=0.01 if eps == KERAS else 0.1)


class Layer(nn.Module):
    """norm, ReLU, 1x1 to 4k, norm, ReLU, 3x3 to k; behind the input or, if `first`, before it."""

    def __init__(self, c: int, k: int, first: bool, eps: float):
        super().__init__()
        self.first = first
        self.branch = nn.Sequential(
            *(norm(c, eps), nn.ReLU(), conv(c, 4 * k, 1)),
            *(norm(4 * k, eps), nn.ReLU(), conv(4 * k, k, 3)),
        )

    def forward(self, x: Tensor) -> Tensor:
        new = self.branch(x)
        return torch.cat([new, x] if self.first else [x, new], 1)


class Single(nn.Module):
    """norm, ReLU, 3x3 with a bias."""

    def __init__(self, c: int, k: int, **_):
        super().__init__()
        self.branch = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), conv(c, k, 3, bias=True))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x, self.branch(x)), dim=1)


def dense(
    layer,
    layers: tuple[int, ...],
    c: int,
    k: int,
    *,
    first: bool = False,
    relu: bool = True,
    last_relu: bool = True,
    eps: float = 1e-5,
    bias: bool = False,
) -> tuple[nn.Sequential, int]:
    """Blocks with transitions between them, which have a ReLU if `relu`; the last norm has one if
    `last_relu`.
    """
    found = nn.Sequential()
    for i, depth in enumerate(layers):
        for _ in range(depth):
            found.append(layer(c, k, first=first, eps=eps))
            c += k
        if i < len(layers) - 1:
            found.extend([norm(c, eps), nn.ReLU() if relu else nn.Identity()])
            found.extend([conv(c, c // 2, 1, bias=bias), nn.AvgPool2d(2, stride=2)])
            c //= 2
    found.extend([norm(c, eps), nn.ReLU() if last_relu else nn.Identity()])
    return found, c


def for_32_pixels(layers: tuple[int, ...], k: int, classes: int = 10, **more) -> nn.Sequential:
    body, c = dense(Layer, layers, 2 * k, k, **more)
    head = nn.Linear(c, classes)
    return nn.Sequential(conv(3, 2 * k, 3), body, mean(), head)


def bamos() -> nn.Sequential:
    """He's weights by fan-out, no first bias; log-probabilities come out."""
    net = for_32_pixels((16, 16, 16), 12)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
    nn.init.zeros_(net[-1].bias)
    return net.append(nn.LogSoftmax(dim=1))


def book(c_in: int, padding: int, pool) -> nn.Sequential:
    body, c = dense(Single, (4, 4, 4, 4), 64, 32, bias=True)
    return nn.Sequential(
        *(conv(c_in, 64, 7, 2, bias=True), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.MaxPool2d(3, stride=2, padding=padding), body),
        *(pool((1, 1)), nn.Flatten(), nn.Linear(c, 10)),
    )


def keras() -> nn.Sequential:
    body, c = dense(Layer, LAYERS, 64, 32, eps=KERAS, last_relu=False)
    return nn.Sequential(
        *(conv(3, 64, 7, 2), norm(64, KERAS), nn.ReLU()),
        *(nn.MaxPool2d(3, stride=2, padding=1), body, mean(), nn.Linear(c, 1000), nn.Softmax(1)),
    )


SMALL_STEM = (
    changed("conv", "kernel", (3, 3), (7, 7)),
    changed("conv", "stride", 1, 2),
    gone("batch norm", 1, NORMALISATION),
    gone("relu", 1, ACTIVATION),
    gone("max pool", 1),
)
BOOK = Source(
    "d2l-ai/d2l-en",
    "chapter_convolutional-modern/densenet.md",
    "0019b8eb5161e2ee3fa7b5e6e84c040da01c4bf7",
)

LISTINGS = (
    Listing(
        "densenet121_pytorch_cifar",
        partial(for_32_pixels, LAYERS, 32, first=True),
        Source(
            "kuangliu/pytorch-cifar",
            "models/densenet.py",
            "64fe317af0709823a23de5010c173c1912881965",
        ),
        (3, 32, 32),
        params=6_956_298,
        atlas="densenet121",
        differences=(
            *SMALL_STEM,
            changed("concat", "order", "new maps first", "new maps last", 58),
        ),
    ),
    Listing(
        "densenet121_cifar100",
        partial(for_32_pixels, LAYERS, 32, 100, relu=False),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/densenet.py",
            "46d2015abf41d56f6027725de8cdbd3940652dd7",
        ),
        (3, 32, 32),
        params=7_048_548,
        printed="7.0M",
        atlas="densenet121",
        differences=(*SMALL_STEM, gone("relu", 3, ACTIVATION)),
        remark="no ReLU in its transitions",
    ),
    Listing(
        "densenet_bc100_bamos",
        bamos,
        Source("bamos/densenet.pytorch", "densenet.py", "3a012b56541359d066bfbceb5c98168474011365"),
        (3, 32, 32),
        params=769_162,
        macs=287_929_692,
        atlas="densenet_bc100_k12_cifar",
        differences=(new("log softmax", 1, ACTIVATION),),
        starts_alike=True,
    ),
    Listing(
        "densenet_bc100_of_little_memory",
        partial(for_32_pixels, (16, 16, 16), 12),
        TUTORIAL_4,
        (3, 32, 32),
        params=769_162,
        macs=287_929_692,
        atlas="densenet_bc100_k12_cifar",
        remark="its checkpoints change no answer",
    ),
    Listing(
        "densenet_of_four_blocks",
        partial(book, 3, 0, nn.AdaptiveAvgPool2d),
        TUTORIAL_0,
        (3, 224, 224),
        params=764_498,
        atlas="densenet_tutorial",
        shapes={"0": (64, 112, 112), "3": (64, 55, 55)},
    ),
    Listing(
        "densenet_d2l",
        partial(xavier, partial(book, 1, 1, nn.AdaptiveMaxPool2d)),
        BOOK,
        (1, 224, 224),
        params=758_226,
        atlas="densenet_tutorial",
        differences=(
            changed("max pool", "padding", 1, 0, group=PADDING),
            changed("pool", "kind", "global max", "global average"),
        ),
        starts_alike=True,
        remark="this edition ends in a global maximum",
    ),
    Listing(
        "densenet121_keras",
        keras,
        Source(
            "keras-team/keras-applications",
            "keras_applications/densenet.py",
            "272a52c01ffedd4a0d193781f42e27f0b3e11adc",
        ),
        (3, 224, 224),
        params=7_978_856,
        macs=2_834_161_664,
        atlas="densenet121",
        differences=(
            epsilon(KERAS, 1e-5, 121),
            gone("relu", 1, ACTIVATION),
            new("softmax", 1, ACTIVATION),
            momentum(0.01, 0.1, 121),
        ),
        remark="this version has no ReLU behind the last norm",
    ),
)
