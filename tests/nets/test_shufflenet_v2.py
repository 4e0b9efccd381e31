"""Which channels pass a unit of ShuffleNetV2 by."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.shufflenet_v2 import VARIANTS, Unit, unit_stride2, unit_stride2_halves
from convatlas.registry import create_model


def build(name: str) -> nn.Module:
    with torch.device("meta"):
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
    ("unit", "shares"), [(unit_stride2, (24, 92)), (unit_stride2_halves, (58, 58))]
)
def test_how_a_unit_of_stride_2_shares_its_output(unit, shares):
    """24 channels in, 116 out: only the authors' share gives the printed multiply-adds."""
    joined = unit(24, 116)
    assert (joined.shortcut.conv.conv.out_channels, joined.main.conv2.conv.out_channels) == shares
    assert joined(torch.zeros(2, 24, 6, 6)).shape == (2, 116, 3, 3)


def test_bias_of_the_full_layer():
    assert {name: build(name).classifier.bias is None for name in VARIANTS} == {
        name: "torchvision" not in name and name != "shufflenet_v2_50" for name in VARIANTS
    }
