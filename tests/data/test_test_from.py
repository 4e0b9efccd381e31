"""`test_from` = "val": benchmarks whose val/ is what everybody tests on."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from benchmarks.ledger import record
from convatlas.cli import run as convatlas
from convatlas.data import check_data, open_data
from convatlas.data.packed.writing import pack
from convatlas.errors import DataError, RecipeError
from convatlas.finished_run import evaluate, measure
from convatlas.pages.results import results
from convatlas.registry import create_model
from convatlas.reporting import gather
from convatlas.reporting.markdown import text as markdown
from convatlas.reporting.sections import report_of
from convatlas.training import Recipe, plots, train
from convatlas.training.prepare import Gathered
from convatlas.training.unused import require_use

BENCHMARK = {f"{part}/{c}": n for part, n in (("train", 12), ("val", 4)) for c in ("cat", "dog")}


def refusal(*given, **how) -> str:
    with pytest.raises(DataError) as caught:
        open_data(*given, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_val_is_the_test_set_and_validation_comes_from_train(make_folder):
    root = make_folder(BENCHMARK)
    data = open_data(root, test_from="val", val_fraction=1e-6)
    assert list(data.test.names) == [f"val/{c}/{i}.png" for c in ("cat", "dog") for i in range(4)]
    assert data.val.labels.tolist() == [0, 1]  # one of a class is the least
    assert all(name.startswith("train/") for name in [*data.train.names, *data.val.names])
    assert len({*data.train.names, *data.val.names}) == 24
    assert data.splits == {"val": "1e-06 of train/, by lot", "test": "val/"}


def test_the_test_set_is_val_for_every_seed_and_share(make_folder):
    root = make_folder(BENCHMARK)
    found = [
        open_data(root, test_from="val", seed=seed, val_fraction=share)
        for seed, share in ((0, 0.1), (1, 0.1), (0, 0.3))
    ]
    assert len({tuple(data.test.names) for data in found}) == 1
    assert len({tuple(data.val.names) for data in found}) == 3
    assert len({data.fingerprint for data in found}) == 1


def test_it_is_another_set_than_the_same_folder_with_a_test_set_held_out(make_folder):
    """Their figures are of different images, and no report may put them side by side."""
    root = make_folder(BENCHMARK)
    assert open_data(root, test_from="val").fingerprint != open_data(root).fingerprint


def test_the_default_holds_test_images_out_of_train_as_before(make_folder):
    root = make_folder(BENCHMARK)
    data = open_data(root)
    assert data.fingerprint == open_data(root, test_from="auto").fingerprint
    assert data.splits == {"val": "val/", "test": "a fifth of train/"}
    assert all(name.startswith("val/") for name in data.val.names)
    shutil.rmtree(root / "val")
    assert open_data(root).splits == {
        "val": "0.1 of all images, by lot",
        "test": "a fifth of all images",
    }


def test_a_contest_s_test_folder_without_labels_is_no_test_set(make_folder):
    root = make_folder(BENCHMARK | {"test": 5})
    data = open_data(root, test_from="val")
    assert {name.partition("/")[0] for name in data.test.names} == {"val"}
    assert [note.file for note in data.notes] == ["test"]


@pytest.mark.parametrize("name", ["valid", "Validation", "dev"])
def test_val_by_any_name(make_folder, name):
    root = make_folder({place.replace("val", name): n for place, n in BENCHMARK.items()})
    data = open_data(root, test_from="val")
    assert (len(data.test), data.splits["test"]) == (8, f"{name}/")


# ---- contradictions


def test_a_folder_with_a_test_set_is_refused(make_folder):
    said = refusal(make_folder(BENCHMARK | {"test/cat": 2, "test/dog": 2}), test_from="val")
    assert "has a test set of its own; leave --test-from val" in said


@pytest.mark.parametrize("counts", [{"train/a": 9, "train/b": 9}, {"a": 9, "b": 9}])
def test_a_folder_without_val_is_refused(make_folder, counts):
    assert "has no val folder to be the test set" in refusal(make_folder(counts), test_from="val")


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar100"])
def test_a_set_with_a_name_has_its_own(name):
    assert f"{name} has a test set of its own" in refusal(name, test_from="val")
    with pytest.raises(RecipeError, match="test_from = 'val' has no effect with data"):
        Recipe(data=name, test_from="val")


def test_another_word_is_refused(make_folder):
    assert "test_from = 'train' is not allowed: auto | val" in refusal("digits", test_from="train")


def test_an_image_of_train_that_is_one_of_val_is_still_refused(make_folder):
    root = make_folder(BENCHMARK)
    (root / "val/cat/0.png").unlink()
    os.link(root / "train/cat/0.png", root / "val/cat/0.png")
    assert "what measures must not be learnt" in refusal(root, test_from="val")


def test_check_data_says_what_training_would_get(make_folder):
    root = make_folder(BENCHMARK)
    report = check_data(root, workers=1, test_from="val")
    assert report.problems == ()
    assert report.data.splits["test"] == "val/"
    assert report.data.fingerprint == open_data(root, test_from="val").fingerprint
    [found] = check_data(make_folder({"test/cat": 2, "test/dog": 2}), 1, test_from="val").problems
    assert found.problem == "has a test set of its own"


def test_check_data_has_the_flag(make_folder, capsys):
    root = make_folder(BENCHMARK)
    assert convatlas(["check-data", str(root), "--test-from", "val"]) == 0
    assert "8 to test\n" in capsys.readouterr().out


# ---- as a run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(the run's folder, its images, what it printed)"""
    dice = np.random.default_rng(0)
    home = tmp_path_factory.mktemp("benchmark")
    for name, count in BENCHMARK.items():
        (home / "set" / name).mkdir(parents=True)
        for i in range(count):
            noise = dice.integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(noise).save(home / "set" / name / f"{i}.png")
    with pytest.MonkeyPatch.context() as patch:
        for figure in ("curves", "confusion"):
            patch.setattr(plots, figure, lambda *_: b"")
        words = f"train lenet1989 --data {home / 'set'} --epochs 1 -b 4 --val-fraction 0.001"
        assert convatlas([*words.split(), "--test-from", "val", "--output", str(home / "run")]) == 0
    return home / "run", home / "set"


