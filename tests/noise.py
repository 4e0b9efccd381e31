"""Images of noise, the same for the same seed, and folders of them."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_noise(path: Path, size, mode: str, seed: int) -> None:
    channels = {"L": (), "RGB": (3,)}[mode]
    pixels = np.random.default_rng(seed).integers(
        0, 256, (size[1], size[0], *channels), dtype=np.uint8
    )
    Image.fromarray(pixels).save(path)


def noise_folder(
    root: Path, counts: dict[str, int], size=(16, 16), mode: str = "L", start: int = 0
) -> Path:
    """So many images in each of these folders, seeded by their number from `start` on."""
    number = start
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            save_noise(root / name / f"{i}.png", size, mode, number)
            number += 1
    return root
