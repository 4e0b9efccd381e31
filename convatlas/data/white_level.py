"""What is white in a set whose images have more than 8 bits: found once, for all of them.

A 16-bit file may hold the 10, 12 or 14 bits of a camera, and a file of fractions anything. No
single image says which, for a dark one looks like a bright one of fewer bits; a set does.
"""

from collections.abc import Callable
from functools import partial
from os.path import splitext

from torch import Tensor

from convatlas.data.errors import broken_images
from convatlas.data.image_cache import in_blocks
from convatlas.data.image_file import unreadable
from convatlas.data.readers import TIMEOUT, Reading
from convatlas.data.split import ArraySplit, Data, Split
from convatlas.errors import DataError

DEPTHS = (8, 10, 12, 14, 16)  # bits
LEVELS = tuple(2**bits - 1 for bits in DEPTHS)
# Files of these names are not opened to look for depth; one that has it all the same is read by its
# format, as an image outside any set is.
_EIGHT_BITS = ".jpg .jpeg .jpe .jfif .webp .gif .bmp .dib .avif .avifs .pbm .heic .heif .hif"
EIGHT_BITS = frozenset(_EIGHT_BITS.split())

Range = tuple[float, float, str]  # lowest, highest, Pillow's mode


def white_level(data: Data, workers: int = 0, white: float | None = None) -> float | None:
    """What is white in this set, an int where its images hold whole numbers and a float where they
    hold fractions; None where no image has more than 8 bits.

    The smallest of 255, 1023, 4095, 16383 and 65535 (8, 10, 12, 14 and 16 bits) that no value of
    the training images exceeds; 1 where they are fractions of which none does. Fractions whose
    highest is above 1 and below 128 say neither 0..1 nor 0..255, and whole numbers above 65,535
    nothing at all: there, or to have another, give `white`, which a set of 8 bits has no use for.
    Raises DataError for these, and where images of the validation or test set exceed what is white,
    naming them.
    """
    parts = {name: _ranges(getattr(data, name), workers) for name in ("train", "val", "test")}
    found = parts["train"] or {name: one for part in parts.values() for name, one in part.items()}
    if not found and white:
        raise DataError(
            f"--white {white:g} has no effect, for no image of {data.name} has more than 8 bits; "
            "leave it out"
        )
    if not found:
        return None
    level = white or _level(found)
    if any(mode == "F" for _, _, mode in found.values()):
        level = float(level)
    _require_within({name: one for part in parts.values() for name, one in part.items()}, level)
    return level


def _level(found: dict[str, Range]) -> float:
    """One for files of fractions and of whole numbers, or DataError where each have their own."""
    fractions = {name: high for name, (_, high, mode) in found.items() if mode == "F"}
    whole = {name: high for name, (_, high, mode) in found.items() if mode != "F"}
    levels = [_rule(highest, highest is fractions) for highest in (fractions, whole) if highest]
    if len(set(levels)) == 2:
        raise DataError(
            f"the training images mix fractions up to {levels[0]:g} ({next(iter(fractions))!r}) "
            f"with whole numbers up to {levels[1]:g} ({next(iter(whole))!r}); save all of them "
            "with the same range"
        )
    return levels[0]


def _rule(highest: dict[str, float], fractions: bool) -> float:
    brightest = max(highest, key=highest.get)
    value = highest[brightest]
    if fractions and value <= 1:
        return 1.0
    if value > LEVELS[-1] or (fractions and value < 128):
        raise DataError(
            f"the highest value of the training images is {value:g}, in {brightest!r}, and that "
            "does not say which value is white; say it yourself, for instance with --white "
            f"{value:g}"
        )
    return next(level for level in LEVELS if value <= level)


def _require_within(found: dict[str, Range], white: float) -> None:
    beyond = {name: one[1] for name, one in found.items() if one[1] > white}
    if beyond:
        highest = max(beyond.values())
        wider = next((level for level in LEVELS if level >= highest), highest)
        raise broken_images(
            [
                str(
                    unreadable(
                        name,
                        f"reaches {value:g}, but in this set {white:g} is white; give --white "
                        f"{wider:g} to scale all by that, or remove it",
                    )
                )
                for name, value in beyond.items()
            ]
        )


def _ranges(split: Split, workers: int) -> dict[str, Range]:
    """Of the images with more than 8 bits, by name; what cannot be read is left to who decodes."""
    if isinstance(split, ArraySplit):
        return {}
    perhaps = [
        i for i, name in enumerate(split.names) if splitext(name)[1].lower() not in EIGHT_BITS
    ]
    chosen = split.subset(perhaps)
    found = {}
    for _, part in in_blocks(partial(_measure, chosen), chosen, workers, TIMEOUT):
        found |= part
    return found


def _measure(split: Split, block: Tensor, reading: Callable[[int], None] | Reading):
    found, broken = {}, []
    for i in block.tolist():
        reading(i)
        try:
            values = split.deep_range(i)
        except DataError as fault:
            broken.append(fault)
            continue
        if values:
            found[split.called(i)] = values
    return found
