"""A run folder that a failing disk or a stranger changed: what cannot be is refused by name and the
older step taken; the log is repaired, and what was lost is named.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ranks import weights
from small_runs import SMALL, Note, resumed, signed

from convatlas.errors import RunError, Stopped
from convatlas.training import run as run_module
from convatlas.training import train
from convatlas.training.checkpoint import read_step, save_step, steps

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Stopped at its last step but one, with an older checkpoint beside the newest."""
    folder = tmp_path_factory.mktemp("runs") / "cut"
    for step in (6, 7):
        with pytest.raises(Stopped):
            train(SMALL, folder, resume=True, callback=Note(step))
    return folder


# ---- the state of a checkpoint


def at(path: str, value: object):
    def change(state: dict) -> dict:
        *outer, last = path.split(".")
        place = state
        for name in outer:
            place = place[name]
        if value is DELETED:
            del place[last]
        else:
            place[last] = value
        return state

    return change


DELETED = object()
HOSTILE = [
    *(at("progress.epoch", value) for value in (-5, 1.0, "1", None, True, 3, 10**400, DELETED)),
    *(at("progress.seconds", value) for value in (float("nan"), float("inf"), -1, "x", DELETED)),
    *(at("progress.step", value) for value in (6, 8, -7, [7], DELETED)),
    *(at("progress.scores", value) for value in ([], [2.0], ["x"], [float("nan")], {}, DELETED)),
    *(at("progress.best_epoch", value) for value in (-1, 1, 10**9, None, DELETED)),
    *(at("progress.batch", value) for value in (-1, 4, 2, "3", DELETED)),
    *(at("progress.correct", value) for value in (-1, 10**9, 0.5)),
    *(at("progress.loss_sum", value) for value in (float("inf"), None, [1.0])),
    *(at("progress", value) for value in ([], None, 7, DELETED)),
    *(at("about", value) for value in ([], None, "x", DELETED)),
    *(at("about.classes", value) for value in (None, [1], "abc", DELETED)),
    *(at("about.data", value) for value in (None, 3, DELETED)),
    *(at("about.run", value) for value in (None, 3, "")),
    *(at("about.recipe", value) for value in (None, [], {}, DELETED)),
    *(at("log", value) for value in ({}, [1], [{}], [{"epoch": "1"}], [{"epoch": -1}])),
    *(at("tensors", value) for value in (0, "x", 10**9)),
    *(at("start", value) for value in ([], "x", None)),
    lambda state: [],
    lambda state: "text",
]


@pytest.fixture(scope="module")
def nearly(cut, tmp_path_factory):
    """The trainer and the checks that a resume brings, without its preparations, for many tries."""
    folder = tmp_path_factory.mktemp("nearly") / "run"
    seen = {}
    real = run_module.resuming.newest_checkpoint

    def noting(*arguments):
        seen["arguments"] = arguments
        raise KeyboardInterrupt

    shutil.copytree(cut, folder)
    run_module.resuming.newest_checkpoint = noting
    try:
        with pytest.raises(KeyboardInterrupt):
            train(SMALL, folder, resume=True, callback=Note())
    finally:
        run_module.resuming.newest_checkpoint = real
    _, opening, trainer, about, _ = seen["arguments"]

    def newest(run_folder, warn):
        return real(run_folder, opening, trainer, about, warn)[1]

    return folder, newest


def opened(nearly) -> tuple[int, list[str]]:
    """The step that a resume would take up, and the warnings on the way."""
    folder, newest = nearly
    warnings = []
    return newest(run_module.RunFolder(folder), warnings.append).step, warnings


@pytest.fixture
def restored(nearly, cut):
    yield nearly[0] / "checkpoints" / "step-00000007"
    shutil.rmtree(nearly[0] / "checkpoints")
    shutil.copytree(cut / "checkpoints", nearly[0] / "checkpoints")


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_state_that_no_run_can_have_is_refused_by_name_and_the_older_step_taken(
    nearly, restored, number
):
    state = HOSTILE[number](json.loads((restored / "state.json").read_text()))
    signed(restored, "state.json", json.dumps(state, indent=1).encode())
    step, (warning,) = opened(nearly)
    assert step == 6
    assert f"skipping a damaged checkpoint: {restored}" in warning


