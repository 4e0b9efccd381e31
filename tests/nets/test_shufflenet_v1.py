"""What ShuffleNetV1's units do with their channels."""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas.claims.shufflenet_v1 import CLAIMS
from convatlas.layers import ChannelShuffle
from convatlas.nets.shufflenet_v1 import TABLE, Unit, UnitStride2, branch
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def build(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name).eval()


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_a_shuffle_deals_the_channels_of_each_group_to_all_groups(groups):
    """Figure 1(c), written out: place i * groups + g takes channel i of group g."""
    n = 24 // groups
    x = torch.arange(24.0)[None, :, None, None].expand(2, 24, 3, 5)
    expected = [g * n + i for i in range(n) for g in range(groups)]
    assert ChannelShuffle(groups)(x)[1, :, 2, 4].tolist() == expected


@pytest.mark.parametrize("g", [1, 2, 3, 4, 8])
def test_groups_of_the_pointwise_convolutions(g):
    net = build(f"shufflenet_v1_g{g}")
    groups = [
        m.groups for m in net.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)
    ]
    assert groups == [1] + [g] * (2 * 16 - 1)  # only the first of Stage 2 is not grouped


def numbers(module: nn.Module) -> nn.Module:
    """With running statistics that matter, in evaluation."""
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.running_mean, -1, 1)
            nn.init.uniform_(m.running_var, 0.5, 2)
    return module.eval()


@torch.no_grad()
def test_a_unit_is_figure_2b():
    torch.manual_seed(0)
    unit, x = numbers(Unit(branch, 24, 3)), torch.randn(2, 24, 6, 6)
    y = F.relu(unit.branch.gconv1(x))
    y = y[:, [0, 2, 4, 1, 3, 5]]  # 6 channels of 3 groups: 0 1 | 2 3 | 4 5
    y = unit.branch.gconv2(unit.branch.dwconv(y))  # no ReLU between the two
    torch.testing.assert_close(unit(x), F.relu(x + y))


@torch.no_grad()
def test_a_unit_of_stride_2_is_figure_2c():
    torch.manual_seed(0)
    unit, x = numbers(UnitStride2(branch, 12, 36, 1, 3)), torch.randn(2, 12, 6, 6)
    y = unit(x)
    assert y.shape == (2, 36, 3, 3)
    assert (
        unit.branch.gconv1.conv.out_channels == 9
    )  # a quarter of all 36, not of the 24 that it adds
    corner = x[:, :, :2, :2].sum((2, 3)) / 9  # the padding counts in the average
    torch.testing.assert_close(y[:, :12, 0, 0], F.relu(corner))
    torch.testing.assert_close(y[:, 12:], F.relu(unit.branch(x)))


def test_the_full_layer_has_no_bias():
    assert build("shufflenet_v1_g3").FC.bias is None


def test_the_printed_complexity_is_what_is_claimed():
    for g, column in TABLE.items():
        claimed = {claim.printed for claim in CLAIMS[f"shufflenet_v1_g{g}"] if not claim.by}
        assert column.complexity in claimed
