"""What is kept of a large folder's listing and fingerprint changes nothing of what is found,
however the folder changes between two openings.
"""

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

from convatlas.data import content_digests, fingerprint, listing, open_data, remembered, walk
from convatlas.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(listing, "KEPT_FROM", 0)
    monkeypatch.setattr(fingerprint, "KEPT_FROM", 0)
    return tmp_path / "cache"


@pytest.fixture
def root(make_folder) -> Path:
    root = make_folder({"a": 12, "b/deep": 6, "b": 6, "c": 5}, size=(5, 4), mode="L")
    settled()
    return root


def settled() -> None:
    time.sleep(0.03)


def seen(root: Path) -> tuple:
    """All that opening finds."""
    try:
        data = open_data(root)
    except DataError as refusal:
        return (str(refusal),)
    parts = [(list(part.names), part.labels.tolist()) for part in (data.train, data.val, data.test)]
    notes = [found.sentence for found in (*data.problems, *data.notes)]
    return (data.fingerprint, data.classes, parts, data.ignored, notes)


def afresh(root: Path, monkeypatch, cache: Path) -> tuple:
    """The same by one who knows nothing."""
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache.parent / "none"))
        shutil.rmtree(cache.parent / "none", ignore_errors=True)
        return seen(root)


@pytest.fixture
def scanned(monkeypatch) -> list[str]:
    """The folders that are read."""
    found, real = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: found.append(Path(path).name) or real(path))
    return found


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The files whose contents go into the fingerprint."""
    found, real = [], content_digests.content
    monkeypatch.setattr(
        content_digests, "content", lambda path, size: found.append(path) or real(path, size)
    )
    return found


def known_here(root: Path) -> bool:
    return listing.Listing(root)._keeps_times(root.stat())


def test_a_second_opening_reads_no_folder_and_no_content(root, scanned, read, monkeypatch, cache):
    if not known_here(root):
        pytest.skip("the file system of the temporary folder is not one that is relied upon")
    first = seen(root)
    assert sorted(scanned) == ["a", "b", "c", "deep", "set"]
    assert read
    del scanned[:], read[:]
    assert seen(root) == first
    assert scanned == read == []
    assert afresh(root, monkeypatch, cache) == first


def test_each_file_is_looked_at_once(root, monkeypatch):
    """With os.lstat; os.stat is for folders and for what links lead to."""
    looked = []
    real = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: looked.append(str(path)) or real(path))
    seen(root)
    files = [path for path in looked if path.endswith(".png")]
    assert len(files) == len(set(files)) == 29


def test_only_the_folder_that_changed_is_read(root, scanned):
    if not known_here(root):
        pytest.skip("the file system of the temporary folder is not one that is relied upon")
    seen(root)
    (root / "b/deep/new.png").write_bytes((root / "a/0.png").read_bytes())
    del scanned[:]
    seen(root)
    assert scanned == ["deep"]


def test_a_folder_whose_time_was_set_back_is_read(root, monkeypatch, cache):
    seen(root)
    before = (root / "a").stat()
    (root / "a/new.png").write_bytes((root / "a/0.png").read_bytes())
    (root / "c/0.png").unlink()
    os.utime(root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert seen(root) == afresh(root, monkeypatch, cache)
    assert "a/new.png" in str(seen(root))


def test_contents_that_hide_their_size_and_time_have_another_fingerprint(root, read):
    first = seen(root)
    path = root / "a/0.png"
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert seen(root)[0] != first[0]


def names(read: list[str], root: Path) -> list[str]:
    return sorted(os.path.relpath(path, root) for path in read)


@pytest.fixture
def sized(root) -> Path:
    """Three files of one size, two of another, and one of its own."""
    for folder in ("b", "c"):
        shutil.rmtree(root / folder)
        (root / folder).mkdir()
    for place, size in {"b/0": 1000, "b/1": 1000, "c/0": 1000, "c/1": 2000, "b/2": 2000}.items():
        write(root, place, size)
    write(root, "c/2", 3000)
    settled()
    return root


def write(root: Path, place: str, size: int) -> None:
    """A picture of its own in a file of so many bytes."""
    content = (root / "a/0.png").read_bytes() + place.encode()
    (root / f"{place}.png").write_bytes(content + bytes(size - len(content)))


def test_after_a_change_only_files_that_changed_are_read(sized, read, monkeypatch, cache):
    first = seen(sized)
    assert {"b/0.png", "b/2.png"} < {*names(read, sized)}
    assert "c/2.png" not in names(read, sized)  # of a size that no other has
    write(sized, "b/0", 2000)
    (sized / "a/0.png").touch()
    settled()
    del read[:]
    second = seen(sized)
    assert names(read, sized) == ["a/0.png", "b/0.png"]
    del read[:]
    assert seen(sized) == second
    assert not read
    assert afresh(sized, monkeypatch, cache) == second != first


def test_two_files_that_have_one_size_only_now_are_read(sized, read, monkeypatch, cache):
    seen(sized)
    write(sized, "b/0", 3000)
    settled()
    del read[:]
    second = seen(sized)
    assert names(read, sized) == ["b/0.png", "c/2.png"]
    assert afresh(sized, monkeypatch, cache) == second


def test_files_of_equal_size_and_times_that_change_places_are_seen(sized, read, monkeypatch, cache):
    for place in ("b/0", "c/0"):
        os.utime(sized / f"{place}.png", (10**9, 10**9))
    settled()
    first = seen(sized)
    exchange(sized / "b/0.png", sized / "c/0.png")
    settled()
    del read[:]
    second = seen(sized)
    assert names(read, sized) == ["b/0.png", "c/0.png"]
    assert afresh(sized, monkeypatch, cache) == second != first


def test_digests_of_files_that_changed_just_now_are_not_kept(sized, read, monkeypatch):
    moment = (sized / "b/0.png").stat().st_ctime_ns
    monkeypatch.setattr("convatlas.data.folder.now", lambda: moment)
    seen(sized)
    del read[:]
    seen(sized)
    assert {"b/0.png", "b/1.png"} <= {*names(read, sized)}
    assert "a/5.png" not in names(read, sized)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        content_digests.RULES,
        content_digests.RULES + bytes(33),
        content_digests.RULES + bytes(range(256)) * 8,
        b"contents by rule 9\n" + bytes(320),
    ],
)
def test_digests_of_another_form_are_not_believed(root, content):
    first = seen(root)
    (remembered.place_of(root) / "fingerprints").unlink()
    remembered.keep(root, "contents", content)
    assert seen(root) == first


def test_older_fingerprints_are_kept_too(root, monkeypatch):
    older = open_data(root).older_fingerprints()
    monkeypatch.setattr(fingerprint, "content", lambda *given: 1 / 0)
    assert open_data(root).older_fingerprints() == older


def test_a_fingerprint_without_a_file_that_could_not_be_read_is_not_kept(root, monkeypatch):
    whole = seen(root)[0]
    shutil.rmtree(remembered.place_of(root))
    real = content_digests.content

    def failing(path, size):
        if path.endswith("a/3.png"):
            raise OSError(5, "Input/output error")
        return real(path, size)

    with monkeypatch.context() as patch:
        patch.setattr(content_digests, "content", failing)
        assert seen(root)[0] != whole
    assert seen(root)[0] == whole


def test_a_folder_with_links_is_read_each_time(root, tmp_path, monkeypatch, cache):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x.png").write_bytes((root / "a/0.png").read_bytes())
    (root / "c/link.png").symlink_to(tmp_path / "elsewhere/x.png")
    settled()
    seen(root)
    (tmp_path / "elsewhere/x.png").unlink()
    (tmp_path / "elsewhere/x.png").mkdir()  # nothing in the set's own folder has changed
    (tmp_path / "elsewhere/x.png/y.png").write_bytes((root / "a/1.png").read_bytes())
    assert seen(root) == afresh(root, monkeypatch, cache)
    assert "c/link.png/y.png" in str(seen(root))


def test_where_no_times_are_kept_all_is_read_each_time(root, scanned, monkeypatch):
    monkeypatch.setattr(listing, "_file_systems", lambda: {root.stat().st_dev: "fuse.bucket"})
    for _ in range(2):
        seen(root)
    assert len(scanned) == 10


def test_a_folder_that_has_just_changed_is_read_again(root, scanned, monkeypatch):
    monkeypatch.setattr(listing, "now", lambda: max(p.stat().st_ctime_ns for p in root.iterdir()))
    for _ in range(2):
        seen(root)
    assert scanned.count("set") + scanned.count("c") >= 3


@pytest.mark.parametrize("name", ["listing", "fingerprints", "contents"])
@pytest.mark.parametrize(
    "harm",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-2] + b"xx",
        lambda content: bytes(len(content)),
        lambda content: content[16:],
        lambda content: content.replace(b"0.png", b"9.png"),
        lambda content: content[:16] + b"[" * 100_000,
    ],
)
def test_what_is_damaged_is_not_believed(root, name, harm, monkeypatch, cache):
    first = seen(root)
    path = remembered.place_of(root) / name
    path.write_bytes(harm(path.read_bytes()))
    if name == "contents":
        (path.parent / "fingerprints").unlink()
    assert seen(root) == first


def test_what_is_kept_of_another_folder_is_not_believed(root, tmp_path, monkeypatch, cache):
    seen(root)
    other = tmp_path / "other/set"
    shutil.copytree(root, other)
    (other / "a/0.png").unlink()
    shutil.copytree(remembered.place_of(root), remembered.place_of(other))
    assert seen(other) == afresh(other, monkeypatch, cache)
    assert "a/0.png" not in str(seen(other))


def test_a_listing_of_another_form_is_not_believed(root):
    first = seen(root)
    for content in (b"[]", b"{}", b'{"rules": "0", "folders": {"": []}}', b"null"):
        remembered.keep(root, "listing", content)
        assert seen(root) == first
        remembered.keep(root, "fingerprints", content)
        assert seen(root) == first


def test_a_listing_by_other_extensions_is_not_believed(root, monkeypatch):
    """As an older version has written it, which read fewer kinds of files."""
    (root / "a/new.future").write_bytes((root / "a/0.png").read_bytes())
    settled()
    assert "a/new.future" in seen(root)[3]
    for module in (listing, walk):
        monkeypatch.setattr(module, "EXTENSIONS", {".png", ".future"})
    assert "a/new.future" not in seen(root)[3]


CHANGES = (
    lambda root, pick: (root / pick("abc") / f"{pick(range(99))}.png").write_bytes(pixels(pick)),
    lambda root, pick: (root / pick("abc") / f"{pick(range(99))}.txt").touch(),
    lambda root, pick: anyone(root, pick).unlink(),
    lambda root, pick: anyone(root, pick).rename(root / pick("abc") / f"r{pick(range(99))}.png"),
    lambda root, pick: exchange(anyone(root, pick), anyone(root, pick)),
    lambda root, pick: exchange(root / "a", root / "c"),
    lambda root, pick: (root / pick("abc") / f"f{pick(range(5))}").mkdir(exist_ok=True),
    lambda root, pick: os.link(anyone(root, pick), root / "a" / f"l{pick(range(999))}.png"),
    lambda root, pick: anyone(root, pick).write_bytes(pixels(pick)),
)


def pixels(pick) -> bytes:
    path = Path(os.environ["XDG_CACHE_HOME"]).parent / "new.png"
    Image.new("L", (5, 4), pick(range(250))).save(path)
    return path.read_bytes()


def anyone(root: Path, pick) -> Path:
    return pick(sorted(root.rglob("*.png")))


def exchange(one: Path, other: Path) -> None:
    between = one.parents[2] / "between"
    one.rename(between)
    if other.exists():
        other.rename(one)
    between.rename(other)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.full) for n in range(2, 30))]
)
def test_after_any_changes_the_same_is_found_as_by_one_who_knows_nothing(
    root, seed, monkeypatch, cache
):
    chance = random.Random(seed)
    for _ in range(12):
        for _ in range(chance.randint(0, 2)):
            chance.choice(CHANGES)(root, chance.choice)
        if chance.random() < 0.5:
            settled()
        assert seen(root) == afresh(root, monkeypatch, cache)
