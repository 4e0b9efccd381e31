"""Images and folders that the tests make for themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from noise import save_noise

from convatlas.data.split import ArraySplit, Data


@pytest.fixture
def make_folder(tmp_path):
    """make_folder({"cat": 3, "dog": 4}, size=(12, 10), mode="L") -> a folder of noise, seeded by
    each file's number.
    """

    def make(
        counts: dict[str, int], size=(12, 10), mode="RGB", root: Path | None = None, start=0
    ) -> Path:
        root = root or tmp_path / "set"
        number = start
        for name, count in counts.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            for i in range(count):
                save_noise(root / name / f"{i}.png", size, mode, number)
                number += 1
        return root

    return make


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
