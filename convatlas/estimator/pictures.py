"""What scikit-learn calls X, as pictures: which axis is which, and what is black and what white."""

import math
from dataclasses import dataclass

import numpy as np

COLOURS = (1, 3)  # lengths of an axis of colours: grey, RGB
FILL = "fill"
BLOCK = 1024  # pictures that are turned into bytes at a time
NARROW = 200  # a share so small of the way from black to white is two grey levels at most
FORMS = "(pictures, height, width), (pictures, 1 or 3, height, width) or (..., width, 1 or 3)"
Asked = tuple[int, ...] | str | None  # what a user says of the pictures in flat rows


@dataclass(frozen=True)
class Layout:
    """How the values of one picture lie in a row of X: height, width and colours, in that order or
    with the colours first; then `filled` values that X does not have and that are black.
    """

    channels: int
    height: int
    width: int
    colours_last: bool = False
    filled: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width): a picture as networks read it."""
        return self.channels, self.height, self.width

    def pictures(self, rows: np.ndarray) -> np.ndarray:
        """(n, values) -> (n, channels, height, width), C-contiguous."""
        if self.filled:
            rows = np.pad(rows, ((0, 0), (0, self.filled)))
        if not self.colours_last:
            return np.ascontiguousarray(rows.reshape(len(rows), *self.shape))
        last = rows.reshape(len(rows), self.height, self.width, self.channels)
        return np.ascontiguousarray(last.transpose(0, 3, 1, 2))


def flat(X) -> tuple:
    """X with a row a picture, for scikit-learn to check, and the shape of a picture: None where X
    came in rows, or in what is no array of pictures.
    """
    if not hasattr(X, "ndim"):  # a list, or what only numpy understands
        X = np.asarray(X)
    if X.ndim not in (3, 4):
        return X, None
    X = np.asarray(X)
    shape = X.shape[1:]
    return X.reshape(len(X), math.prod(shape)), shape


def layout_of(shape: tuple[int, ...]) -> Layout:
    """The layout of a picture of this shape: (H, W), (1 or 3, H, W) or (H, W, 1 or 3).

    ValueError where no axis can be the colours, or two can.
    """
    if min(shape, default=0) < 1 or len(shape) not in (2, 3):
        raise ValueError(f"pictures of shape {shape} there are none; X is {FORMS}")
    if len(shape) == 2:
        return Layout(1, *shape)
    first, last = shape[0] in COLOURS, shape[-1] in COLOURS
    if first and last:
        raise ValueError(
            f"in pictures of shape {shape} the first axis could be the colours and so could the "
            "last; give flat rows, X.reshape(len(X), -1), and shape=(height, width)"
        )
    if not (first or last):
        raise ValueError(
            f"in pictures of shape {shape} no axis is 1 or 3 long, as grey or RGB would be; X is "
            f"{FORMS}"
        )
    if first:
        return Layout(*shape)
    return Layout(shape[2], shape[0], shape[1], colours_last=shape[2] > 1)


def layout_of_rows(values: int, asked: Asked) -> Layout:
    """The layout of a flat row of so many values: of the shape that is asked for, else of a grey
    square. ValueError where the row does not have it.
    """
    side = math.isqrt(values)
    if asked is None:
        if side * side != values:
            raise ValueError(
                f"a row of X has {values} values, which make no square picture; give "
                "shape=(height, width), or shape=(height, width, 3), or shape='fill' to fill it up "
                "with black"
            )
        return Layout(1, side, side)
    if asked == FILL:
        side += side * side < values
        return Layout(1, side, side, filled=side * side - values)
    if isinstance(asked, str) or not all(isinstance(length, int | np.integer) for length in asked):
        raise ValueError(
            f"shape = {asked!r} is not allowed: give the shape of a picture, such as (28, 28), "
            "or 'fill', or None for squares"
        )
    if math.prod(asked) != values:
        raise ValueError(
            f"a row of X has {values} values, and a picture of shape = {tuple(asked)} has "
            f"{math.prod(asked)}; give the shape that the rows have"
        )
    return layout_of(tuple(map(int, asked)))


def extent(rows: np.ndarray) -> tuple[float, float]:
    """What is black and what is white in X: 0 and 255 in bytes, else its least and its greatest
    value. ValueError where these are too far apart to be told in numbers.
    """
    if rows.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(rows.min()), float(rows.max())
    if not math.isfinite(high - low):
        raise ValueError(
            f"X reaches from {low:.3g} to {high:.3g}, too far for grey levels to be told apart; "
            "scale it first, for example with sklearn.preprocessing.MinMaxScaler"
        )
    return low, high


def in_bytes(rows: np.ndarray, black: float, white: float) -> np.ndarray:
    """uint8 of the same shape: the nearest of 256 levels from black to white, and for what lies
    beyond them the nearer end.
    """
    if rows.dtype == np.uint8 and (black, white) == (0, 255):
        return rows
    levels = np.empty(rows.shape, np.uint8)
    per_unit = 255 / (white - black) if white > black else 0.0
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK].astype(np.float64).clip(black, white)
        levels[start : start + BLOCK] = np.rint((block - black) * per_unit)
    return levels


def other_scale(rows: np.ndarray, black: float, white: float) -> str:
    """A sentence where X cannot be of the scale that black and white were found on, such as shares
    of 1 where there were bytes, or bytes where there were shares; else "".
    """
    if rows.dtype == np.uint8 and (black, white) == (0, 255):
        return ""
    low, high = float(rows.min()), float(rows.max())
    span = white - black
    if black - span <= low <= high <= white + span and not 0 < high - low <= span / NARROW:
        return ""
    return (
        f"X reaches from {low:.4g} to {high:.4g}, and fit saw {black:.4g} to {white:.4g}, black "
        "and white; bring X to that scale first"
    )
