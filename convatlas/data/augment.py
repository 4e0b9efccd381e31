"""Distortions that keep an image's class, each a function of the numbers drawn for that image."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from convatlas.augmentation import Augmentation
from convatlas.data import mixing
from convatlas.data.colours import jittered, pca_noise
from convatlas.data.policies import DRAWS, POLICIES
from convatlas.data.rectangles import TRIES, Box, erased_box, inception_crop, scaled_crop
from convatlas.errors import DataError

# One number for each, drawn whether it is used or not: turning one distortion on leaves the others
# as they were.
AFFINE = ("pad_y", "pad_x", "flip", "shift_y", "shift_x", "rotate", "scale", "squeeze", "shear")
COLUMNS = (
    *AFFINE,
    "crop_resize",
    "crop_y",
    "crop_x",
    *(f"crop_area{i}" for i in range(TRIES)),
    *(f"crop_ratio{i}" for i in range(TRIES)),
    "lighting_1",
    "lighting_2",
    "lighting_3",
    "brightness",
    "contrast",
    "saturation",
    "order",
    *(f"policy_{i}" for i in range(DRAWS)),
    "erase",
    "erase_y",
    "erase_x",
    *(f"erase_area{i}" for i in range(TRIES)),
    *(f"erase_ratio{i}" for i in range(TRIES)),
)
MARGIN = 256 / 224  # of the shorter side over the crop, where a recipe does not say
SHARP = 2  # a source has at least this many times the crop's side, if the file has it


@dataclass(frozen=True)
class Augment(Augmentation):
    """The settings of Augmentation, and what they do. DataError if one is not allowed.

    First an image is cut: "fit" and "center" as evaluation does it, "random" a square of its
    shorter side brought to `resize`, "random-resized" any part of it. Then, in this order: pad and
    flip, the affine maps, a policy, colours, PCA noise; and on standardised images erasing and
    mixing.

    pad and flip are the CIFAR recipe of He et al. 2016 (Sec. 4.2): black borders, a random crop,
    mirrored or not. The others are the planar affine maps of LeCun et al. 1998 (Sec. III.B), done
    together in one bilinear sampling; what comes in from outside is black.
    """

    refusal: ClassVar = DataError

    @property
    def cuts(self) -> bool:
        """Whether each use of an image needs the whole of it."""
        return self.crop in ("random", "random-resized")

    @property
    def mixes(self) -> bool:
        """Whether labels become shares of classes."""
        return bool(self.mixup or self.cutmix)

    def shorter_side(self, side: int) -> int | None:
        """To what evaluation brings the shorter side before it takes the middle; None where crop is
        "fit".
        """
        return None if self.crop == "fit" else max(side, self._resize(side)[0])

    def source_side(self, side: int) -> int:
        """What the shorter side of a decoded image must have, if its file has it, for crops of
        `side` to be sharp.
        """
        return (
            max(self._resize(side)) if self.crop == "random" else SHARP * max((side, *self.sizes))
        )

    def side(self, side: int, u: float) -> int:
        """The side of a step's images."""
        return self.sizes[int(u * len(self.sizes))] if self.sizes else side

    def box(self, h: int, w: int, side: int, draws: np.ndarray) -> Box:
        """What is cut out of an image of h x w pixels, for its row of draws."""
        u = dict(zip(COLUMNS, draws.tolist(), strict=True))
        if self.crop == "random":
            return scaled_crop(h, w, u, self._resize(side), side)
        return inception_crop(h, w, u, self.crop_scale, self.crop_ratio)

    def _resize(self, side: int) -> tuple[int, ...]:
        return self.resize or (round(MARGIN * side),)

    @property
    def affine(self) -> bool:
        """Whether images have to be sampled between pixels."""
        return any((self.shift, self.rotate, self.scale, self.squeeze, self.shear))

    def apply(self, images: Tensor, draws: np.ndarray) -> Tensor:
        """uint8 (N, C, S, S) and uniform draws (N, len(COLUMNS)), a row for each image -> the same
        shape, 0..255.

        uint8 where pixels only move or change places, else float32, which PCA noise may take a
        little beyond 0..255. An image's result depends on its own row alone.
        """
        u = dict(zip(COLUMNS, draws.T, strict=True))
        if self.pad or self.flip:
            images = self._moved(images, u)
        if self.affine:
            grid = _grid(self._inverse_maps(u), images.shape[-1])
            images = grid_sample(
                images.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False
            )
        if self.auto_augment or self.color_jitter:
            images = self._recoloured(images, u)
        if self.lighting:
            images = pca_noise(
                images, _columns(u, "lighting_1", "lighting_2", "lighting_3"), self.lighting
            )
        return images

    def erase(self, x: Tensor, draws: np.ndarray) -> Tensor:
        """Standardised images, some of them with a box of the mean colour."""
        if not self.random_erasing:
            return x
        for image, row in zip(x, draws.tolist(), strict=True):
            u = dict(zip(COLUMNS, row, strict=True))
            if box := erased_box(x.shape[-1], u, self.random_erasing):
                top, left, height, width = box
                image[:, top : top + height, left : left + width] = 0
        return x

    def mix(self, x: Tensor, y: Tensor, classes: int, draws: np.ndarray) -> tuple[Tensor, Tensor]:
        """The batch with neighbours mixed, if asked for; `draws` are a step's, (4,)."""
        return mixing.mixed(x, y, classes, draws, self.mixup, self.cutmix) if self.mixes else (x, y)

    def _recoloured(self, images: Tensor, u: dict[str, np.ndarray]) -> Tensor:
        """Policy and jitter, one image after the other: their kernels work on whole numbers."""
        policy = POLICIES.get(self.auto_augment, lambda image, draws: image)
        draws = _columns(u, *(f"policy_{i}" for i in range(DRAWS)))
        changes = _columns(u, "brightness", "contrast", "saturation", "order")
        eight_bits = (
            images if images.dtype == torch.uint8 else images.round().clamp_(0, 255).to(torch.uint8)
        )
        done = []
        for image, draw, change in zip(eight_bits, draws, changes, strict=True):
            image = policy(image, draw)
            done.append(jittered(image, change, self.color_jitter) if self.color_jitter else image)
        return torch.stack(done) if done else eight_bits

    def _moved(self, images: Tensor, u: dict[str, np.ndarray]) -> Tensor:
        """A slice for each image: as fast as one gather over the batch at 32 pixels, with an eighth
        of its memory.
        """
        side = images.shape[-1]
        padded = pad(images, [self.pad] * 4).numpy()
        moved = np.empty(images.shape, np.uint8)
        tops, lefts = (
            (u[way] * (2 * self.pad + 1)).astype(int).tolist() for way in ("pad_y", "pad_x")
        )
        mirrored = ((u["flip"] < 0.5) & self.flip).tolist()
        for new, old, top, left, mirror in zip(moved, padded, tops, lefts, mirrored, strict=True):
            crop = old[:, top : top + side, left : left + side]
            new[:] = crop[:, :, ::-1] if mirror else crop
        return torch.from_numpy(moved)

    def _inverse_maps(self, u: dict[str, np.ndarray]) -> Tensor:
        """float32 (N, 2, 3): from a pixel of the new image, counted from the middle, to where it
        comes from (x, y).

        From the old image to the new, squeeze comes first, then shear, rotation, size, and shift
        last.
        """
        within = {name: 2 * u[name] - 1 for name in COLUMNS}
        angle = (within["rotate"] * math.radians(self.rotate)).tolist()
        cos, sin = np.array([math.cos(a) for a in angle]), np.array([math.sin(a) for a in angle])
        size, squeeze = 1 + within["scale"] * self.scale, 1 + within["squeeze"] * self.squeeze
        shear, dx, dy = (
            within["shear"] * self.shear,
            within["shift_x"] * self.shift,
            within["shift_y"] * self.shift,
        )
        turned = np.array([[cos, sin], [-sin, cos]]) / size
        straight = np.array([(turned[0] - shear * turned[1]) / squeeze, turned[1] * squeeze])
        origin = -straight[:, 0] * dx - straight[:, 1] * dy
        return torch.from_numpy(
            np.stack([*straight.transpose(1, 0, 2), origin]).transpose(2, 1, 0).astype(np.float32)
        )


def _grid(maps: Tensor, side: int) -> Tensor:
    """(N, 2, 3) -> (N, S, S, 2) for grid_sample. Not affine_grid: its matrix product may round by
    the batch's size.
    """
    steps = torch.arange(side) - (side - 1) / 2
    xs, ys = steps.view(1, 1, side, 1), steps.view(1, side, 1, 1)
    by_x, by_y, origin = maps[:, None, None].unbind(-1)
    return (by_x * xs + by_y * ys + origin) * (2 / side)


def _columns(u: dict[str, np.ndarray], *names: str) -> np.ndarray:
    return np.stack([u[name] for name in names], axis=1)
