"""Run folders as a report reads them: whatever stands in them, a Run or one sentence."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import draw, make_run, write_metrics

from convatlas.errors import Error, RunError
from convatlas.reporting import as_json, gather
from convatlas.reporting.runs import Gathered
from convatlas.reporting.sections import report_of


@pytest.fixture
def run(tmp_path):
    """A function that makes a run of lenet5 in a study."""

    def make(name: str = "a", seed: int = 0, **about):
        truth, answers = draw(seed)
        given = {"truth": truth, "answers": answers} | about
        return make_run(tmp_path / "study" / "runs" / name, seed=seed, **given)

    return make


def test_a_finished_run_is_read_whole(run):
    (found,) = gather([run(seed=4)]).runs
    truth, answers = draw(4)
    assert found.name == "a"
    assert (found.network, found.data, found.seed) == ("lenet5", "digits", 4)
    assert found.pictures == 200
    assert found.error == np.mean(truth != answers)
    assert found.confusion[3, 3] == np.sum((truth == 3) & (answers == 3))
    assert found.answers.answers.tolist() == answers.tolist()
    assert [line["epoch"] for line in found.log] == [1, 2, 3]
    assert found.validation_error == pytest.approx(0.1)
    assert not {"network", "data", "seed", "threads", "data_root"} & found.recipe.keys()


@pytest.mark.parametrize("place", ["study", "study/runs", "study/runs/a and b"])
def test_a_study_a_folder_of_runs_and_the_runs_are_the_same(run, tmp_path, place):
    run("a", 0), run("b", 1)
    (tmp_path / "study" / "runs" / "left").mkdir()  # of a run that has not begun
    given = [tmp_path / "study" / "runs" / name for name in ("b", "a", "a")]
    found = gather(given if " and " in place else [tmp_path / place])
    assert [run.name for run in found.runs] == ["a", "b"]
    assert found.home == (None if " and " in place else tmp_path / place)


def test_a_run_without_a_result_is_listed(run):
    run("a", 0), run("b", 1, is_finished=False)
    found = gather([run("c", 2).parent])
    assert [run.name for run in found.runs] == ["a", "c"]
    (left,) = found.unfinished
    assert (left.name, left.epochs, left.of, left.is_trained) == ("b", 3, 3, False)
    assert left.validation_error == pytest.approx(1 - (0.9 - 0.01))


def test_a_run_without_answers_has_the_rest(run):
    (found,) = gather([run(has_answers=False)]).runs
    assert found.answers is None
    assert found.pictures == 200


def test_runs_that_cannot_stand_in_one_report(run):
    same = run("a", 0).parent
    run("b", 0)
    with pytest.raises(RunError, match=r"^a and b are runs of the same recipe and seed"):
        gather([same])


def test_other_images_under_the_same_name(run):
    run("a", 0), run("b", 1, fingerprint="0" * 64)
    with pytest.raises(
        RunError, match=r"^a and b are runs of different images, though both .*digits"
    ):
        gather([run("c", 2).parent])


def test_files_of_two_runs_in_one_folder(run):
    first, other = run("a", 0), run("b", 0, network="nin")
    (first / "recipe.toml").write_bytes((other / "recipe.toml").read_bytes())
    with pytest.raises(RunError, match=r"a holds the recipe of nin and the results of lenet5, "):
        gather([first])


def test_other_names_of_the_classes_of_the_same_images(run):
    run("a", 0), run("b", 1, classes=tuple("abcdefghij"))
    with pytest.raises(RunError, match=r"^a and b say other names of classes of the same images; "):
        gather([run("c", 2).parent])


def test_threads_and_places_make_no_other_recipe(run):
    run("a", 0, changes={"threads": 2}), run("b", 0, changes={"save_every": 3.0})
    with pytest.raises(RunError, match="same recipe and seed"):
        gather([run("c", 1).parent])


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([], "which runs"),
        (["nowhere"], "there is no folder .*nowhere"),
        (["."], "there is no run in"),
    ],
)
def test_no_runs_are_a_sentence(tmp_path, monkeypatch, places, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=said):
        gather(places)


@pytest.mark.parametrize("name", ["recipe.toml", "metrics.json", "log.jsonl", "answers.csv"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_file_that_is_none_is_refused(run, tmp_path, name, kind):
    folder = run()
    file = folder / name
    held = file.read_bytes()
    file.unlink()
    if kind == "link":
        (tmp_path / "elsewhere").write_bytes(held)
        file.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    with pytest.raises(Error, match=f"{name}.*(link|pipe|folder)"):
        gather([folder])


def _metrics(folder) -> dict:
    return json.loads((folder / "metrics.json").read_text())


WRONG = {
    "no result": {"test": None},
    "counts of nobody": {"test": {"count": 200, "correct": 200}},
    "a share above one": {"validation": {"accuracy": 1.5, "epoch": 1, "images": 1}},
    "a count that is true": {"epochs": True},
    "a number of digits without end": {"seconds": 10**400},
    "confusions of another size": {"confusion": [[200]]},
    "confusions below zero": {"confusion": [[-1] * 10] * 10},
    "names that are none": {"classes": [1] * 10},
    "one name": {"classes": "0123456789"},
    "a list of facts": {"provenance": []},
    "nested facts": {"provenance": {"device": {}}},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_figures_that_cannot_be_right_are_refused(run, change):
    folder = run()
    write_metrics(folder, _metrics(folder) | change)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        gather([folder])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "NaN", '{"a": 1, "a": 2}', "[" * 9000])
def test_what_is_no_json_is_refused(run, text):
    folder = run()
    (folder / "metrics.json").write_text(text)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        gather([folder])


@pytest.mark.parametrize("count", ["count", "correct"])
def test_counts_are_those_of_the_confusions(run, count):
    folder = run(has_answers=False)
    metrics = _metrics(folder)
    metrics["test"][count] += 1
    write_metrics(folder, metrics)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        gather([folder])


def test_many_classes_are_reported_alike_whether_their_matrix_was_written_or_not(run):
    """Older versions wrote it, newer ones count the answers."""
    truth, answers = draw(0, classes=600)
    folder = run(truth=truth, answers=answers, classes=tuple(map(str, range(600))))
    (older,) = gather([folder]).runs
    write_metrics(folder, _metrics(folder) | {"confusion": None})
    (newer,) = gather([folder]).runs
    assert (older.confusion != newer.confusion).nnz == 0
    assert (newer.pictures, newer.correct) == (older.pictures, older.correct)
    told = [
        as_json.text(report_of(Gathered((one,), (), None)), {"digits": None})
        for one in (older, newer)
    ]
    assert told[0] == told[1]


def test_a_matrix_that_nothing_stands_for_is_damage(run):
    folder = run(has_answers=False)
    write_metrics(folder, _metrics(folder) | {"confusion": None})
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        gather([folder])


def test_an_edited_figure_is_noticed(run):
    folder = run()
    text = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(text.replace('"seconds": 12.5', '"seconds": 1.5'))
    with pytest.raises(RunError, match="damaged"):
        gather([folder])


def test_edited_answers_are_noticed(run):
    folder = run()
    text = (folder / "answers.csv").read_text()
    (folder / "answers.csv").write_text(text.replace("0.9", "0.8"))
    with pytest.raises(RunError, match=r"answers\.csv"):
        gather([folder])


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 4000), put=st.binary(max_size=12))
def test_damage_anywhere_is_a_sentence(tmp_path_factory, cut, put):
    """Bytes lost and put into metrics.json: the run as it was, or one sentence."""
    home = tmp_path_factory.mktemp("damaged")
    truth, answers = draw(0)
    folder = make_run(home / "a", truth=truth, answers=answers)
    content = (folder / "metrics.json").read_bytes()
    cut = cut % len(content)
    (folder / "metrics.json").write_bytes(content[:cut] + put + content[cut + len(put) :])
    try:
        (found,) = gather([folder]).runs
    except RunError as error:
        assert "\n" not in str(error)
        return
    assert found.pictures == 200


@pytest.mark.parametrize(
    "line",
    ['{"epoch": 4, "val_accu', "[]", '{"epoch": "4"}', '{"epoch": 1e9}', "\x00", "x" * 5000],
)
def test_a_line_of_the_log_that_cannot_be_read_is_left_out(run, line):
    folder = run(is_finished=True)
    with (folder / "log.jsonl").open("a") as file:
        file.write(line)
    (found,) = gather([folder]).runs
    assert [line["epoch"] for line in found.log] == [1, 2, 3]


def test_numbers_of_the_log_that_are_none_are_gaps(run):
    folder = run()
    line = '{"epoch": 2, "val_loss": NaN, "train_loss": 1e999, "val_accuracy": "x", "lr": null}\n'
    (folder / "log.jsonl").write_text(line)
    (found,) = gather([folder]).runs
    (epoch,) = found.log
    assert {name for name, value in epoch.items() if value is not None} == {"epoch"}


def test_weights_to_begin_with_are_told_by_name_and_checksum(run):
    folder = run(changes={"weights": "/somewhere/mine.safetensors"})
    (folder / "run.json").write_text(json.dumps({"run": "a", "start": {"sha256": "ab" * 32}}))
    (found,) = gather([folder]).runs
    assert found.recipe["weights"] == "mine.safetensors (abababababab)"
