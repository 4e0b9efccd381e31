"""From an image of any size to what a network reads: fitted into a square, scaled, standardised."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from convatlas.data import keyed_random
from convatlas.data.image_cache import decoded, fitted_blocks, fitted_bytes
from convatlas.data.split import Data, Split
from convatlas.data.white_level import white_level
from convatlas.errors import DataError

SAMPLE = 2000  # images whose statistics stand for those of a large set
LARGE = 2**30  # bytes of a fitted set; a rule of the set's own, for no result depends on a machine
SIDES = range(2, 4097)  # torch's resize fails an assertion where 1 x 1 pixels are to come out
SMALLEST_STD = 1e-9  # less is the rounding of a channel that never varies
LUMA = (19595, 38470, 7471)  # ITU-R BT.601 in 65536ths, as Pillow's convert("L")
STRIP = 4  # an image longer than this many widths loses its ends before it is scaled
HIGHEST_WHITE = 2.0**31  # what whole numbers of 32 bits hold
FITS = ("pad", "resize", "whole", "squash")
INTERPOLATIONS = ("bilinear", "bicubic")  # the first is meant where a record names none
OPTIONAL = ("white", "interpolation")  # fields that a record may lack
STANDARD = ("mean", "std", "interpolation")  # fields that weights were trained with
SMALLEST_SHARE = 3 / 4  # of the field, that an image must fill to be left at its own size


@dataclass(frozen=True)
class Preprocess:
    """How images become input; stored with the weights, so that training, evaluation and every
    server agree.

    fit "pad": set unscaled into the middle of a black field, as LeNet-5 sets 28 pixels into 32.
    `content` is the longer side of the largest image of the training set; an image that is larger,
    or fills less than 3/4 of the field, is first scaled until its own longer side is `content`. fit
    "resize": the image is scaled until its shorter side is `content`, and the central square of the
    field's size is cut out; where both are equal, the square is cut first, which is cheaper.
    "whole": the same, never cut first, as torchvision and timm test their published weights.
    "squash": scaled to a square of `content`, whatever its shape, and the middle cut out. mean and
    std are per channel, of pixels in 0..1. `white` is the value that shows white in images of more
    than 8 bits, an int where they hold whole numbers; None where the training set has none, and
    such images are then read as their format says. `interpolation`, bilinear or bicubic, is always
    antialiased.
    """

    channels: int
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: str
    content: int
    white: float | None = None
    interpolation: str = "bilinear"

    def fit_image(self, image: Tensor) -> Tensor:
        """uint8 (C, H, W), C = 1 or 3, of any size -> uint8 (channels, side, side)."""
        return self.fit_images(image[None])[0]

    def fit_images(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W), C = 1 or 3 -> uint8 (N, channels, side, side); each as fit_image
        would.
        """
        images = self.in_channels(images)
        if self.fit == "pad":
            return _padded(images, self.side, self.content, self.interpolation)
        if self.fit == "squash":
            square = _scaled(images, self.content, self.content, self.interpolation)
            return _centre(square, self.side)
        if self.fit == "resize" and self.content <= self.side:
            return _cropped(images, self.side, self.interpolation)
        return _middle(images, self.side, self.content, self.interpolation)

    def in_channels(self, images: Tensor) -> Tensor:
        """uint8 (N, 1 or 3, H, W) -> uint8 (N, channels, H, W)."""
        return _in_channels(images, self.channels)

    def normalise(self, fitted: Tensor) -> Tensor:
        """Pixels 0..255, uint8 or float, (N, channels, H, W) -> float32 with the set's mean 0 and
        standard deviation 1.
        """
        mean = 255 * torch.tensor(self.mean, device=fitted.device).view(-1, 1, 1)
        std = 255 * torch.tensor(self.std, device=fitted.device).view(-1, 1, 1)
        return fitted.to(torch.float32, copy=True).sub_(mean).div_(std)

    def to_dict(self) -> dict:
        """Plain JSON values; from_dict reads them back exactly."""
        record = asdict(self) | {"mean": list(self.mean), "std": list(self.std)}
        if self.white is None:  # records of sets of 8 bits are those of versions that knew no other
            del record["white"]
        if self.interpolation == INTERPOLATIONS[0]:
            del record["interpolation"]
        return record

    @classmethod
    def from_dict(cls, values: dict) -> "Preprocess":
        """Raises DataError for anything that to_dict cannot have written."""
        names = [field.name for field in fields(cls)]
        if not isinstance(values, dict) or {*OPTIONAL, *values} != set(names):
            raise DataError(
                f"the preprocessing record must have exactly the fields {', '.join(names)}; "
                "the file is damaged or from another version"
            )
        _check(values)
        return cls(
            **values
            | {"mean": tuple(map(float, values["mean"])), "std": tuple(map(float, values["std"]))}
        )


