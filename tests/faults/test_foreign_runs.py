"""A run folder that a stranger or a failing disk made: refused in a sentence before anything is
written, read through a link, or held in memory; or repaired, with what was lost named.
"""

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import ranks
import torch
from ranks import weights

from convatlas.errors import CheckpointError, Error, RunError, Stopped
from convatlas.training import Recipe, plots, train
from convatlas.training import run as run_module
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import FILES, Checkpoint, read_step, save_step, steps
from convatlas.training.folder import NAMES
from convatlas.training.restoring import limits

SMALL = ranks.SMALL.change(timeout=600.0)  # of one process
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")


class Note(Callback):
    def __init__(self, stop_at: int = 0):
        self.stop_at, self.warnings = stop_at, []

    def step(self, progress, loss, rate):
        if progress.step == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Without figures, most of a short run's time."""
    for figure in ("curves", "confusion"):
        monkeypatch.setattr(plots, figure, lambda *_: b"")


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Stopped at its last step but one, with an older checkpoint beside the newest."""
    folder = tmp_path_factory.mktemp("runs") / "cut"
    for step in (6, 7):
        with pytest.raises(Stopped):
            train(SMALL, folder, resume=True, callback=Note(step))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(SMALL, folder, callback=Note())
    return folder


@pytest.fixture
def copy(cut, tmp_path) -> Path:
    return shutil.copytree(cut, tmp_path / "run")


def contents(folder: Path) -> dict:
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def resumed(run: Path) -> list[str]:
    note = Note()
    train(SMALL, run, resume=True, callback=note)
    return note.warnings


# ---- nothing leads out of it

INSIDE = (
    *NAMES,
    *("checkpoints/LATEST", "checkpoints/.tmp-x", "checkpoints/step-00000099"),
    *(f"checkpoints/step-00000007/{name}" for name in (*FILES, "MANIFEST.json")),
)


@needs_links
@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_at_any_name_of_ours_is_refused_and_nothing_outside_is_touched(
    copy, tmp_path, name, there
):
    victim = tmp_path / "victim"
    if there:
        victim.write_text("precious\n" * 100)
    (copy / name).unlink(missing_ok=True)
    (copy / name).symlink_to(victim)
    before = contents(tmp_path)
    with pytest.raises(RunError, match=r"is a link where a .* belongs"):
        resumed(copy)
    assert contents(tmp_path) == before
    assert victim.exists() == there


@needs_links
@pytest.mark.parametrize("name", ["log.jsonl", "run.lock", "recipe.toml"])
def test_a_new_run_does_not_write_through_what_lies_in_its_folder(tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "victim")
    with pytest.raises(RunError, match="is a link where a file belongs"):
        train(SMALL, tmp_path / "run", callback=Note())
    assert not (tmp_path / "victim").exists()


@needs_links
def test_checkpoints_of_another_run_behind_a_link_are_neither_read_nor_deleted(
    copy, whole, tmp_path
):
    other = shutil.copytree(whole, tmp_path / "other")
    (other / "checkpoints" / ".tmp-00000009-1").mkdir()
    shutil.rmtree(copy / "checkpoints")
    (copy / "checkpoints").symlink_to(other / "checkpoints")
    before = contents(other)
    with pytest.raises(RunError, match="checkpoints is a link where a folder belongs"):
        resumed(copy)
    assert contents(other) == before
    assert (other / "checkpoints" / ".tmp-00000009-1").exists()


@needs_links
def test_a_file_with_a_second_name_outside_keeps_its_content_there(copy, whole, tmp_path):
    """As cp -al makes snapshots: nothing is written into a file that another folder shows too."""
    snapshot = tmp_path / "snapshot"
    shutil.copytree(copy, snapshot, copy_function=os.link)
    before = contents(snapshot)
    assert resumed(copy) == []
    assert weights(copy) == weights(whole)
    assert contents(snapshot) == before


@needs_links
def test_temporary_files_have_names_that_nobody_can_have_taken(copy, tmp_path, monkeypatch):
    """The fixed names of older versions, as links, are neither written through nor in the way."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in NAMES:
        (copy / f".tmp-{name}").symlink_to(victim)
    resumed(copy)
    assert victim.read_text() == "precious"


