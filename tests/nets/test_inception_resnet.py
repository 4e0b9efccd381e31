"""The units of the Inception-ResNets: as printed 5, 10 and 5, in the release 10, 20 and 10."""

import pytest
import torch

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

UNITS = {
    "inception_resnet_v1": (5, 10, 5),
    "inception_resnet_v2": (5, 10, 5),
    "inception_resnet_v2_released": (10, 20, 9),
}  # and one of another kind


def blueprint(name: str):
    with shapes_only():
        return create_model(name).eval()


@pytest.mark.parametrize("name", UNITS)
def test_how_many_units_and_how_far_scaled(name):
    runs = [
        run
        for run in blueprint(name).children()
        if isinstance(run, torch.nn.Sequential) and hasattr(run[0], "scale")
    ]
    assert tuple(len(run) for run in runs) == UNITS[name]
    assert [{unit.scale for unit in run} for run in runs] == [{0.17}, {0.10}, {0.20}]


@pytest.mark.parametrize("name", ["inception_resnet_v1", "inception_resnet_v2_released"])
def test_a_unit_adds_its_scaled_branches(name):
    torch.manual_seed(0)
    net = create_model(name).eval()
    unit = next(m for m in net.modules() if hasattr(m, "scale"))
    x = torch.randn(2, unit.linear.out_channels, 5, 5)
    with torch.no_grad():
        expected = (x + 0.17 * unit.linear(unit.branches(x))).clamp(min=0)
        torch.testing.assert_close(unit(x), expected)
        if name.endswith("released"):
            x = torch.randn(2, 2080, 5, 5)
            out = net.block8(x)
            torch.testing.assert_close(out, x + net.block8.linear(net.block8.branches(x)))
            assert (out < 0).any()
