"""ShuffleNetV2 to the unit, and which channels pass a unit by.

The counts stem from the authors' code, torchvision, and for the 50 layers from arithmetic by hand.
"""

import pytest
import torch
import torch.nn as nn
from torch.utils.flop_counter import FlopCounterMode

from convatlas.nets.shufflenet_v2 import Unit, unit_stride2, unit_stride2_halves
from convatlas.registry import create_model, entries

COUNTS = {  # name: (parameters, multiply-adds at 224)
    "shufflenet_v2_x0_5": (1_365_792, 40_476_448),
    "shufflenet_v2": (2_278_760, 145_814_296),
    "shufflenet_v2_x1_5": (3_506_720, 298_970_656),
    "shufflenet_v2_x2_0": (7_402_600, 590_783_000),
    "shufflenet_v2_50": (16_576_898, 2_314_702_176),
    "shufflenet_v2_torchvision_x0_5": (1_366_792, 40_476_448),
    "shufflenet_v2_torchvision": (2_278_604, 144_907_992),
    "shufflenet_v2_torchvision_x1_5": (3_503_624, 295_759_392),
    "shufflenet_v2_torchvision_x2_0": (7_393_996, 583_253_464),
}


def build(name: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name).eval()


def test_no_network_is_left_out():
    assert {entry.name for entry in entries().values() if entry.family == "shufflenet_v2"} == set(
        COUNTS
    )


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    net = build(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.empty(1, 3, 224, 224, device="meta"))
    assert (sum(p.numel() for p in net.parameters()), counter.get_total_flops() // 2) == COUNTS[
        name
    ]


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
    assert {name: build(name).classifier.bias is None for name in COUNTS} == {
        name: "torchvision" not in name and name != "shufflenet_v2_50" for name in COUNTS
    }
