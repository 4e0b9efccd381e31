"""RandAugment, AutoAugment and TrivialAugment: which operations an image meets, as a function of
its draws.

The operations are torchvision's kernels on uint8 images; as there, the nearest pixel is taken and
what is uncovered becomes black.
"""

import math

import numpy as np
import torch
from torch import Tensor

DRAWS = 6  # numbers that a policy may use for one image
WIDE = {
    "shear": 0.99,
    "translate": 32.0,
    "rotate": 135.0,
    "enhance": 0.99,
    "bits": 6,
}  # TrivialAugment's
USUAL = {"shear": 0.3, "translate": None, "rotate": 30.0, "enhance": 0.9, "bits": 4}  # the others'
SHARE = 150 / 331  # of the side, that "translate" may reach: AutoAugment moved 331-pixel images
SIGNED = {
    "ShearX": "shear",
    "ShearY": "shear",
    "TranslateX": "translate",
    "TranslateY": "translate",
    "Rotate": "rotate",
    "Brightness": "enhance",
    "Color": "enhance",
    "Contrast": "enhance",
    "Sharpness": "enhance",
}
OPERATIONS = ("Identity", *SIGNED, "Posterize", "Solarize", "AutoContrast", "Equalize")
RAND_OPERATIONS, RAND_MAGNITUDE = 2, 9  # N and M of RandAugment; M out of 30

# Sub-policies as printed by Cubuk et al. 2019: (operation, probability in tenths, magnitude out of
# 9), twice; 0 where an operation knows no magnitude.
IMAGENET = """
Posterize 4 8 Rotate 6 9, Solarize 6 5 AutoContrast 6 0, Equalize 8 0 Equalize 6 0, Posterize 6 7
Posterize 6 6, Equalize 4 0 Solarize 2 4, Equalize 4 0 Rotate 8 8, Solarize 6 3 Equalize 6 0,
Posterize 8 5 Equalize 10 0, Rotate 2 3 Solarize 6 8, Equalize 6 0 Posterize 4 6, Rotate 8 8 Color
4 0, Rotate 4 9 Equalize 6 0, Equalize 0 0 Equalize 8 0, Invert 6 0 Equalize 10 0, Color 6 4
Contrast 10 8, Rotate 8 8 Color 10 2, Color 8 8 Solarize 8 7, Sharpness 4 7 Invert 6 0, ShearX 6 5
Equalize 10 0, Color 4 0 Equalize 6 0, Equalize 4 0 Solarize 2 4, Solarize 6 5 AutoContrast 6 0,
Invert 6 0 Equalize 10 0, Color 6 4 Contrast 10 8, Equalize 8 0 Equalize 6 0"""
CIFAR = """
Invert 1 0 Contrast 2 6, Rotate 7 2 TranslateX 3 9, Sharpness 8 1 Sharpness 9 3, ShearY 5 8
TranslateY 7 9, AutoContrast 5 0 Equalize 9 0, ShearY 2 7 Posterize 3 7, Color 4 3 Brightness 6 7,
Sharpness 3 9 Brightness 7 9, Equalize 6 0 Equalize 5 0, Contrast 6 7 Sharpness 6 5, Color 7 7
TranslateX 5 8, Equalize 3 0 AutoContrast 4 0, TranslateY 4 3 Sharpness 2 6, Brightness 9 6 Color
2 8, Solarize 5 2 Invert 0 0, Equalize 2 0 AutoContrast 6 0, Equalize 2 0 Equalize 6 0, Color 9 9
Equalize 6 0, AutoContrast 8 0 Solarize 2 8, Brightness 1 3 Color 7 0, Solarize 4 5 AutoContrast 9
0, TranslateY 9 9 TranslateY 7 9, AutoContrast 9 0 Solarize 8 3, Equalize 8 0 Invert 1 0,
TranslateY 7 9 AutoContrast 9 0"""


