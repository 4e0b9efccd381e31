"""Several processes of one machine look at every image once and decode it once, between them, and
hold the pixels once.
"""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from noise import noise_folder
from ranks import Ranks

from convatlas.data import image_cache, neighbours, split, survey
from convatlas.errors import DataError, RunError
from convatlas.training import Recipe
from convatlas.training.distributed import process_group
from convatlas.training.prepare import gather, prepare

IMAGES = 200
BAD = [f"{name}/{number}.png" for name in "ab" for number in range(0, 100, 8)]


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return noise_folder(tmp_path / "set", {"a": IMAGES // 2, "b": IMAGES // 2})


def prepared(root: Path, cache: Path, notes: Path, change: dict, trick: str = "") -> tuple:
    """(pixels of the three splits, whether they have a name in memory); each look and each decoding
    is noted as a line.
    """
    os.environ["XDG_CACHE_HOME"] = str(cache)
    real_examine, real_read, reads = survey.examine, split.read_image, []

    def note(kind: str, path) -> None:
        with open(notes, "a", encoding="utf-8") as file:
            file.write(f"{kind} {Path(path).relative_to(root).as_posix()}\n")

    def examine(path, *limits):
        note("look", path)
        return real_examine(path, *limits)

    def read(path, *how):
        note("decode", path)
        reads.append(path)
        if trick == "death" and len(reads) == 20 and os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return real_read(path, *how)

    survey.examine, split.read_image = examine, read
    survey.forks = lambda: False  # a reader of this process would be forked from another server
    if trick == "no memory":
        neighbours._made = lambda size: ""
    image_cache.BLOCK = 16
    recipe = Recipe(network="lenet1989", data=str(root), batch_size=16, timeout=8, **change)
    with process_group(recipe.timeout, "cpu") as group:
        found = group.together(lambda: gather(recipe, group))
        ready = group.together(lambda: prepare(recipe, group, found))
        return [loader.images.numpy().tobytes() for loader in (ready.train, ready.val, ready.test)]


def counted(notes: Path) -> dict[str, Counter]:
    lines = [line.split() for line in notes.read_text().splitlines()]
    return {
        kind: Counter(name for what, name in lines if what == kind) for kind in ("look", "decode")
    }


def run(root: Path, size: int, tmp_path: Path, trick: str = "", **change) -> tuple[list, dict]:
    notes = tmp_path / f"notes-{size}"
    cache = tmp_path / f"cache-{size}"
    found = Ranks(size, prepared, root, cache, notes, change, trick).results(120)
    return found, counted(notes)


@pytest.mark.parametrize("size", [2, pytest.param(4, marks=pytest.mark.full)])
def test_each_image_is_looked_at_and_decoded_once(root, tmp_path, size):
    [alone], once = run(root, 1, tmp_path)
    found, notes = run(root, size, tmp_path)
    assert [each == alone for each in found] == [True] * size
    assert notes == once
    assert set(once["look"].values()) == set(once["decode"].values()) == {1}
    assert len(once["look"]) == len(once["decode"]) == IMAGES
    assert not [name for name in os.listdir("/dev/shm") if name.startswith("convatlas-")]


def test_without_room_for_shared_memory_each_decodes_for_itself(root, tmp_path):
    found, notes = run(root, 2, tmp_path, "no memory")
    assert found[0] == found[1]
    assert set(notes["decode"].values()) == {2}
    assert set(notes["look"].values()) == {1}


def test_a_bad_image_in_anyones_share_ends_all_with_every_one_named(root, tmp_path):
    for name in BAD:
        (root / name).write_bytes(b"no image")
    found, _ = run(root, 2, tmp_path, check="none")
    assert [type(each) for each in found] == [DataError, RunError]
    assert found[1].quiet
    alone, _ = run(root, 1, tmp_path, check="none")
    assert str(found[0]) == str(alone[0])
    assert "images cannot be used" in str(found[0])


def test_the_death_of_one_ends_the_others(root, tmp_path):
    found, _ = run(root, 2, tmp_path, "death")
    assert found[1] == -signal.SIGKILL
    assert isinstance(found[0], RunError)
    assert "process 1" in str(found[0])
