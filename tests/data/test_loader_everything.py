"""All augmentations at once: the same bits for any number of workers, in memory or not, and from
any step.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data import Augment, Loader, Preprocess, fit_preprocess, open_data, read_image
from convatlas.data.split import FileSplit
from convatlas.errors import DataError

EVERYTHING = {
    "pad": 2,
    "flip": True,
    "shift": 1,
    "rotate": 10,
    "scale": 0.1,
    "squeeze": 0.1,
    "shear": 0.1,
    "color_jitter": 0.4,
    "lighting": 0.1,
    "random_erasing": 0.5,
    "mixup": 0.2,
    "cutmix": 1.0,
    "sizes": (24, 32, 40),
}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """JPEGs of many sizes, some larger than four times the crop, so that they are decoded at a
    half.
    """
    root = tmp_path_factory.mktemp("photographs")
    dice = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (root / name).mkdir()
        for i in range(9):
            size = tuple(int(n) for n in dice.integers(40, 400, 2))
            coarse = Image.fromarray(dice.integers(0, 256, (9, 9, 3), dtype=np.uint8))
            coarse.resize(size, Image.Resampling.BICUBIC).save(root / name / f"{i}.jpg", quality=90)
    return root


def same(one, other) -> bool:
    one, other = list(one), list(other)
    return len(one) == len(other) and all(
        torch.equal(a, b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


@pytest.mark.parametrize(
    ("crop", "policy"),
    [
        ("random-resized", "randaugment"),
        ("random", "autoaugment"),
        ("center", "trivialaugment"),
        ("fit", "autoaugment-cifar"),
    ],
)
def test_the_same_bits_for_any_number_of_workers_and_from_any_step(photographs, crop, policy):
    data = open_data(photographs)
    augment = Augment(crop=crop, auto_augment=policy, resize=(36, 48), **EVERYTHING)
    prep = fit_preprocess(data, 32, shorter=augment.shorter_side(32))
    memory = Loader(data.train, prep, 3, seed=5, augment=augment, classes=3)
    whole = list(memory.epoch(2))
    assert len({x.shape[-1] for x, _, _ in whole}) > 1
    assert not same(memory.epoch(1), whole)
    for workers in (0, 1, 2):
        stream = Loader(
            data.train, prep, 3, seed=5, augment=augment, classes=3, workers=workers, memory_limit=0
        )
        assert (stream.images, stream.sources) == (None, None)
        start = (0, 2, len(whole) - 1)[workers]
        assert same(stream.epoch(2, start), whole[start:])


@pytest.mark.parametrize("crop", ["fit", "random-resized"])
def test_a_image_depends_on_seed_epoch_and_index_alone(photographs, crop):
    """In batches of 2 and of 6 (no mixing, no sizes: those belong to a batch)."""
    data = open_data(photographs)
    alone = EVERYTHING | {"mixup": 0.0, "cutmix": 0.0, "sizes": ()}
    augment = Augment(crop=crop, auto_augment="randaugment", **alone)
    prep = fit_preprocess(data, 32, shorter=augment.shorter_side(32))

    def by_index(batch_size, seed=0, epoch=0):
        loader = Loader(data.train, prep, batch_size, seed, augment)
        return {
            i: row
            for x, _, indices in loader.epoch(epoch)
            for i, row in zip(indices.tolist(), x, strict=True)
        }

    base = by_index(2)
    assert all(torch.equal(base[i], row) for i, row in by_index(6).items())
    for other in (by_index(2, seed=1), by_index(2, epoch=1)):
        assert not any(torch.equal(base[i], row) for i, row in other.items() if i in base)


@pytest.mark.parametrize(
    "name", ["color_jitter", "lighting", "random_erasing", "auto_augment", "flip"]
)
def test_turning_one_off_leaves_the_boxes_as_they_were(photographs, name):
    full = Augment(
        crop="random-resized",
        auto_augment="randaugment",
        flip=True,
        color_jitter=0.4,
        lighting=0.1,
        random_erasing=0.5,
    )
    less = Augment(**{**vars(full), name: {"auto_augment": "", "flip": False}.get(name, 0.0)})
    from convatlas.data.augment import COLUMNS
    from convatlas.data.keyed_random import draws

    for row in draws(0, 0, range(20), len(COLUMNS)):
        assert full.box(100, 80, 32, row) == less.box(100, 80, 32, row)


def test_a_crop_is_the_box_of_the_image(photographs):
    """Nothing but a crop: torchvision's kernel on the file as it is, for files that are not
    reduced.
    """
    from torchvision.transforms.v2.functional import resized_crop

    from convatlas.data.augment import COLUMNS
    from convatlas.data.keyed_random import draws

    data = open_data(photographs)
    augment = Augment(crop="random-resized")
    loader = Loader(
        data.train,
        Preprocess(3, 96, (0.0,) * 3, (1.0,) * 3, "resize", 110),
        4,
        seed=1,
        augment=augment,
    )
    for x, _, indices in loader.epoch(3):
        for i, row in zip(indices.tolist(), x, strict=True):
            image = data.train.read(i)
            box = augment.box(*image.shape[1:], 96, draws(1, 3, [i], len(COLUMNS))[0])
            expected = resized_crop(image, *box, [96, 96], antialias=True).float() / 255
            assert (row - expected).abs().max() < 1e-6


def test_evaluation_takes_the_middle_as_torchvision_does(photographs):
    """To one grey level: where the processor lacks AVX2, theirs goes by way of floats."""
    from torchvision.transforms.v2 import functional as kernels

    prep = Preprocess(3, 56, (0.0,) * 3, (1.0,) * 3, "resize", 64)
    data = open_data(photographs)
    for i in range(len(data.train)):
        image = data.train.read(i)
        if max(image.shape[1:]) <= 4 * min(image.shape[1:]):
            expected = kernels.center_crop(kernels.resize(image, [64], antialias=True), [56, 56])
            assert (prep.fit_image(image).int() - expected.int()).abs().max() <= 1
    assert prep.fit_image(torch.full((1, 1, 50_000), 9, dtype=torch.uint8)).unique().tolist() == [9]
    assert Preprocess.from_dict(prep.to_dict()) == prep


def test_a_large_jpeg_is_read_smaller_and_nothing_else_is(tmp_path):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    image = image.resize((912, 600), Image.Resampling.BICUBIC)
    image.save(tmp_path / "a.jpg", quality=95)
    image.save(tmp_path / "a.png")
    for at_least, height in (
        (0, 600),
        (601, 600),
        (301, 600),
        (300, 300),
        (150, 150),
        (75, 75),
        (10, 75),
    ):
        assert read_image(tmp_path / "a.jpg", at_least).shape == (3, height, height * 912 // 600)
    assert read_image(tmp_path / "a.png", 75).shape == (3, 600, 912)
    half = read_image(tmp_path / "a.jpg", 300).float()
    exact = torch.nn.functional.interpolate(
        read_image(tmp_path / "a.jpg").float()[None], (300, 456), mode="area"
    )[0]
    assert (half - exact).abs().mean() < 1


def test_sources_too_large_are_streamed_and_broken_ones_are_named(
    photographs, tmp_path, monkeypatch
):
    import shutil

    root = tmp_path / "copy"
    shutil.copytree(photographs, root)
    data = open_data(root)
    prep, augment = (
        Preprocess(3, 32, (0.0,) * 3, (1.0,) * 3, "resize", 36),
        Augment(crop="random-resized"),
    )
    assert Loader(data.train, prep, 4, augment=augment, memory_limit=10_000).sources is None
    assert len(Loader(data.train, prep, 4, augment=augment).sources) == len(data.train)
    monkeypatch.setattr(FileSplit, "read", None)  # from here on nothing can be read
    assert len(Loader(data.train, prep, 2, augment=augment).sources) == len(data.train)
    monkeypatch.undo()
    data = open_data(root)
    broken = data.train.names[:3]
    for name in broken:
        (root / name).write_bytes(b"")
    for workers in (0, 2):
        with pytest.raises(DataError, match="3 images cannot be used") as caught:
            Loader(data.train, prep, 4, augment=augment, workers=workers)
        assert all(name in str(caught.value) for name in broken)


def test_wishes_that_the_data_cannot_meet(noise_data):
    split = noise_data(6).train
    prep = Preprocess(1, 10, (0.0,), (1.0,), "pad", 10)
    with pytest.raises(DataError, match="lighting needs colour images"):
        Loader(split, prep, 2, augment=Augment(lighting=0.1))
    with pytest.raises(DataError, match=r"resize = 8 is smaller than the 10 pixels"):
        Loader(split, prep, 2, augment=Augment(crop="random", resize=(8,)))
    with pytest.raises(
        DataError, match=r"a shorter side of 8 pixels cannot give crops of 10; choose one from 10"
    ):
        fit_preprocess(noise_data(6), 10, shorter=8)


def test_erasing_covers_with_the_mean_colour(noise_data):
    split = noise_data(64, 3, 16, 16).train
    prep = Preprocess(3, 16, (0.2, 0.4, 0.6), (0.5,) * 3, "pad", 16)
    plain = {
        i: x
        for xs, _, ii in Loader(split, prep, 8).epoch(0)
        for i, x in zip(ii.tolist(), xs, strict=True)
    }
    covered = 0
    for xs, _, ii in Loader(split, prep, 8, augment=Augment(random_erasing=0.5)).epoch(0):
        for i, x in zip(ii.tolist(), xs, strict=True):
            changed = (x != plain[i]).any(0)
            assert (x[:, changed] == 0).all()
            covered += bool(changed.any())
    assert 20 <= covered <= 44