@pytest.mark.parametrize(
    "text", [b"", b"NaN", b"\xff", b"[" * 100_000, b'{"a": ' * 50_000, b"9" * 5000]
)
def test_a_state_that_is_no_json_is_refused_by_name(nearly, restored, text):
    signed(restored, "state.json", text)
    step, (warning,) = opened(nearly)
    assert (step, "state.json is damaged" in warning) == (6, True)


@pytest.mark.parametrize(
    "what", ["half", "moment", "moment's name", "index", "nothing", "integers"]
)
def test_tensors_of_another_shape_name_or_kind_are_refused_and_the_older_step_taken(
    nearly, restored, what
):
    found = read_step(restored)
    model, moments = dict(found.model), dict(found.train_state)
    key = next(name for name in moments if name.endswith("exp_avg"))
    if what == "half":
        model = {name: tensor.half() for name, tensor in model.items()}
    elif what == "moment":
        moments[key] = torch.zeros(10**6)
    elif what == "name":
        moments[key.replace("exp_avg", "exp_max")] = moments.pop(key)
    elif what == "index":
        moments[f"optimiser.999.{key.split('.', 2)[2]}"] = moments.pop(key)
    elif what == "integers":
        moments[key] = moments[key].int()
    else:
        moments = {}
    shutil.rmtree(restored)
    state = found.state | {"tensors": len(moments)}
    save_step(restored.parent, replace(found, model=model, train_state=moments, state=state))
    step, (warning,) = opened(nearly)
    assert step == 6
    assert str(restored) in warning


# ---- the log and the result


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content + bytes(40),
        lambda content: content[:-30],
        lambda content: b"",
        lambda content: b"\xff\xfe" + content,
        lambda content: b"[" * 100_000 + b"\n" + content,
        lambda content: content.replace(b'"epoch": 1', b'"epoch": "one"'),
        lambda content: content * 3,
        None,
    ],
)
def test_a_damaged_log_is_written_again_from_the_checkpoint(copy, whole, damage):
    """One flipped byte once kept a run from ever finishing."""
    log = copy / "log.jsonl"
    good = log.read_bytes()
    if damage:
        log.write_bytes(damage(good))
    else:
        log.unlink()
    warnings = resumed(copy)
    assert weights(copy) == weights(whole)
    assert log.read_bytes().startswith(good)
    assert [json.loads(line)["epoch"] for line in log.read_text().splitlines()] == [1, 2]
    assert all("log.jsonl was damaged: epoch 1 written again" in text for text in warnings)


def test_lines_that_an_older_version_s_checkpoint_does_not_know_are_named(copy, whole):
    for step in steps(copy / "checkpoints"):
        state = json.loads((step / "state.json").read_text())
        del state["log"]
        signed(step, "state.json", json.dumps(state, indent=1).encode())
    (copy / "log.jsonl").write_bytes(b'{"epoch": 1, "train_lo')
    (warning,) = resumed(copy)
    assert "epoch 1 cannot be read and are left out of the curves" in warning
    assert weights(copy) == weights(whole)


def test_the_log_is_cut_back_to_the_checkpoint(whole, tmp_path):
    """A kill between the log's line and the next save: the epoch is done again, and logged once."""

    class Die(Note):
        def epoch(self, record):
            raise KeyboardInterrupt

    with pytest.raises(Stopped):
        train(SMALL, tmp_path, callback=Note(3))
    with pytest.raises(KeyboardInterrupt):
        train(SMALL.change(save_every=60), tmp_path, resume=True, callback=Die())
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1
    assert steps(tmp_path / "checkpoints")[0].name == "step-00000003"
    assert resumed(tmp_path) == []
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    assert weights(tmp_path) == weights(whole)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"test": 3}', "NaN", '{"epochs": "2", "test": {}}', "[" * 100_000],
)
def test_a_damaged_result_is_named_with_a_remedy_that_works(whole, tmp_path, text):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "metrics.json").write_text(text)
    with pytest.raises(RunError, match=rf"metrics\.json is damaged; remove it, and .* {run} meas"):
        resumed(run)
    (run / "metrics.json").unlink()
    assert resumed(run) == []
    found, expected = (json.loads((one / "metrics.json").read_text()) for one in (run, whole))
    assert found["test"] == expected["test"]


def test_a_result_with_one_other_digit_is_not_the_run_s(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    text = (run / "metrics.json").read_text()
    correct = json.loads(text)["test"]["correct"]
    (run / "metrics.json").write_text(text.replace(f": {correct},", f": {correct + 1},", 1))
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        resumed(run)
