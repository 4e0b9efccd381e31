"""Images for measurements: made here, from a seed, as files that take as long to decode as
photographs.
"""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 4


def photographs(root: Path, count: int, width: int = 500, height: int = 375) -> Path:
    """A folder of class folders with JPEG files of smooth shapes and grain, about as large as
    photographs are.
    """
    dice = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / 50
    for i in range(count):
        waves = [np.sin(a * x + b * y + c) for a, b, c in dice.uniform(0.2, 3, (3, 3))]
        pixels = 128 + 70 * np.stack(waves, 2) + dice.normal(0, 12, (height, width, 3))
        folder = root / f"class{i % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.jpg", quality=90)
    return root


def small(root: Path, count: int, side: int = 32) -> Path:
    """The same as PNG files of `side` x `side` pixels."""
    dice = np.random.default_rng(0)
    for i in range(count):
        pixels = (
            dice.integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
            .repeat(4, 0)
            .repeat(4, 1)
        )
        folder = root / f"class{i % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return root
