"""What tutorials call Network in Network."""

from functools import partial
from itertools import pairwise

import torch.nn as nn
from lenets import xavier
from listing import PADDING, Listing, Source, changed
from pieces import flat


def block(c_in: int, *widths: int, k: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    """A convolution and two 1x1, a ReLU behind each."""
    first = nn.Conv2d(c_in, widths[0], k, stride, padding)
    more = [nn.Conv2d(a, b, 1) for a, b in pairwise(widths)]
    return nn.Sequential(*(each for conv in (first, *more) for each in (conv, nn.ReLU())))


def book(c_in: int) -> nn.Sequential:
    return nn.Sequential(
        *(block(c_in, 96, 96, 96, k=11, stride=4), nn.MaxPool2d(3, stride=2)),
        *(block(96, 256, 256, 256, k=5, padding=2), nn.MaxPool2d(3, stride=2)),
        *(block(256, 384, 384, 384, k=3, padding=1), nn.MaxPool2d(3, stride=2), nn.Dropout(0.5)),
        *(block(384, 10, 10, 10, k=3, padding=1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()),
    )


def cifar() -> nn.Sequential:
    return nn.Sequential(
        block(3, 192, 160, 96, k=5, padding=2),
        *(nn.MaxPool2d(3, stride=2, padding=1), nn.Dropout(0.5)),
        block(96, 192, 192, 192, k=5, padding=2),
        *(nn.AvgPool2d(3, stride=2, padding=1), nn.Dropout(0.5)),
        block(192, 192, 192, 10, k=3, padding=1),
        *(nn.AvgPool2d(8, stride=1), flat()),
    )


LISTINGS = (
    Listing(
        "nin_d2l",
        partial(xavier, partial(book, 1)),
        Source(
            "d2l-ai/d2l-en",
            "chapter_convolutional-modern/nin.md",
            "03b29ddd0f20f958e09ce6141041270b93901301",
        ),
        (1, 224, 224),
        params=1_992_166,
        atlas="nin_tutorial",
        starts_alike=True,
        shapes={
            **{"0": (96, 54, 54), "1": (96, 26, 26), "2": (256, 26, 26), "3": (256, 12, 12)},
            **{"4": (384, 12, 12), "5": (384, 5, 5), "7": (10, 5, 5), "8": (10, 1, 1)},
        },
    ),
    Listing(
        "nin_cifar",
        cifar,
        Source(
            "jiecaoyu/pytorch-nin-cifar10",
            "original.py",
            "15055ae8cb612aa17b261be18d050b96e912a93c",
        ),
        (3, 32, 32),
        params=966_986,
        macs=222_486_528,
        atlas="nin_cifar10",
        differences=(
            changed("max pool", "padding", 1, 0, group=PADDING),
            changed("max pool", "ceil", False, True, group=PADDING),
            changed("pool", "kind", "average pool", "max pool"),
        ),
        remark="pools are padded by 1 where the author's round up",
    ),
)