@needs_links
@pytest.mark.parametrize("name", ["recipe.toml", "run.json", "log.jsonl", "run.lock", "run.pid"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_is_refused_without_waiting(copy, name, kind):
    (copy / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(copy / name)
    elif kind == "folder":
        (copy / name).mkdir()
    else:
        (copy / name).symlink_to("/dev/zero")
    with pytest.raises(RunError, match=r"is a (pipe|folder|link) where a file belongs"):
        resumed(copy)


@needs_links
def test_the_run_itself_may_be_a_link_that_a_person_typed(copy, whole, tmp_path):
    (tmp_path / "link").symlink_to(copy)
    assert resumed(tmp_path / "link") == []
    assert weights(copy) == weights(whole)


# ---- sizes


@pytest.mark.parametrize(
    "name",
    [
        *("recipe.toml", "run.json", "log.jsonl", "metrics.json"),
        *(f"checkpoints/step-00000007/{name}" for name in (*FILES, "MANIFEST.json")),
    ],
)
def test_a_file_of_a_size_that_it_cannot_need_is_not_read(copy, whole, name):
    """Thirty gigabytes of holes; a checkpoint of them costs the steps since the older one."""
    with (copy / name).open("ab") as file:
        file.truncate(30 * 10**9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name.startswith("checkpoints"):
        assert len(resumed(copy)) == 1
        assert weights(copy) == weights(whole)
    else:
        with pytest.raises(Error, match=r"has 30,000,\d+,\d+ bytes, more than"):
            resumed(copy)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000 * (1024 if sys.platform == "darwin" else 1)


def test_a_manifest_that_agrees_with_a_huge_file_is_refused_by_the_network_s_own_size(copy, whole):
    step = copy / "checkpoints" / "step-00000007"
    with (step / "model.safetensors").open("ab") as file:
        file.truncate(30 * 10**9)
    manifest = json.loads((step / "MANIFEST.json").read_text())
    manifest["files"]["model.safetensors"]["size"] = 30 * 10**9
    (step / "MANIFEST.json").write_text(json.dumps(manifest, indent=1))
    (warning,) = resumed(copy)
    assert "model.safetensors has 30,000,000,000 bytes by MANIFEST.json, more than the" in warning
    assert weights(copy) == weights(whole)


def test_a_header_of_a_million_names_is_refused(tmp_path):
    step = save_step(tmp_path, Checkpoint(1, {"w": torch.zeros(2)}, {}, {}))
    header = json.dumps({str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                         for i in range(100_000)}).encode()  # fmt: skip
    signed(step, "model.safetensors", len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged: its header is too"):
        read_step(step)


def test_limits_hold_what_the_largest_optimiser_saves():
    net = torch.nn.Linear(100, 100)
    size = sum(tensor.numel() * 4 for tensor in net.state_dict().values())
    assert limits(net)["model.safetensors"] > size
    assert limits(net)["train_state.safetensors"] > 4 * size


def signed(step: Path, name: str, content: bytes) -> None:
    """A file of a checkpoint, and the manifest of somebody who knows how to write one."""
    (step / name).write_bytes(content)
    manifest = json.loads((step / "MANIFEST.json").read_text())
    manifest["files"][name] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    (step / "MANIFEST.json").write_text(json.dumps(manifest, indent=1))


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


# ---- mutations


def mutate(run: Path, victim: Path, draw: random.Random) -> None:
    """One thing wrong with a file of a run."""
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.name != "run.lock"]
    path = draw.choice(files)
    content = path.read_bytes()
    kind = draw.choice(["flip", "cut", "swap", "link", "huge", "json", "gone", "zeros", "step"])
    if kind == "flip" and content:
        position = draw.randrange(len(content))
        flipped = content[position] ^ (1 << draw.randrange(8))
        path.write_bytes(content[:position] + bytes([flipped]) + content[position + 1 :])
    elif kind == "cut":
        path.write_bytes(content[: draw.randrange(len(content) + 1)])
    elif kind == "swap":
        path.write_bytes(draw.choice(files).read_bytes())
    elif kind == "link":
        path.unlink()
        path.symlink_to(draw.choice([victim, victim.with_name("absent"), Path("/dev/zero")]))
    elif kind == "huge":
        os.truncate(path, draw.choice([10**7, 10**9, 10**11]))
    elif kind == "json":
        values = ["[]", "{}", "null", "-1", "1e999", '"x"', "[" * 9999, "[" + "{}," * 10**6 + "{}]"]
        path.write_text(draw.choice(values))
        if path.name in FILES and draw.random() < 0.5:
            signed(path.parent, path.name, path.read_bytes())
    elif kind == "gone":
        path.unlink()
    elif kind == "zeros":
        path.write_bytes(content[:-20] + bytes(20))
    elif (newest := steps(run / "checkpoints")) and path.parent == run:
        newest[0].rename(newest[0].with_name(f"step-{draw.randrange(10**9):08d}"))


@needs_links
@pytest.mark.parametrize(
    "number", [40, pytest.param(1000, marks=pytest.mark.full)], ids=["40", "1000"]
)
def test_a_mutated_run_is_refused_in_one_sentence_or_ends_the_same(cut, whole, tmp_path, number):
    result = json.loads((whole / "metrics.json").read_text())
    outcomes, draw = [], random.Random(number)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    train(SMALL, shutil.copytree(cut, tmp_path / "warm"), resume=True, callback=Note())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(number):
        begun = draw.choice([cut, whole])
        run = shutil.copytree(begun, tmp_path / "run")
        mutate(run, victim, draw)
        try:
            metrics = train(recipe_of(run), run, resume=True, callback=Note())
            outcomes.append("equal")
            assert metrics["test"] == result["test"]
            assert begun == whole or weights(run) == weights(whole)
        except Error as refusal:
            outcomes.append("refused")
            assert "\n" not in str(refusal)
            assert len(str(refusal)) < 2500
        assert victim.read_text() == "precious"
        assert {path.name for path in tmp_path.iterdir()} == {"victim", "run", "warm"}
        shutil.rmtree(run)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000 * (1024 if sys.platform == "darwin" else 1)
    assert min(outcomes.count("equal"), outcomes.count("refused")) > number // 5


def recipe_of(run: Path) -> Recipe:
    """As the command line reads it."""
    return run_module.resuming.recorded(run) if (run / "recipe.toml").exists() else SMALL
