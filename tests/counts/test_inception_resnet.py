"""What the Inception-ResNets cost; as printed there are 5, 10 and 5 units, in the release 10, 20
and 10.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convatlas.registry import create_model

COUNTS = {  # name: (parameters, {side: multiply-adds})
    "inception_resnet_v1": (22_756_328, {299: 6_206_361_696}),
    "inception_resnet_v2": (32_433_928, {299: 9_257_953_632}),
    "inception_resnet_v2_released": (55_843_464, {299: 13_155_794_016}),
}
UNITS = {
    "inception_resnet_v1": (5, 10, 5),
    "inception_resnet_v2": (5, 10, 5),
    "inception_resnet_v2_released": (10, 20, 9),
}  # and one of another kind


def blueprint(name: str):
    with torch.device("meta"):
        return create_model(name).eval()


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    params, macs = COUNTS[name]
    net = blueprint(name)
    assert sum(p.numel() for p in net.parameters()) == params
    for side, expected in macs.items():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(torch.empty(1, 3, side, side, device="meta"))
        assert counter.get_total_flops() == 2 * expected


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
