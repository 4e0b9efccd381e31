"""Distortions that keep a picture's class, each a function of the numbers drawn for that picture."""
import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from convatlas.data.errors import DataError

# One number for each, drawn whether it is used or not: turning one distortion on leaves the others as they were.
COLUMNS = ("pad_y", "pad_x", "flip", "shift_y", "shift_x", "rotate", "scale", "squeeze", "shear")


@dataclass(frozen=True)
class Augment:
    """How far training pictures may be distorted; every amount is uniform within its bound, 0 means not at all.

    pad and flip are the CIFAR recipe of He et al. 2016 (Sec. 4.2): black borders, a random crop, mirrored or not. The
    others are the planar affine maps of LeCun et al. 1998 (Sec. III.B), done together in one bilinear sampling; what
    comes in from outside is black.
    """
    pad: int = 0                # pixels: moved by a whole number of pixels in [-pad, pad], each way
    flip: bool = False          # left and right, for every second picture
    shift: float = 0.0          # pixels, sub-pixel, each way
    rotate: float = 0.0         # degrees, either way
    scale: float = 0.0          # 0.1: larger or smaller by up to a tenth
    squeeze: float = 0.0        # 0.1: wider and as much lower, or the reverse, by up to a tenth
    shear: float = 0.0          # 0.1: horizontally, by up to a tenth of the distance from the middle row

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, int | float) and math.isfinite(value) and value >= 0
            whole = field.name != "pad" or isinstance(value, int)
            share = field.name not in ("scale", "squeeze") or (number and value < 1)
            if not (number and whole and share):
                raise DataError(f"augmentation cannot use {field.name} = {value!r}; give {_legal(field.name)}")

    @property
    def affine(self) -> bool:
        """Whether pictures have to be sampled between pixels."""
        return any((self.shift, self.rotate, self.scale, self.squeeze, self.shear))

    def apply(self, pictures: Tensor, draws: np.ndarray) -> Tensor:
        """uint8 (N, C, S, S) and uniform draws (N, 9), a row for each picture -> the same shape, values 0..255.

        uint8 where pixels only move, else float32. A picture's result depends on its own row alone.
        """
        u = dict(zip(COLUMNS, draws.T, strict=True))
        if self.pad or self.flip:
            pictures = self._moved(pictures, u)
        if self.affine:
            grid = _grid(self._inverse_maps(u), pictures.shape[-1])
            pictures = grid_sample(pictures.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        return pictures

    def _moved(self, pictures: Tensor, u: dict[str, np.ndarray]) -> Tensor:
        """A slice for each picture: as fast as one gather over the batch at 32 pixels, with an eighth of its memory."""
        side = pictures.shape[-1]
        padded = pad(pictures, [self.pad] * 4).numpy()
        moved = np.empty(pictures.shape, np.uint8)
        tops, lefts = ((u[way] * (2 * self.pad + 1)).astype(int).tolist() for way in ("pad_y", "pad_x"))
        mirrored = ((u["flip"] < 0.5) & self.flip).tolist()
        for new, old, top, left, mirror in zip(moved, padded, tops, lefts, mirrored, strict=True):
            crop = old[:, top:top + side, left:left + side]
            new[:] = crop[:, :, ::-1] if mirror else crop
        return torch.from_numpy(moved)

    def _inverse_maps(self, u: dict[str, np.ndarray]) -> Tensor:
        """float32 (N, 2, 3): from a pixel of the new picture, counted from the middle, to where it comes from (x, y).

        From the old picture to the new, squeeze comes first, then shear, rotation, size, and shift last.
        """
        within = {name: 2 * u[name] - 1 for name in COLUMNS}
        angle = (within["rotate"] * math.radians(self.rotate)).tolist()
        cos, sin = np.array([math.cos(a) for a in angle]), np.array([math.sin(a) for a in angle])
        size, squeeze = 1 + within["scale"] * self.scale, 1 + within["squeeze"] * self.squeeze
        shear, dx, dy = within["shear"] * self.shear, within["shift_x"] * self.shift, within["shift_y"] * self.shift
        turned = np.array([[cos, sin], [-sin, cos]]) / size
        straight = np.array([(turned[0] - shear * turned[1]) / squeeze, turned[1] * squeeze])
        origin = -straight[:, 0] * dx - straight[:, 1] * dy
        return torch.from_numpy(np.stack([*straight.transpose(1, 0, 2), origin]).transpose(2, 1, 0).astype(np.float32))


def _grid(maps: Tensor, side: int) -> Tensor:
    """(N, 2, 3) -> (N, S, S, 2) for grid_sample. Not affine_grid: its matrix product may round by the batch's size."""
    steps = torch.arange(side) - (side - 1) / 2
    xs, ys = steps.view(1, 1, side, 1), steps.view(1, side, 1, 1)
    by_x, by_y, origin = maps[:, None, None].unbind(-1)
    return (by_x * xs + by_y * ys + origin) * (2 / side)


def _legal(name: str) -> str:
    return {"pad": "a whole number of pixels, 0 or more", "flip": "true or false", "scale": "a share from 0 to below 1",
            "squeeze": "a share from 0 to below 1"}.get(name, "a number, 0 or more")
