"""Two paths in one block of maps: what is added, what is appended, and how wide both are."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.dpn import DualPath, in_one, in_two
from convatlas.registry import create_model

WIDTHS = (256, 512, 1024, 2048)


def blueprint(name: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name)


def test_the_first_channels_are_added_and_the_others_appended():
    x, new = torch.randn(2, 7, 5, 5), torch.randn(2, 6, 5, 5)

    class Fixed(nn.Module):
        def forward(self, _):
            return new

    out = DualPath(4, Fixed(), nn.Identity())(x)
    assert torch.equal(out[:, :4], x[:, :4] + new[:, :4])
    assert torch.equal(out[:, 4:7], x[:, 4:])
    assert torch.equal(out[:, 7:], new[:, 4:])


@pytest.mark.parametrize(
    ("name", "increments"),
    [("dpn92", (16, 32, 24, 128)), ("dpn98", (16, 32, 32, 128))],
)
def test_last_layers_are_as_wide_as_table_1_prints(name, increments):
    """ "256 (+16)": 256 to add, 16 to append; a stage begins with twice as many."""
    net = blueprint(name)
    for i, (width, increment) in enumerate(zip(WIDTHS, increments, strict=True), start=2):
        stage = getattr(net, f"conv{i}")
        assert {unit.width for unit in stage} == {width}
        assert {unit.branch.conv3.conv.out_channels for unit in stage} == {width + increment}
        assert stage[0].shortcut.conv.out_channels == width + 2 * increment
        assert stage.c_out == width + (2 + len(stage)) * increment


def test_only_the_first_unit_of_a_stage_strides_and_projects():
    net = blueprint("dpn92")
    for stage, stride in ((net.conv2, 1), (net.conv3, 2), (net.conv4, 2), (net.conv5, 2)):
        first, *others = stage
        assert [c.stride[0] for c in first.modules() if isinstance(c, nn.Conv2d)] == [
            1,
            stride,
            1,
            stride,
        ]
        assert {type(unit.shortcut) for unit in others} == {nn.Identity}
        assert {
            c.stride[0] for unit in others for c in unit.modules() if isinstance(c, nn.Conv2d)
        } == {1}


def test_the_two_parts_of_dpn_68b_compute_what_one_layer_would():
    one, two = in_one(6, 4, 2).eval(), in_two(6, 4, 2).eval()
    one.conv.weight.data = torch.cat([two.convs.residual.weight, two.convs.dense.weight])
    x = torch.randn(2, 6, 3, 3)
    torch.testing.assert_close(one(x), two(x))
