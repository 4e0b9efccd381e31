"""MobileNetV1 to the unit, and the evidence of an erratum.

The counts stem from pytorchcv and timm, those of the full and the shallow network from arithmetic
by hand.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convatlas.registry import create_model, entries
from convatlas.verification import measure

COUNTS = {  # name: (parameters, {side: multiply-adds})
    "mobilenet_v1": (
        4_231_976,
        {224: 568_740_352, 192: 418_121_728, 160: 290_675_200, 128: 186_400_768},
    ),
    "mobilenet_v1_x0_75": (
        2_585_560,
        {224: 325_400_448, 192: 239_273_472, 160: 166_396_800, 128: 106_770_432},
    ),
    "mobilenet_v1_x0_5": (
        1_331_592,
        {224: 149_497_088, 192: 109_970_432, 160: 76_524_800, 128: 49_160_192},
    ),
    "mobilenet_v1_x0_25": (
        470_072,
        {224: 41_030_272, 192: 30_212_608, 160: 21_059_200, 128: 13_570_048},
    ),
    "mobilenet_v1_full_conv": (29_294_088, {224: 4_867_293_184}),
    "mobilenet_v1_shallow": (2_887_976, {224: 307_323_392}),
}


def build(name: str, **given) -> torch.nn.Module:
    with torch.device("meta"):
        return create_model(name, **given).eval()


def multiply_adds(net: torch.nn.Module, side: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.empty(1, net.in_channels, side, side, device="meta"))
    return counter.get_total_flops() // 2


def size(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_no_network_is_left_out():
    assert {entry.name for entry in entries().values() if entry.family == "mobilenet_v1"} == set(
        COUNTS
    )


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    params, macs = COUNTS[name]
    net = build(name)
    assert size(net) == params
    assert {side: multiply_adds(net, side) for side in macs} == macs


def test_the_parameters_of_table_2_are_shares_of_the_weights_alone():
    """Percent of the parameters without batch norm and biases: the evidence of the
    column's errata.
    """
    rows = [row for row in measure("mobilenet_v1").rows if row.macs]
    weights = {row.name: row.params - (1000 if row.name == "fc" else 0) for row in rows}
    kinds = {
        "1x1": [r for r in rows if r.kernel == (1, 1)],
        "dw": [r for r in rows if r.groups not in (1, None)],
        "3x3": [r for r in rows if r.name.startswith("conv1.")],
        "full": [r for r in rows if r.name == "fc"],
    }
    assert sum(map(len, kinds.values())) == len(rows) == 28
    share = {
        kind: round(100 * sum(weights[r.name] for r in group) / sum(weights.values()), 2)
        for kind, group in kinds.items()
    }
    assert share == {"1x1": 74.59, "dw": 1.06, "3x3": 0.02, "full": 24.33}
