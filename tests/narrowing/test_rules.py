"""What each function does to the channels that it is given, on networks of two or three layers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convatlas.narrowing import proof
from convatlas.narrowing.groups import dissected

SIZE = (3, 6, 6)


class Small(nn.Module):
    """Convolutions a and b of the image, one c after them perhaps, and a classifier."""

    def __init__(self, function, classifier: int, a=None, b=None, c=None):
        super().__init__()
        self.function = function
        self.a, self.b = a or conv(3, 8), b or conv(3, 8)
        self.c = c or nn.Identity()
        self.fc = nn.Linear(classifier, 4)
        self.register_buffer("order", torch.tensor([5, 1, 6, 0]))

    def forward(self, x):
        return self.fc(self.function(self, x).mean((2, 3)))


def conv(before: int, after: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1, groups=groups)


def shuffled(x):
    return x.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)


def viewed(x):
    n, _, height, width = x.shape
    return x.view(n, 2, -1, height, width).transpose(1, 2).flatten(1, 2)


def gated(x):
    value, gate = x.chunk(2, 1)
    return value * gate.sigmoid()


def normed(net, x):
    return F.layer_norm(net.a(x).permute(0, 2, 3, 1), (8,)).permute(0, 3, 1, 2)


def crossed(net, x):
    """Rows of one are channels of the other."""
    return net.a(x) + net.b(x).mean(2, keepdim=True).transpose(1, 2)


def constant_bias(net, x):
    return F.conv2d(x, net.a.weight, torch.ones(8, dtype=x.dtype, device=x.device), padding=1)


# a network, and why its layers stay, "" for one that can be narrowed; "a and b": they go together
CASES = {
    "sum": (Small(lambda n, x: n.a(x) + n.b(x), 8), {"a and b": ""}),
    "cat": (Small(lambda n, x: n.c(torch.cat([n.a(x), n.b(x)], 1)), 4, a=conv(3, 5), c=conv(13, 4)),
            {"a": "", "b": "", "c": ""}),
    "norm": (Small(lambda n, x: n.c(n.a(x)), 8, c=nn.BatchNorm2d(8)), {"a": ""}),
    "groups": (Small(lambda n, x: n.c(n.a(x)), 12, a=conv(3, 16), c=conv(16, 12, groups=4)),
               {"a": "", "c": ""}),
    "depthwise": (Small(lambda n, x: n.c(n.a(x)), 16, c=conv(8, 16, groups=8)), {"a": ""}),
    "shuffle": (Small(lambda n, x: n.c(shuffled(n.a(x))), 4, c=conv(8, 4)), {"a": "", "c": ""}),
    "view": (Small(lambda n, x: n.c(viewed(n.a(x))), 4, c=conv(8, 4)), {"a": "", "c": ""}),
    "chunk": (Small(lambda n, x: gated(n.a(x)), 4), {"a": ""}),
    "half": (Small(lambda n, x: n.a(x).chunk(2, 1)[1], 4), {"a": ""}),
    "parts": (Small(lambda n, x: n.a(x).tensor_split((3,), 1)[1], 5), {"a": ""}),
    "pieces": (Small(lambda n, x: n.a(x).split(4, 1)[1], 4), {"a": "split"}),
    "stack": (Small(lambda n, x: torch.stack([n.a(x), n.b(x)]).sum(0), 8), {"a and b": ""}),
    "pad": (Small(lambda n, x: n.c(F.pad(n.a(x), (0, 0, 0, 0, 1, 3))), 4, c=conv(12, 4)),
            {"a": "", "c": ""}),
    "layer norm": (Small(normed, 8), {"a": "layer_norm"}),
    "softmax": (Small(lambda n, x: n.a(x).softmax(1), 8), {"a": "softmax"}),
    "mean": (Small(lambda n, x: n.a(x) - n.a(x).mean(1, keepdim=True), 8), {"a": "mean"}),
    "picked": (Small(lambda n, x: n.a(x)[:, 2:6], 4), {"a": "getitem"}),
    "picked by a tensor": (Small(lambda n, x: n.a(x)[:, n.order], 4), {"a": "getitem"}),
    "crossed": (Small(crossed, 8, b=conv(3, 6)), {"a": "add", "b": "add"}),
    "constant": (Small(constant_bias, 8), {"a": "a constant"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_a_function_does_to_channels(case):
    net, wanted = CASES[case]
    net.eval()
    if isinstance(net.c, nn.BatchNorm2d):
        net.c.running_mean.uniform_(0.5, 1)
    anatomy = dissected(net, SIZE)
    found = {
        " and ".join(name.removesuffix(".weight") for name in group.layers): group.reason
        for group in anatomy.groups
    }
    assert found == wanted | {"fc": "the classes"}
    for group in anatomy.narrowable:
        for gone in group.choices:
            assert proof.error(net, group.keeps(gone), SIZE) <= proof.LIMIT
