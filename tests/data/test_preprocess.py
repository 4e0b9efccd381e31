"""Fitting and standardising: exact pixels, the choice of fit, and records from hostile hands."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convatlas.data import Preprocess, fit_preprocess, image_cache, open_data, preprocess
from convatlas.data.image_cache import decoded
from convatlas.data.preprocess import _mean_and_std
from convatlas.data.split import ArraySplit
from convatlas.errors import DataError


def prep_of(fit: str, side: int, content: int | None = None, channels: int = 1) -> Preprocess:
    return Preprocess(channels, side, (0.0,) * channels, (1.0,) * channels, fit, content or side)


def noise(c: int, h: int, w: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (c, h, w), dtype=np.uint8))


def test_pad_is_lenet5s_28_in_32():
    image = noise(1, 28, 28)
    fitted = prep_of("pad", 32, 28).fit_image(image)
    assert torch.equal(fitted[:, 2:30, 2:30], image)
    assert fitted.sum() == image.sum()


def test_pad_with_odd_margins():
    image = noise(1, 25, 28)
    fitted = prep_of("pad", 32, 28).fit_image(image)
    assert torch.equal(fitted[:, 3:28, 2:30], image)
    assert fitted.sum() == image.sum()


@pytest.mark.parametrize(
    ("h", "w", "shape"),
    [
        (200, 200, (28, 28)),
        (100, 200, (14, 28)),
        (14, 7, (28, 14)),
        (30, 32, (26, 28)),
        (1, 5000, (1, 28)),
        (24, 20, (24, 20)),
    ],
)
def test_pad_brings_other_sizes_to_that_of_the_set(h, w, shape):
    fitted = prep_of("pad", 32, 28).fit_image(torch.full((1, h, w), 200, dtype=torch.uint8))
    rows, columns = (fitted[0] > 0).any(1).nonzero(), (fitted[0] > 0).any(0).nonzero()
    assert (len(rows), len(columns)) == shape
    assert rows[0] == (32 - shape[0]) // 2
    assert columns[0] == (32 - shape[1]) // 2
    assert set(fitted.unique().tolist()) == {0, 200}


def test_resize_cuts_the_middle_and_scales_as_pillow_does():
    image = noise(3, 40, 61)
    fitted = prep_of("resize", 16, channels=3).fit_image(image)
    square = Image.fromarray(image[:, :, 10:50].permute(1, 2, 0).numpy())
    expected = np.asarray(square.resize((16, 16), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert np.abs(fitted.numpy().astype(int) - expected.astype(int)).max() <= 1


def test_resize_leaves_the_right_size_alone_and_enlarges_small_ones():
    image = noise(3, 16, 16)
    assert torch.equal(prep_of("resize", 16, channels=3).fit_image(image), image)
    assert prep_of("resize", 16, channels=3).fit_image(noise(3, 1, 1)).shape == (3, 16, 16)


def test_a_long_strip_costs_no_memory():
    """Scaled whole, its shorter side to 224, it would have 224 x 11 million pixels."""
    fitted = prep_of("resize", 224).fit_image(torch.full((1, 1, 50_000), 9, dtype=torch.uint8))
    assert torch.equal(fitted, torch.full((1, 224, 224), 9, dtype=torch.uint8))


def test_grey_and_colour_are_exchanged_as_pillow_does():
    colour = noise(3, 300, 300)
    as_grey = prep_of("resize", 300).fit_image(colour)
    pillow = Image.fromarray(colour.permute(1, 2, 0).numpy()).convert("L")
    assert torch.equal(as_grey[0], torch.from_numpy(np.array(pillow)))
    grey = noise(1, 16, 16)
    assert torch.equal(prep_of("resize", 16, channels=3).fit_image(grey), grey.expand(3, -1, -1))


@given(
    n=st.integers(1, 5),
    c=st.sampled_from([1, 3]),
    h=st.integers(1, 50),
    w=st.integers(1, 50),
    data=st.data(),
    channels=st.sampled_from([1, 3]),
    side=st.integers(2, 40),
    fit=st.sampled_from(["pad", "resize"]),
)
@settings(max_examples=100, deadline=None)
def test_a_batch_is_fitted_as_its_images_are(n, c, h, w, channels, side, fit, data):
    prep = prep_of(fit, side, data.draw(st.integers(2, side)), channels)
    images = torch.stack([noise(c, h, w, seed) for seed in range(n)])
    fitted = prep.fit_images(images)
    assert fitted.dtype == torch.uint8
    assert fitted.shape == (n, channels, side, side)
    assert all(
        torch.equal(prep.fit_image(each), one) for each, one in zip(images, fitted, strict=True)
    )


def test_mean_and_deviation_are_those_of_the_definition():
    images = torch.stack([noise(3, 8, 8, seed) for seed in range(5)])
    mean, std = _mean_and_std([images], images.shape[1])
    values = images.double() / 255
    assert mean == pytest.approx(values.mean((0, 2, 3)).tolist(), abs=1e-12)
    assert std == pytest.approx(values.std((0, 2, 3), correction=0).tolist(), abs=1e-12)


def test_a_channel_that_never_varies_is_not_divided_by_nought():
    for level in range(256):  # for some of them the mean is not exact
        assert _mean_and_std([torch.full((7, 1, 7, 7), level, dtype=torch.uint8)], 1)[1] == (1.0,)


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_training_images_have_mean_0_and_deviation_1(noise_data, channels):
    data = noise_data(50, channels)
    prep = fit_preprocess(data, 12)
    x = prep.normalise(decoded(data.train, prep))
    assert x.dtype == torch.float32
    assert x.double().mean((0, 2, 3)).abs().max() < 1e-6
    assert (x.double().std((0, 2, 3), correction=0) - 1).abs().max() < 1e-6


def test_normalise_takes_floats_of_the_same_range_and_leaves_them_alone(noise_data):
    prep = fit_preprocess(noise_data(5), 10)
    images = noise_data(5).train.images
    floats = images.float()
    assert torch.equal(prep.normalise(floats), prep.normalise(images))
    assert torch.equal(floats, images.float())
    assert prep.normalise(torch.zeros(1, 1, 10, 10)).flatten()[0] == pytest.approx(
        -prep.mean[0] / prep.std[0]
    )


@pytest.mark.parametrize(
    ("h", "w", "side", "fit", "content"),
    [
        (28, 28, 32, "pad", 28),
        (28, 28, 28, "pad", 28),
        (28, 28, 37, "pad", 28),
        (28, 28, 38, "resize", 38),
        (28, 28, 27, "resize", 27),
        (10, 24, 32, "pad", 24),
        (8, 8, 32, "resize", 32),
    ],
)
def test_the_fit_is_chosen_by_the_set(noise_data, h, w, side, fit, content):
    prep = fit_preprocess(noise_data(6, 1, h, w), side)
    assert (prep.fit, prep.content, prep.side, prep.channels) == (fit, content, side, 1)


def test_one_large_image_makes_a_set_one_to_resize(make_folder):
    root = make_folder({"a": 6, "b": 6}, size=(28, 26))
    assert fit_preprocess(open_data(root), 32).fit == "pad"
    assert fit_preprocess(open_data(root), 32).content == 28
    for i in range(6):
        Image.new("RGB", (40, 20)).save(root / "a" / f"{i}.png")
    assert fit_preprocess(open_data(root), 32).fit == "resize"


@pytest.mark.parametrize("more", [{"large": 0}, {"shorter": 12}])
def test_a_sample_is_fitted_a_block_at_a_time(noise_data, monkeypatch, more):
    """The 2,000 at once took a gigabyte of 224 x 224 pixels."""
    data, most, fitted = noise_data(500, 3, 12, 12), [], ArraySplit.fitted
    monkeypatch.setattr(
        ArraySplit,
        "fitted",
        lambda split, chosen, *rest: most.append(len(chosen)) or fitted(split, chosen, *rest),
    )
    fit_preprocess(data, 12, **more)
    assert sum(most) == 500
    assert max(most) <= image_cache.BLOCK


def test_a_set_too_large_for_memory_is_sampled(noise_data, monkeypatch):
    data = noise_data(2600)
    with monkeypatch.context() as patch:
        patch.setattr(preprocess, "decoded", None)  # the whole set is not decoded
        sampled = fit_preprocess(data, 10, large=0)
    full = fit_preprocess(data, 10)
    assert sampled != full
    assert sampled.mean == pytest.approx(full.mean, abs=0.01)
    assert sampled == fit_preprocess(data, 10, large=0)


@pytest.mark.parametrize("side", [0, 1, -3, 4097])
def test_an_impossible_side(noise_data, side):
    with pytest.raises(DataError, match="choose a side from 2 to 4096"):
        fit_preprocess(noise_data(5), side)


def test_the_record_survives_json(noise_data):
    prep = fit_preprocess(noise_data(20, 3), 12)
    assert Preprocess.from_dict(json.loads(json.dumps(prep.to_dict()))) == prep


GOOD = {"channels": 1, "side": 32, "mean": [0.1], "std": [0.3], "fit": "pad", "content": 28}
HUGE = 10**5000
HOSTILE = {
    "channels": [0, 2, 4, 1.0, True, "1", None, [1], -1, HUGE],
    "side": [0, 1, -1, 4097, 32.0, "32", None, True, HUGE],
    "content": [0, 1, 33, -1, "28", None, 28.0],
    "fit": ["PAD", "", None, 1, ["pad"], {}],
    "mean": [
        [],
        [0.1, 0.1],
        0.1,
        "a",
        None,
        [float("nan")],
        [float("inf")],
        [-0.1],
        [1.1],
        ["0.1"],
        [None],
        [True],
        [HUGE],
        {"0": 0.1},
    ],
    "std": [[], [0.0], [-1], [float("nan")], [1e-300], [2], ["1"], [HUGE], None],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in HOSTILE.items() for value in values],
    ids=lambda value: repr(value) if value != HUGE and value != [HUGE] else "huge",
)
def test_impossible_records_are_refused(name, value):
    with pytest.raises(
        DataError, match=f"impossible {name}" if name not in ("channels", "side") else "impossible"
    ):
        Preprocess.from_dict(GOOD | {name: value})


@pytest.mark.parametrize("record", [None, [], "x", 3, {}, GOOD | {"more": 1}, {"channels": 1}])
def test_records_of_another_shape_are_refused(record):
    with pytest.raises(
        DataError, match="exactly the fields channels, side, mean, std, fit, content"
    ):
        Preprocess.from_dict(record)


def test_a_good_record_is_read():
    assert Preprocess.from_dict(GOOD) == Preprocess(1, 32, (0.1,), (0.3,), "pad", 28)
