"""Initial weights, batch norm's epsilon and momentum, dropout and local response normalisation of
every network, held to tables typed from the papers.
"""

import ast
import math
from pathlib import Path

import pytest
import torch
import torch.nn as nn
from recording import Drawn, record, recording
from tables import FOLDER, Settled, evaluate, kind, settled, stated, table

import convatlas
from convatlas.registry import entries, stored_facts

ENTRIES = entries()
FAMILIES = sorted({entry.family for entry in ENTRIES.values()})
SMALLEST = [
    min(
        (name for name, entry in ENTRIES.items() if entry.family == family),
        key=lambda name: stored_facts().get(name, {}).get("params", 0),
    )
    for family in FAMILIES
]
SAMPLE = 50_000  # elements of a parameter that are looked at
SIGMAS = 6


def same(drawn: list[Drawn], expected: list[Drawn]) -> bool:
    return len(drawn) == len(expected) and all(
        one.kind == other.kind and one.numbers == pytest.approx(other.numbers, rel=1e-9)
        for one, other in zip(drawn, expected, strict=True)
    )


def faults(one: Settled, recorder) -> list[str]:
    """What of a layer is not as its row has it."""
    written = one.row.stated
    parameters = dict(one.layer.named_parameters(recurse=False))
    found = []
    for name, parameter in parameters.items():
        if name not in written:
            found.append(f"{one.path}: {one.row} says nothing of its {name}")
        elif not same(drawn := recorder.drawn(parameter), expected := stated(one, name)):
            found.append(f"{one.path}.{name} is drawn from {_all(drawn)}, not {_all(expected)}")
    for name in (written.keys() & {"weight", "bias"}) - parameters.keys():
        found.append(f"{one.path} has no {name}, of which {one.row} tells")
    for setting in written.keys() & {"eps", "momentum", "size"}:
        value = getattr(one.layer, setting)
        if value != written[setting]:
            found.append(f"{one.path}: {setting} is {value}, not {written[setting]}")
    if "rate" in written:
        names = {"index": one.index, "count": one.count}
        rate = eval(str(written["rate"]), {"__builtins__": {}}, names)
        value = one.layer.rate if hasattr(one.layer, "rate") else one.layer.p
        if value != pytest.approx(rate, rel=1e-9):
            found.append(f"{one.path}: the rate is {value}, not {rate}")
    if one.row.kind == "lrn" and not normalises_as(one.layer, written):
        found.append(f"{one.path} does not normalise as {one.row} says: {written}")
    return found


def _all(drawn: list[Drawn]) -> str:
    return ", ".join(map(str, drawn))


def normalises_as(layer: nn.Module, row: dict) -> bool:
    """AlexNet's Sec. 3.3, term by term, on maps large enough for every constant to matter."""
    dice = torch.Generator().manual_seed(1)
    a = 200 * torch.rand(1, 12, 1, 1, generator=dice, dtype=torch.float64)
    values = a.flatten().tolist()
    reach = row["size"] // 2
    for i, value in enumerate(values):
        near = values[max(0, i - reach) : i + reach + 1]
        expected = value / (row["k"] + row["alpha"] * sum(v * v for v in near)) ** row["beta"]
        if float(layer(a)[0, i, 0, 0]) != pytest.approx(expected, rel=1e-9):
            return False
    return True


@pytest.mark.parametrize("name", ENTRIES)
def test_every_layer_is_as_its_table_has_it(name):
    entry = ENTRIES[name]
    net, recorder = record(entry.make)
    assert [
        fault for one in settled(entry.family, name, net) for fault in faults(one, recorder)
    ] == []
    fresh = {net.classifier_path, *net.auxiliary_paths}
    recording(recorder, lambda: net.reset_classifier(7))
    assert [
        f"with 7 classes, {fault}"
        for one in settled(entry.family, name, net)
        if one.path in fresh
        for fault in faults(one, recorder)
    ] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_has_its_place_and_says_what_its_kind_needs(family):
    needed = {
        "conv": {"weight"},
        "linear": {"weight"},
        "norm": {"eps", "momentum", "silent"},
        "dropout": {"rate"},
        "lrn": {"size", "alpha", "beta", "k"},
        "StochasticDepth": {"rate"},
        "DropBlock": {"rate", "size"},
        "ScheduledDropPath": {"rate"},
    }
    for row in table(family):
        assert row.stated.get("place"), f"{row} of {family} has no place"
        assert needed.get(row.kind, set()) <= row.stated.keys(), f"{row} of {family}"


def test_no_table_is_of_no_network():
    assert {file.stem for file in FOLDER.glob("*.toml")} <= set(FAMILIES)


def moments(drawn: Drawn) -> tuple[float, float, float]:
    """Standard deviation, kurtosis and the largest value that can come, of a distribution."""
    number = drawn.numbers[0]
    if drawn.kind == "normal":
        return number, 3.0, math.inf
    if drawn.kind == "uniform":
        return number / 3**0.5, 1.8, number
    c = drawn.numbers[1] / number  # where the normal is cut, in deviations
    density = math.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    inside = math.erf(c / math.sqrt(2))
    second = 1 - 2 * c * density / inside
    fourth = 3 * second - 2 * c**3 * density / inside
    return number * second**0.5, fourth / second**2, drawn.numbers[1]


