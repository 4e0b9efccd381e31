"""What tutorials call AlexNet."""

from collections.abc import Iterable
from functools import partial

import torch.nn as nn
from lenets import xavier
from listing import PADDING, TUTORIAL_0, TUTORIAL_1, Listing, Source, changed, dropout
from pieces import flat

POOL = partial(nn.MaxPool2d, 3, stride=2)


def features(c_in: int, padding: int, widths: Iterable[int]) -> nn.Sequential:
    c1, c2, c3, c4, c5 = widths
    return nn.Sequential(
        *(nn.Conv2d(c_in, c1, 11, stride=4, padding=padding), nn.ReLU(inplace=True), POOL()),
        *(nn.Conv2d(c1, c2, 5, padding=2), nn.ReLU(inplace=True), POOL()),
        *(nn.Conv2d(c2, c3, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(c3, c4, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(c4, c5, 3, padding=1), nn.ReLU(inplace=True), POOL()),
    )


def dropped_before(inputs: int, hidden: int, classes: int, p: float) -> nn.Sequential:
    """Dropout stands in front of the two hidden layers, as in torchvision."""
    return nn.Sequential(
        *(nn.Dropout(p), nn.Linear(inputs, hidden), nn.ReLU(inplace=True)),
        *(nn.Dropout(p), nn.Linear(hidden, hidden), nn.ReLU(inplace=True)),
        nn.Linear(hidden, classes),
    )


def dropped_after(inputs: int, classes: int) -> nn.Sequential:
    """And here behind them, as in the book."""
    return nn.Sequential(
        *(nn.Linear(inputs, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(4096, classes),
    )


def one_tower(classes: int, p: float) -> nn.Sequential:
    head = dropped_before(256 * 36, 4096, classes, p)
    return nn.Sequential(
        features(3, 2, (64, 192, 384, 256, 256)), nn.AdaptiveAvgPool2d(6), nn.Flatten(), head
    )


def half_as_wide() -> nn.Sequential:
    head = dropped_before(128 * 36, 2048, 1000, 0.5)
    return nn.Sequential(features(3, 2, (48, 128, 192, 192, 128)), nn.Flatten(), head)


def of_2012_without_groups(c_in: int, padding: int, pixels: int, classes: int) -> nn.Sequential:
    head = dropped_after(256 * pixels, classes)
    return nn.Sequential(features(c_in, padding, (96, 256, 384, 384, 256)), nn.Flatten(), head)


def for_32_pixels() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 3, stride=2, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 192, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        flat(),
        dropped_before(256 * 4, 4096, 10, 0.5),
    )


LISTINGS = (
    Listing(
        "alexnet_torchvision",
        partial(one_tower, 1000, 0.5),
        Source("pytorch/vision", "torchvision/models/alexnet.py"),
        (3, 224, 224),
        params=61_100_840,
        macs=714_188_480,
        atlas="alexnet_owt",
        starts_alike=True,
        remark="the network of 2014, in one tower",
    ),
    Listing(
        "alexnet_little_dropout",
        partial(one_tower, 10, 0.1),
        TUTORIAL_0,
        (3, 224, 224),
        params=57_044_810,
        macs=710_133_440,
        atlas="alexnet_owt",
        differences=(dropout(0.1, 0.5, 2),),
        starts_alike=True,
        remark="torchvision's, said to be the network of 2012",
    ),
    Listing(
        "alexnet_without_groups",
        partial(of_2012_without_groups, 3, 2, 36, 1000),
        TUTORIAL_1,
        (3, 224, 224),
        params=62_378_344,
        macs=1_135_256_096,
        atlas="alexnet_tutorial",
        shapes={
            "0.0": (96, 55, 55),
            "0.2": (96, 27, 27),
            "0.3": (256, 27, 27),
            "0.5": (256, 13, 13),
            "0.12": (256, 6, 6),
        },
    ),
    Listing(
        "alexnet_d2l",
        partial(xavier, partial(of_2012_without_groups, 1, 1, 25, 10)),
        Source("d2l-ai/d2l-en", "chapter_convolutional-modern/alexnet.md, for PyTorch"),
        (1, 224, 224),
        params=46_764_746,
        atlas="alexnet_tutorial_padding1",
        starts_alike=True,
        shapes={"0.0": (96, 54, 54), "0.2": (96, 26, 26), "0.12": (256, 5, 5)},
    ),
    Listing(
        "alexnet_half_as_wide",
        half_as_wide,
        Source(
            "WZMIAOMIAO/deep-learning-for-image-processing",
            "pytorch_classification/Test2_alexnet/model.py",
            "4b26f0cc016b533acc5db80b9ec503d19745b2e9",
        ),
        (3, 224, 224),
        params=16_630_440,
        atlas="alexnet_owt",
        differences=(
            *(changed("conv", "channels", a, b) for a, b in ((48, 64), (128, 192), (128, 256))),
            changed("conv", "channels", 192, 384),
            changed("conv", "channels", 192, 256),
            changed("linear", "channels", 2048, 4096, 2),
        ),
        starts_alike=True,
        remark="one of the two towers of 2012, with dropout where torchvision has it",
    ),
    Listing(
        "alexnet_bentrevett",
        for_32_pixels,
        Source(
            "bentrevett/pytorch-image-classification",
            "4 - AlexNet.ipynb",
            "286f5a34da4c0fb2e882fbb725fe67e0c5471f5b",
        ),
        (3, 32, 32),
        params=23_272_266,
        atlas="alexnet_owt",
        differences=(
            changed("conv", "kernel", (3, 3), (11, 11)),
            changed("conv", "stride", 2, 4),
            changed("conv", "padding", "half", 2, group=PADDING),
            changed("conv", "kernel", (3, 3), (5, 5)),
            changed("max pool", "kernel", (2, 2), (3, 3), 3),
        ),
        starts_alike=True,
    ),
)