def sub_policies(table: str) -> list[list[tuple[str, float, int]]]:
    """[[(operation, probability, magnitude), (...)], ...] of one of the tables above."""
    rows = [row.split() for row in table.split(",")]
    return [
        [(name, int(tenths) / 10, int(magnitude)) for name, tenths, magnitude in (row[:3], row[3:])]
        for row in rows
    ]


def randaugment(image: Tensor, u: np.ndarray) -> Tensor:
    """uint8 (C, H, W) and 6 uniform draws -> the same shape: two operations of 14, magnitude 9 of
    30.
    """
    for which, sign in u[: 2 * RAND_OPERATIONS].reshape(-1, 2):
        image = applied(image, _pick(OPERATIONS, which), RAND_MAGNITUDE, 31, sign, USUAL)
    return image


def trivialaugment(image: Tensor, u: np.ndarray) -> Tensor:
    """One operation, of any strength."""
    return applied(image, _pick(OPERATIONS, u[0]), int(u[1] * 31), 31, u[2], WIDE)


def autoaugment(image: Tensor, u: np.ndarray, table: str = IMAGENET) -> Tensor:
    """One sub-policy of 25: two operations, each with its probability and magnitude."""
    steps = _pick(sub_policies(table), u[0])
    for (name, probability, magnitude), (chance, sign) in zip(
        steps, u[1:5].reshape(2, 2), strict=True
    ):
        if chance < probability:
            image = applied(image, name, magnitude, 10, sign, USUAL)
    return image


def autoaugment_cifar(image: Tensor, u: np.ndarray) -> Tensor:
    """The same with the sub-policies found on CIFAR-10."""
    return autoaugment(image, u, CIFAR)


POLICIES = {
    "randaugment": randaugment,
    "autoaugment": autoaugment,
    "autoaugment-cifar": autoaugment_cifar,
    "trivialaugment": trivialaugment,
}


def applied(image: Tensor, name: str, level: int, levels: int, sign: float, reach: dict) -> Tensor:
    """One operation at `level` of 0..levels-1; a sign below one half turns, moves or darkens the
    other way.
    """
    from torchvision.transforms.v2 import functional as kernels

    if name in SIGNED:
        side = image.shape[2 if name == "TranslateX" else 1]
        top = SHARE * side if reach[SIGNED[name]] is None else reach[SIGNED[name]]
        return _signed(image, name, _level(top, level, levels) * (1 if sign >= 0.5 else -1))
    if name == "Posterize":
        return kernels.posterize(image, 8 - round(level / ((levels - 1) / reach["bits"])))
    if name == "Solarize":
        return kernels.solarize(image, 255 * float(torch.linspace(1, 0, levels)[level]))
    plain = {
        "Identity": lambda same: same,
        "AutoContrast": kernels.autocontrast,
        "Equalize": kernels.equalize,
        "Invert": kernels.invert,
    }
    return plain[name](image)


def _signed(image: Tensor, name: str, amount: float) -> Tensor:
    from torchvision.transforms.v2 import functional as kernels

    still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    slant = math.degrees(math.atan(amount))
    moves = {
        "ShearX": {"shear": [slant, 0.0], "center": [0, 0]},
        "ShearY": {"shear": [0.0, slant], "center": [0, 0]},
        "TranslateX": {"translate": [int(amount), 0]},
        "TranslateY": {"translate": [0, int(amount)]},
    }
    if name in moves:
        return kernels.affine(image, **still | moves[name])
    if name == "Rotate":
        return kernels.rotate(image, amount)
    enhance = {
        "Brightness": kernels.adjust_brightness,
        "Color": kernels.adjust_saturation,
        "Contrast": kernels.adjust_contrast,
        "Sharpness": kernels.adjust_sharpness,
    }
    return enhance[name](image, 1 + amount)


def _level(top: float, level: int, levels: int) -> float:
    return float(torch.linspace(0, top, levels)[level])


def _pick(things, u: float):
    return things[int(u * len(things))]
