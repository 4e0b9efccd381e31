"""ShuffleNetV1 to the unit, and what its units do with their channels.

The counts stem from the authors' code with its groups generalised; those at 0.25 from arithmetic.
"""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from convatlas.layers import ChannelShuffle
from convatlas.nets.shufflenet_v1 import Unit, UnitStride2
from convatlas.registry import create_model, entries

COUNTS = {  # name: (parameters, multiply-adds at 224)
    "shufflenet_v1_g1": (1_530_936, 143_078_976),
    "shufflenet_v1_g1_x0_25": (208_908, 13_162_320),
    "shufflenet_v1_g1_x0_5": (533_484, 38_517_408),
    "shufflenet_v1_g1_x1_5": (2_992_032, 308_096_352),
    "shufflenet_v1_g1_x2_0": (4_917_744, 550_334_592),
    "shufflenet_v1_g2": (1_732_848, 140_836_512),
    "shufflenet_v1_g2_x2_0": (5_256_896, 539_138_624),
    "shufflenet_v1_g3": (1_864_728, 137_460_672),
    "shufflenet_v1_g3_x0_25": (305_124, 13_300_656),
    "shufflenet_v1_g3_x0_5": (717_324, 37_589_856),
    "shufflenet_v1_g3_x1_5": (3_441_168, 292_443_552),
    "shufflenet_v1_g3_x2_0": (5_449_776, 524_045_184),
    "shufflenet_v1_g4": (1_967_344, 134_339_776),
    "shufflenet_v1_g4_x2_0": (5_592_528, 510_289_536),
    "shufflenet_v1_g8": (2_433_768, 138_365_952),
    "shufflenet_v1_g8_x0_25": (453_504, 12_426_240),
    "shufflenet_v1_g8_x0_5": (1_010_448, 40_469_760),
    "shufflenet_v1_g8_x1_5": (4_268_952, 290_188_800),
    "shufflenet_v1_g8_x2_0": (6_521_232, 521_942_016),
}


def build(name: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name).eval()


def test_no_network_is_left_out():
    assert {entry.name for entry in entries().values() if entry.family == "shufflenet_v1"} == set(
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
    unit, x = numbers(Unit(24, 3)), torch.randn(2, 24, 6, 6)
    y = F.relu(unit.branch.gconv1(x))
    y = y[:, [0, 2, 4, 1, 3, 5]]  # 6 channels of 3 groups: 0 1 | 2 3 | 4 5
    y = unit.branch.gconv2(unit.branch.dwconv(y))  # no ReLU between the two
    torch.testing.assert_close(unit(x), F.relu(x + y))


@torch.no_grad()
def test_a_unit_of_stride_2_is_figure_2c():
    torch.manual_seed(0)
    unit, x = numbers(UnitStride2(12, 36, 1, 3)), torch.randn(2, 12, 6, 6)
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
