"""Which images a run is measured with: its own, wherever they lie, or all of a folder of others."""

import json
import os
import shutil
import unicodedata

import numpy as np
import pytest
import torch
from PIL import Image

import convatlas
from convatlas.cli import run as command
from convatlas.errors import DataError, ModelFileError, RecipeError, RunError
from convatlas.evaluation import MultiCrop
from convatlas.finished_run import measure
from convatlas.training import Recipe, train

COLOURS = {"cat": (210, 40, 40), "dog": (40, 210, 40), "owl": (40, 40, 210)}
RUN = Recipe(network="lenet5", epochs=3, batch_size=8, warmup_epochs=0, seed=1, val_fraction=0.3)


def paint(folder, counts, side=40, start=0):
    """Noisy images of one colour a class: {"cat": 3} -> folder/cat/0.png to 2.png."""
    for name, count in counts.items():
        colour = COLOURS[unicodedata.normalize("NFC", name)[:3]]
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(start, start + count):
            dice = np.random.default_rng([i, *colour])
            pixels = np.add(colour, dice.integers(-30, 30, (side, side + 4, 3)))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def answered(words, capsys):
    """(exit code, standard output, standard error) of the command."""
    code = command([str(word) for word in words])
    return code, *capsys.readouterr()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(the run's folder, its images' folder, what metrics.json holds)"""
    place = tmp_path_factory.mktemp("measured")
    data = paint(place / "data", {"cat": 12, "dog": 14, "owl": 12})
    return place / "run", data, train(RUN.change(data=str(data)), place / "run")


@pytest.fixture
def copied(trained, tmp_path):
    """The same, to be changed."""
    for folder in trained[:2]:
        shutil.copytree(folder, tmp_path / folder.name)
    recipe = tmp_path / "run" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(str(trained[1]), str(tmp_path / "data")))
    return tmp_path / "run", tmp_path / "data"


def test_each_split_is_the_run_s_own(trained):
    """Its seed and its share of validation, not the defaults."""
    run, _, metrics = trained
    counts = {split: measure(run, split=split) for split in ("test", "val", "train", "all")}
    assert counts["test"].evaluation.to_dict() == pytest.approx(metrics["test"], rel=1e-5)
    validation = counts["val"].evaluation
    assert validation.count == metrics["validation"]["images"] != 3
    assert validation.accuracy == metrics["validation"]["accuracy"]
    assert counts["all"].evaluation.count == 38
    assert counts["all"].counts == {"train": 21, "val": 9, "test": 8}
    added = sum(counts[split].evaluation.confusion for split in ("test", "val", "train"))
    assert torch.equal(added, counts["all"].evaluation.confusion)
    with pytest.raises(RecipeError, match=r"allowed: test \| val \| train \| all"):
        measure(run, split="dev")


def test_predict_shows_images_of_the_run_s_own_test_set(trained, capsys):
    run, _, metrics = trained
    code, out, _ = answered(["predict", run, "--test", 99, "--json"], capsys)
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert len(lines) == metrics["test"]["count"]
    right = [line["truth"] == line["classes"][0]["class"] for line in lines]
    assert sum(right) == metrics["test"]["correct"]
    _, out, _ = answered(["predict", run, "--test", 3, "--json"], capsys)
    few = [json.loads(line) for line in out.splitlines()]
    n = len(lines)
    assert [line["image"] for line in few] == [lines[i * n // 3]["image"] for i in range(3)]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"cat": 10, "dog": 10, "owl": 10}, "all 30 images"),
        ({"owl": 3, "dog": 2}, "all 5 images"),
        ({"dog": 1}, "all 1 image"),
        ({"test/owl": 2, "test/cat": 1}, "all 3 images (test 3)"),
        ({"valid/owl": 2}, "all 2 images (val 2)"),
        ({"Training/cat": 2, "test-images/owl": 1}, "all 3 images (train 2, test 1)"),
        ({"inner/deeper/owl": 2}, "all 2 images"),
        ({"seg_test/seg_test/dog": 2, "seg_train/seg_train/cat": 1}, "(train 1, test 2)"),
    ],
)
def test_all_of_another_folder_is_measured(trained, tmp_path, capsys, counts, said):
    for name, count in counts.items():
        place, _, of_class = name.rpartition("/")
        paint(tmp_path / "other" / place, {of_class: count}, start=100)
    found = convatlas.evaluate(trained[0], tmp_path / "other")
    expected = dict.fromkeys(COLOURS, 0)
    for name, count in counts.items():
        expected[name.rpartition("/")[2]] += count
    assert [row["count"] for row in found.per_class] == list(expected.values())
    code, out, _ = answered(["eval", trained[0], "--data", tmp_path / "other"], capsys)
    assert (code, out.splitlines()[0].startswith("lenet5 on other, all")) == (0, True)
    assert said in out.splitlines()[0]


def test_labels_go_by_name_whatever_their_order(trained, tmp_path):
    """Alone, each class is answered as well as among the others."""
    paint(tmp_path / "whole", {"cat": 6, "dog": 6, "owl": 6}, start=50)
    whole = convatlas.evaluate(trained[0], tmp_path / "whole")
    for number, name in enumerate(COLOURS):
        paint(tmp_path / name, {name: 6}, start=50)
        alone = convatlas.evaluate(trained[0], tmp_path / name)
        assert alone.confusion[number].tolist() == whole.confusion[number].tolist()
        assert alone.count == 6


def test_split_picks_a_folder_of_the_splits(trained, tmp_path):
    other = tmp_path / "other"
    paint(other / "train", {"cat": 4, "dog": 1}, start=10)
    paint(other / "test", {"owl": 3}, start=20)
    assert convatlas.evaluate(trained[0], other, split="train").count == 5
    assert convatlas.evaluate(trained[0], other, split="test").count == 3
    assert convatlas.evaluate(trained[0], other).count == 8
    with pytest.raises(RecipeError, match="other has only test, train; leave it out to measure"):
        convatlas.evaluate(trained[0], other, split="val")
    with pytest.raises(RecipeError, match="train has no folders of that kind"):
        convatlas.evaluate(trained[0], other / "train", split="test")


def test_a_class_that_the_run_does_not_know_is_named(trained, tmp_path, capsys):
    paint(tmp_path / "other", {"cat": 2, "dog": 1})
    shutil.copytree(tmp_path / "other" / "cat", tmp_path / "other" / "zebra")
    code, out, err = answered(["eval", trained[0], "--data", tmp_path / "other"], capsys)
    assert (code, out) == (1, "")
    assert "images of 'zebra', which the network does not know; it knows 'cat', 'dog', 'owl'" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda other: (other / "test").mkdir(parents=True), "holds no class folders with images"),
        (lambda other: paint(other, {"cat": 1}) / "missing", "does not exist"),
        (
            lambda other: [paint(other / "test", {"cat": 1}), paint(other, {"dog": 1})],
            "holds 'test', named as splits are, beside 'dog'",
        ),
        (
            lambda other: [paint(other / name, {"cat": 1}) for name in ("val", "valid")],
            "has two val folders, 'val' and 'valid'",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_layout(trained, tmp_path, make, said):
    made = make(tmp_path / "other")
    place = made if isinstance(made, type(tmp_path)) else tmp_path / "other"
    with pytest.raises(DataError, match=said):
        convatlas.evaluate(trained[0], place)


def test_what_is_not_measured_is_said(trained, tmp_path, capsys):
    other = paint(tmp_path / "other", {"cat": 2, "dog": 1})
    shutil.copy(other / "cat" / "0.png", other / "loose.png")
    (other / "cat" / "labels.xml").write_text("")
    code, out, _ = answered(["eval", trained[0], "--data", other], capsys)
    assert code == 0
    assert "images in no class folder are not measured: 1\n" in out
    assert "files that are no images are not measured: 1 .xml\n" in out


def test_names_from_a_mac_are_the_same_names(tmp_path):
    """é is one letter on Linux, and e with an accent on a Mac."""
    written = {form: unicodedata.normalize(form, "owlé") for form in ("NFC", "NFD")}
    data = paint(tmp_path / "data", {"cat": 8, written["NFC"]: 8})
    train(RUN.change(data=str(data), epochs=1), tmp_path / "run")
    paint(tmp_path / "mac", {written["NFD"]: 3})
    found = convatlas.evaluate(tmp_path / "run", tmp_path / "mac")
    assert [row["count"] for row in found.per_class] == [0, 3]


def test_a_class_may_be_called_as_a_split_is(tmp_path):
    data = paint(tmp_path / "data", {"cat": 8, "dog": 8})
    (data / "dog").rename(data / "train")
    (data / "cat").rename(data / "bus")
    train(RUN.change(data=str(data), epochs=1), tmp_path / "run")
    shutil.copytree(data / "train", tmp_path / "flat" / "train")
    found = convatlas.evaluate(tmp_path / "run", tmp_path / "flat")
    assert [row["count"] for row in found.per_class] == [0, 8]
    shutil.copytree(data / "train", tmp_path / "parted" / "test" / "train")
    found = convatlas.evaluate(tmp_path / "run", tmp_path / "parted", split="test")
    assert [row["count"] for row in found.per_class] == [0, 8]


def test_moved_images_are_known_by_their_fingerprint(copied, capsys):
    run, data = copied
    moved = data.rename(data.with_name("elsewhere"))
    with pytest.raises((DataError, RunError), match=r"--data FOLDER"):
        convatlas.evaluate(run)
    for split, count in {None: 8, "test": 8, "val": 9, "all": 38}.items():
        assert convatlas.evaluate(run, moved, split=split).count == count
    assert command(["eval", str(run), "--data", str(moved)]) == 0
    assert "note: these are the run's own images, split as in training" in capsys.readouterr().out
    code, out, _ = answered(["predict", run, "--test", 2, "--data", moved], capsys)
    assert (code, out.count("truth:")) == (0, 2)


@pytest.mark.parametrize("change", ["added", "moved"])
def test_images_that_changed_are_measured_only_as_others(copied, change, capsys):
    run, data = copied
    if change == "added":
        paint(data, {"cat": 2}, start=70)
    else:
        (data / "cat" / "0.png").rename(data / "dog" / "70.png")
    for words in (["eval", run], ["predict", run, "--test", 2]):
        code, out, err = answered(words, capsys)
        assert (code, out) == (1, "")
        assert "are not those that the run" in err and f"--data {data}" in err
        code, out, _ = answered([*words, "--data", data], capsys)
        assert code == 0
    assert convatlas.evaluate(run, data).count == (40 if change == "added" else 38)


def test_it_can_be_typed_from_any_folder(copied, tmp_path, monkeypatch):
    """Earlier versions recorded the place of the images as it was typed."""
    run, data = copied
    monkeypatch.chdir(tmp_path)
    recipe = run / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(str(data), "data"))
    assert convatlas.evaluate("run").count == 8
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert convatlas.evaluate(run).count == 8
    shutil.move(run, tmp_path.parent / f"{tmp_path.name}-away")
    with pytest.raises((DataError, RunError), match=r"'data', which is not there; .*--data FOLDER"):
        convatlas.evaluate(tmp_path.parent / f"{tmp_path.name}-away")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("seed = 1\n", "seed = 2\n", "seed was 1, and is 2"),
        ("val_fraction = 0.3", "val_fraction = 0.1", "val_fraction was 0.3, and is 0.1"),
        ('test_crops = "center"', 'test_crops = "10"', "test_crops was 'center', and is '10'"),
        ("label_smoothing = 0.0", "label_smoothing = 0.1", "label_smoothing was 0.0, and is 0.1"),
    ],
)
def test_an_edited_recipe_is_not_the_run_s(copied, before, after, said):
    run, _ = copied
    text = (run / "recipe.toml").read_text()
    assert before in text
    (run / "recipe.toml").write_text(text.replace(before, after))
    with pytest.raises(ModelFileError, match=f"toml is not the recipe of this run: {said}"):
        convatlas.evaluate(run, split="val")


def test_of_a_run_of_an_earlier_version_the_sizes_of_its_splits_are_compared(copied):
    """Its model.json names the seed alone of its recipe."""
    run, _ = copied
    about = json.loads((run / "model.json").read_text())
    del about["provenance"]["recipe"], about["checksum"]
    (run / "model.json").write_text(json.dumps(about))
    assert convatlas.evaluate(run, split="val").count == 9
    text = (run / "recipe.toml").read_text()
    for change, said in {
        ("val_fraction = 0.3", "val_fraction = 0.1"): "there were 9 val images, and are 3 by it",
        ("seed = 1\n", "seed = 2\n"): "seed was 1, and is 2",
    }.items():
        (run / "recipe.toml").write_text(text.replace(*change))
        with pytest.raises(ModelFileError, match=said):
            convatlas.evaluate(run, split="val")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"validation": 3}', '{"test": {"count": "9"}}', "[" * 100_000]
)
def test_damaged_metrics_are_named(copied, text):
    run, _ = copied
    (run / "metrics.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"metrics\.json is damaged"):
        convatlas.evaluate(run)
    (run / "metrics.json").unlink()
    assert convatlas.evaluate(run).count == 8


def test_a_run_that_skipped_images_is_measured_without_them(tmp_path, capsys):
    data = paint(tmp_path / "data", {"cat": 60, "dog": 60}, side=28)
    whole = train(RUN.change(data=str(data), epochs=1), tmp_path / "whole")
    test = [name for name in measured_names(tmp_path / "whole") if name.startswith("cat")]
    (data / test[0]).write_bytes(b"no image")
    recipe = RUN.change(data=str(data), epochs=1, bad_images="skip")
    metrics = train(recipe, tmp_path / "run")
    assert metrics["skipped"] == [test[0]]
    assert metrics["test"]["count"] == whole["test"]["count"] - 1
    found = convatlas.evaluate(tmp_path / "run")
    assert (found.count, found.correct) == (metrics["test"]["count"], metrics["test"]["correct"])
    code, out, _ = answered(["eval", tmp_path / "run"], capsys)
    assert code == 0
    assert f"note: skipped: '{test[0]}'" in out
    code, out, _ = answered(["predict", tmp_path / "run", "--test", 99], capsys)
    assert (code, len(out.splitlines())) == (0, found.count)
    other = shutil.copytree(data, tmp_path / "other")
    paint(other, {"cat": 1}, side=28, start=99)
    assert convatlas.evaluate(tmp_path / "run", other).count == 120
    with pytest.raises(DataError, match="are not those that the run"):
        convatlas.evaluate(tmp_path / "whole")


def measured_names(run):
    from convatlas.finished_run import open_run

    return open_run(run)[2].of("test").names


def test_a_named_set_is_measured_under_the_run_s_classes(tmp_path):
    recipe = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=128, seed=3)
    metrics = train(recipe, tmp_path / "run")
    found = measure(tmp_path / "run", "digits")
    assert (found.split, found.evaluation.correct) == ("test", metrics["test"]["correct"])
    val = convatlas.evaluate(tmp_path / "run", "digits", split="val")
    assert val.accuracy == metrics["validation"]["accuracy"]
    for file in ("recipe.toml", "metrics.json"):
        os.remove(tmp_path / "run" / file)
    assert convatlas.evaluate(tmp_path / "run", "digits").correct == metrics["test"]["correct"]
    assert convatlas.evaluate(tmp_path / "run", "digits", split="all").count == 1797
    with pytest.raises(RecipeError, match="has only test"):
        convatlas.evaluate(tmp_path / "run", "digits", split="val")


def test_crops_are_cut_from_the_files_and_not_from_what_training_fitted(trained, monkeypatch):
    """Ten crops of the whole 40 x 44 pixels, by hand, where training saw 32 x 32 of them."""
    run, data, _ = trained
    saved = convatlas.load_model(run)
    monkeypatch.setattr("convatlas.data.image_cache.fitted_blocks", None)  # nothing small is made
    found = convatlas.evaluate(run, crops="10", sizes=(40,), split="all")
    right = 0
    for path in sorted(data.rglob("*.png")):
        image = torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)
        (views,) = MultiCrop("10", (40,)).of(image, saved.preprocess.side)
        with torch.inference_mode():
            answer = saved.net(saved.preprocess.normalise(views)).double().softmax(1).mean(0)
        right += saved.classes[int(answer.argmax())] == path.parent.name
    assert (found.count, found.correct) == (38, right)


def test_data_needs_test_in_predict(trained, capsys):
    code, _, err = answered(["predict", trained[0], trained[1], "--data", trained[1]], capsys)
    assert code == 2
    assert "--data says where the images of --test are" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["predict", "RUN", "--test", "2", "a.png"], 2, "leave out one or the other"),
        (["eval", "RUN", "--data-root", "elsewhere"], 2, "has no effect with a folder of images"),
        (["eval", "RUN", "--sizes", "5000"], 1, "sizes = 5000 is not allowed; allowed: up to 4096"),
        (["train", "--resume", "RUN", "--output", "other"], 2, "not in --output other"),
    ],
)
def test_what_would_have_no_effect_is_refused(trained, capsys, words, code, said):
    run, _, _ = trained
    found = answered([run if word == "RUN" else word for word in words], capsys)
    assert found[0] == code
    assert said in found[2]
    assert not found[1]


def test_memory_that_is_not_there_is_one_sentence(trained, monkeypatch, capsys):
    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr("convatlas.finished_run.evaluate_network", refuse)
    code, _, said = answered(["eval", trained[0], "--crops", "10"], capsys)
    assert code == 1
    assert (
        "there is not enough memory to measure 256 images at a time; give smaller --sizes" in said
    )
