"""NetAdapt as the command does it: the trace, the budget, a stop on the way, a measured latency."""

import csv
import json
import math
import os
import signal
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from convatlas import anatomy, load_model
from convatlas.cli import run as convatlas
from convatlas.compression import latency
from convatlas.compression.netadapt import Settings, adapt
from convatlas.compression.subject import of_run
from convatlas.errors import InputError, RunError, Stopped
from convatlas.narrowing.groups import dissected
from convatlas.registry import create_model
from convatlas.run_images import RunImages
from convatlas.training import Recipe, train

SHORT = Recipe(
    network="lenet5_tutorial", data="digits", epochs=2, batch_size=64, lr=0.01, warmup_epochs=0
)
QUICK = Settings("0.8x", batches=1, epochs=1, first=0.1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(SHORT, folder)
    return folder


@pytest.fixture(scope="module")
def whole(finished, tmp_path_factory):
    """An adaptation from its first step to its result."""
    folder = tmp_path_factory.mktemp("narrow") / "whole"
    return adapt(of_run(finished), finished, QUICK, folder)


def rows(folder) -> list[dict]:
    with (folder / "trace.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_network_is_within_the_budget_and_the_trace_says_how(whole):
    saved, journal = whole
    steps = journal.steps
    assert steps[0].cost == 416_520
    assert steps[-1].cost <= 0.8 * 416_520
    for before, after in pairwise(steps):
        assert after.cost <= after.target < before.cost
        assert after.filters < after.before
        assert after.params < before.params
        assert 1 <= after.proposals <= 4
    assert anatomy.summary(saved.net, (1, 28, 28)).macs == steps[-1].macs == steps[-1].cost
    assert sum(p.numel() for p in saved.net.parameters()) == steps[-1].params
    assert journal.refused == {"fc3": "the classes"}
    assert [int(row["macs"]) for row in rows(journal.path)] == [step.macs for step in steps]
    assert journal.result["test"]["count"] == 540
    assert (journal.path / "trace.png").read_bytes().startswith(b"\x89PNG")
    last = load_model(journal.path / "steps" / f"{steps[-1].step:02d}")
    assert last.widths == saved.widths


def test_what_is_stopped_goes_on_to_the_same_result(finished, whole, tmp_path):
    saved, journal = whole

    def stop(row):
        if row.step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match=r"stopped by SIGINT with 1 step saved.*--resume"):
        adapt(of_run(finished), finished, QUICK, tmp_path / "part", tell=stop)
    assert len(rows(tmp_path / "part")) == 2
    assert not (tmp_path / "part" / "model.json").exists()
    load_model(tmp_path / "part" / "steps" / "01")

    with pytest.raises(RunError, match=r"exists; give another folder .* --resume"):
        adapt(of_run(finished), finished, QUICK, tmp_path / "part")
    other = replace(QUICK, budget="0.7x")
    with pytest.raises(RunError, match="was begun with another settings"):
        adapt(of_run(finished), finished, other, tmp_path / "part", resume=True)
    again, _ = adapt(of_run(finished), finished, QUICK, tmp_path / "part", resume=True)
    assert rows(tmp_path / "part") == rows(journal.path)
    state = saved.net.state_dict()
    assert all(torch.equal(again.net.state_dict()[name], state[name]) for name in state)
    done, _ = adapt(of_run(finished), finished, QUICK, tmp_path / "part", resume=True)
    assert done.widths == again.widths

    (tmp_path / "part" / "trace.json").write_text('{"about": 3}')
    with pytest.raises(RunError, match=r"trace\.json is damaged"):
        adapt(of_run(finished), finished, QUICK, tmp_path / "part", resume=True)


def test_test_images_are_looked_at_once_at_the_end(finished, tmp_path, monkeypatch):
    asked = []
    of = RunImages.of
    monkeypatch.setattr(RunImages, "of", lambda self, split: asked.append(split) or of(self, split))
    settings = replace(QUICK, budget="0.95x", epochs=0)
    adapt(of_run(finished), finished, settings, tmp_path / "x", tell=lambda _: asked.append("step"))
    assert asked == ["train", "val", "step", "step", "test", "test"]


def test_the_command_writes_a_folder_that_other_commands_read(finished, tmp_path, capsys):
    folder = tmp_path / "narrow"
    words = ["netadapt", str(finished), "--budget", "0.9x", "--output", str(folder)]
    words += ["--batches", "1", "--epochs", "0", "--first", "0.1"]
    assert convatlas(words) == 0
    printed = capsys.readouterr()
    assert "at first: 416,520 MACs" in printed.err
    assert "step 1: " in printed.err
    assert "not narrowed: fc3 (the classes)" in printed.out
    result = json.loads((folder / "trace.json").read_text())["result"]["test"]
    for place, count in ((folder, result["after"]), (finished, result["before"])):
        assert convatlas(["eval", str(place), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(count / 540)
    assert convatlas(["predict", str(folder / "steps" / "01"), "--test", "2"]) == 0
    assert capsys.readouterr().out.count("truth") == 2
    assert convatlas(["train", "--resume", str(folder)]) == 1
    assert "nothing of the run that trained it" in capsys.readouterr().err
    assert convatlas([*words, "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][1]["step"] == 1


def test_an_exported_one_answers_the_same(whole, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason="the extra onnx is not installed")
    from convatlas.deploy.exporting import export

    _, journal = whole
    _, proof = export(journal.path, output=tmp_path / "narrow.onnx")
    assert proof.holds


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--budget", "1x"], "--budget is a share"),
        (["--budget", "much"], "--budget is a share"),
        (["--budget", "0x"], "--budget is a share"),
        (["--budget", "nan"], "--budget is a share"),
        (["--budget", "0.5x", "--measure", "watts"], "--measure is macs or latency"),
        (["--budget", "0.5x", "--batches", "-1"], "--batches"),
        (["--budget", "0.5x", "--lr", "0"], "--lr"),
        (["--budget", "0.1x"], "never come down to"),
        (["--budget", "1e9"], "cannot be planned"),
        (["--budget", "0.5x", "--size", "32"], "trained already"),
        (["--budget", "0.02x", "--first", "0.9", "--batches", "0"], "no layer alone brings it"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, why, finished, capsys, tmp_path):
    folder = tmp_path / "x"
    assert convatlas(["netadapt", str(finished), *words, "--output", str(folder)]) in (1, 2)
    said = capsys.readouterr().err.splitlines()
    steps = ("at first: ", "step ")
    assert [why in line for line in said if not line.startswith(steps)] == [True]


def test_a_name_needs_images(capsys):
    assert convatlas(["netadapt", "lenet5_tutorial", "--budget", "0.5x"]) == 2
    assert "give --data" in capsys.readouterr().err
    assert convatlas(["netadapt", "lenet6", "--budget", "0.5x", "--data", "digits"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_name_that_was_trained_already_is_not_trained_again(tmp_path, capsys):
    (tmp_path / "narrow-trained").mkdir()
    words = ["netadapt", "lenet5_tutorial", "--data", "digits", "--budget", "0.5x"]
    assert convatlas([*words, "--output", str(tmp_path / "narrow")]) == 2
    assert "narrow-trained exists; give another --output, or go on" in capsys.readouterr().err


def test_a_network_of_which_no_layer_can_be_narrowed_is_named(tmp_path):
    run = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=128, warmup_epochs=0)
    train(run, tmp_path / "old")
    with pytest.raises(InputError, match=r"no layer of lenet1989 can be narrowed: H1\.layer: conv"):
        adapt(of_run(tmp_path / "old"), tmp_path / "old", QUICK, tmp_path / "x")


def mixed() -> nn.Module:
    """An ordinary, a depthwise, a grouped convolution and a fully connected layer."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.Conv2d(8, 8, 3, padding=(1, 0), groups=8),
        nn.Conv2d(8, 12, 1, groups=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 5),
    )


def test_latency_is_the_sum_of_layers_that_are_measured_once(monkeypatch):
    measured = []

    def pretend(functions, rounds):
        outs = [function() for function in functions]
        measured.extend(outs)
        return [float(out.shape[1]) for out in outs]

    found = dissected(mixed(), (3, 16, 16))
    monkeypatch.setattr(latency, "milliseconds", pretend)
    cost = latency.Latency()
    assert cost(found, {}) == 8 + 8 + 12 + 5
    shapes = [(1, 8, 8, 8), (1, 8, 8, 6), (1, 12, 8, 6), (1, 5)]
    assert [tuple(out.shape) for out in measured] == shapes
    group = found.narrowable[0]
    shapes = group.shapes(group.choices[0], found.shapes)
    assert cost(found, shapes) == 6 + 6 + 12 + 5  # either group of four loses a channel
    assert len(measured) == 7
    assert cost(found, {}) == 33
    assert len(measured) == 7


def test_a_budget_in_milliseconds_is_met_by_the_table(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "milliseconds", lambda calls, _: [_size(call) for call in calls])
    settings = replace(QUICK, measure="latency", budget="0.9x", epochs=0)
    saved, journal = adapt(of_run(finished), finished, settings, tmp_path / "x")
    assert journal.about["unit"] == "ms"
    assert journal.steps[-1].cost <= 0.9 * journal.steps[0].cost
    assert saved.widths
    assert json.loads((tmp_path / "x" / "trace.json").read_text())["table"]


def _size(function) -> float:
    """A time that grows with the layer's weight."""
    weight = function.args[1] if len(function.args) > 1 else torch.zeros(1)
    return float(weight.numel())


@pytest.mark.parametrize(
    "name", ["resnet20_cifar", "shufflenet_v2_x0_5", "squeezenet1_1", "shufflenet_v1_g3_x0_25"]
)
def test_what_is_measured_is_the_work_of_the_networks_layers(name, monkeypatch):
    """The same kernel over the same map, whatever the layer's padding, stride and groups."""
    net = create_model(name).eval()
    size = (net.in_channels, *[max(net.smallest, 32)] * 2)
    anatomy, wanted = dissected(net, size), []
    for part in net.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.register_forward_hook(lambda part, _, out: wanted.append(work(part.weight, out)))
    net(torch.zeros(1, *size))
    found = []

    def once(calls, rounds):
        found.extend(work(call.args[1], call()) for call in calls)
        return [1.0] * len(calls)

    monkeypatch.setattr(latency, "milliseconds", once)
    cost = latency.Latency()
    assert cost(anatomy, {}) == len(wanted)
    assert {*found} == {*wanted}


def work(weight: torch.Tensor, out: torch.Tensor) -> tuple:
    return (tuple(weight.shape), tuple(out.shape))


def test_a_table_that_was_measured_adds_up_and_is_not_measured_again():
    found = dissected(mixed(), (3, 16, 16))
    cost = latency.Latency()
    full = cost(found, {})
    assert len(cost.table) == 4 and all(0 < ms < math.inf for ms in cost.table.values())
    assert full == sum(cost.table.values())
    table = dict(cost.table)
    assert latency.Latency(table)(found, {}) == full
    assert cost(found, {}) == full and cost.table == table
    group = found.narrowable[0]
    shapes = group.shapes(group.choices[0], found.shapes)
    shrunk = cost(found, shapes)
    assert len(cost.table) == 7
    assert shrunk == pytest.approx(sum(cost.table.values()) - full + cost.table[linear_of(table)])


def linear_of(table: dict) -> tuple:
    return next(key for key in table if len(key) == 3)


def test_milliseconds_are_of_runs_in_turns():
    order = []
    times = latency.milliseconds([lambda: order.append("a"), lambda: order.append("b")], 3)
    assert order == ["a", "a", "b", "b"] * 3  # once to warm up, and once that counts
    assert all(time >= 0 for time in times)
