"""One file under two names, by a link, a hard link or a copy: what measures is not learnt."""

import os
import shutil
from itertools import combinations

import pytest

from convatlas.data import check_data, open_data, same_files, usable
from convatlas.data.folder import LAYOUT
from convatlas.errors import DataError

PARTS = ("train", "val", "test")


@pytest.fixture
def parted(make_folder):
    return make_folder({f"{part}/{name}": 6 for part in PARTS for name in ("a", "b")})


def refusal(root) -> str:
    with pytest.raises(DataError) as caught:
        open_data(root)
    message = str(caught.value).partition(f". {LAYOUT}")[0]
    assert message in [found.sentence for found in check_data(root).problems]
    return message


def soft(source, target):
    target.symlink_to(source)


@pytest.mark.parametrize("link", [soft, os.link], ids=["link", "hard link"])
@pytest.mark.parametrize(("learnt", "measured"), list(combinations(PARTS, 2)))
def test_an_image_in_two_parts_is_refused(parted, link, learnt, measured):
    link(parted / learnt / "a/0.png", parted / measured / "a/linked.png")
    message = refusal(parted)
    assert f"{measured}/a/linked.png' is the same file as" in message
    assert f"{learnt}/a/0.png'" in message
    assert "remove one of the two" in message
    link(parted / learnt / "b/0.png", parted / measured / "b/linked.png")
    assert "(and so are 1 others)" in refusal(parted)


def test_a_link_that_leads_through_another_folder_is_followed(parted, tmp_path):
    (tmp_path / "way").symlink_to(parted / "train/a", target_is_directory=True)
    (parted / "test/a/new.png").symlink_to(tmp_path / "way/3.png")
    assert "test/a/new.png' is the same file as" in refusal(parted)


def test_links_to_images_elsewhere_are_fine(parted, make_folder, tmp_path):
    elsewhere = make_folder({"more": 2}, root=tmp_path / "elsewhere", start=900)
    (parted / "train/a/x.png").symlink_to(elsewhere / "more/0.png")
    (parted / "test/a/x.png").symlink_to(elsewhere / "more/1.png")
    data = open_data(parted)
    assert (len(data.train), data.problems, data.notes) == (13, (), ())


def test_an_image_in_two_classes_is_a_problem_that_training_hears_of(parted):
    (parted / "train/b/linked.png").symlink_to(parted / "train/a/0.png")
    [problem] = open_data(parted).problems
    assert problem.file == "train/b/linked.png"
    assert "'train/a/0.png', by a link or a hard link, which is of another class" in problem.problem
    assert problem in check_data(parted).problems


def test_an_image_twice_in_a_class_is_noted_and_a_problem_where_lots_part_it(make_folder, parted):
    (parted / "train/a/linked.png").symlink_to(parted / "train/a/0.png")
    [note] = open_data(parted).notes
    assert note.remedy == "it counts twice"
    root = make_folder({"a": 6, "b": 6}, root=parted / "flat")
    for number in range(6):
        os.link(root / f"a/{number}.png", root / f"a/again{number}.png")
    problems = open_data(root).problems
    assert problems
    assert all("one fell to" in found.problem for found in problems)


@pytest.mark.parametrize(
    ("link", "to"), [("val", "train"), ("test/a", "train/a"), ("train/b", "train/a")]
)
def test_a_folder_that_is_a_link_to_another_is_refused(parted, link, to):
    shutil.rmtree(parted / link)
    (parted / link).symlink_to(parted / to, target_is_directory=True)
    message = refusal(parted)
    assert f"{link}' is a link to the folder that is read as" in message
    assert f"{to}' already; remove the link" in message


def test_links_of_train_and_val_to_one_folder_are_refused(make_folder, tmp_path):
    plain = make_folder({"a": 6, "b": 6}, root=tmp_path / "plain")
    root = tmp_path / "set"
    root.mkdir()
    for part in ("train", "val"):
        (root / part).symlink_to(plain, target_is_directory=True)
    assert "val' is a link to the folder" in refusal(root)


def test_two_classes_that_lead_to_one_folder_elsewhere_are_refused(make_folder, tmp_path):
    plain = make_folder({"images": 6}, root=tmp_path / "plain")
    root = make_folder({"a": 6})
    for name in ("b", "c"):
        (root / name).symlink_to(plain / "images", target_is_directory=True)
    assert "set/c' is a link to the folder that is read as" in refusal(root)


@pytest.mark.parametrize(("learnt", "measured"), list(combinations(PARTS, 2)))
def test_copies_in_two_parts_are_noted_by_check_data_and_counted_by_training(
    parted, learnt, measured
):
    for number in (0, 1, 2):
        shutil.copy(parted / learnt / f"a/{number}.png", parted / measured / f"a/copy{number}.png")
    notes = [found for found in check_data(parted).notes if "same file" in found.problem]
    assert len(notes) == 3
    assert all(learnt in found.problem and measured in found.problem for found in notes)
    for _ in range(2):  # as it is found, and as it is remembered
        [note] = usable(open_data(parted))[0].notes
        assert "and 2 more are so" in note.problem


def test_copies_in_one_part_and_class_are_not_spoken_of(parted):
    shutil.copy(parted / "train/a/0.png", parted / "train/a/copy.png")
    assert check_data(parted).notes == ()
    data = open_data(parted)
    assert usable(data)[0] is data


def test_of_very_many_the_first_are_named_and_the_others_counted(parted, monkeypatch):
    for number in range(6, 13):
        os.link(parted / "train/a/0.png", parted / f"train/a/{number}.png")
    whole = open_data(parted).notes
    assert len(whole) == 7
    monkeypatch.setattr(same_files, "NAMED", 3)
    few = open_data(parted).notes
    assert few[:3] == whole[:3]
    assert [found.sentence for found in few[3:]] == [
        "'train/a/12.png' and 3 more before it are the same files as others, too; mend those "
        "above, and look again"
    ]
