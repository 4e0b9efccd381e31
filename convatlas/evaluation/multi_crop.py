"""Which parts of an image a network is shown, in the ways the papers tested."""

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.data import shorter_side_at
from convatlas.errors import MultiCropError

CROPS = ("center", "10", "144", "dense")
PRINTED = {  # shorter sides for a network that reads 224 pixels
    "10": (256,),  # AlexNet, Sec. 2
    "144": (256, 288, 320, 352),  # GoogLeNet, Sec. 7
    "dense": (256,),  # VGG, Sec. 3.2 and Table 3, Q for S = 256
}


LARGEST = 4096  # pixels of a shorter side
VIEWS = {"center": 1, "10": 10, "144": 36, "dense": 2}  # of an image at one size


@dataclass(frozen=True)
class MultiCrop:
    """A way to test. The image is scaled until its shorter side is each of `sizes`; softmax answers
    are averaged.

    "center": the middle; without sizes exactly the image that training fits (Preprocess). "10":
    AlexNet Sec. 4.1, four corners and the middle of the central square, each mirrored too. "144":
    GoogLeNet Sec. 7, at each of four sizes the left, central and right square (of a portrait the
    upper, central and lower); of each the four corners, the middle and the whole, scaled; each
    mirrored too. "dense": VGG Sec. 3.2, the whole image and its mirror image, by the network as one
    convolution. Sizes not given are the paper's, in proportion to the side that the network was
    trained at.
    """

    crops: str = "center"
    sizes: tuple[int, ...] = ()

    def __post_init__(self):
        if self.crops not in CROPS:
            raise MultiCropError(
                f"crops = {self.crops!r} is not allowed; allowed: {' | '.join(CROPS)}"
            )
        if large := [str(size) for size in self.sizes if size > LARGEST]:
            raise MultiCropError(
                f"sizes = {', '.join(large)} is not allowed; allowed: up to {LARGEST} pixels"
            )

    @property
    def as_trained(self) -> bool:
        """Whether this is the one view that training fits."""
        return self.crops == "center" and not self.sizes

    def count(self, side: int) -> int:
        """How many views of one image there are."""
        return VIEWS[self.crops] * len(self.sizes_for(side))

    def sizes_for(self, side: int) -> tuple[int, ...]:
        """The shorter sides for a network trained at `side`. Raises MultiCropError where one has no
        room for a crop.
        """
        sizes = self.sizes or tuple(round(size * side / 224) for size in PRINTED[self.crops])
        small = [str(size) for size in sizes if size < side]
        if small:
            raise MultiCropError(
                f"sizes = {', '.join(small)}: an image of that size has no room for what the "
                f"network reads, {side} pixels; give sizes of {side} or more"
            )
        return sizes

    def of(self, image: Tensor, side: int, interpolation: str = "bilinear") -> list[Tensor]:
        """uint8 (C, H, W) -> for each size its views: uint8 (views, C, side, side), or (2, C, h, w)
        if dense.
        """
        cut = {
            "center": _centre,
            "10": ten_crops,
            "144": partial(squares_and_crops, interpolation=interpolation),
            "dense": _whole,
        }[self.crops]
        return [
            cut(shorter_side_at(image, size, interpolation), side) for size in self.sizes_for(side)
        ]


def ten_crops(image: Tensor, side: int) -> Tensor:
    """(C, H, W) -> (10, C, side, side): corners and middle of the central square, then the same
    mirrored.
    """
    return _with_mirrors(_five(_middle(image, min(image.shape[1:])), side))


def squares_and_crops(image: Tensor, side: int, interpolation: str = "bilinear") -> Tensor:
    """(C, H, W) -> (36, C, side, side): of three squares the corners, the middle and the whole,
    then all mirrored.
    """
    crops = []
    for square in _three_squares(image):
        crops += [
            *_five(square, side),
            F.interpolate(square[None], (side, side), mode=interpolation, antialias=True)[0],
        ]
    return _with_mirrors(crops)


def _centre(image: Tensor, side: int) -> Tensor:
    return _middle(image, side)[None]


def _whole(image: Tensor, side: int) -> Tensor:
    return _with_mirrors([image])


def _three_squares(image: Tensor) -> list[Tensor]:
    h, w = image.shape[1:]
    short, spare = min(h, w), abs(h - w)
    return [image.narrow(1 if h > w else 2, start, short) for start in (0, round(spare / 2), spare)]


def _middle(image: Tensor, side: int) -> Tensor:
    h, w = image.shape[1:]
    return _cut(image, round((h - side) / 2), round((w - side) / 2), side)


def _five(square: Tensor, side: int) -> list[Tensor]:
    """Upper left, upper right, lower left, lower right, middle."""
    spare = square.shape[1] - side
    corners = [_cut(square, top, left, side) for top in (0, spare) for left in (0, spare)]
    return [*corners, _middle(square, side)]


def _cut(image: Tensor, top: int, left: int, side: int) -> Tensor:
    return image[:, top : top + side, left : left + side]


def _with_mirrors(crops: list[Tensor]) -> Tensor:
    views = torch.stack(crops)
    return torch.cat([views, views.flip(-1)])
