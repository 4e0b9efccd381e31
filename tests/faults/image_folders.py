"""Folders of images that tests of bad data begin with."""

from pathlib import Path

import numpy as np
from PIL import Image


def image(seed: int, size=(24, 20)) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    )


def folder_of(root: Path, each: int, classes: str = "ab", endings=("png",)) -> Path:
    for c, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            image(1000 * c + i).save(root / name / f"{i}.{endings[i % len(endings)]}")
    return root
