"""What is kept of a survey saves time, and nothing else: whatever lies in the cache, what is found
is what a look at every file would find.
"""

import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from noise import save_noise

from convatlas.data import open_data, remembered, survey, usable, verdicts
from convatlas.data.checking import check_data
from convatlas.data.file_status import COARSE, TICK, are_settled, is_settled, statuses
from convatlas.data.telling import Preparation, Tally, said_of, told_to
from convatlas.data.verdicts import RECORD, Verdicts
from convatlas.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def looked(monkeypatch) -> list[str]:
    """The names of the files that are looked at."""
    names: list[str] = []
    real = survey.examining

    def noting(split, numbers, *options):
        for found in real(split, numbers, *options):
            names.extend(split.names[i] for i in found)
            yield found

    monkeypatch.setattr(survey, "examining", noting)
    return names


@pytest.fixture
def root(make_folder) -> Path:
    root = make_folder({"a": 30, "b": 30}, size=(4, 4))
    settled()
    return root


def settled() -> None:
    """Later than the tick of the clock in which a file was written."""
    time.sleep(0.03)


def look(root: Path, **how) -> None:
    assert usable(open_data(root), workers=1, **how)[1] == []


def pieces(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.seen"))


def test_a_survey_that_is_stopped_goes_on_where_it_was(root, looked, monkeypatch):
    real = survey.examining

    def stopped(*given):
        for number, found in enumerate(real(*given)):
            if number == 3:
                raise KeyboardInterrupt
            yield found

    monkeypatch.setattr(survey, "examining", stopped)
    with pytest.raises(KeyboardInterrupt):
        look(root)
    monkeypatch.setattr(survey, "examining", real)
    assert len(looked) >= 48
    before = set(looked[:48])
    del looked[:]
    look(root)
    assert len(looked) == 12
    assert before.isdisjoint(looked)
    del looked[:]
    look(root)
    assert looked == []


def killed_in_the_middle(root: Path) -> None:
    """A process that is killed while it looks at the files: what it flushed stays."""
    child = os.fork()
    if not child:
        try:
            verdicts.TOGETHER = 16
            real, seen = survey.examine, []

            def deadly(path, *limits):
                seen.append(path)
                if len(seen) > 40:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(path, *limits)

            survey.examine = deadly
            survey.forks = lambda: False  # all in this process
            usable(open_data(root))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_survey_that_is_killed_keeps_what_it_wrote(root, looked):
    killed_in_the_middle(root)
    look(root)
    assert len(looked) == 60 - 32


def test_only_a_new_a_changed_and_a_renamed_file_are_looked_at(root, looked):
    look(root)
    del looked[:]
    save_noise(root / "a/new.png", (4, 4), "RGB", 999)
    save_noise(root / "a/1.png", (4, 4), "RGB", 1000)
    (root / "b/2.png").rename(root / "b/renamed.png")
    settled()
    look(root)
    assert sorted(looked) == ["a/1.png", "a/new.png", "b/renamed.png"]


def test_a_change_that_hides_its_size_and_time_is_seen(root, looked):
    """As an edit followed by touch -r, or with a clock set back: the time of change tells."""
    look(root)
    path = root / "a/3.png"
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[20:] = bytes(len(content) - 20)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with pytest.raises(DataError, match=r"a/3\.png"):
        look(root)


def test_files_and_folders_that_change_places_are_looked_at(root, looked):
    look(root)
    (root / "b/4.png").write_bytes((root / "b/4.png").read_bytes()[:60])
    with pytest.raises(DataError, match=r"b/4\.png"):
        look(root)
    between = root.parent / "between"
    for one, other in ((root / "a", root / "b"),):
        one.rename(between)
        other.rename(one)
        between.rename(other)
    with pytest.raises(DataError, match=r"a/4\.png") as caught:
        look(root)
    assert "b/4.png" not in str(caught.value)


def test_what_cannot_be_read_is_looked_at_until_it_can(root, looked, monkeypatch):
    """The remedy may lie outside of the file: nothing of it changes."""
    real, lacking = survey.examine, [True]

    def examine(path, *limits):
        if lacking[0] and path.name == "5.png":
            return survey.Examined("needs what this Pillow was built without")
        return real(path, *limits)

    monkeypatch.setattr(survey, "examine", examine)
    for _ in range(2):
        with pytest.raises(DataError, match="2 images cannot be used"):
            usable(open_data(root))
    lacking.clear()
    lacking.append(False)
    look(root)


def test_other_decoders_and_another_limit_look_again(root, looked, monkeypatch):
    look(root)
    del looked[:]
    assert usable(open_data(root, max_megapixels=1))[1] == []
    assert len(looked) == 60
    monkeypatch.setattr(verdicts, "decoders", lambda: "another Pillow")
    look(root)
    assert len(looked) == 120


def test_a_file_that_changes_while_it_is_looked_at_is_not_taken_for_known(
    root, looked, monkeypatch
):
    real = survey.examine

    def changing(path, *limits):
        found = real(path, *limits)
        if path.name == "7.png":
            path.write_bytes(path.read_bytes()[:50])
        return found

    monkeypatch.setattr(survey, "examine", changing)
    look(root)
    monkeypatch.setattr(survey, "examine", real)
    del looked[:]
    with pytest.raises(DataError, match="2 images cannot be used"):
        look(root)
    assert sorted(looked) == ["a/7.png", "b/7.png"]


def test_a_file_of_this_very_moment_or_of_the_future_is_not_taken_for_known():
    now = 1_700_000_000_123_456_789
    assert is_settled(now - 2 * TICK, now)
    assert not is_settled(now - TICK // 2, now)
    assert not is_settled(now + 10**12, now)  # the clock has gone back
    whole = now - now % 10**9  # a file system that knows whole seconds
    assert not is_settled(whole, whole + 10**9)
    assert is_settled(whole, whole + 2 * COARSE)
    assert are_settled(np.array([now - 2 * TICK, whole - 2 * COARSE]), now).all()
    assert are_settled(np.array([now - 2 * TICK, now]), now).tolist() == [True, False]


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[: RECORD * 5 + 11]),
        lambda path: path.write_bytes(bytes(RECORD * 70)),
        lambda path: path.write_bytes(os.urandom(RECORD * 70 + 3)),
        lambda path: path.write_bytes(b"x" + path.read_bytes()),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["empty", "cut", "zeros", "noise", "shifted", "folder"],
)
def test_a_damaged_survey_says_nothing_wrong(root, cache, looked, harm):
    look(root)
    [piece] = pieces(cache)
    harm(piece)
    (root / "a/9.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a/9\.png' is none of the formats"):
        look(root)


