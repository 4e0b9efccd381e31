"""RegNet: the quantised line, the group widths, and what no claim can hold."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.regnet import Design, X, Y, compatible, quantised, shapes
from convatlas.registry import create_model

GROUPS = {  # Figures 15 and 16, g, from 200MF to 32GF
    "x": (8, 16, 24, 16, 24, 48, 40, 56, 120, 112, 128, 168),
    "y": (8, 8, 16, 16, 24, 24, 64, 72, 56, 112, 112, 232),
}
SOME = ("regnetx_200mf", "regnety_200mf", "regnety_1_6gf", "regnety_8gf_torchvision")


def blueprint(name: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name)


def test_a_line_whose_steps_can_be_counted_by_hand():
    """u = 8, 16, 24, 32, 40; log2(u / 8) = 0, 1, 1.58, 2, 2.32, rounded 0, 1, 2, 2, 2."""
    assert quantised(Design(d=5, w_a=8, w_0=8, w_m=2, g=8)) == [(8, 1), (16, 1), (32, 3)]


@pytest.mark.parametrize(
    ("width", "g", "wide", "of"),
    [(24, 16, 32, 16), (40, 16, 32, 16), (24, 32, 24, 24), (96, 48, 96, 48), (376, 16, 384, 16)],
)
def test_widths_become_multiples_of_the_group_width(width, g, wide, of):
    """Appendix D; 1.5 groups are two, 2.5 are two."""
    assert compatible(width, depth=3, g=g) == (3, wide, of)


@pytest.mark.parametrize(("family", "table"), [("x", X), ("y", Y)])
def test_group_widths_are_printed(family, table):
    for (flops, design), g in zip(table.items(), GROUPS[family], strict=True):
        net = blueprint(f"regnet{family}_{flops}")
        convs = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
        assert all(m.in_channels // m.groups == min(g, m.in_channels) for m in convs[1:])
        assert sum(shape.depth for shape in shapes(design)) == design.d == len(convs) - 1


def test_a_last_stage_that_torchvision_widens():
    printed = [blueprint(n).stage4[0] for n in ("regnetx_400mf", "regnety_800mf")]
    wider = [blueprint(f"{n}_torchvision").stage4[0] for n in ("regnetx_400mf", "regnety_800mf")]
    assert [unit.branch.conv1.conv.out_channels for unit in printed] == [384, 768]
    assert [unit.branch.conv1.conv.out_channels for unit in wider] == [400, 784]


@pytest.mark.parametrize("name", SOME)
def test_a_gate_is_a_quarter_of_what_enters_the_block(name):
    """Y = X + SE, after the 3x3 convolution."""
    units = [m for m in blueprint(name).modules() if hasattr(m, "branch")]
    parts = ["conv1", "relu1", "conv2", "relu2", "conv3"]
    for unit in units:
        assert [part for part, _ in unit.branch.named_children() if part != "se"] == parts
        assert hasattr(unit.branch, "se") is name.startswith("regnety")
    gated = [unit for unit in units if hasattr(unit.branch, "se")]
    for unit in gated:
        assert list(dict(unit.branch.named_children())).index("se") == 4
        assert 4 * unit.branch.se.squeeze.out_channels == unit.branch.conv1.conv.in_channels


def test_only_the_first_block_of_a_stage_has_a_projection():
    net = blueprint("regnetx_200mf")
    kinds = [type(unit.shortcut) is nn.Identity for unit in (*net.stage3, *net.stage4)]
    assert kinds == [False, True, True, True, False, True, True, True, True, True, True]
