"""Small networks in which one thing is changed, and what diff says of it."""

import torch.nn as nn

from convatlas.anatomy import Difference, diff, summary

SIZE = (3, 16, 16)


class Unit(nn.Module):
    """conv, norm, activation; a subclass changes one thing."""

    k, groups, width, padding = 3, 1, 8, "same"

    def __init__(self, c: int = 8):
        super().__init__()
        self.conv = nn.Conv2d(
            c, self.width, self.k, padding=self.padding, groups=self.groups, bias=False
        )
        self.bn, self.act = self.norm(), self.activation()

    def norm(self) -> nn.Module:
        return nn.BatchNorm2d(self.width)

    def activation(self) -> nn.Module:
        return nn.ReLU()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Net(nn.Module):
    def __init__(self, *units: nn.Module):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.body = nn.Sequential(*units)
        self.fc = nn.Linear(units[-1].width if isinstance(units[-1], Unit) else 8, 10)

    def forward(self, x):
        return self.fc(self.body(self.stem(x)).mean((2, 3)))


def told(a: nn.Module, b: nn.Module, size=SIZE) -> list[tuple]:
    """The changes as (where in a, where in b, inside, what, a, b, times), once they are known to
    add up.
    """
    found = diff(a, b, size)
    assert_adds_up(found)
    for side, net in ((found.a, a), (found.b, b)):
        counted = summary(net, size)
        assert (side.params, side.macs) == (counted.params, counted.macs)
    return [
        (*block.where, c.inside, c.what, c.a, c.b, c.times)
        for block in found.blocks
        for c in block.changes
    ]


def assert_adds_up(found: Difference) -> None:
    changes = [change for block in found.blocks for change in block.changes]
    assert sum(change.params for change in changes) == found.b.params - found.a.params
    assert sum(change.macs for change in changes) == found.b.macs - found.a.macs


def changed(**methods) -> Unit:
    return type("Unit", (Unit,), methods)()


def middle(a: nn.Module, b: nn.Module) -> list[tuple]:
    """The changes where the second of three units is `a` or `b`."""
    return told(Net(Unit(), a, Unit()), Net(Unit(), b, Unit()))