def fit_preprocess(
    data: Data,
    side: int,
    workers: int = 0,
    large: int = LARGE,
    shorter: int | None = None,
    white: float | None = None,
    standard: Mapping | None = None,
    shape: Preprocess | None = None,
) -> Preprocess:
    """The preprocessing for this set at this side: the kind of fit, the mean and standard deviation
    of training images, and what is white in those of more than 8 bits.

    With `shorter`, images are scaled to that shorter side and their middle is taken, whatever the
    set is like. With `white`, that is white, whatever the values are; see white_level. With
    `standard`, its mean, std and interpolation are taken, and no statistics. `shape` is what
    shape_of found with the same arguments, if it was called.

    All training images count where they have at most `large` bytes as they are fitted (a Loader
    then uses the same decoded copy, if memory holds it), else, and with `shorter`, a fixed sample
    of 2,000. Raises DataError naming every image that cannot be read.
    """
    prep = shape or shape_of(data, side, workers, shorter, white)
    if standard is not None:
        return Preprocess.from_dict(
            prep.to_dict() | {name: standard.get(name) for name in STANDARD}
        )
    if shorter is not None or fitted_bytes(data.train, prep) > large:
        some = data.train.subset(_sample(data.train))
        blocks = (images for _, images in fitted_blocks(some, prep, workers))
    elif (images := decoded(data.train, prep, workers)) is not None:
        blocks = images.split(1024)
    else:
        blocks = (images for _, images in fitted_blocks(data.train, prep, workers))
    mean, std = _mean_and_std(blocks, data.channels)
    return replace(prep, mean=mean, std=std)


def _sample(split: Split) -> np.ndarray:
    return np.sort(keyed_random.order(len(split), seed=0, epoch=0)[:SAMPLE])


def shape_of(
    data: Data,
    side: int,
    workers: int = 0,
    shorter: int | None = None,
    white: float | None = None,
) -> Preprocess:
    """How fit_preprocess fits images, known from their headers: without mean and standard
    deviation. Raises DataError as it does.
    """
    if side not in SIDES:
        raise DataError(
            f"images cannot be fitted to {side} pixels; choose a side from {SIDES[0]} to "
            f"{SIDES[-1]}"
        )
    if shorter is not None and not side <= shorter <= SIDES[-1]:
        raise DataError(
            f"a shorter side of {shorter} pixels cannot give crops of {side}; "
            f"choose one from {side} to {SIDES[-1]}"
        )
    content = _content(data.train, _sample(data.train), side) if shorter is None else None
    return Preprocess(
        data.channels,
        side,
        (0.0,) * data.channels,
        (1.0,) * data.channels,
        "resize" if content is None else "pad",
        content or shorter or side,
        white_level(data, workers, white),
    )


def _content(split: Split, sample: np.ndarray, side: int) -> int | None:
    """The longest side among the sample if all its images can be set into the field unscaled, else
    None.
    """
    longest = 0
    for i in sample.tolist():
        try:
            longer = max(split.size(i))
        except DataError:
            continue  # decoding will report it, with all the others
        if not _fills(longer, side):
            return None
        longest = max(longest, longer)
    return longest or None


def _fills(longer: int, side: int) -> bool:
    return SMALLEST_SHARE * side <= longer <= side


def _in_channels(images: Tensor, channels: int) -> Tensor:
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    red, green, blue = images.int().unbind(1)
    grey = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue + 32768) >> 16
    return grey.to(torch.uint8)[:, None]


