"""Pairs of networks that are called the same, with one's weights carried into the other: the same
answers, in double precision.
"""

import pytest
import timm
import torch
import torch.nn as nn
import torchvision
from carrying import apart, carry, randomise
from dressing import dressed
from networks import first

from benchmarks.lively_weights import WAYS, settle
from convatlas.registry import create_model, stored_facts
from convatlas.shapes_only import shapes_only
from convatlas.weights import timm as theirs_timm
from convatlas.weights import torchvision as theirs_torchvision
from convatlas.wiring import match, of

QUICK_TWINS = {"mobilenet_v3_small", "shufflenet_v2_x0_5", "regnetx_002"}
QUICK_DRESSED = {"lenet5", "resnet20_cifar", "mobilenet_v2_x0_35", "squeezenet1_1"}
LARGEST = 40_000_000  # parameters of a network that is dressed
TWINS = {
    **{("torchvision", name): twin.ours for name, twin in theirs_torchvision.TWINS.items()},
    **{("timm", name): twin.ours for name, twin in theirs_timm.TWINS.items()},
}
DRESSED = [name for name, facts in stored_facts().items() if facts["params"] <= LARGEST]


def of_another_library(library: str, name: str) -> nn.Module:
    if library == "timm":
        return timm.create_model(name)
    options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    return torchvision.models.get_model(name, **options)


def side(net: nn.Module) -> int:
    return max(net.smallest, min(net.side, 64))


@torch.no_grad()
def lively(net: nn.Module, size: tuple[int, ...]) -> nn.Module:
    """In double precision, with weights that keep every layer's numbers of one size: those of
    random weights grow so far in deep networks that a last digit moves the answers by 1e-8. LeNets'
    squashing is saturated by them, and takes random ones.
    """
    torch.manual_seed(1)
    images = torch.randn(4, *size, dtype=torch.float64)
    settle(net.double().eval(), images, WAYS["settled"])
    return net if net(images).std(0).max() > 0 else randomise(net)


@pytest.mark.parametrize(
    ("library", "name"),
    [
        pytest.param(*key, marks=[] if key[1] in QUICK_TWINS else [pytest.mark.full])
        for key in TWINS
    ],
)
def test_a_twin_is_the_same_network(library, name):
    with shapes_only():
        ours = create_model(TWINS[library, name])
    theirs = of_another_library(library, name)
    size = ours.input_size
    found = match(of(theirs, size), of(ours, size))
    assert found
    small = (ours.in_channels, *[side(ours)] * 2)
    if match(of(theirs, small), of(ours, small)) is None:  # a pool that only 224 pixels fill
        small = size
        found = match(of(theirs, small), of(ours, small))
    ours = ours.to_empty(device="cpu").double()
    carry(found, lively(theirs, small), ours)
    torch.manual_seed(0)
    assert apart(theirs, ours, torch.randn(2, *small, dtype=torch.float64)) <= 1e-10


@first(QUICK_DRESSED, DRESSED)
def test_other_clothes(name):
    a = create_model(name)
    b = dressed(create_model(name))
    small = (a.in_channels, *[side(a)] * 2)
    found = match(of(a, small), of(b, small))
    assert found
    carry(found, lively(a, small), b)
    torch.manual_seed(0)
    assert apart(a, b, torch.randn(2, *small, dtype=torch.float64)) <= 1e-10
