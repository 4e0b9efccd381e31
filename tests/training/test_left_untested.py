"""--no-test: a run trains to its end, and its test images are looked at later, once."""

import json
import shutil
import sys

import pytest
from short_runs import SMALL, StopAt, same_bits

from convatlas import evaluate
from convatlas.cli import run as convatlas
from convatlas.errors import RunError, Stopped
from convatlas.training import run as run_module
from convatlas.training import train
from convatlas.training.callbacks import Callback
from convatlas.training.standing import standing

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def untested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "untested"
    train(SMALL, folder, callback=Callback(), test=False)
    return folder


@pytest.fixture
def copy(untested, tmp_path):
    return shutil.copytree(untested, tmp_path / "run")


class Looked(Callback):
    """Which images were looked at, and how the run ended."""

    def __init__(self, monkeypatch):
        self.splits, self.ends, real = [], [], run_module._Run._evaluate

        def noting(run, loader, *ways):
            self.splits.append("test" if loader.split is run.data.test else "val")
            return real(run, loader, *ways)

        monkeypatch.setattr(run_module._Run, "_evaluate", noting)

    def trained(self, found):
        self.ends.append("trained")

    def end(self, metrics):
        self.ends.append("end")


def same_result(one, other):
    same_bits(one, other)
    a, b = (json.loads((run / "metrics.json").read_text()) for run in (one, other))
    for name in ("test", "validation", "confusion", "epochs", "steps", "answers", "stopped_early"):
        assert a[name] == b[name], name


def test_it_trains_without_a_look_at_the_test_images_and_a_resume_looks_once(
    whole, tmp_path, monkeypatch
):
    run, looked = tmp_path / "run", Looked(monkeypatch)
    assert standing(run) == "empty"
    found = train(SMALL, run, callback=looked, test=False)
    assert looked.splits == ["val", "val"] and looked.ends == ["trained"]
    assert "test" not in found and found["epochs"] == 2
    assert not (run / "metrics.json").exists() and not (run / "model.safetensors").exists()
    assert standing(run) == "trained"
    again = train(SMALL, run, resume=True, callback=looked, test=False)  # by somebody else
    assert looked.splits == ["val", "val"] and looked.ends == ["trained"] * 2
    assert {**again, "seconds": 0} == {**found, "seconds": 0}
    metrics = train(SMALL, run, resume=True, callback=looked)
    assert looked.splits == ["val", "val", "test"] and looked.ends[2:] == ["end"]
    assert all(metrics[name] == value for name, value in found.items() if name != "seconds")
    assert standing(run) == "done"
    same_result(run, whole)
    assert train(SMALL, run, resume=True, callback=looked, test=False)["test"] == metrics["test"]
    assert looked.splits == ["val", "val", "test"]


def test_the_command_line_says_what_was_left_and_what_to_type(whole, tmp_path, capsys):
    run = tmp_path / "run"
    (tmp_path / "small.toml").write_text(SMALL.to_toml())
    words = ["train", "--recipe", str(tmp_path / "small.toml"), "--output", str(run)]
    assert convatlas([*words, "--resume", "auto", "--no-test"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1].endswith(
        f"the test images were not looked at: convatlas train --resume {run} does"
    )
    assert "test = true" in (run / "recipe.toml").read_text()
    assert convatlas(["eval", str(run)]) == 1
    assert capsys.readouterr().err == (
        f"convatlas: the run in {run} is trained, but its test images were not looked at, so that "
        f"it has no result yet; convatlas train --resume {run} looks at them\n"
    )
    assert convatlas(["predict", str(run), "--test", "2"]) == 1
    with pytest.raises(RunError, match="is trained, but its test images"):
        evaluate(run)
    capsys.readouterr()
    assert convatlas([*words, "--resume", "auto", "--no-test"]) == 0
    assert "not looked at" in capsys.readouterr().out
    assert convatlas(["train", "--resume", str(run)]) == 0
    assert "test accuracy" in capsys.readouterr().out
    same_result(run, whole)
    assert convatlas(["eval", str(run)]) == 0


def test_a_stop_on_the_way_costs_no_bit(whole, tmp_path, monkeypatch):
    """The last step is saved before its validation, and not a second time."""
    monkeypatch.setattr(run_module, "SAVING_SHARE", 0)
    with pytest.raises(Stopped):
        train(SMALL, tmp_path, callback=StopAt(7), test=False)
    assert standing(tmp_path) == "begun"
    train(SMALL, tmp_path, resume=True, callback=Callback(), test=False)
    assert standing(tmp_path) == "trained"
    train(SMALL, tmp_path, resume=True, callback=Callback())
    same_result(tmp_path, whole)


def test_an_untested_run_can_be_made_longer(copy):
    train(SMALL.change(epochs=3), copy, resume=True, callback=Callback(), test=False)
    assert standing(copy) == "trained"
    metrics = train(SMALL.change(epochs=3), copy, resume=True, callback=Callback())
    assert metrics["epochs"] == 3
    assert not list(copy.glob("metrics-*"))


def test_a_finished_run_made_longer_untested_keeps_its_earlier_result(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    train(SMALL.change(epochs=3), run, resume=True, callback=Callback(), test=False)
    assert standing(run) == "trained"
    assert json.loads((run / "metrics-epoch-2.json").read_text())["epochs"] == 2
    assert (run / "answers-epoch-2.csv").read_bytes() == (whole / "answers.csv").read_bytes()


def test_a_run_that_stopped_early_is_trained_and_not_made_longer_in_vain(tmp_path):
    recipe = SMALL.change(
        epochs=20, batch_size=512, lr=0.05, sched="constant", early_stopping=1, save_every=60
    )
    found = train(recipe, tmp_path, callback=Callback(), test=False)
    assert found["stopped_early"] and standing(tmp_path) == "trained"
    with pytest.raises(RunError, match=r"stopped early, after \d+ epochs, .*; finish it with"):
        train(recipe.change(epochs=30), tmp_path, resume=True, callback=Callback())
    assert train(recipe, tmp_path, resume=True, callback=Callback())["stopped_early"]


def test_where_a_run_stands_is_told_without_torch_and_never_an_error(copy):
    import subprocess

    code = (
        "import sys; from pathlib import Path\n"
        "from convatlas.training.standing import standing\n"
        f"print(standing(Path({str(copy)!r})), 'torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "trained False\n"
    log = (copy / "log.jsonl").read_bytes()
    for name, content in (
        *(("log.jsonl", each) for each in (b"", b"[", b"3", b"[]", b'{"step": "8"}', b"\xff")),
        ("log.jsonl", log.splitlines()[0]),
        ("log.jsonl", log.replace(b'"step": 8', b'"step": 9')),
        ("recipe.toml", b"epochs = -1"),
        ("recipe.toml", (copy / "recipe.toml").read_bytes().replace(b"epochs = 2", b"epochs = 3")),
    ):
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(content)
        assert standing(copy) == "begun"
        (copy / name).write_bytes(before)
    assert standing(copy) == "trained"
    shutil.rmtree(copy / "checkpoints")
    assert standing(copy) == "begun"
    assert standing(copy / "recipe.toml") == "empty"
