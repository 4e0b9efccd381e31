"""What tutorials call LeNet."""

from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from listing import (
    ACTIVATION,
    PADDING,
    TUTORIAL_0,
    TUTORIAL_1,
    Listing,
    Source,
    changed,
    new,
)
from pieces import flat
from torch import Tensor


class Functional(nn.Module):
    """Two convolutions and three linear layers whose activations and pools are functions."""

    def __init__(self, c_in: int, first: int, second: int, pixels: int, hidden: tuple[int, ...]):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, first, 5)
        self.conv2 = nn.Conv2d(first, second, 5)
        sizes = (second * pixels, *hidden, 10)
        self.fc = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        for fc in self.fc[:-1]:
            x = F.relu(fc(x))
        return self.fc[-1](x)


class LogProbabilities(Functional):
    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(super().forward(x), dim=1)


def with_sigmoids(c_in: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(c_in, 6, 5, padding=padding), nn.Sigmoid(), nn.AvgPool2d(2, stride=2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2, stride=2)),
        nn.Flatten(),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )


def xavier(build) -> nn.Module:
    net = build()
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return net


def linear_throughout() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5, padding=1), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2)),
        flat(),
        *(nn.Linear(16 * 5 * 5, 120), nn.Linear(120, 84), nn.Linear(84, 10)),
    )


BOOK = Source(
    "d2l-ai/d2l-en",
    "chapter_convolutional-neural-networks/lenet.md",
    "02c2e54a4fd2fda1f58a2a660b5eb89005b217bf",
)
MODERN = (
    new("relu", 4, ACTIVATION),
    changed("conv", "padding", 0, 1, group=PADDING),
)

LISTINGS = (
    Listing(
        "lenet_pytorch_cifar",
        partial(Functional, 3, 6, 16, 25, (120, 84)),
        Source(
            "kuangliu/pytorch-cifar", "models/lenet.py", "bb0efbdd8bc4bfd14c2716792c603fab4d8c2cf9"
        ),
        (3, 32, 32),
        params=62_006,
        macs=651_720,
        atlas="lenet5_tutorial_max",
        differences=MODERN,
        starts_alike=True,
        remark="also PyTorch's own tutorial on CIFAR-10",
    ),
    Listing(
        "lenet_d2l",
        partial(xavier, partial(with_sigmoids, 1, 2)),
        BOOK,
        (1, 28, 28),
        params=61_706,
        atlas="lenet5_tutorial",
        starts_alike=True,
    ),
    Listing(
        "lenet_sigmoids_in_colour",
        partial(with_sigmoids, 3, 0),
        TUTORIAL_1,
        (3, 32, 32),
        params=62_006,
        atlas="lenet5_tutorial_32",
    ),
    Listing(
        "lenet_without_activations",
        linear_throughout,
        TUTORIAL_0,
        (3, 32, 32),
        params=62_006,
        macs=754_320,
        atlas="lenet5_tutorial_max",
        starts_alike=True,
        shapes={"0": (6, 30, 30), "1": (6, 15, 15), "2": (16, 11, 11), "3": (16, 5, 5)},
    ),
    Listing(
        "lenet_pytorch_examples",
        partial(LogProbabilities, 1, 20, 50, 16, (500,)),
        Source("pytorch/examples", "mnist/main.py of 2018", ""),
        (1, 28, 28),
        params=431_080,
        atlas="lenet_caffe",
        differences=(
            new("relu", 2, ACTIVATION),
            new("log softmax", 1, ACTIVATION),
        ),
        remark="Caffe's has a ReLU behind its hidden layer only; its pools round up, which at 28 "
        "pixels changes nothing",
    ),
    Listing(
        "lenet_wider",
        partial(Functional, 3, 16, 32, 25, (120, 84)),
        Source(
            "WZMIAOMIAO/deep-learning-for-image-processing",
            "pytorch_classification/Test1_official_demo/model.py",
            "4b26f0cc016b533acc5db80b9ec503d19745b2e9",
        ),
        (3, 32, 32),
        params=121_182,
        atlas="lenet5_tutorial_max",
        differences=(
            *MODERN,
            changed("conv", "channels", 16, 6),
            changed("conv", "channels", 32, 16),
        ),
        starts_alike=True,
    ),
    Listing(
        "lenet_bentrevett",
        partial(Functional, 1, 6, 16, 25, (120, 84)),
        Source(
            "bentrevett/pytorch-image-classification",
            "LeNet-5 MNIST.ipynb",
            "1e4f2726b602141d33491a5a4d9c3238199b0a9f",
        ),
        (1, 32, 32),
        params=61_706,
        atlas="lenet5_tutorial_max",
        differences=MODERN,
        starts_alike=True,
        remark="MNIST, made larger to 32x32",
    ),
)
