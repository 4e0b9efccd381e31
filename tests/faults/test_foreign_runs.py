"""A run folder that a stranger made: refused in a sentence before anything is written, read through
a link, or held in memory.
"""

import json
import os
import random
import resource
import shutil
import sys
from pathlib import Path

import pytest
import torch
from ranks import weights
from small_runs import SMALL, Note, resumed, signed

from convatlas.errors import CheckpointError, Error, RunError, Stopped
from convatlas.training import Recipe, train
from convatlas.training import run as run_module
from convatlas.training.checkpoint import FILES, Checkpoint, read_step, save_step, steps
from convatlas.training.folder import NAMES
from convatlas.training.restoring import limits

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")
pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Stopped at its last step but one, with an older checkpoint beside the newest."""
    folder = tmp_path_factory.mktemp("runs") / "cut"
    for step in (6, 7):
        with pytest.raises(Stopped):
            train(SMALL, folder, resume=True, callback=Note(step))
    return folder


def contents(folder: Path) -> dict:
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


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


# ---- mutations


def mutate(run: Path, victim: Path, draw: random.Random) -> None:
    """One thing wrong with a file of a run that training reads: answers.csv is for reports."""
    unread = ("run.lock", "answers.csv")
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.name not in unread]
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
        if path.name in FILES and path.parent != run and draw.random() < 0.5:
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