def test_a_run_says_what_it_was_tested_on_and_eval_measures_the_same(trained):
    run, images = trained
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["splits"] == {"val": "0.001 of train/, by lot", "test": "val/"}
    assert (metrics["test"]["count"], metrics["validation"]["images"]) == (8, 2)
    assert evaluate(run).to_dict() == metrics["test"]
    again = measure(run, str(images))
    assert again.counts == {"test": 8}
    assert again.notes == ("these are the run's own images, split as in training",)


def test_it_is_measured_on_sets_that_have_a_test_set(trained, make_folder, tmp_path):
    """The run's own images have none, and nobody can leave out what the run was begun with."""
    counts = {f"{part}/{name}": 6 for part in ("train", "test") for name in ("cat", "dog")}
    pack([make_folder(counts, size=(16, 16), mode="L")], tmp_path / "packed", workers=1)
    assert measure(trained[0], str(tmp_path / "packed")).counts == {"test": 12}


def test_its_first_lines_say_so(trained, tmp_path, capsys, monkeypatch):
    for figure in ("curves", "confusion"):
        monkeypatch.setattr(plots, figure, lambda *_: b"")
    recipe = Recipe.read(trained[0] / "recipe.toml")
    train(recipe, tmp_path / "run")
    printed = capsys.readouterr().out
    assert "test images are those of val/; validation: 0.001 of train/, by lot\n" in printed


def test_a_run_goes_on_with_the_test_set_that_it_was_begun_with(trained, tmp_path, capsys):
    run = shutil.copytree(trained[0], tmp_path / "run")
    (run / "metrics.json").unlink()
    text = (run / "recipe.toml").read_text()
    (run / "recipe.toml").write_text(text.replace('test_from = "val"', 'test_from = "auto"'))
    assert convatlas(["train", "--resume", str(run)]) == 1
    assert "test_from: 'val', now 'auto'" in capsys.readouterr().err
    (run / "recipe.toml").write_text(text)
    assert convatlas(["train", "--resume", str(run)]) == 0


def test_a_report_and_the_ledger_name_the_test_set(trained):
    report = report_of(gather([trained[0]]))
    assert report.sections[0].tested_on == "val/"
    assert "Errors on 8 test pictures (val/):" in markdown(report)
    entry = record([trained[0]])
    assert entry["data"]["test"] == "val/"
    assert entry["recipe"]["test_from"] == "val"
    assert "; tested on val/)" in results(json.dumps(entry) + "\n")


def test_a_share_for_validation_has_an_effect_though_there_is_a_val(make_folder):
    data = open_data(make_folder(BENCHMARK), test_from="val", val_fraction=0.3)
    recipe = Recipe(network="lenet1989", data="set", test_from="val", val_fraction=0.3)
    require_use(recipe, Gathered(data, create_model("lenet1989"), 16, []))
