"""A run ends when it no longer improves: with its best weights, tested once, and at the same epoch
after a stop.
"""

import json

import pytest
from short_runs import StopAt

from convatlas.cli import run
from convatlas.errors import Stopped
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.schedule import ends_early


@pytest.mark.parametrize(
    ("scores", "ends"),
    [
        ([], False),
        ([0.5], False),
        ([0.5, 0.5], False),
        ([0.5, 0.5, 0.4], True),
        ([0.5, 0.4, 0.6], False),
        ([0.1, 0.2, 0.3, 0.3, 0.3], True),
        ([0.9, 0.1, 0.95], False),
    ],
)
def test_a_run_ends_after_two_epochs_without_a_better_score(scores, ends):
    assert ends_early(Recipe(early_stopping=2), scores) is ends
    assert not ends_early(Recipe(), scores)


SHORT = Recipe(
    network="lenet1989",
    data="digits",
    epochs=20,
    batch_size=512,
    lr=0.05,
    sched="constant",
    warmup_epochs=0,
    early_stopping=2,
    save_every=0,
)


def test_a_run_that_ends_early_is_finished_and_says_so(tmp_path, capsys):
    flags = ["--epochs", "20", "-b", "512", "--lr", "0.05", "--sched", "constant"]
    flags += ["--warmup-epochs", "0", "--early-stopping", "2", "--output", str(tmp_path / "run")]
    assert run(["train", "lenet1989", *flags]) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["stopped_early"] and metrics["epochs"] < 20
    scores = [
        json.loads(line)["val_accuracy"]
        for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    ]
    assert len(scores) == metrics["epochs"] and ends_early(SHORT, scores)
    assert not any(ends_early(SHORT, scores[:n]) for n in range(len(scores)))
    assert f"stopped early after {len(scores)} epochs" in capsys.readouterr().out
    assert metrics["test"]["count"] == 540


def test_a_run_that_ended_early_is_not_made_longer_in_vain(tmp_path, capsys):
    found = train(SHORT, tmp_path / "run", callback=Callback())
    assert run(["train", "--resume", str(tmp_path / "run"), "--epochs", "30"]) == 1
    said = capsys.readouterr().err
    assert f"stopped early, after {found['epochs']} epochs, and would stop again at once" in said
    assert not list((tmp_path / "run").glob("metrics-*"))
    words = said.partition("with --weights ")[2].split()
    flags = ["--weights", words[0], "--epochs", "1", "--output", str(tmp_path / "next")]
    assert run(["train", "lenet1989", "--data", "digits", *flags]) == 0


def test_a_resumed_run_ends_at_the_same_epoch_with_the_same_bits(tmp_path):
    whole = train(SHORT, tmp_path / "whole", callback=Callback())
    with pytest.raises(Stopped):
        train(SHORT, tmp_path / "cut", callback=StopAt(5))
    again = train(SHORT, tmp_path / "cut", resume=True, callback=Callback())
    assert again["epochs"] == whole["epochs"] < 20
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "cut")]
    assert weights[0] == weights[1]


def test_what_other_tools_call_early_stopping_is_understood(capsys):
    for flag in ("--early-stop", "--early-stopping-patience"):
        assert run(["train", "lenet5", flag, "40"]) == 2
        assert "--early-stopping 40 is too long for --epochs 30" in capsys.readouterr().err


def test_a_slip_is_offered_the_flag(capsys):
    assert run(["train", "lenet5", "--early-stoping", "3"]) == 2
    assert "did you mean --early-stopping" in capsys.readouterr().err
