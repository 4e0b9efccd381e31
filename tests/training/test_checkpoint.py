"""A checkpoint is whole or absent, read back as written or refused by name; older ones survive
every fault.
"""

import itertools
import json
import os
import random
import resource

import pytest
import torch

from convatlas.errors import CheckpointError
from convatlas.training import checkpoint
from convatlas.training.checkpoint import Checkpoint, load_newest, read_step, save_step
from convatlas.training.step_folders import remove_leftovers, steps


def made(step: int) -> Checkpoint:
    """Every tensor and number carries the step, so that a mixture of two would show."""
    return Checkpoint(
        step,
        {"w": torch.full((3, 4), float(step)), "n": torch.tensor(step)},
        {"optimiser.0.m": torch.full((3, 4), float(step))},
        {"progress": {"step": step}},
    )


def stamp(found: Checkpoint) -> set:
    return {
        found.step,
        found.state["progress"]["step"],
        *found.model["w"].unique().tolist(),
        int(found.model["n"]),
        *found.train_state["optimiser.0.m"].unique().tolist(),
    }


def no_warning(text):
    pytest.fail(f"warned: {text}")


def test_what_is_saved_comes_back_to_the_bit(tmp_path):
    torch.manual_seed(0)
    tensors = {
        "a": torch.randn(5, 3, 2, 2).to(memory_format=torch.channels_last),
        "b": torch.randn(7).bfloat16(),
        "c": torch.arange(4),
        "d": torch.tensor(3.5),
    }
    save_step(tmp_path, Checkpoint(9, tensors, {}, {"loss": 0.1 + 0.2}))
    found = load_newest(tmp_path, no_warning)
    assert found.step == 9
    assert found.state == {"loss": 0.1 + 0.2}
    assert all(
        torch.equal(found.model[k], v) and found.model[k].dtype == v.dtype
        for k, v in tensors.items()
    )


def test_the_two_newest_stay_and_latest_points_at_the_newest(tmp_path):
    for step in (1, 5, 30):
        save_step(tmp_path, made(step))
    assert [path.name for path in steps(tmp_path)] == ["step-00000030", "step-00000005"]
    assert (tmp_path / "LATEST").read_text() == "step-00000030\n"
    assert not list(tmp_path.glob(".tmp*"))


def test_an_empty_folder_holds_none(tmp_path):
    assert load_newest(tmp_path, no_warning) is None


def test_every_flipped_bit_is_refused_and_the_file_named(tmp_path):
    folder = save_step(tmp_path, made(3))
    files = {name: (folder / name).read_bytes() for name in (*checkpoint.FILES, "MANIFEST.json")}
    draw = random.Random(0)
    for _ in range(120):
        name = draw.choice(list(files))
        position, bit = draw.randrange(len(files[name])), draw.randrange(8)
        flipped = bytearray(files[name])
        flipped[position] ^= 1 << bit
        (folder / name).write_bytes(flipped)
        try:
            found = read_step(folder)
        except CheckpointError as error:
            assert "step-00000003" in str(error)
            if name != "MANIFEST.json":
                assert name in str(error)
        else:  # the manifest's white space carries no meaning
            assert name == "MANIFEST.json"
            assert stamp(found) == {3}
        (folder / name).write_bytes(files[name])
    assert stamp(read_step(folder)) == {3}


@pytest.mark.parametrize("name", [*checkpoint.FILES, "MANIFEST.json"])
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, None])
def test_a_cut_or_missing_file_falls_back_to_the_older_step_with_a_warning(tmp_path, name, keep):
    save_step(tmp_path, made(1))
    damaged = save_step(tmp_path, made(2)) / name
    if keep is None:
        damaged.unlink()
    else:
        content = damaged.read_bytes()
        damaged.write_bytes(content[: int(keep * len(content))])
    warnings = []
    assert stamp(load_newest(tmp_path, warnings.append)) == {1}
    assert len(warnings) == 1
    assert str(damaged) in warnings[0]


def test_when_all_are_damaged_it_stops_and_lists_them(tmp_path):
    for step in (1, 2):
        (save_step(tmp_path, made(step)) / "state.json").write_text("{}")
    with pytest.raises(CheckpointError) as error:
        load_newest(tmp_path, lambda text: None)
    assert "step-00000001" in str(error.value)
    assert "step-00000002" in str(error.value)


def test_a_newer_format_says_so(tmp_path):
    folder = save_step(tmp_path, made(1))
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    (folder / "MANIFEST.json").write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(CheckpointError, match="newer convatlas"):
        read_step(folder)


def test_a_damaged_copy_of_the_same_step_is_replaced(tmp_path):
    (save_step(tmp_path, made(4)) / "model.safetensors").write_bytes(b"")
    save_step(tmp_path, made(4))
    assert stamp(load_newest(tmp_path, no_warning)) == {4}


def save_and_die_before_call(folder, at: int) -> int:
    """In a child process, whose n-th call to the file system ends it; its exit code, 9 for such a
    death.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = itertools.count(1)

    def dying(real):
        def call(*arguments, **options):
            if next(calls) == at:
                os._exit(9)
            return real(*arguments, **options)

        return call

    for name in ("fsync", "rename", "replace", "mkdir"):
        setattr(os, name, dying(getattr(os, name)))
    save_step(folder, made(2))
    os._exit(0)


def test_a_process_that_dies_at_any_call_leaves_a_good_newest_step(tmp_path):
    """Death before the n-th call to the file system, for every n until the save gets through."""
    save_step(tmp_path, made(1))
    codes, found = [], []
    for at in range(1, 20):
        codes.append(save_and_die_before_call(tmp_path, at))
        found.append(stamp(load_newest(tmp_path, no_warning)))
        remove_leftovers(tmp_path)
        if codes[-1] == 0:
            break
    assert codes == [9] * (len(codes) - 1) + [0]
    assert len(codes) > 8
    assert found[0] == {1}
    assert found[-1] == {2}
    assert all(seen in ({1}, {2}) for seen in found)
    assert not list(tmp_path.glob(".tmp*"))


def test_a_full_disk_is_said_in_megabytes_and_costs_nothing(tmp_path, monkeypatch):
    save_step(tmp_path, made(1))
    usage = checkpoint.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda path: usage._replace(free=200))
    with pytest.raises(
        CheckpointError, match=r"cannot save step 2 .* the disk is full: .* MB are needed, 0\.0 MB"
    ):
        save_step(tmp_path, made(2))
    assert stamp(load_newest(tmp_path, no_warning)) == {1}
    assert not list(tmp_path.glob(".tmp*"))


def test_a_write_that_fails_half_way_costs_nothing(tmp_path):
    save_step(tmp_path, made(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = Checkpoint(2, {"w": torch.zeros(100_000)}, {}, {})
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(CheckpointError, match="cannot save step 2"):
            save_step(tmp_path, big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stamp(load_newest(tmp_path, no_warning)) == {1}
    assert not list(tmp_path.glob(".tmp*"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    with pytest.raises(CheckpointError, match=r"cannot save step 1 in .*checkpoints"):
        save_step(tmp_path / "checkpoints", made(1))