def shorter_side_at(image: Tensor, shorter: int, interpolation: str = "bilinear") -> Tensor:
    """uint8 (C, H, W) -> uint8 (C, h, w), min(h, w) = shorter, in proportion; of a strip only the
    middle: see STRIP.
    """
    h, w = image.shape[1:]
    short = min(h, w)
    tall, wide = min(h, STRIP * short), min(w, STRIP * short)
    top, left = (h - tall) // 2, (w - wide) // 2
    image = image[:, top : top + tall, left : left + wide]
    size = tall * shorter // short, wide * shorter // short
    return _scaled(image[None], *size, interpolation)[0]


def _padded(images: Tensor, side: int, content: int, interpolation: str) -> Tensor:
    h, w = images.shape[2:]
    longer = max(h, w)
    if longer > content or not _fills(longer, side):
        h, w = (max(1, round(length * content / longer)) for length in (h, w))
        images = _scaled(images, h, w, interpolation)
    top, left = (side - h) // 2, (side - w) // 2
    return pad(images, (left, side - w - left, top, side - h - top))


def _cropped(images: Tensor, side: int, interpolation: str) -> Tensor:
    """Cutting before scaling: the same image, but a strip of 1 x 10,000 pixels
    costs no gigabytes.
    """
    h, w = images.shape[2:]
    short = min(h, w)
    top, left = (h - short) // 2, (w - short) // 2
    return _scaled(images[..., top : top + short, left : left + short], side, side, interpolation)


def _middle(images: Tensor, side: int, shorter: int, interpolation: str) -> Tensor:
    """Scaled as a whole, then cut, for that is what published weights were measured with; only
    strips are cut first.
    """
    h, w = images.shape[2:]
    short = min(h, w)
    tall, wide = min(h, STRIP * short), min(w, STRIP * short)
    top, left = (h - tall) // 2, (w - wide) // 2
    images = images[..., top : top + tall, left : left + wide]
    tall, wide = (length * shorter // short for length in (tall, wide))
    return _centre(_scaled(images, tall, wide, interpolation), side)


def _centre(images: Tensor, side: int) -> Tensor:
    h, w = images.shape[2:]
    top, left = round((h - side) / 2), round((w - side) / 2)
    return images[..., top : top + side, left : left + side].contiguous()


def _scaled(images: Tensor, h: int, w: int, interpolation: str = "bilinear") -> Tensor:
    if tuple(images.shape[2:]) == (h, w):
        return images
    return interpolate(images.contiguous(), (h, w), mode=interpolation, antialias=True)


def _mean_and_std(
    blocks: Iterable[Tensor], channels: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per channel, of pixels in 0..1; a channel that never varies gets standard deviation 1. Exact:
    whole numbers are summed.
    """
    counts = torch.zeros(channels, 256, dtype=torch.int64)
    for block in blocks:
        for c in range(channels):  # numpy's would make eight bytes of each pixel first
            counts[c] += block[:, c].reshape(-1).bincount(minlength=256)
    histograms = counts.numpy()
    levels = np.arange(256) / 255
    means = [float(h @ levels / h.sum()) for h in histograms]
    stds = [
        math.sqrt(h @ (levels - m) ** 2 / h.sum()) for h, m in zip(histograms, means, strict=True)
    ]
    return tuple(means), tuple(s if s > SMALLEST_STD else 1.0 for s in stds)


def _check(values: dict) -> None:
    channels, side, content = values["channels"], values["side"], values["content"]
    for name, legal in (
        ("channels", _whole(channels) and channels in (1, 3)),
        ("side", _whole(side) and side in SIDES),
        ("fit", values["fit"] in FITS),
        (
            "content",
            _whole(content)
            and _whole(side)
            and (
                side <= content <= SIDES[-1]
                if values["fit"] != "pad"
                else SIDES[0] <= content <= side
            ),
        ),
        ("mean", _within(values["mean"], channels, low=0.0)),
        ("std", _within(values["std"], channels, low=SMALLEST_STD)),
        ("white", _is_white(values.get("white"))),
        ("interpolation", values.get("interpolation", "bilinear") in INTERPOLATIONS),
    ):
        if not legal:
            raise DataError(
                f"the preprocessing record has an impossible {name}; "
                "the file is damaged or was made by something else"
            )


def _whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_white(value) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and 0 < value <= HIGHEST_WHITE)


def _within(values, count: int, low: float) -> bool:
    return (
        isinstance(values, list | tuple)
        and len(values) == count
        and all(
            isinstance(v, int | float) and not isinstance(v, bool) and low <= v <= 1 for v in values
        )
    )
