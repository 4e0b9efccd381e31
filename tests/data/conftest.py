"""Images and folders that the tests make for themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from noise import noise_folder, save_noise
from PIL import Image

from convatlas.data.packed.writing import pack
from convatlas.data.split import ArraySplit, Data


@pytest.fixture
def make_folder(tmp_path):
    """make_folder({"cat": 3, "dog": 4}, size=(12, 10), mode="L") -> a folder of noise, seeded by
    each file's number.
    """

    def make(
        counts: dict[str, int], size=(12, 10), mode="RGB", root: Path | None = None, start=0
    ) -> Path:
        return noise_folder(root or tmp_path / "set", counts, size, mode, start)

    return make


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder of 66 images of several kinds and sizes in three parts, and the same packed."""
    root = tmp_path_factory.mktemp("photos")
    number = 0
    for part, count in (("train", 14), ("val", 4), ("test", 4)):
        for name in ("cat", "dog", "fox"):
            (root / "f" / part / name).mkdir(parents=True)
            for i in range(count):
                place = root / "f" / part / name / f"{i}.png"
                save_noise(place, (12 + number % 5, 10 + number % 3), "RGB", number)
                if i % 3 == 1:
                    Image.open(place).save(place.with_suffix(".jpg"))
                    place.unlink()
                number += 1
    deep = np.random.default_rng(1).integers(0, 1023, (11, 13), dtype=np.uint16)
    Image.fromarray(deep).save(root / "f" / "train" / "cat" / "deep.png")
    Image.new("L", (30, 20), 90).save(root / "f" / "train" / "dog" / "grå.png")
    pack([root / "f"], root / "p", workers=1)
    return root


@pytest.fixture
def noise_data():
    """noise_data(n, channels, h, w): n training images in memory, three classes; val and test are
    the first few.
    """

    def make(n: int, channels: int = 1, h: int = 10, w: int = 10) -> Data:
        images = torch.from_numpy(
            np.random.default_rng(7).integers(0, 256, (n, channels, h, w), dtype=np.uint8)
        )
        train = ArraySplit(images, torch.arange(n) % 3, [f"train/{i}" for i in range(n)])
        few = train.subset(np.arange(min(n, 5)))
        return Data("noise", ("a", "b", "c"), channels, train, few, few, "0" * 64)

    return make


@pytest.fixture
def global_generators():
    """The state of every global generator, to be compared before and after."""
    import random

    def state():
        numpy_state = np.random.get_state()  # the legacy generator is the global one
        return (
            random.getstate(),
            numpy_state[1].tobytes(),
            numpy_state[2],
            torch.get_rng_state().numpy().tobytes(),
        )

    return state