def test_any_bit_of_a_record_that_turns_makes_it_void(root, cache):
    look(root)
    [piece] = pieces(cache)
    content = piece.read_bytes()
    stamps = statuses(root, ["a/0.png"], Tally(""))["stamp"]
    known = Verdicts(root, 64)
    at = next(i for i in range(60) if content[RECORD * i :][:16] == stamps.tobytes())
    for bit in range(0, 8 * RECORD, 7):
        changed = bytearray(content)
        changed[RECORD * at + bit // 8] ^= 1 << bit % 8
        piece.write_bytes(changed)
        assert not known.of(stamps).good[0]
    piece.write_bytes(content)
    assert known.of(stamps).good[0]


def test_the_survey_of_another_folder_says_nothing(root, cache, looked, tmp_path):
    look(root)
    other = tmp_path / "other"
    shutil.copytree(root, other)
    (other / "a/0.png").write_bytes(b"no image")
    place = remembered.place_of(other)
    place.mkdir(parents=True)
    for piece in pieces(cache):
        shutil.copy(piece, place)
    with pytest.raises(DataError, match=r"a/0\.png"):
        look(other)


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(root, monkeypatch, looked):
    def full(self):
        return open("/dev/full", "wb", 0)

    monkeypatch.setattr(verdicts.Verdicts, "_opened", full)
    for _ in range(2):
        look(root)
    assert len(looked) == 120


def test_two_processes_look_once(root, tmp_path):
    """The one that comes second waits, and then knows; both write to the same cache."""
    names, children, real = tmp_path / "names", [], survey.examine

    def examine(path, *limits):
        with open(names, "a", encoding="utf-8") as file:
            file.write(f"{path}\n")
        time.sleep(0.005)
        return real(path, *limits)

    for _ in range(2):
        child = os.fork()
        if not child:
            code = 1
            try:
                survey.examine = examine
                code = 0 if usable(open_data(root), workers=1)[1] == [] else 2
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert len(names.read_text().split()) == 60


def test_many_pieces_are_put_together(root, cache, looked, monkeypatch):
    monkeypatch.setattr(verdicts, "TOGETHER", 2)
    monkeypatch.setattr(verdicts, "PIECES", 3)
    for number in range(6):
        save_noise(root / f"a/more{number}.png", (4, 4), "RGB", 2000 + number)
        settled()
        look(root)
    assert len(pieces(cache)) <= 4
    del looked[:]
    look(root)
    assert looked == []


def test_what_is_peculiar_is_said_each_time_and_what_is_not_is_spared(make_folder, looked):
    root = make_folder({"a": 20, "b": 20}, size=(20, 20))
    save_noise(root / "a/small.png", (3, 40), "RGB", 5)
    settled()
    for remembered_now in (0, 40, 40):
        report = check_data(root, workers=1)
        assert [note.file for note in report.notes] == ["a/small.png"]
        assert report.remembered == remembered_now
    del looked[:]
    check_data(root, workers=1, anew=True)
    assert len(looked) == 41


@pytest.mark.parametrize(("check", "count"), [("none", 0), ("sample", 10), ("all", 60)])
def test_as_many_are_looked_at_as_asked_for(root, looked, monkeypatch, check, count):
    monkeypatch.setattr(survey, "SAMPLE", 10)
    look(root, check=check)
    assert len(looked) == count


def test_above_a_size_a_sample_is_looked_at_unless_bad_ones_are_skipped(root, looked, monkeypatch):
    monkeypatch.setattr(survey, "SAMPLE", 10)
    look(root, check="auto")
    assert len(looked) == 60
    monkeypatch.setattr(survey, "LAZY_ABOVE", 50)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"])
    del looked[:]
    look(root, check="auto")
    assert len(looked) == 10
    look(root, check="auto", bad_images="skip")
    assert len(set(looked)) == 60


def test_a_bad_image_in_the_sample_has_its_sentence(root, monkeypatch):
    for path in (root / "a").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"a/\d+\.png' is empty \(0 bytes\); copy it again"):
        look(root, check="sample")


