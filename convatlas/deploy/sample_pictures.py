"""64 pictures for a proof where a network comes without pictures of its own: shaded grounds, shapes
with edges, and grain, of many sizes. The same on every machine.
"""

from collections.abc import Iterator

import numpy as np

# (how many, height, width): batches of 1, 3 and 8; smaller and larger than the fields of networks
BATCHES = (
    (1, 375, 500),
    (3, 500, 333),
    (8, 224, 224),
    (8, 32, 32),
    (8, 28, 28),
    (8, 256, 320),
    (8, 97, 61),
    (8, 300, 299),
    (8, 40, 120),
    (4, 480, 640),
)
COUNT = sum(count for count, _, _ in BATCHES)


def sample_batches() -> Iterator[np.ndarray]:
    """uint8 (N, H, W, 3), batch by batch."""
    number = 0
    for count, height, width in BATCHES:
        yield np.stack([picture(number + i, height, width) for i in range(count)])
        number += count


def picture(seed: int, height: int, width: int) -> np.ndarray:
    """A shaded ground, six ellipses and bars in front of it, grain over all."""
    random = np.random.Generator(np.random.PCG64(seed))
    y, x = np.mgrid[0:height, 0:width]
    y, x = y / height, x / width
    corners = random.uniform(0, 255, (4, 3))
    picture = sum(
        share[..., None] * corner
        for share, corner in zip(
            ((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x), corners, strict=True
        )
    )
    for _ in range(6):
        top, left, tall, wide = random.uniform((0, 0, 0.05, 0.05), (1, 1, 0.4, 0.4))
        colour = random.uniform(0, 255, 3)
        across, down = (x - left) / wide, (y - top) / tall
        round_ = random.random() < 0.5
        inside = across**2 + down**2 < 1 if round_ else np.maximum(abs(across), abs(down)) < 0.7
        picture[inside] = colour * (0.7 + 0.3 * np.sin(20 * across[inside]))[:, None]
    picture += random.normal(0, random.uniform(0, 12), picture.shape)
    return picture.clip(0, 255).astype(np.uint8)
