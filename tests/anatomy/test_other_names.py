"""diff of networks of the atlas and the same written by somebody else, with slips: only the slips
are told.
"""

import copy

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

import convatlas
from convatlas.anatomy import diff
from convatlas.shapes_only import shapes_only


class Block(nn.Module):
    """A unit with biases beside batch norm, and no activation after the sum."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1, act=F.relu):
        super().__init__()
        self.c1 = nn.Conv2d(c_in, c_out, 3, stride, 1)
        self.b1 = nn.BatchNorm2d(c_out)
        self.c2 = nn.Conv2d(c_out, c_out, 3, 1, 1)
        self.b2 = nn.BatchNorm2d(c_out)
        self.act = act
        self.short = None
        if stride > 1:
            self.short = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.short is None else self.short(x)
        return short + self.b2(self.c2(self.act(self.b1(self.c1(x)))))


class Students(nn.Module):
    """ResNet-18 as a student may write it."""

    def __init__(self, **more):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU())
        widths = (64, 64, 128, 128, 256, 256, 512, 512)
        units = [
            Block(c_in, c_out, 1 + (c_in != c_out), **more)
            for c_in, c_out in zip((64, *widths), widths, strict=False)
        ]
        self.layers = nn.Sequential(nn.MaxPool2d(3, 2, 1), *units)
        self.head = nn.Linear(512, 1000)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(self.stem(x)).mean(dim=[-2, -1]))


def built(name: str) -> nn.Module:
    with shapes_only():
        return convatlas.create_model(name)


def told(a: nn.Module, b: nn.Module, size=None) -> list[tuple]:
    found = diff(a, b, size)
    return [
        (change.group, change.what, change.a, change.b, change.times)
        for block in found.blocks
        for change in block.changes
    ]


def test_a_students_resnet():
    with torch.device("meta"):
        net = Students()
    assert sorted(told(built("resnet18"), net)) == [
        ("activation", "", "relu", "-", 8),
        ("structure", "conv", "no bias", "bias", 20),
    ]


def test_another_activation_in_a_students_resnet():
    with torch.device("meta"):
        net = Students(act=F.silu)
    assert sorted(told(built("resnet18"), net)) == [
        ("activation", "", "relu", "-", 8),
        ("activation", "activation", "relu", "swish", 8),
        ("structure", "conv", "no bias", "bias", 20),
    ]


class Flat(nn.Module):
    """The layers of a network one by one, without names."""

    def __init__(self, net: nn.Module):
        super().__init__()
        leaves = [
            copy.deepcopy(layer) for layer in net.modules() if next(layer.children(), None) is None
        ]
        self.all = nn.ModuleList(leaves)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.all:
            x = layer(x.flatten(1) if isinstance(layer, nn.Linear) else x)
        return x


@pytest.mark.parametrize(
    ("place", "layer", "line"),
    [
        (0, nn.Conv2d(3, 64, 5, padding=2), ("structure", "conv", "3x3", "5x5", 1)),
        (4, nn.ELU(), ("activation", "activation", "relu", "elu", 1)),
        (5, nn.MaxPool2d(2, 2, ceil_mode=True), None),
        (
            3,
            nn.Conv2d(64, 128, 3, padding=1, bias=False),
            ("structure", "conv", "bias", "no bias", 1),
        ),
        (5, nn.AvgPool2d(2), ("structure", "pool", "2x2 max pool /2", "2x2 average pool /2", 1)),
    ],
)
def test_one_slip_in_a_network_without_names(place, layer, line):
    net = built("vgg11")
    other = Flat(net)
    other.all[place] = layer.to("meta")
    assert told(net, other, (3, 224, 224)) == ([line] if line else [])