@pytest.mark.parametrize("name", SMALLEST)
def test_real_weights_are_spread_as_their_table_has_it(name):
    """One network of each file: deviations of each parameter, and the shape of all that are drawn
    alike, within six of what chance makes of them.
    """
    entry = ENTRIES[name]
    torch.manual_seed(2012)
    net = entry.make()
    alike: dict[str, list[torch.Tensor]] = {}
    for one in settled(entry.family, name, net):
        for parameter, value in one.layer.named_parameters(recurse=False):
            expected = stated(one, parameter)
            x = value.detach().flatten()[:SAMPLE].double()
            if expected[0].kind == "constant":
                assert torch.all(x == torch.tensor(expected[0].numbers[0])), one.path
            elif len(expected) == 1:
                deviation, kurtosis, largest = moments(expected[0])
                assert float(x.abs().max()) <= largest * (1 + 1e-6), f"{one.path}.{parameter}"
                spread = math.sqrt((kurtosis - 1) / 4 / len(x)) if len(x) > 99 else math.inf
                found = float(x.square().mean().sqrt()) / deviation
                assert abs(found - 1) < SIGMAS * spread, f"{one.path}.{parameter}: {found}"
                assert abs(float(x.mean())) < SIGMAS * deviation / len(x) ** 0.5, one.path
                alike.setdefault(f"{expected[0].kind} {kurtosis:.3f}", []).append(x / deviation)
    for shape, parts in alike.items():
        x = torch.cat(parts)
        kurtosis = float(x.pow(4).mean() / x.square().mean() ** 2)
        assert abs(kurtosis - float(shape.split()[1])) < SIGMAS * math.sqrt(24 / len(x)) + 0.001


def test_what_the_recorder_reads():
    def make():
        layer = nn.Linear(6, 4)
        nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
        with torch.no_grad():
            layer.bias[:2].uniform_(-1, 1)
            layer.bias[2:].normal_(std=3)
        return layer

    layer, recorder = record(make)
    assert recorder.drawn(layer.weight) == [Drawn("truncated", (0.1, 0.2))]
    assert recorder.drawn(layer.bias) == [Drawn("uniform", (1.0,)), Drawn("normal", (3.0,))]
    recording(recorder, lambda: nn.init.zeros_(layer.bias))
    assert recorder.drawn(layer.bias) == [Drawn("constant", (0.0,))]
    with torch.no_grad():
        recording(recorder, lambda: layer.bias.add_(1))
    assert recorder.drawn(layer.bias)[0].kind == "zero_() then add_(1.0, 1.0)"
    assert recorder.drawn(nn.Parameter(torch.empty(2)))[0].kind == "nothing at all"


@pytest.mark.parametrize(
    ("drawn", "deviation"),
    [(Drawn("uniform", (3.0**0.5,)), 1.0), (Drawn("truncated", (1.0, 2.0)), 0.8796256610342398)],
)
def test_moments(drawn, deviation):
    assert moments(drawn)[0] == pytest.approx(deviation, rel=1e-12)


def test_fans_are_counted_as_the_tables_say():
    weight = nn.Conv2d(6, 8, (3, 5), groups=2).weight
    assert evaluate("normal(fan_in)", weight, None, 2).numbers == (45,)
    assert evaluate("normal(fan_out / groups)", weight, None, 2).numbers == (60,)


def test_no_network_drops_or_normalises_outside_a_layer():
    """A call of a function would be in no table."""
    for file in sorted((Path(convatlas.__file__).parent / "nets").glob("*.py")):
        called = {
            node.attr
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not called & {"dropout1d", "dropout2d", "batch_norm", "local_response_norm"}, file


@pytest.mark.parametrize(
    ("layer", "called"),
    [
        (nn.Conv2d(1, 1, 1), "conv"),
        (nn.BatchNorm2d(1), "norm"),
        (nn.Dropout(0.1), "dropout"),
        (nn.PReLU(), "PReLU"),
        (nn.ReLU(), ""),
    ],
)
def test_kinds(layer, called):
    assert kind(layer) == called


def told(name: str) -> str:
    """What is said of a network where its paper is silent, or followed in part only."""
    paper = ENTRIES[name].paper
    return f"{paper.silent} {paper.departs}".lower()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_record_tells_of_the_constants_that_its_paper_does_not_print(family):
    """Batch norm's epsilon and momentum, of which a row says what the paper leaves open."""
    for name in (name for name, entry in ENTRIES.items() if entry.family == family):
        for row in table(family):
            if row.kind == "norm" and row.of(name):
                untold = [word for word in row.stated["silent"] if word not in told(name)]
                assert not untold, f"{name}: PAPER.silent does not tell batch norm's {untold}"
