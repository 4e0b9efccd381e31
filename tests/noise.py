"""Images of noise, the same for the same seed."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_noise(path: Path, size, mode: str, seed: int) -> None:
    channels = {"L": (), "RGB": (3,)}[mode]
    pixels = np.random.default_rng(seed).integers(
        0, 256, (size[1], size[0], *channels), dtype=np.uint8
    )
    Image.fromarray(pixels).save(path)
