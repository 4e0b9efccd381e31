"""How information passes from subset to subset in a Res2Net."""

import pytest
import torch

from convatlas.nets import res2net
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


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
    with shapes_only():
        net = create_model("res2net_dla60")
    assert net.level2.root.conv.in_channels == 2 * 128
    assert net.level3.tree2.root.conv.in_channels == 2 * 256 + 128 + 256
    assert net.level4.tree1.tree2.root.conv.in_channels == 2 * 512 + 512
    assert net.level4.tree2.tree2.root.conv.in_channels == 2 * 512 + 256 + 2 * 512
    assert net.level5.root.conv.in_channels == 2 * 1024 + 512
