"""Parting a set: shares, determinism, and what cannot be parted."""

import gc
import pickle
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import Augment, Loader, Preprocess, open_data
from convatlas.data.split import ArraySplit, hold_out, require_enough
from convatlas.errors import DataError


def labelled(sizes: list[int]) -> ArraySplit:
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return ArraySplit(
        torch.arange(len(labels)).view(-1, 1, 1, 1).to(torch.uint8),
        labels,
        [f"{label}/{i}" for i, label in enumerate(labels.tolist())],
    )


@given(
    sizes=st.lists(st.integers(2, 60), min_size=2, max_size=8),
    fraction=st.floats(0.01, 0.9),
    seed=st.integers(0, 99),
)
@settings(max_examples=100, deadline=None)
def test_every_class_keeps_its_share(sizes, fraction, seed):
    split = labelled(sizes)
    rest, held = hold_out(split, [str(i) for i in range(len(sizes))], fraction * len(split), seed)
    assert sorted([*rest.names, *held.names]) == sorted(split.names)
    for label, size in enumerate(sizes):
        given_away = int((held.labels == label).sum())
        assert abs(given_away - fraction * size) <= 1
        assert 1 <= given_away < size


@given(sizes=st.lists(st.integers(30, 60), min_size=2, max_size=8), fraction=st.floats(0.1, 0.9))
@settings(max_examples=50, deadline=None)
def test_the_count_is_exact_where_classes_are_large(sizes, fraction):
    _, held = hold_out(
        labelled(sizes), [str(i) for i in range(len(sizes))], fraction * sum(sizes), 0
    )
    assert len(held) == round(fraction * sum(sizes))


def test_images_labels_and_names_stay_together_and_in_order():
    for part in hold_out(labelled([20, 10]), ["a", "b"], 9, seed=3):
        for i, name in enumerate(part.names):
            label, number = map(int, name.split("/"))
            assert (int(part.labels[i]), int(part.read(i))) == (label, number)
        assert (part.labels.diff() >= 0).all()


def test_the_seed_decides_and_nothing_else():
    def held(seed):
        return hold_out(labelled([20, 20]), ["a", "b"], 8, seed)[1].names

    assert held(1) == held(1)
    assert held(1) != held(2)


def test_a_set_that_grows_keeps_most_of_its_parting():
    """Lots go with names, not with places: ten new images move only those at the
    edge of the quota.
    """
    before = set(hold_out(labelled([100, 100]), ["a", "b"], 40, 0)[1].names)
    grown = labelled([100, 100])
    first = ArraySplit(
        torch.zeros(210, 1, 1, 1, dtype=torch.uint8),
        torch.cat([torch.zeros(10).long(), grown.labels]),
        [f"0/new{i}" for i in range(10)] + list(grown.names),
    )
    after = set(hold_out(first, ["a", "b"], 42, 0)[1].names)
    assert len(before - after) <= 3


def test_nothing_is_held_out_for_a_count_of_nought():
    rest, held = hold_out(labelled([3, 3]), ["a", "b"], 0, 0)
    assert (len(rest), len(held)) == (6, 0)


def test_too_few_to_part():
    require_enough(labelled([3, 5]), ["cat", "dog"], 3)
    with pytest.raises(
        DataError, match=r"class 'cat' has 2, class 'cow' has 1; every class needs 3 or more"
    ):
        require_enough(labelled([2, 5, 1]), ["cat", "dog", "cow"], 3)
    with pytest.raises(DataError, match=r"class '19' has 1, and 1,980 others have too few; every"):
        require_enough(labelled([1] * 2000), list(map(str, range(2000))), 2)


@pytest.mark.parametrize("crop", ["fit", "random-resized"])
def test_decoded_images_go_to_no_worker_and_go_when_their_split_goes(make_folder, crop):
    split = open_data(make_folder({"a": 6, "b": 6})).train
    prep = Preprocess(3, 16, (0.0,) * 3, (1.0,) * 3, "resize", 16)
    size = len(pickle.dumps(split))
    loader = Loader(split, prep, 4, augment=Augment(crop=crop))
    kept = weakref.ref(loader.images if crop == "fit" else loader.sources[0])
    assert len(pickle.dumps(split)) == size
    del loader
    gc.collect()
    assert kept() is not None
    del split
    gc.collect()
    assert kept() is None
