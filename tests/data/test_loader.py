"""Loaders: order, bits, workers, resuming. Workers that die: test_readers.py."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import Augment, Loader, Preprocess, fit_preprocess, open_data
from convatlas.data.keyed_random import order
from convatlas.errors import DataError

STRONG = Augment(pad=2, flip=True, shift=1, rotate=10, scale=0.1, shear=0.1)


def same(one, other) -> bool:
    one, other = list(one), list(other)
    return len(one) == len(other) and all(
        torch.equal(a, b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def plain(channels: int, side: int) -> Preprocess:
    return Preprocess(channels, side, (0.0,) * channels, (1.0,) * channels, "pad", side)


def test_the_order_is_that_of_seed_and_epoch(noise_data):
    data = noise_data(23)
    loader = Loader(data.train, fit_preprocess(data, 10), 5, seed=3)
    batches = list(loader.epoch(7))
    assert len(batches) == len(loader) == 4
    assert (
        torch.cat([indices for _, _, indices in batches]).tolist() == order(23, 3, 7).tolist()[:20]
    )
    for x, y, indices in batches:
        assert (x.dtype, y.dtype, indices.dtype) == (torch.float32, torch.int64, torch.int64)
        assert torch.equal(y, data.train.labels[indices])
        assert torch.equal(x, loader.prep.normalise(data.train.images[indices]))


@given(n=st.integers(0, 30), batch=st.integers(1, 12), epoch=st.integers(0, 5), data=st.data())
@settings(max_examples=60, deadline=None)
def test_an_epoch_may_start_anywhere(noise_data_of, n, batch, epoch, data):
    loader = Loader(noise_data_of(n).train, plain(1, 10), batch, augment=STRONG)
    whole = list(loader.epoch(epoch))
    assert len(whole) == len(loader) == (n // batch if n >= batch else min(n, 1))
    start = data.draw(st.integers(0, len(loader)))
    assert same(loader.epoch(epoch, start), whole[start:])
    assert all(len(y) == min(batch, n) for _, y, _ in whole)


@pytest.fixture(scope="module")
def noise_data_of():
    """noise_data for property tests: hypothesis wants fixtures that last."""
    import numpy as np

    from convatlas.data.split import ArraySplit, Data

    def make(n):
        images = torch.from_numpy(
            np.random.default_rng(1).integers(0, 256, (n, 1, 10, 10), dtype=np.uint8)
        )
        split = ArraySplit(images, torch.arange(n) % 3, [str(i) for i in range(n)])
        return Data("noise", ("a", "b", "c"), 1, split, split, split, "")

    return make


def test_a_start_beyond_the_end_is_refused_at_once(noise_data):
    loader = Loader(noise_data(9).train, plain(1, 10), 4)
    for start in (-1, 3):
        with pytest.raises(DataError, match="an epoch of 2 steps cannot start"):
            loader.epoch(0, start)


def test_all_goes_through_everything_once_in_order_as_it_is(noise_data):
    data = noise_data(11)
    loader = Loader(data.train, plain(1, 10), 4, augment=STRONG)
    batches = list(loader.all())
    assert [len(y) for _, y, _ in batches] == [4, 4, 3]
    assert torch.cat([i for _, _, i in batches]).tolist() == list(range(11))
    assert torch.equal(torch.cat([x for x, _, _ in batches]), data.train.images.float() / 255)


def test_augmentation_is_a_function_of_seed_epoch_and_index(noise_data):
    split = noise_data(24).train

    def by_index(batch_size, seed, epoch):
        loader = Loader(split, plain(1, 10), batch_size, seed, STRONG)
        return {
            i: row
            for x, _, indices in loader.epoch(epoch)
            for i, row in zip(indices.tolist(), x, strict=True)
        }

    base = by_index(4, 0, 0)
    assert all(torch.equal(base[i], row) for i, row in by_index(6, 0, 0).items())
    for seed, epoch in ((0, 1), (1, 0)):
        assert not any(torch.equal(base[i], row) for i, row in by_index(4, seed, epoch).items())


def test_memory_and_stream_give_the_same_bits_for_any_number_of_workers(make_folder):
    root = make_folder({"a": 16, "b": 16}, size=(20, 14))
    data = open_data(root)
    for side in (24, 8):  # enlarged, and reduced with antialiasing
        prep = fit_preprocess(data, side)
        memory = Loader(data.train, prep, 4, seed=5, augment=STRONG)
        assert memory.images is Loader(data.train, prep, 8).images
        for workers in (0, 1, 2):
            stream = Loader(
                data.train, prep, 4, seed=5, augment=STRONG, workers=workers, memory_limit=0
            )
            assert stream.images is None
            assert same(stream.epoch(2), memory.epoch(2))
            assert same(stream.epoch(2, start=4), memory.epoch(2, start=4))
            assert same(stream.all(), memory.all())


@pytest.mark.parametrize("side", [10, 12, 7, 30])
def test_memory_and_stream_agree_on_arrays_too(noise_data, side):
    data = noise_data(70, channels=3)
    prep = fit_preprocess(data, side)
    memory, stream = (
        Loader(data.train, prep, 16),
        Loader(data.train, prep, 16, workers=2, memory_limit=0),
    )
    assert same(stream.epoch(0), memory.epoch(0))


def test_decoding_with_workers_gives_the_same_images(make_folder):
    root = make_folder({"a": 70, "b": 80}, size=(9, 9))
    prep = plain(3, 9)
    one, other = (
        Loader(open_data(root).train, prep, 4, workers=workers).images for workers in (0, 2)
    )
    assert torch.equal(one, other)


def test_images_are_decoded_once_for_all_feeds_of_a_split(make_folder, monkeypatch):
    data = open_data(make_folder({"a": 6, "b": 6}))
    prep = fit_preprocess(data, 12)
    monkeypatch.setattr(type(data.train), "read", None)  # from here on nothing can be read
    assert Loader(data.train, prep, 2).images is Loader(data.train, prep, 3, seed=1).images


def test_two_fits_of_one_split_do_not_disturb_each_other(noise_data):
    data = noise_data(8)
    small, large = Loader(data.train, plain(1, 10), 4), Loader(data.train, plain(1, 12), 4)
    assert next(small.all())[0].shape[-1] == 10
    assert next(large.all())[0].shape[-1] == 12


def test_a_later_step_does_not_read_what_comes_before(make_folder):
    data = open_data(make_folder({"a": 10, "b": 10}), val_fraction=0)
    loader = Loader(data.train, plain(3, 12), 4, memory_limit=0)
    indices = [i.tolist() for _, _, i in loader.epoch(0)]
    for i in indices[0] + indices[1]:
        (data.train.root / data.train.names[i]).unlink()
    assert len(list(loader.epoch(0, start=2))) == len(loader) - 2


def test_the_limit_is_in_bytes_of_the_fitted_split(noise_data):
    split = noise_data(7, channels=3).train
    assert Loader(split, plain(3, 10), 2, memory_limit=7 * 300).images is not None
    assert Loader(split, plain(3, 10), 2, memory_limit=7 * 300 - 1).images is None


def test_an_empty_split(noise_data):
    data = noise_data(0)
    for limit in (2**20, -1):
        loader = Loader(data.train, plain(1, 10), 4, memory_limit=limit, workers=1)
        assert (len(loader), list(loader.epoch(0)), list(loader.all())) == (0, [], [])


@pytest.mark.parametrize(("batch_size", "workers"), [(0, 0), (-1, 0), (1, -1)])
def test_impossible_feeds(noise_data, batch_size, workers):
    with pytest.raises(DataError, match="cannot be made"):
        Loader(noise_data(3).train, plain(1, 10), batch_size, workers=workers)


def test_no_global_generator_is_touched_or_read(make_folder, global_generators):
    root = make_folder({"a": 6, "b": 6})
    before = global_generators()

    def run():
        data = open_data(root, seed=1)
        prep = fit_preprocess(data, 12, workers=1)
        memory = Loader(data.train, prep, 2, augment=STRONG)
        stream = Loader(data.train, prep, 2, augment=STRONG, workers=2, memory_limit=0)
        return [*memory.epoch(0), *stream.epoch(1), *stream.all()]

    first = run()
    assert global_generators() == before
    torch.manual_seed(99)
    assert same(run(), first)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_image_that_breaks_while_streaming_is_named(make_folder, workers):
    data = open_data(make_folder({"a": 8, "b": 8}))
    loader = Loader(data.train, plain(3, 12), 4, workers=workers, memory_limit=0)
    for name in data.train.names[:2]:
        (data.train.root / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"a/\d\.png") as caught:
        list(loader.all())
    assert str(caught.value).count("is empty") == 2
    assert "Traceback" not in str(caught.value)
