"""What each change says of itself: its group, the modules that it is about, and whether it only
follows from others.
"""

import pytest
import torch.nn as nn

from convatlas.anatomy import diff
from convatlas.anatomy.difference import GROUPS

SIZE = (8, 16, 16)


def net(conv=None, norm=None, act=None, pool=None, drop=0.5) -> nn.Module:
    found = nn.Sequential()
    found.add_module("conv", conv or nn.Conv2d(8, 8, 3, padding=1))
    found.add_module("norm", norm or nn.BatchNorm2d(8))
    found.add_module("act", act or nn.ReLU())
    found.add_module("pool", pool or nn.AvgPool2d(3, 1, 1))
    found.add_module("drop", nn.Dropout(drop))
    found.add_module("last", nn.Conv2d(8, 4, 1))
    return found


@pytest.mark.parametrize(
    ("other", "group", "path"),
    [
        ({"conv": nn.Conv2d(8, 8, 5, padding=2)}, "structure", "conv"),
        ({"conv": nn.Conv2d(8, 8, 3, padding=1, groups=2)}, "structure", "conv"),
        ({"conv": nn.Conv2d(8, 8, 3, padding=1, bias=False)}, "structure", "conv"),
        ({"conv": nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3))}, "padding", "conv"),
        ({"act": nn.Tanh()}, "activation", "act"),
        ({"act": nn.Identity()}, "activation", "act"),
        ({"norm": nn.GroupNorm(2, 8)}, "normalisation", "norm"),
        ({"norm": nn.BatchNorm2d(8, 1e-3)}, "normalisation", "norm"),
        ({"norm": nn.Identity()}, "normalisation", "norm"),
        ({"norm": nn.BatchNorm2d(8, track_running_stats=False)}, "normalisation", "norm"),
        ({"norm": nn.BatchNorm2d(8, momentum=0.01)}, "training", "norm"),
        ({"drop": 0.1}, "training", "drop"),
        ({"drop": 0.0}, "training", "drop"),
        ({"pool": nn.AvgPool2d(3, 1, 1, count_include_pad=False)}, "padding", "pool"),
    ],
)
def test_the_group_and_the_place(other, group, path):
    found = diff(net().to("meta"), net(**other).to("meta"), SIZE)
    changes = [change for block in found.blocks for change in block.changes]
    assert group in GROUPS
    assert group in {change.group for change in changes}
    assert found.same == (group == "training")
    assert path in {part.partition(".")[0] for change in changes for part in change.paths}


def test_a_consequence_says_so():
    found = diff(net(), net(conv=nn.Conv2d(8, 8, 3)), SIZE)
    told = {change.what: change.follows for block in found.blocks for change in block.changes}
    assert told == {"3x3 conv": False, "1x1 conv": True}
