"""Trackers hear of a run and never change it: off, on and broken it has the same bits."""

import json
import re
import shlex
import shutil
import signal
import sys
import tomllib
from pathlib import Path

import pytest
from short_runs import SMALL, StopAt, same_bits

from convatlas.cli import app
from convatlas.cli import run as convatlas
from convatlas.errors import RecipeError, RunError, Stopped
from convatlas.registry import stored_facts
from convatlas.training import Recipe, trackers, tracking, train
from convatlas.training import run as run_module
from convatlas.training.callbacks import Callback

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = re.compile(" {4}convatlas ")


pytestmark = pytest.mark.usefixtures("undrawn")


class Heard(Callback):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


# ---- what a tracker is told


class Memory:
    """A tracker that remembers."""

    made: list = []

    def __init__(self, about):
        self.about, self.points, self.results, self.closed = about, [], [], []
        Memory.made.append(self)

    def log(self, step, values):
        self.points.append((step, values))

    def result(self, values):
        self.results.append(values)

    def close(self, done):
        self.closed.append(done)


@pytest.fixture
def memory(monkeypatch):
    monkeypatch.setattr(Memory, "made", [])
    monkeypatch.setattr(run_module, "makers", lambda names: dict.fromkeys(names, Memory))
    return Memory.made


def test_steps_epochs_recipe_and_result_are_told(whole, memory, tmp_path):
    metrics = train(SMALL.change(log_to=["mlflow"]), tmp_path / "run", callback=Callback())
    same_bits(whole, tmp_path / "run")
    (heard,) = memory
    assert heard.about.name == "run" and heard.about.run == metrics["run"]
    settings = heard.about.settings
    assert (settings["lr"], settings["network"]) == (0.005, "lenet1989")
    assert settings["params"] == stored_facts()["lenet1989"]["params"]
    steps = [(step, values) for step, values in heard.points if "step/loss" in values]
    assert [step for step, _ in steps] == list(range(1, 9))
    assert all(values.keys() == {"step/loss", "step/lr"} for _, values in steps)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").open()]
    epochs = [(step, values) for step, values in heard.points if "epoch" in values]
    assert epochs == [
        (
            line["step"],
            {
                "epoch": line["epoch"],
                "train/loss": line["train_loss"],
                "train/accuracy": line["train_accuracy"],
                "val/loss": line["val_loss"],
                "val/accuracy": line["val_accuracy"],
                "seconds": line["seconds"],
            },
        )
        for line in log
    ]
    (result,) = heard.results
    assert result["test/accuracy"] == metrics["test"]["accuracy"]
    assert result["best/epoch"] == metrics["validation"]["epoch"]
    assert heard.closed == [True]


def test_a_stopped_run_is_closed_as_such_and_goes_on_under_the_same_name(memory, tmp_path):
    recipe = SMALL.change(log_to=["wandb", "wandb"])
    with pytest.raises(Stopped):
        train(recipe, tmp_path, callback=StopAt(3))
    train(recipe, tmp_path, resume=True, callback=Callback(), test=False)
    first, second = memory
    assert (first.closed, second.closed) == ([False], [True])
    assert first.about.run == second.about.run
    assert (first.about.step, second.about.step) == (0, 3)
    told = [step for each in memory for step, values in each.points if "step/loss" in values]
    assert told == list(range(1, 9))
    (result,) = second.results  # nothing of the test images, which nobody has looked at
    assert result.keys() == {"best/accuracy", "best/epoch"}
    assert 'log_to = [\n    "wandb",\n    "wandb",\n]' in (tmp_path / "recipe.toml").read_text()


def test_a_long_epoch_has_a_hundred_points_that_are_means():
    class Progress:
        batch = step = 0

    made = []
    listener = tracking.Tracking(
        {"x": lambda about: made.append(Memory(about)) or made[0]}, Recipe(), pytest.fail
    )
    facts = dict.fromkeys(tracking.FACTS, 0) | {"folder": "f", "run": "r", "step": 0}
    listener.begin(facts | {"steps_per_epoch": 250})
    for batch in range(1, 251):
        Progress.batch = Progress.step = batch
        listener.step(Progress, float(batch), 0.1)
    steps = [step for step, _ in made[0].points]
    assert len(steps) == 100 and steps[:4] == [3, 5, 8, 10] and steps[-1] == 250
    assert [values["step/loss"] for _, values in made[0].points[:3]] == [2.0, 4.5, 7.0]


def test_what_is_no_finite_number_is_no_point():
    assert tracking.finite({"a": float("nan"), "b": None, "c": 1, "d": float("-inf")}) == {"c": 1.0}


