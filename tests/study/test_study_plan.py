"""A study's folder: names of runs, what is written, what is refused when it is read."""

import json
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs_of_a_study import DIGITS, planned, seeds

from convatlas.errors import RunError
from convatlas.study import plan
from convatlas.study.plan import Asked, line_of
from convatlas.training.recipe import Recipe

ASKED = Asked(("lenet5", "nin"), (DIGITS,), 2, "", {"epochs": 3}, {"lr": [0.001, 0.003]})


def runs(asked: Asked = ASKED) -> list:
    return [
        (line_of(recipe, DIGITS, {"lr": lr}), recipe)
        for seed in range(asked.seeds)
        for network in asked.networks
        for lr in asked.vary["lr"]
        for recipe in [Recipe(network=network, lr=lr, seed=seed)]
    ]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """One for all tests, which wait for no disk."""
    study = tmp_path_factory.mktemp("once") / "study"
    plan.write(study, ASKED, runs())
    return study


@pytest.fixture
def study(once, tmp_path):
    return shutil.copytree(once, tmp_path / "study")


def test_what_is_written_is_read_again(study):
    assert plan.read(study) == [line for line, _ in runs()]
    assert plan.read_asked(study) == ASKED
    for line, recipe in runs():
        assert Recipe.read(study / "recipes" / f"{line.run}.toml") == recipe


def test_a_line_says_all_that_carries_it_out(study):
    line = plan.read(study)[0]
    assert line.run.startswith("lenet5-digits-") and len(line.run) == len("lenet5-digits-") + 12
    assert line.command == (
        *("train", "--recipe", f"recipes/{line.run}.toml", "--output", f"runs/{line.run}"),
        *("--resume", "auto", "--no-test"),
    )
    assert not line.is_test
    assert line.testing().command == ("train", "--resume", f"runs/{line.run}")
    assert line.testing().is_test


@pytest.mark.parametrize("change", [{"lr": 0.004}, {"seed": 1}, {"epochs": 7}, {"shift": 2.0}])
def test_whatever_changes_the_result_changes_the_name(change):
    recipe = Recipe(network="lenet5")
    assert line_of(recipe, DIGITS, {}).run != line_of(recipe.change(**change), DIGITS, {}).run


@pytest.mark.parametrize(
    "change", [{"data": "/elsewhere/digits"}, {"workers": 3}, {"save_every": 1.0}]
)
def test_where_images_lie_and_who_reads_them_does_not(change):
    recipe = Recipe(network="lenet5")
    assert line_of(recipe, DIGITS, {}).run == line_of(recipe.change(**change), DIGITS, {}).run


def test_other_images_of_the_same_name_and_other_weights_change_the_name():
    recipe = Recipe(network="lenet5")
    names = {
        line_of(recipe, DIGITS, {}).run,
        line_of(recipe, replace(DIGITS, fingerprint="0" * 64), {}).run,
        line_of(recipe, DIGITS, {}, weights="a").run,
        line_of(recipe, DIGITS, {}, weights="b").run,
    }
    assert len(names) == 4


def test_the_same_study_again_is_the_one_that_is_there(study):
    before = {file: file.stat().st_mtime_ns for file in study.rglob("*")}
    assert plan.write(study, ASKED, []) == plan.read(study)
    assert {file: file.stat().st_mtime_ns for file in study.rglob("*")} == before


def test_another_study_in_its_folder_is_refused_in_one_sentence(study):
    with pytest.raises(RunError) as refused:
        plan.write(study, replace(ASKED, networks=("lenet5",), seeds=6), runs())
    assert str(refused.value) == (
        f"{study} holds a study of another plan (networks: lenet5 nin, now lenet5; seeds: 2, now "
        f"6); go on with that one by convatlas compare --continue {study}, or choose another "
        "--output"
    )


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match=r"holds 'thesis\.tex', which is no part of a study"):
        plan.write(tmp_path, ASKED, runs())
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_plan_that_was_not_whole_is_written_again(study):
    (study / "study.json").unlink()
    (study / "plan.jsonl").write_text("half a li")
    plan.write(study, ASKED, runs())
    assert plan.read(study) == [line for line, _ in runs()]


def test_a_folder_without_a_study_says_what_begins_one(tmp_path):
    with pytest.raises(RunError, match=r"holds no study \(no study.json\); `convatlas compare"):
        plan.read(tmp_path)


HOSTILE = [
    {"run": "../../etc"},
    {"run": "/tmp/elsewhere"},
    {"run": "a\nb"},
    {"run": 3},
    {"command": ["train", "--output", "/"]},
    {"command": "train"},
    {"command": None},
    {"seed": "0"},
    {"seed": True},
    {"vary": []},
    {"vary": {"lr": [1e-3]}},
    {"vary": {"lr": {"a": 1}}},
    {"vary": {"lr": None}},
    {"network": None},
]


@pytest.mark.parametrize("change", HOSTILE, ids=str)
def test_a_line_that_no_study_wrote_is_not_carried_out(study, change):
    rows = [json.loads(row) for row in (study / "plan.jsonl").read_text().splitlines()]
    rows[1] |= change
    (study / "plan.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(RunError, match=r"plan.jsonl is not what a study has written"):
        plan.read(study)


@pytest.mark.parametrize("kept", [[], [0, 0], [0, 1, 1]], ids=str)
def test_a_plan_without_a_run_or_with_one_twice_is_damaged(study, kept):
    rows = (study / "plan.jsonl").read_text().splitlines()
    (study / "plan.jsonl").write_text("".join(rows[place] + "\n" for place in kept))
    with pytest.raises(RunError, match=r"plan.jsonl is not what a study has written"):
        plan.read(study)


@pytest.mark.parametrize(
    "change",
    [
        *({"vary": {"recipe": 5}}, {"vary": {"recipe": [[1]]}}, {"vary": {"x": None}}),
        *({"vary": []}, {"given": [["lr", 1]]}, {"seeds": 1.5}, {"data": [{"name": "a"}]}),
    ],
    ids=str,
)
def test_a_question_that_nobody_asked_is_damage(study, change):
    told = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps(told | change))
    with pytest.raises(RunError, match=r"study.json is not what a study has written"):
        plan.read_asked(study)


def test_a_folder_whose_name_is_too_long_for_any_is_one_sentence(tmp_path):
    long = tmp_path / ("a" * 300)
    with pytest.raises(RunError, match="holds no study"):
        plan.read(long)
    with pytest.raises(RunError, match=r"cannot write the study .*: File name too long; free"):
        planned(long, seeds(1))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_changed_are_read_or_refused_in_one_sentence(once, study, data):
    for name in ("plan.jsonl", "study.json"):
        shutil.copy(once / name, study / name)
    file = study / data.draw(st.sampled_from(["plan.jsonl", "study.json"]))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    file.write_bytes(content)
    try:
        lines = plan.read(study)
    except RunError as refused:
        assert "\n" not in str(refused)
    else:
        assert all(plan.NAME.fullmatch(line.run) for line in lines)


@pytest.mark.parametrize("name", ["plan.jsonl", "study.json"])
def test_what_is_no_plain_file_is_refused(study, name, tmp_path):
    (study / name).rename(tmp_path / "moved")
    (study / name).symlink_to(tmp_path / "moved")
    with pytest.raises(RunError, match="it is a link where a file should be"):
        plan.read(study)


def test_commands_are_typed_from_any_folder(study):
    first = plan.commands(study, plan.read(study))[0]
    run = plan.read(study)[0].run
    assert first == (
        f"cd {study} && convatlas train --recipe recipes/{run}.toml --output runs/{run} "
        "--resume auto --no-test"
    )