def test_words_that_do_not_fit_are_one_sentence(root):
    with pytest.raises(DataError, match=r"check = 'some' is not allowed: auto \| all"):
        look(root, check="some")
    with pytest.raises(DataError, match="does not go with bad_images = 'skip'"):
        look(root, check="sample", bad_images="skip")


def test_every_phase_is_told_with_its_total(root, monkeypatch):
    told = []
    monkeypatch.setattr("convatlas.data.telling.PAUSE", 0.0)
    with told_to(lambda *words: told.append(words)):
        look(root)
    totals = {phase: total for phase, _, total in told}
    assert totals == {
        "listing the images": None,
        "reading sizes and times": 60,
        "reading fingerprints": totals["reading fingerprints"],  # those of equal size
        "looking at every image once": 60,
    }
    assert 50 < totals["reading fingerprints"] <= 60
    for phase, total in totals.items():
        assert [done for what, done, _ in told if what == phase][-1] == (total or 60)


def test_a_line_says_how_many_of_how_many_and_how_long_yet(monkeypatch):
    assert said_of("decoding", 250, 1000, 250, 10.0) == "decoding: 250 of 1,000 (25 %), 30 s left"
    assert said_of("listing", 2500, None, 2500, 10.0) == "listing: 2,500 so far"
    # 900 were known before: what is left is foretold by what came since
    assert said_of("looking", 950, 1000, 50, 10.0) == "looking: 950 of 1,000 (95 %), 10 s left"
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    lines = Preparation(pause=10)
    said = []
    for second in range(25):
        clock[0] = float(second)
        said.append(lines.line("decoding", second, 100))
    assert [second for second, line in enumerate(said) if line] == [10, 20]
