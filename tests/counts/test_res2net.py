"""What the Res2Nets cost, to the unit, and how information passes from subset to subset.

The numbers stem from the authors' release, from an independent implementation and from arithmetic
by hand.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convatlas.nets import res2net, res2net_dla
from convatlas.registry import create_model

# name: (trainable parameters, {side of the image: multiply-adds of convolutions and matrix
# products})
COUNTS = {
    "res2net50_48w2s": (25_287_304, {224: 4_159_832_064}),
    "res2net50_26w4s": (25_699_120, {224: 4_255_166_464}),
    "res2net50_14w8s": (25_059_816, {224: 4_178_898_944}),
    "res2net50_26w6s": (37_051_448, {224: 6_295_523_328}),
    "res2net50_26w8s": (48_403_776, {224: 8_335_880_192}),
    "res2net50_18w4s": (18_095_104, {224: 2_898_407_424}),
    "res2net101_26w4s": (45_206_688, {224: 8_066_974_464}),
    "res2next50": (24_671_464, {224: 4_172_677_120}),
    "res2net50_v1b_26w4s": (25_718_352, {224: 4_494_807_040}),
    "res2net101_v1b_26w4s": (45_225_920, {224: 8_306_615_040}),
    # the release's 21,145,544 and 17,330,456 without three projections whose results it throws
    # away: 1x1, 128 to 256 on 28x28 and twice 256 to 512 on 14x14, with their batch norms
    "res2net_dla60": (
        21_145_544 - 33_280 - 2 * 132_096,
        {224: 4_199_751_680 - 3 * 256 * 512 * 14 * 14},
    ),
    "res2next_dla60": (
        17_330_456 - 33_280 - 2 * 132_096,
        {224: 3_535_822_848 - 3 * 256 * 512 * 14 * 14},
    ),
}


def multiply_adds(net: torch.nn.Module, side: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.empty(1, net.in_channels, side, side, device="meta"))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    params, macs = COUNTS[name]
    with torch.device("meta"):
        net = create_model(name)
    assert sum(p.numel() for p in net.parameters()) == params
    assert {side: multiply_adds(net, side) for side in macs} == macs


def test_no_network_of_these_files_is_left_out():
    assert {*res2net.VARIANTS, *res2net_dla.VARIANTS} == set(COUNTS)


def subsets_that_change(module: torch.nn.Module, i: int, s: int, c: int) -> list[int]:
    """Which subsets of the output change with subset i of the input."""
    torch.manual_seed(0)
    module, x = module.eval(), torch.randn(1, s * c, 8, 8)
    other = x.clone()
    other[:, i * c : (i + 1) * c] += 1
    a, b = module(x).chunk(s, dim=1), module(other).chunk(s, dim=1)
    return [j for j in range(s) if not torch.equal(a[j], b[j])]


@pytest.mark.parametrize(("i", "later"), [(0, [0, 1, 2]), (1, [1, 2]), (2, [2]), (3, [3])])
def test_a_subset_reaches_all_later_ones_and_x1_only_itself(i, later):
    """Eq. (1); x1 is the last subset."""
    assert subsets_that_change(res2net.Hierarchy(4, 4, groups=1), i, s=4, c=4) == later


@pytest.mark.parametrize("i", range(4))
def test_a_first_unit_keeps_its_subsets_apart(i):
    assert subsets_that_change(res2net.Parallel(4, 4, groups=1, stride=2), i, s=4, c=4) == [i]


def test_x1_is_passed_through_or_averaged():
    x = torch.ones(1, 8, 6, 6)
    assert torch.equal(res2net.Hierarchy(2, 4, groups=1)(x)[:, -2:], x[:, -2:])
    pooled = res2net.Parallel(2, 4, groups=1, stride=2)(x)[:, -2:]
    assert pooled.shape[2:] == (3, 3)
    torch.testing.assert_close(
        pooled[0, 0, :2, :2], torch.tensor([[4 / 9, 6 / 9], [6 / 9, 1]])
    )  # padding counts


def test_the_roots_of_the_trees():
    """level4: two units' 512 each, the pooled input's 256, and both trees' 512 that came before."""
    with torch.device("meta"):
        net = create_model("res2net_dla60")
    assert net.level2.root.conv.in_channels == 2 * 128
    assert net.level3.tree2.root.conv.in_channels == 2 * 256 + 128 + 256
    assert net.level4.tree1.tree2.root.conv.in_channels == 2 * 512 + 512
    assert net.level4.tree2.tree2.root.conv.in_channels == 2 * 512 + 256 + 2 * 512
    assert net.level5.root.conv.in_channels == 2 * 1024 + 512
