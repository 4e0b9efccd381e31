"""Boxes drawn by lot: which part of an image is cut out, and which part is covered."""

import math

import numpy as np

TRIES = 10  # as in the Inception code that everyone follows
ERASED_AREA, ERASED_RATIO = (0.02, 0.33), (0.3, 3.3)  # torchvision's defaults for Zhong et al. 2017

Box = tuple[int, int, int, int]  # top, left, height, width, in pixels


def inception_crop(
    h: int, w: int, u: dict[str, float], area: tuple[float, float], ratio: tuple[float, float]
) -> Box:
    """A box whose share of the area is uniform in `area` and whose width / height is log-uniform in
    `ratio`.

    The first of ten drawn shapes that fits lies anywhere; if none does, the largest central box of
    a legal ratio is taken. `u` has crop_area0..9, crop_ratio0..9, crop_y and crop_x. Szegedy et al.
    2014, Sec. 6.
    """
    for attempt in range(TRIES):
        height, width = _shape(
            h * w, u[f"crop_area{attempt}"], u[f"crop_ratio{attempt}"], area, ratio
        )
        if 0 < height <= h and 0 < width <= w:
            return _placed(h, w, height, width, u["crop_y"], u["crop_x"])
    height, width = h, w
    if w / h > ratio[1]:
        width = max(1, round(h * ratio[1]))
    elif w / h < ratio[0]:
        height = max(1, round(w / ratio[0]))
    return (h - height) // 2, (w - width) // 2, height, width


def scaled_crop(h: int, w: int, u: dict[str, float], shorter: tuple[int, ...], side: int) -> Box:
    """What a random `side` x `side` crop covers once the image's shorter side has been brought to
    `shorter` pixels.

    With two values the shorter side is any whole number between them: the scale jitter of VGG and
    ResNet.
    """
    low, high = shorter[0], shorter[-1]
    scaled = low + int(u["crop_resize"] * (high - low + 1))
    length = max(1, min(round(min(h, w) * side / scaled), h, w))
    return _placed(h, w, length, length, u["crop_y"], u["crop_x"])


def erased_box(side: int, u: dict[str, float], probability: float) -> Box | None:
    """The box that random erasing covers in a square image, if any."""
    if u["erase"] >= probability:
        return None
    for attempt in range(TRIES):
        height, width = _shape(
            side * side,
            u[f"erase_area{attempt}"],
            u[f"erase_ratio{attempt}"],
            ERASED_AREA,
            ERASED_RATIO,
        )
        if 0 < height < side and 0 < width < side:
            return _placed(side, side, height, width, u["erase_y"], u["erase_x"])
    return None


def cutmix_box(side: int, share: float, u_y: float, u_x: float) -> Box:
    """A box with `share` of a square image's area around any pixel, cut off at the borders (Yun et
    al. 2019).
    """
    half = side * math.sqrt(share) / 2
    y, x = int(u_y * side), int(u_x * side)
    top, left = max(0, round(y - half)), max(0, round(x - half))
    return top, left, min(side, round(y + half)) - top, min(side, round(x + half)) - left


def _shape(pixels: int, u_area: float, u_ratio: float, area, ratio) -> tuple[int, int]:
    size = pixels * (area[0] + u_area * (area[1] - area[0]))
    low, high = np.log(ratio)
    shape = math.exp(low + u_ratio * (high - low))
    return round(math.sqrt(size / shape)), round(math.sqrt(size * shape))


def _placed(h: int, w: int, height: int, width: int, u_y: float, u_x: float) -> Box:
    return int(u_y * (h - height + 1)), int(u_x * (w - width + 1)), height, width
