"""LeCun and others: Gradient-Based Learning Applied to Document Recognition (1998), Sec. II-B and
Table I; Handwritten Digit Recognition with a Back-Propagation Network (NIPS 1989), Table 1;
Backpropagation Applied to Handwritten Zip Code Recognition (1989), Sec. 3; and what Caffe's example
and Dive into Deep Learning call LeNet.
"""

import torch
import torch.nn.functional as F
from plain import conv, hidden, linear, max_pool, weight

# 1998, Table I: a column for each map of C3, a row for each map of S2
TABLE_I = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""
# NIPS 1989, Table 1: a column for each map of H3, a row for each map of H2
TABLE_1 = """
X X X . X X . . . . . .
. X X X X X . . . . . .
. . . . . . X X X . X X
. . . . . . . X X X X X
"""


def columns(table):
    """The rows that are crossed in each column."""
    rows = [line.split() for line in table.split("\n") if line]
    return [
        [i for i, cross in enumerate(column) if cross == "X"] for column in zip(*rows, strict=True)
    ]


def squash(a):
    """1998, Appendix A: A tanh(S a) with A = 1.7159 and S = 2/3."""
    return 1.7159 * torch.tanh(2 / 3 * a)


def connected(w, x, name, table):
    """Each map is a sum over 5x5 kernels on the maps that its column names."""
    kernels = iter(weight(w, f"{name}.weight", sum(map(len, table)), 5, 5))
    maps = [sum(F.conv2d(x[:, i : i + 1], next(kernels)[None, None]) for i in to) for to in table]
    return torch.cat(maps, 1) + weight(w, f"{name}.bias", len(table), 1, 1)


def subsampled(w, x, name):
    """2x2 units are added, multiplied by a coefficient, and a bias is added."""
    total = (
        x[:, :, :-1:2, :-1:2] + x[:, :, 1::2, :-1:2] + x[:, :, :-1:2, 1::2] + x[:, :, 1::2, 1::2]
    )
    c = x.shape[1]
    return total * weight(w, f"{name}.coefficient", c, 1, 1) + weight(w, f"{name}.bias", c, 1, 1)


def lenet5(w, x):
    """The output is the squared distance to each code; the nearest class scores highest."""
    x = squash(conv(w, x, "C1.layer", 6, 5, bias=True, padding=0))
    x = w.stage("S2", squash(subsampled(w, x, "S2.layer")))
    x = w.stage("C3", squash(connected(w, x, "C3.layer", columns(TABLE_I))))
    x = squash(subsampled(w, x, "S4.layer"))
    x = squash(conv(w, x, "C5.layer", 120, 5, bias=True, padding=0))
    x = squash(hidden(w, x, "F6.layer", 84))
    codes = weight(w, "output.codes", len(w["output.codes"]), 84)
    return -(x[:, None] - codes).square().sum(2)


def lenet1989(w, x):
    x = squash(conv(w, x, "H1.layer", 4, 5, bias=True, padding=0))
    x = w.stage("H2", squash(subsampled(w, x, "H2.layer")))
    x = w.stage("H3", squash(connected(w, x, "H3.layer", columns(TABLE_1))))
    x = squash(subsampled(w, x, "H4.layer"))
    return squash(linear(w, x.flatten(1), "output.layer"))


def local(w, x, name, sources, side):
    """5x5 kernels two pixels apart over a border of -1, and a bias for each unit."""
    x = F.pad(x, (2, 2, 2, 2), value=-1.0)
    count = sum(map(len, sources))
    kernels = iter(weight(w, f"{name}.weight", count, 5, 5))
    maps = [
        sum(F.conv2d(x[:, i : i + 1], next(kernels)[None, None], stride=2) for i in to)
        for to in sources
    ]
    return squash(torch.cat(maps, 1) + weight(w, f"{name}.bias", len(sources), side, side))


def lenet1989_zip(w, x):
    """H2 reads eight of H1's maps; which, is the atlas's choice, for the paper does not say."""
    x = w.stage("H1", local(w, x, "H1.layer", 12 * [[0]], 8))
    eight = [[(j + i) % 12 for i in range(8)] for j in range(12)]
    x = w.stage("H2", local(w, x, "H2.layer", eight, 4))
    x = squash(hidden(w, x, "H3.layer", 30))
    return squash(linear(w, x, "output.layer"))


def caffe(w, x):
    """lenet.prototxt: the only activation follows ip1."""
    x = max_pool(conv(w, x, "conv1", 20, 5, bias=True, padding=0), 2, 2, up=True)
    x = max_pool(conv(w, x, "conv2", 50, 5, bias=True, padding=0), 2, 2, up=True)
    return linear(w, F.relu(hidden(w, x, "ip1.ip", 500)), "ip2")


def tutorial(w, x, padding=2):
    """Sigmoids and means of 2x2."""
    x = torch.sigmoid(conv(w, x, "conv1.conv", 6, 5, bias=True, padding=padding))
    x = w.stage("pool1", F.avg_pool2d(x, 2))
    x = torch.sigmoid(conv(w, x, "conv2.conv", 16, 5, bias=True, padding=0))
    x = w.stage("pool2", F.avg_pool2d(x, 2))
    x = torch.sigmoid(hidden(w, x, "fc1.fc", 120))
    x = torch.sigmoid(hidden(w, x, "fc2.fc", 84))
    return linear(w, x, "fc3")


NETWORKS = {
    "lenet5": lenet5,
    "lenet1989": lenet1989,
    "lenet1989_zip": lenet1989_zip,
    "lenet_caffe": caffe,
    "lenet5_tutorial": tutorial,
    "lenet5_tutorial_32": lambda w, x: tutorial(w, x, padding=0),
}
