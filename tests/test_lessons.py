"""The documents that teach: every number that they show is computed here, and their code is run."""

import re
from functools import cache
from math import log
from pathlib import Path

import pytest
import torch
import torch.nn as nn

import convatlas
from convatlas.layers import ChannelShuffle
from convatlas.registry import create_model, stored_facts
from convatlas.scaling import ALPHA, BETA, GAMMA, PIXELS, RELEASED
from convatlas.shapes_only import shapes_only
from convatlas.verification import measure

DOCS = Path(__file__).parents[1] / "docs"
NORMS = "batch_normalisation.md"
GUIDELINES = "guidelines.md"
SCALING = "compound_scaling.md"


def table(page: str, *header: str) -> list[list[str]]:
    """The cells of the one table whose header begins so, without backticks."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    (start,) = [i for i, cells in enumerate(rows) if tuple(cells[: len(header)]) == header]
    end = next(i for i in range(start, len(lines) + 1) if i == len(lines) or not lines[i])
    return rows[start + 2 : end]


def code(page: str) -> str:
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    return block


@cache
def blueprint(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name)


def norms(name: str) -> list[nn.BatchNorm2d]:
    return [m for m in blueprint(name).modules() if isinstance(m, nn.BatchNorm2d)]


def test_norms_cost_what_is_told():
    shown = table(NORMS, "network", "norms")
    for name, number, channels, learned, share in shown:
        found = norms(name)
        width = sum(norm.num_features for norm in found)
        params = sum(p.numel() for p in blueprint(name).parameters())
        assert [number, channels, learned] == [f"{n:,}" for n in (len(found), width, 2 * width)]
        assert share == f"{200 * width / params:.2f} %"
    assert len(shown) == 6


def test_norms_have_the_constants_that_are_told():
    shown = table(NORMS, "network", "eps")
    for name, eps, momentum in shown:
        assert {(str(norm.eps), str(norm.momentum)) for norm in norms(name)} == {(eps, momentum)}
    assert len(shown) == 4
    for _, said, here in table(NORMS, "who", "says"):
        kind, number = said.split()
        assert float(here) == pytest.approx(1 - float(number) if kind == "decay" else float(number))


def test_a_start_is_forgotten_as_told():
    for momentum, *left in table(NORMS, "momentum", "after 10 batches"):
        assert left == [f"{100 * (1 - float(momentum)) ** n:.1f} %" for n in (10, 100, 1000)]
    norm = nn.BatchNorm2d(1, momentum=0.01).double()
    for _ in range(100):
        norm(torch.randn(8, 1, 2, 2).double())
    norm.running_mean.fill_(1)  # what is left of a mean of 1 when batches have none
    zero_mean = torch.tensor([-1.0, 1.0]).double()[:, None, None, None]
    for _ in range(100):
        norm(zero_mean)
    assert f"{100 * norm.running_mean.item():.1f} %" == "36.6 %"


def test_a_batch_is_divided_by_its_own_variance_and_the_unbiased_one_is_kept():
    norm = nn.BatchNorm2d(3, momentum=1.0).double()
    x = torch.randn(4, 3, 5, 5).double() * 3 + 2
    biased, mean = torch.var_mean(x, (0, 2, 3), correction=0)
    y = (x - mean[:, None, None]) / (biased + norm.eps).sqrt()[:, None, None]
    torch.testing.assert_close(norm(x), y)
    torch.testing.assert_close(norm.running_var, biased * 100 / 99)
    torch.testing.assert_close(norm.running_mean, mean)


def test_a_bias_before_a_norm_changes_nothing_and_learns_nothing():
    conv, norm = nn.Conv2d(3, 4, 3).double(), nn.BatchNorm2d(4).double()
    x = torch.randn(2, 3, 6, 6).double()
    before = norm(conv(x))
    (before * torch.randn_like(before)).sum().backward()
    assert conv.bias.grad.abs().max() < 1e-12
    with torch.no_grad():
        conv.bias += 5
    torch.testing.assert_close(norm(conv(x)), before, rtol=0, atol=1e-12)


WORDS = {
    nn.Conv2d: "conv",
    nn.BatchNorm2d: "BN",
    nn.ReLU: "ReLU",
    nn.ReLU6: "ReLU6",
    ChannelShuffle: "shuffle",
}


def test_units_are_in_the_order_that_is_told():
    shown = table(NORMS, "paper", "unit")
    for _, unit, order in shown:
        name, path = unit.replace("`", "").split()
        layers = [WORDS.get(type(m)) for m in blueprint(name).get_submodule(path).modules()]
        told = order.split(", sum")[0].replace(" concatenation", "").replace(",", "").split()
        assert [word for word in layers if word] == told, unit
    assert len(shown) == 6


@pytest.mark.parametrize("name", ["resnet20_cifar", "mobilenet_v2"])
@torch.no_grad()
def test_a_folded_network_answers_the_same(name):
    torch.manual_seed(0)
    net = create_model(name).double().eval()
    assert f"`{name}`" in (DOCS / NORMS).read_text(encoding="utf-8")
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(std=0.1)
            for tensor in (norm.running_var, norm.weight):
                tensor.uniform_(0.5, 1.5)
            norm.bias.normal_(std=0.1)
    x = torch.randn(2, 3, 32, 32).double()
    before = net(x)
    scope: dict = {}
    exec(code(NORMS), scope)
    scope["fold"](net)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in net.modules())
    assert (net(x) - before).abs().max() < 1e-12 * before.abs().max()


def moved(side: int, c1: int, c2: int, g: int = 1) -> int:
    return side * side * (c1 + c2) + c1 * c2 // g


def least(side: int, macs: int) -> float:
    return 2 * side * macs**0.5 + macs / side**2


def test_the_settings_of_table_1():
    for ratio, *cells, _ in table(GUIDELINES, "c1:c2", "c1"):
        c1, c2 = int(cells[0]), int(cells[1])
        macs, mac = 56 * 56 * c1 * c2, moved(56, c1, c2)
        assert cells[2:] == [f"{macs:,}", f"{mac:,}", f"{mac / least(56, macs):.2f}"]
        assert c2 / c1 == pytest.approx(int(ratio.split(":")[1]), rel=0.01)


def test_the_settings_of_table_2():
    for *cells, _ in table(GUIDELINES, "g", "c"):
        g, c = int(cells[0]), int(cells[1])
        macs, mac = 56 * 56 * c * c // g, moved(56, c, c, g)
        beside = mac / moved(56, 128, 128)
        assert cells[2:] == [f"{macs:,}", f"{mac:,}", f"{beside:.2f}"]
        assert mac == pytest.approx(56 * 56 * c + macs * g / c + macs / 56**2)


def pointwise(name: str) -> list[tuple[int, int, int]]:
    """(multiply-adds, numbers moved, side) of every 1x1 convolution."""
    modules, found = dict(blueprint(name).named_modules()), []
    for row in measure(name).rows:
        conv = modules[row.name]
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (1, 1):
            side = row.output[1]
            mac = moved(side, conv.in_channels, conv.out_channels, conv.groups)
            found.append((row.macs, mac, side))
    return found


def test_what_pointwise_convolutions_move():
    for name, share, mac, bound, over in table(GUIDELINES, "network", "of the multiply-adds"):
        found = pointwise(name)
        moves, fewest = sum(m for _, m, _ in found), sum(least(s, b) for b, _, s in found)
        assert share == f"{100 * sum(b for b, _, _ in found) / measure(name).macs:.1f} %"
        assert [mac, bound, over] == [f"{moves:,}", f"{fewest:,.0f}", f"{moves / fewest:.2f}"]
    units = blueprint("shufflenet_v2").Stage3[1:].modules()
    convs = [m for m in units if isinstance(m, nn.Conv2d)]
    assert {(m.in_channels, m.out_channels) for m in convs} == {(116, 116)}
    shown = table(GUIDELINES, "network", "multiply-adds")
    for name, macs, mac in shown:
        assert macs == f"{measure(name).macs:,}"
        assert mac == f"{sum(m for _, m, _ in pointwise(name)):,}"
    assert len(shown) == 5


def test_fragments_are_counted_as_told():
    windows = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
    for unit, number in table(GUIDELINES, "unit", "fragments"):
        name, path = unit.replace("`", "").split()
        found = [m for m in blueprint(name).get_submodule(path).modules() if isinstance(m, windows)]
        assert len(found) == int(number), unit


def test_depthwise_convolutions_move_much_and_compute_little():
    rows = {row.name: row for row in measure("mobilenet_v1").rows}
    for layer, macs, mac, ratio in table(GUIDELINES, "layer", "multiply-adds"):
        row, conv = rows[f"{layer}.conv"], blueprint("mobilenet_v1").get_submodule(f"{layer}.conv")
        both = conv.in_channels + conv.out_channels
        moves = row.output[1] ** 2 * both + conv.weight.numel()
        assert [macs, mac, ratio] == [f"{row.macs:,}", f"{moves:,}", f"{moves / row.macs:.3f}"]


def test_scale_gives_the_coefficients_of_every_efficientnet():
    assert f"{ALPHA * BETA**2 * GAMMA**2:.2f}" == "1.92"
    for row, phi in zip(table(SCALING, "", "width"), range(8), strict=True):
        scaling = convatlas.scale(phi)
        given = (scaling.width, scaling.depth, scaling.resolution)
        by = scaling.equation
        assert given == RELEASED[phi]
        assert row == [
            f"B{phi}",
            *map(str, given),
            *(f"{by.width:.2f}", f"{by.depth:.2f}", f"{by.resolution:.0f}"),
        ]
        assert stored_facts()[scaling.network]["input_size"][1] == scaling.resolution
        assert scaling.flops == pytest.approx(1.92027**phi)


@pytest.mark.parametrize("phi", [-1, 8, 1.5, True, "3", None, 10**400])
def test_scale_refuses_what_no_network_was_released_for(phi):
    with pytest.raises(convatlas.Error, match="phi is one of 0 to 7") as refused:
        convatlas.scale(phi)
    assert len(str(refused.value)) < 250


def test_no_single_phi_gives_the_released_coefficients():
    for (name, *shown), (width, depth, side) in zip(
        table(SCALING, "", "phi by depth"), RELEASED[1:], strict=True
    ):
        logs = (log(depth, ALPHA), log(width, BETA), log(side / PIXELS, GAMMA))
        assert [name[0], *shown] == ["B", *(f"{phi:.1f}" for phi in logs)]


def test_the_work_of_efficientnets_is_counted_as_told():
    before = None
    for name, macs, beside in table(SCALING, "", "multiply-adds"):
        counted = stored_facts()[f"efficientnet_{name.lower()}"]["macs"]
        assert macs == f"{counted:,}"
        assert beside == (f"{counted / before:.2f}" if before else "")
        before = counted


def test_table_3_is_counted_as_told():
    met = 0
    for _, name, pixels, printed, counted in table(SCALING, "scaled", "network"):
        facts, side = stored_facts()[name], int(pixels)
        printed_size = facts["input_size"][1] == side
        macs = (facts["macs"] if printed_size else measure(name, f"{side}x{side}").macs) / 1e9
        assert counted == f"{macs:.3f}"
        met += f"{macs:.1f}" == printed
    assert met == 8


def test_the_code_of_the_page_on_scaling_prints_what_it_says(capsys):
    exec(code(SCALING), {})
    assert capsys.readouterr().out == "efficientnet_b3 1.2 1.4 300\n1.33 1.73 341\n"
