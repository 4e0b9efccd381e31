"""The real trackers, as far as they are installed, tell of a run what its own log says, and their
company costs no bit of it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from short_runs import SMALL, StopAt, same_bits

from convatlas.errors import Stopped
from convatlas.training import trackers, train
from convatlas.training.callbacks import Callback

pytestmark = pytest.mark.usefixtures("undrawn")


def scalars(folder):
    """{name: [(step, value)]} of all of TensorBoard's files, as its own reader gives them."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is not installed (extra tensorboard)",
    )
    found = accumulator.EventAccumulator(str(folder), {"scalars": 0, "tensors": 0})
    found.Reload()
    return {
        name: [(event.step, event.value) for event in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


def test_tensorboard_shows_what_log_jsonl_says(whole, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed (extra tensorboard)")
    run = tmp_path / "run"
    metrics = train(SMALL.change(log_to=["tensorboard"]), run, callback=Callback())
    same_bits(whole, run)
    seen = scalars(run / "tensorboard")
    log = [json.loads(line) for line in (run / "log.jsonl").open()]
    for name, field in (("val/accuracy", "val_accuracy"), ("train/loss", "train_loss")):
        wanted = [(line["step"], pytest.approx(line[field], rel=1e-6)) for line in log]
        assert seen[name] == wanted
    assert [step for step, _ in seen["step/loss"]] == list(range(1, 9))
    assert seen["test/accuracy"] == [(8, pytest.approx(metrics["test"]["accuracy"]))]


def test_tensorboard_after_a_stop_shows_each_step_once(tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed (extra tensorboard)")
    recipe = SMALL.change(log_to=["tensorboard"])
    with pytest.raises(Stopped):
        train(recipe, tmp_path, callback=StopAt(5))
    shutil.rmtree(tmp_path / "checkpoints" / "step-00000005")  # as if killed before the save
    train(recipe, tmp_path, resume=True, callback=Callback())
    seen = scalars(tmp_path / "tensorboard")
    assert [step for step, _ in seen["step/loss"]] == list(range(1, 9))
    assert [value for _, value in seen["epoch"]] == [1, 2]


RUN = """
import sys

def looked_up(event, words):
    if event == "socket.getaddrinfo":
        print("looked up", words[0], file=sys.stderr)

sys.addaudithook(looked_up)

from short_runs import SMALL, StopAt
from convatlas.training import train

folder, name, stop = sys.argv[1:]
callback = StopAt(5) if stop else None
train(SMALL.change(log_to=[name]), folder, resume=True, callback=callback)
"""
SHY = {"CI", "PYTEST_CURRENT_TEST"}  # where a library finds one of these it does not report home


def in_a_process(folder, name, stop, settings):
    """What a run in a process of its own says; stopped by SIGTERM where that is asked for."""
    here, path = str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")
    kept = {key: value for key, value in os.environ.items() if key not in SHY}
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder), name, "stop" if stop else ""],
        capture_output=True,
        text=True,
        env=kept | {"PYTHONPATH": os.pathsep.join([here, path])} | settings,
        timeout=300,
    )


@pytest.mark.full
@pytest.mark.parametrize("name", trackers.NAMES)
def test_a_real_tracker_costs_no_bit_asks_no_host_hears_no_signal_and_goes_on(
    whole, tmp_path, name
):
    """In a process of its own: such libraries start threads and processes."""
    pytest.importorskip(name, reason=f"{name} is not installed (extra {name})")
    env = {"TRACKIO_DIR": str(tmp_path / "trackio"), "HOME": str(tmp_path / "home")}
    run = tmp_path / "run"
    first = in_a_process(run, name, True, env)
    assert "stopped by SIGTERM at step 5, saved" in first.stderr, first.stderr
    second = in_a_process(run, name, False, env)
    assert second.returncode == 0, second.stderr
    assert "warning" not in first.stderr + second.stderr
    assert "looked up" not in first.stderr + second.stderr
    same_bits(whole, run)
    READERS[name](run, tmp_path)


def read_wandb(run, tmp_path):
    """Two parts of one run, offline, in the run's folder."""
    identifier = json.loads((run / "run.json").read_text())["run"]
    parts = sorted(path.name for path in (run / "wandb").glob("offline-run-*"))
    assert len(parts) == 2 and all(part.endswith(identifier) for part in parts)


def read_mlflow(run, tmp_path):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{run / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("convatlas").experiment_id
    (found,) = client.search_runs([experiment])
    metrics = json.loads((run / "metrics.json").read_text())
    assert found.data.metrics["test/accuracy"] == metrics["test"]["accuracy"]
    assert found.data.params["opt"] == "adamw"
    assert found.info.status == "FINISHED"
    history = client.get_metric_history(found.info.run_id, "step/loss")
    assert sorted(point.step for point in history) == list(range(1, 9))


def read_trackio(run, tmp_path):
    import sqlite3

    (database,) = (tmp_path / "trackio").glob("convatlas*.db")
    with sqlite3.connect(database) as opened:
        rows = opened.execute("select step, cast(metrics as blob) from metrics").fetchall()
    told = [step for step, text in rows if b"step/loss" in text]
    assert sorted(told) == list(range(1, 9))


def read_tensorboard(run, tmp_path):
    assert len(scalars(run / "tensorboard")["step/loss"]) == 8


READERS = {
    "tensorboard": read_tensorboard,
    "wandb": read_wandb,
    "mlflow": read_mlflow,
    "trackio": read_trackio,
}