# ---- a tracker that is not there, or breaks


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_begun(
    tmp_path, capsys, monkeypatch
):
    for name in trackers.NAMES:
        monkeypatch.delitem(sys.modules, f"convatlas.training.trackers.{name}", raising=False)
        library = "torch.utils.tensorboard" if name == "tensorboard" else name
        monkeypatch.setitem(sys.modules, library, None)
        words = ["train", "lenet1989", "--epochs", "1", "--log-to", name]
        assert convatlas([*words, "--output", str(tmp_path / "run")]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"convatlas: --log-to {name} needs {name}, which is not installed (")
        assert said.endswith(f"pip install 'convatlas[{name}]', or leave it out\n")
        assert not (tmp_path / "run").exists()


def test_a_library_that_breaks_when_it_is_imported_is_named(monkeypatch):
    class Broken:
        def __getattr__(self, name):
            raise OSError("no such shared object\nat all")

    monkeypatch.delitem(sys.modules, "convatlas.training.trackers.mlflow", raising=False)
    monkeypatch.setitem(sys.modules, "mlflow", Broken())
    with pytest.raises(RunError, match=r"cannot be used \(no such shared object\): pip install"):
        tracking.makers(["mlflow"])


def test_a_name_of_no_tracker_is_refused(capsys):
    with pytest.raises(RecipeError, match=r"log_to = .* tensorboard \| wandb \| mlflow \| trackio"):
        Recipe(log_to=("tensorbored",))
    assert convatlas(["train", "lenet5", "--log-to", "tensorbored"]) == 2


FAULTS = {
    "exception": RuntimeError("the server is gone\nand more"),
    "exit": SystemExit(3),
    "ours": RunError("not ours to raise"),
}


PLACES = ("__init__", "log", "late", "result", "close")


@pytest.mark.parametrize(
    ("where", "fault"),
    [*((where, "exception") for where in PLACES), ("late", "exit"), ("log", "ours")],
)
def test_one_that_breaks_is_warned_of_once_and_costs_no_bit(
    whole, tmp_path, monkeypatch, where, fault
):
    made = []

    class Broken(Memory):
        def __init__(self, about):
            super().__init__(about)
            made.append(self)
            self._break("__init__")

        def _break(self, at):
            if where == at or (where == "late" and at == "log" and len(self.points) > 6):
                raise FAULTS[fault]

        def log(self, step, values):
            super().log(step, values)
            self._break("log")

        def result(self, values):
            self._break("result")

        def close(self, done):
            self._break("close")

    monkeypatch.setattr(run_module, "makers", lambda names: {"bad": Broken, "good": Memory})
    monkeypatch.setattr(Memory, "made", [])
    heard = Heard()
    train(SMALL.change(log_to=["wandb"]), tmp_path, callback=heard)
    same_bits(whole, tmp_path)
    (warning,) = heard.warnings
    assert warning.startswith(f"bad failed ({type(FAULTS[fault]).__name__}: ")
    assert warning.endswith("; training goes on without it") and "\n" not in warning
    assert len(made[0].points) == {"__init__": 0, "log": 1, "late": 7}.get(where, 10)
    good = Memory.made[-1]
    assert len(good.points) == 10 and good.closed == [True] and len(good.results) == 1


def test_a_tracker_that_draws_random_numbers_and_leaves_torch_changed_costs_no_bit(
    whole, tmp_path, monkeypatch
):
    import random

    import numpy as np
    import torch

    class Meddler(Memory):
        def log(self, step, values):
            torch.manual_seed(1)
            torch.rand(7)
            np.random.seed(2)
            random.seed(3)
            values.clear()

    monkeypatch.setattr(run_module, "makers", lambda names: {"bad": Meddler})
    train(SMALL.change(log_to=["wandb"]), tmp_path, callback=Callback())
    same_bits(whole, tmp_path)


def test_a_folder_of_a_tracker_that_leads_elsewhere_is_refused(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "metrics.json").unlink()
    (run / "tensorboard").symlink_to(tmp_path)
    with pytest.raises(RunError, match="tensorboard is a link where a folder belongs"):
        train(SMALL, run, resume=True, callback=Callback())


def test_signals_are_still_the_run_s_own_while_it_is_tracked(memory, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    train(SMALL.change(log_to=["wandb"]), tmp_path, callback=Callback())
    assert signal.getsignal(signal.SIGTERM) == before


# ---- what the pages say


@pytest.mark.parametrize("page", ["trackers.md", "learning_rate.md"])
def test_the_commands_of_a_page_are_ones_that_the_program_takes(page):
    text = (DOCS / page).read_text()
    commands = [shlex.split(line)[1:] for line in text.splitlines() if COMMAND.match(line)]
    assert len(commands) >= 2
    for words in commands:
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_the_page_names_each_tracker_its_extra_and_all_that_it_is_told():
    text = (DOCS / "trackers.md").read_text()
    extras = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["project"]
    for name in trackers.NAMES:
        assert f"| `{name}` | `pip install 'convatlas[{name}]'` |" in text
        assert name in extras["optional-dependencies"]
    told = [*tracking.EPOCH.values(), *(f"test/{name}" for name in tracking.TEST)]
    assert all(f"`{name}`" in text for name in told)
    assert f"at most {tracking.POINTS} points an epoch" in text
