"""Depth: every network whose name carries one is printed to have it, and the ways that papers count
are those of Summary.layers.
"""

import re

import pytest
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas import registry, summary
from convatlas.claim import COUNTED_OTHERWISE
from convatlas.verification import verify

# A number of two digits or more straight after the word for the kind of network. Not a depth: the
# years of the first LeNets.
DEPTH = re.compile(
    r"(?<!le)(?:net|next|nest|vgg|dla|plain|wrn|dpn|xception|_bc|v2_)(\d{2,4})(?!\d)"
)


SCALED = {"resnet50_d4", "resnet50_compound"}  # the depth of the network that was scaled


def depth_in(name: str) -> int | None:
    found = DEPTH.search(name)
    return int(found[1]) if found and name not in SCALED else None


NAMED = {name: depth for name in registry.entries() if (depth := depth_in(name))}


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("resnet50", 50),
        ("se_preresnet164_cifar", 164),
        ("res2net50_v1b_26w4s", 50),
        ("res2next_dla60", 60),
        ("wide_densenet_bc40_k36_cifar", 40),
        ("densenet_bc250_k24_cifar", 250),
        ("shufflenet_v2_50", 50),
        ("senet154", 154),
        ("lenet1989", None),
        ("squeezenet1_0", None),
        ("googlenet_bn_32", None),
        ("mobilenet_v1_x0_25", None),
    ],
)
def test_which_names_carry_a_depth(name, depth):
    assert depth_in(name) == depth


@pytest.mark.parametrize("name", NAMED)
def test_a_depth_in_a_name_is_claimed(name):
    """That the claim holds, or has its remark, is for test_claims.py to see."""
    claimed = {
        int(claim.printed)
        for claim in registry.entries()[name].claims
        if claim.quantity.startswith("layers") and not claim.part
    }
    assert NAMED[name] in claimed, (
        f"{name}: no claim of `layers` says {NAMED[name]}; type one, with its place, into "
        f"convatlas/claims/{registry.entries()[name].family}.py"
    )


class Gated(nn.Module):
    """Two convolutions on the way, two more in what multiplies the first one's output."""

    def __init__(self, squeeze: bool, gate_first: bool):
        super().__init__()
        self.conv1, self.w1, self.w2, self.conv2 = (nn.Conv2d(4, 4, 1) for _ in range(4))
        self.squeeze, self.gate_first = squeeze, gate_first

    def forward(self, x: Tensor) -> Tensor:
        u = self.conv1(x)
        z = u.mean((2, 3), keepdim=True) if self.squeeze else u
        s = self.w2(F.relu(self.w1(z))).sigmoid()
        return self.conv2(s * u if self.gate_first else u * s)


@pytest.mark.parametrize("squeeze", [True, False])
@pytest.mark.parametrize("gate_first", [True, False])
def test_a_gate_is_not_on_the_way_but_a_sum_is(squeeze, gate_first):
    net = Gated(squeeze, gate_first)
    assert summary(net, (4, 8, 8)).layers == 2
    assert summary(Summed(net), (4, 8, 8)).layers == 4


class Summed(nn.Module):
    """The same layers, where what was the gate is added."""

    def __init__(self, gated: Gated):
        super().__init__()
        self.gated = gated

    def forward(self, x: Tensor) -> Tensor:
        u = self.gated.conv1(x)
        return self.gated.conv2(u + self.gated.w2(self.gated.w1(u)))


class Hierarchy(nn.Sequential):
    counted_layers = 1


def test_a_module_may_say_what_it_counts_as():
    convs = [nn.Conv2d(4, 4, 3, padding=1) for _ in range(3)]
    assert summary(nn.Sequential(*convs), (4, 8, 8)).layers == 3
    assert summary(nn.Sequential(Hierarchy(*convs), nn.Conv2d(4, 4, 1)), (4, 8, 8)).layers == 2


def test_a_stem_of_several_layers_can_be_counted_as_one():
    found = [
        (v.claim.quantity, v.measured, v.status) for v in verify("resnest14") if not v.claim.part
    ]
    assert ("layers, conv1 as one", "14", COUNTED_OTHERWISE) in found
