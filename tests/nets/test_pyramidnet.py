"""Widths that grow in every unit, and units without ReLU at their ends."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.pyramidnet import channels, shortcut
from convatlas.registry import create_model


def blueprint(name: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name)


def test_channels_are_the_sum_rounded_down():
    """alpha/N = 8/9: a channel more in every unit but each ninth."""
    widths = channels(16, 48, 54)
    assert widths[:10] == [16, 17, 18, 19, 20, 21, 22, 23, 24, 24]
    assert len(widths) == 54
    assert widths[-1] == 64


@pytest.mark.parametrize("alpha", [48, 84, 200, 220, 240, 270, 300, 450])
def test_the_last_unit_has_all_of_alpha(alpha):
    """Fractions would add up to 63.999... for alpha 48."""
    for units in (54, 66, 78, 90):
        assert channels(16, alpha, units)[-1] == 16 + alpha


@pytest.mark.parametrize(
    ("name", "units", "first"),
    [
        ("pyramidnet110_a84_cifar", [18, 18, 18], [17, 45, 73]),
        ("pyramidnet164_a270_cifar", [18, 18, 18], [21, 111, 201]),
        ("pyramidnet272_a200_cifar", [30, 30, 30], [18, 84, 151]),
        ("pyramidnet200_a300", [3, 24, 36, 3], [68, 82, 191, 354]),
    ],
)
def test_units_and_the_first_widths_of_groups(name, units, first):
    net = blueprint(name)
    groups = [getattr(net, stage) for stage in net.stages[1:]]
    assert [len(group) for group in groups] == units
    assert [group[0].branch.conv1.out_channels for group in groups] == first


@pytest.mark.parametrize("name", ["pyramidnet110_a48_cifar", "pyramidnet164_a270_cifar"])
def test_a_unit_begins_and_ends_with_a_norm(name):
    layers = [type(layer) for layer in blueprint(name).conv3[1].branch]
    assert (layers[0], layers[1], layers[-1]) == (nn.BatchNorm2d, nn.Conv2d, nn.BatchNorm2d)
    assert layers.count(nn.ReLU) == layers.count(nn.Conv2d) - 1


def test_the_3x3_of_a_bottleneck_strides():
    branch = blueprint("pyramidnet200_a300").conv3[0].branch
    assert [getattr(branch, f"conv{i}").stride[0] for i in (1, 2, 3)] == [1, 2, 1]


def test_a_shortcut_is_the_mean_of_four_pixels_and_zeros():
    x = torch.arange(32.0).view(1, 2, 4, 4)
    out = shortcut(2, 3, stride=2)(x)
    assert out[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert torch.equal(out[0, 1], out[0, 0] + 16)
    assert not out[0, 2].any()
    assert torch.equal(shortcut(2, 2, stride=1)(x), x)


def test_the_last_pixels_of_odd_maps_have_a_mean_of_their_own():
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert shortcut(1, 1, stride=2)(x).tolist() == [[[[2.0, 3.5], [6.5, 8.0]]]]
