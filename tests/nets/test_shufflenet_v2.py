"""Which channels pass a unit of ShuffleNetV2 by."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.shufflenet_v2 import FirstUnit, Unit
from convatlas.registry import create_model, entries
from convatlas.shapes_only import shapes_only

NAMES = [name for name in entries() if name.startswith("shufflenet_v2")]


def build(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name).eval()


@torch.no_grad()
def test_half_of_the_channels_pass_a_unit_by_and_are_dealt_between_the_others():
    torch.manual_seed(0)
    unit, x = Unit(8).eval(), torch.randn(2, 8, 5, 5)
    y = unit(x)
    torch.testing.assert_close(y[:, 0::2], x[:, :4], rtol=0, atol=0)
    torch.testing.assert_close(y[:, 1::2], unit.main(x[:, 4:]))


def test_no_relu_follows_a_depthwise_convolution():
    names = list(dict(Unit(8).main.named_children()))
    assert names == ["conv1", "relu1", "dwconv", "conv2", "relu2"]


@pytest.mark.parametrize(
    ("name", "shares"),
    [("shufflenet_v2", (24, 92)), ("shufflenet_v2_torchvision", (58, 58))],
)
def test_how_a_unit_of_stride_2_shares_its_output(name, shares):
    """24 channels in, 116 out: only the authors' share gives the printed multiply-adds."""
    first = build(name).Stage2[0]
    assert (first.shortcut.conv.conv.out_channels, first.main.conv2.conv.out_channels) == shares
    assert first(torch.zeros(2, 24, 6, 6, device="meta")).shape == (2, 116, 3, 3)


@torch.no_grad()
def test_both_branches_of_a_first_unit_read_all_channels():
    torch.manual_seed(0)
    unit, x = FirstUnit(4, 10, kept=5, stride=2).eval(), torch.randn(2, 4, 6, 6)
    y = unit(x)
    torch.testing.assert_close(y[:, 0::2], unit.shortcut(x))
    torch.testing.assert_close(y[:, 1::2], unit.main(x))


def test_bias_of_the_last_layer():
    assert {name: build(name).classifier.bias is None for name in NAMES} == {
        name: "torchvision" not in name and name != "shufflenet_v2_50" for name in NAMES
    }
