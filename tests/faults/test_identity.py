"""A run owns its truth: an edited recipe, another run's checkpoints and moved images are told
apart, and a run can be made longer with its consequences said.
"""

import json
import shlex
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image
from ranks import weights
from small_runs import SMALL, Note

from convatlas.cli import run as typed_words
from convatlas.errors import RunError, Stopped
from convatlas.finished_run import evaluate
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import read_step, steps
from convatlas.training.recipe import DECIDING
from convatlas.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("undrawn")


def typed(words: list[str]) -> int:
    """The exit code of a command line."""
    return typed_words(words, debug=False)


def images_in(folder: Path, classes: str = "ab", each: int = 8) -> Path:
    for shade, label in enumerate(classes):
        (folder / label).mkdir(parents=True)
        for i in range(each):
            Image.new("L", (28, 28), 90 * shade + i).save(folder / label / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Stopped in its second epoch of two, of four steps each."""
    folder = tmp_path_factory.mktemp("runs") / "cut"
    with pytest.raises(Stopped):
        train(SMALL, folder, callback=Note(6))
    return folder


def snapshot_of(folder: Path) -> dict:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- the recipe


def test_what_decides_a_result_is_all_but_where_and_how_to_run():
    assert {f.name for f in fields(Recipe)} - set(DECIDING) == {
        *("data_root", "download", "device", "workers", "save_every", "timeout"),
        *("test", "log_to", "check", "remote_sync"),
    }


def test_a_checkpoint_names_its_run_its_recipe_and_its_seed(copy):
    about = read_step(steps(copy / "checkpoints")[0]).state["about"]
    assert about["run"] == json.loads((copy / "run.json").read_text())["run"]
    assert (about["recipe"]["seed"], about["recipe"]["lr"], about["recipe"]["epochs"]) == (
        0,
        5e-3,
        2,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lr", "0.1"),
        ("weight_decay", "0.5"),
        ("epochs", "7"),
        ("val_fraction", "0.3"),
        ("seed", "1"),
        ("batch_size", "128"),
        ("network", '"lenet5_tutorial"'),
        ("data", '"mnist"'),
    ],
)
def test_an_edited_recipe_is_refused_by_field_and_nothing_is_touched(copy, capsys, field, value):
    file = copy / "recipe.toml"
    file.write_text("\n" + file.read_text())
    old = next(line for line in file.read_text().splitlines() if line.startswith(f"{field} ="))
    file.write_text(file.read_text().replace(f"\n{old}\n", f"\n{field} = {value}\n"))
    before = snapshot_of(copy)
    assert typed(["train", "--resume", str(copy)]) == 1
    said = capsys.readouterr().err
    assert f"recipe.toml was changed since the run began ({field}: " in said
    assert f"convatlas train --recipe {file} --output FOLDER" in said
    assert snapshot_of(copy) == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"lr": 1e-3}, {"val_fraction": 0.2}])
def test_a_resume_with_another_value_is_refused_by_field(copy, change):
    before = snapshot_of(copy)
    (name,) = change
    with pytest.raises(RunError, match=rf"begun with another recipe \({name}: "):
        train(SMALL.change(**change), copy, resume=True, callback=Callback())
    assert snapshot_of(copy) == before


def test_an_edited_recipe_is_seen_without_run_json_too(copy):
    (copy / "run.json").unlink()
    file = copy / "recipe.toml"
    file.write_text(file.read_text().replace("lr = 0.005", "lr = 0.1"))
    with pytest.raises(RunError, match=r"changed since the run began \(lr: 0.005, now 0.1\)"):
        train(Recipe.read(file), copy, resume=True, callback=Callback())


def test_runtime_fields_may_be_edited_and_a_lost_run_json_is_found_in_the_checkpoint(copy, whole):
    name = json.loads((copy / "run.json").read_text())["run"]
    (copy / "run.json").unlink()
    file = copy / "recipe.toml"
    file.write_text(file.read_text().replace("save_every = 0.0", "save_every = 60.0"))
    train(Recipe.read(file), copy, resume=True, callback=Callback())
    assert weights(copy) == weights(whole)
    assert json.loads((copy / "run.json").read_text())["run"] == name
    assert json.loads((copy / "metrics.json").read_text())["run"] == name


@pytest.mark.parametrize("text", ["", "[]", '{"run": 3}', "\x00", '{"run": "a", "recipe": {}}'])
def test_a_damaged_run_json_is_named_with_a_remedy_that_works(copy, whole, text):
    (copy / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"run\.json is damaged .*; remove it and continue"):
        train(SMALL, copy, resume=True, callback=Callback())
    (copy / "run.json").unlink()
    train(SMALL, copy, resume=True, callback=Callback())
    assert weights(copy) == weights(whole)


@pytest.mark.parametrize("seed", [0, 1])
def test_another_run_s_checkpoints_are_refused_even_of_the_same_recipe(copy, tmp_path, seed):
    with pytest.raises(Stopped):
        train(SMALL.change(seed=seed), tmp_path / "other", callback=Note(7))
    newest = steps(tmp_path / "other" / "checkpoints")[0]
    shutil.copytree(newest, copy / "checkpoints" / newest.name)
    with pytest.raises(RunError, match=r"step-00000007 is a checkpoint of another run"):
        train(SMALL, copy, resume=True, callback=Callback())
    shutil.rmtree(copy / "checkpoints" / newest.name)  # the remedy
    assert train(SMALL, copy, resume=True, callback=Callback())["steps"] == 8


def test_a_checkpoint_without_a_name_is_not_this_run_s(copy):
    old = Path(__file__).with_name("format-1") / "checkpoints" / "step-00000003"
    shutil.rmtree(copy / "checkpoints")
    shutil.copytree(old, copy / "checkpoints" / old.name)
    with pytest.raises(RunError, match="another run"):
        train(SMALL, copy, resume=True, callback=Callback())


@pytest.mark.parametrize("left", ["checkpoints", "metrics.json"])
def test_what_is_left_of_a_run_without_its_recipe_is_not_begun_anew(tmp_path, cut, whole, left):
    run = shutil.copytree(whole if left == "metrics.json" else cut, tmp_path / "run")
    (run / "recipe.toml").unlink()
    before = snapshot_of(run)
    for resume in (False, True):
        with pytest.raises(RunError, match=rf"holds .*{left} of a run but no recipe\.toml"):
            train(SMALL, run, resume=resume, callback=Callback())
    assert snapshot_of(run) == before


# ---- places


@pytest.fixture
def placed(tmp_path, monkeypatch):
    """A stopped run, whose images were given relative to here, and what it would end in."""
    monkeypatch.chdir(tmp_path)
    images_in(tmp_path / "set")
    recipe = SMALL.change(data="set", batch_size=4)
    train(recipe, "whole", callback=Callback())
    with pytest.raises(Stopped):
        train(recipe, "run", callback=Note(3))
    return tmp_path


def test_the_folder_of_images_is_recorded_absolutely(placed):
    assert Recipe.read("run/recipe.toml").data == str(placed / "set")


@pytest.mark.parametrize("spelling", ["set/", "../{name}/set"])
def test_another_spelling_of_the_same_folder_is_the_same_folder(placed, spelling):
    data = spelling.format(placed, name=placed.name)
    assert typed(["train", "--resume", "run", "--data", data]) == 0
    assert weights(placed / "run") == weights(placed / "whole")


def test_a_run_is_continued_from_any_other_folder(placed, monkeypatch):
    (placed / "elsewhere").mkdir()
    monkeypatch.chdir(placed / "elsewhere")
    assert typed(["train", "--resume", "../run"]) == 0
    assert weights(placed / "run") == weights(placed / "whole")


def test_images_that_moved_are_asked_for_and_the_answer_works(placed, capsys):
    (placed / "set").rename(placed / "moved")
    assert typed(["train", "--resume", "run"]) == 1
    assert (
        "which is not there; say where they are now with --data FOLDER" in capsys.readouterr().err
    )
    assert typed(["train", "--resume", "run", "--data", "moved"]) == 0
    assert weights(placed / "run") == weights(placed / "whole")
    assert Recipe.read("run/recipe.toml").data == str(placed / "moved")


def test_a_run_of_an_older_version_with_a_relative_folder_is_found_from_its_own_place(
    placed, monkeypatch
):
    (placed / "run" / "run.json").unlink()
    file = placed / "run" / "recipe.toml"
    file.write_text(file.read_text().replace(str(placed / "set"), "set"))
    (placed / "elsewhere").mkdir()
    monkeypatch.chdir(placed / "elsewhere")
    assert typed(["train", "--resume", "../run"]) == 0
    assert weights(placed / "run") == weights(placed / "whole")


def test_other_images_are_refused_by_their_fingerprint(placed, capsys):
    images_in(placed / "other", each=9)
    assert typed(["train", "--resume", "run", "--data", "other"]) == 1
    assert "say where its own are with --data FOLDER" in capsys.readouterr().err
    assert Recipe.read("run/recipe.toml").data == str(placed / "set")


def test_a_resume_needs_no_file_of_weights(tmp_path, whole, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(whole / "model.safetensors", "w.safetensors")
    recipe = SMALL.change(weights="w.safetensors")
    with pytest.raises(Stopped):
        train(recipe, "run", callback=Note(3))
    Path("w.safetensors").unlink()
    assert typed(["train", "--resume", "run"]) == 0
    origin = json.loads(Path("run/model.json").read_text())["provenance"]["started_from"]
    assert origin["weights"] == str(tmp_path / "w.safetensors")


def test_a_finished_run_answers_without_its_images(placed, capsys):
    shutil.rmtree(placed / "set")
    assert typed(["train", "--resume", "whole"]) == 0
    assert "test accuracy" in capsys.readouterr().out


# ---- longer


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_is_made_longer_and_says_what_that_means(cut, whole, tmp_path, capsys, finished):
    run = shutil.copytree(whole if finished else cut, tmp_path / "run")
    assert typed(["train", "--resume", str(run), "--epochs", "4"]) == 0
    said = capsys.readouterr().err
    assert "goes on to 4 epochs instead of 2; sched = 'cosine' is now that of 4 epochs: the" in said
    assert "learning rate goes from" in said
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["epochs"], metrics["steps"]) == (4, 16)
    assert Recipe.read(run / "recipe.toml").epochs == 4
    assert read_step(steps(run / "checkpoints")[0]).state["about"]["recipe"]["epochs"] == 4
    lines = (run / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]
    if finished:
        assert (run / "metrics-epoch-2.json").read_bytes() == (whole / "metrics.json").read_bytes()
    assert typed(["train", "--resume", str(run)]) == 0


def test_a_longer_run_that_is_stopped_goes_on_as_the_longer_one(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(Stopped):
        train(SMALL.change(epochs=3), run, resume=True, callback=Note(10))
    assert not (run / "metrics.json").exists()
    assert train(Recipe.read(run / "recipe.toml"), run, resume=True)["epochs"] == 3


def test_a_run_that_is_being_made_longer_answers_as_it_did(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    before = evaluate(run).to_dict()
    with pytest.raises(Stopped):
        train(SMALL.change(epochs=4), run, resume=True, callback=Note(10))
    assert evaluate(run).to_dict() == before


def test_a_constant_rate_stays_as_it_was(tmp_path):
    recipe = SMALL.change(sched="constant")
    train(recipe.change(epochs=1), tmp_path / "run", callback=Callback())
    callback = Note(0)
    train(recipe, tmp_path / "run", resume=True, callback=callback)
    assert "learning rate of sched = 'constant' stays as it was" in callback.warnings[0]
    train(recipe, tmp_path / "whole", callback=Callback())
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")


@pytest.mark.parametrize("finished", [True, False])
def test_fewer_epochs_than_are_done_are_refused(cut, whole, tmp_path, capsys, finished):
    run = shutil.copytree(whole if finished else cut, tmp_path / "run")
    before = snapshot_of(run)
    assert typed(["train", "--resume", str(run), "--epochs", "1"]) == 1
    assert "has done 2 epochs, so it cannot be one of 1; give --epochs 2 or more" in (
        capsys.readouterr().err
    )
    assert snapshot_of(run) == before


def test_a_finished_run_without_checkpoints_says_how_to_go_on(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(RunError, match=r"checkpoints are gone.* --weights .*model\.safetensors"):
        train(SMALL.change(epochs=4), run, resume=True, callback=Callback())
    assert (run / "metrics.json").exists()


# ---- after a loss that is not finite


@pytest.mark.parametrize(("lr", "lower"), [(0.005, "0.0005"), (1e6, "0.01")])
def test_the_remedy_after_a_nan_can_be_typed_as_it_is_printed(
    tmp_path, monkeypatch, capsys, lr, lower
):
    real, run = Trainer._differentiate, tmp_path / "my run"

    def broken(self, x, y, whole):
        return [float("nan"), *real(self, x, y, whole)[1:]]

    monkeypatch.setattr(Trainer, "_differentiate", broken)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(SMALL.change(lr=lr, warmup_lr=0.002, warmup_epochs=1, epochs=1).to_toml())
    assert typed(["train", "--recipe", str(recipe), "--output", str(run)]) == 1
    command = shlex.split(capsys.readouterr().err.partition("--clip-grad 1: ")[2])
    assert command[:4] == ["convatlas", "train", "--recipe", str(run / "recipe.toml")]
    assert command[4:8] == ["--lr", lower, "--output", f"{run}-2"]
    monkeypatch.undo()
    assert typed(command[1:]) == 0
    assert (tmp_path / "my run-2" / "metrics.json").exists()
