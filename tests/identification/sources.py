"""Code as people hand it in, good and bad."""

from pathlib import Path

SMALL = """
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, channels, more):
        super().__init__()
        self.conv = nn.Conv2d(channels, more, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x))


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.block = Block(3, 4)
        self.fc = nn.Linear(4 * 32 * 32, classes)

    def forward(self, x):
        return self.fc(self.block(x).flatten(1))


class Pair(nn.Module):
    def __init__(self, first, second):
        super().__init__()


def five():
    net = Net(5)
    return net


def seven():
    return Net(classes=7)


def train():
    raise SystemExit("it was called")


def number():
    return 3


LIMIT = 3
"""
LENET = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Le(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 6, 5, padding=2)
        self.second = nn.Conv2d(6, 16, 5)
        self.a = nn.Linear(400, 120)
        self.b = nn.Linear(120, 84)
        self.c = nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(torch.sigmoid(self.first(x)), 2)
        x = F.avg_pool2d(torch.sigmoid(self.second(x)), 2)
        x = torch.sigmoid(self.a(x.view(x.shape[0], -1)))
        return self.c(torch.sigmoid(self.b(x)))
"""


def written(folder: Path, text: str, name: str = "net.py") -> str:
    """The path of a file with this text."""
    (folder / name).write_text(text)
    return str(folder / name)
