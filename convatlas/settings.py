"""Fields of a frozen dataclass that say what they mean and what is allowed, checked in one place.
Imports no torch.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, ClassVar, get_args, get_origin

from convatlas.errors import Error


class Settings:
    """A base for frozen dataclasses of settings: raises `refusal` for a value that is not allowed.

    Whole numbers serve as floats and lists as tuples; nothing else is converted.
    """

    refusal: ClassVar[type[Error]] = Error

    def __post_init__(self):
        for f in fields(self):
            value = _of_type(f, getattr(self, f.name), self.refusal)
            if f.metadata["path"]:
                if "\0" in value:
                    raise self.refusal(f"{f.name} = {shown(value)} holds a NUL, as no path may")
                value = os.path.expanduser(value)
            if not f.metadata["check"](value):
                raise self.refusal(
                    f"{f.name} = {shown(value)} is not allowed; allowed: {f.metadata['allowed']}"
                )
            object.__setattr__(self, f.name, value)


LONGEST = 200  # letters of a value that a sentence repeats


def shown(value: Any) -> str:
    """The value as Python writes it, cut where it would fill the screen."""
    try:
        text = repr(value)
    except ValueError:  # Python does not write out whole numbers of thousands of digits
        return f"a number of more than {sys.get_int_max_str_digits():,} digits"
    except RecursionError:
        return "a deeply nested list"
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}...{text[-LONGEST // 4 :]} ({len(text):,} letters)"


def setting(
    default: Any,
    text: str,
    *,
    allowed: str = "",
    check: Callable[[Any], bool] = lambda value: True,
    choices: tuple[str, ...] = (),
    runtime: bool = False,
    path: bool = False,
) -> Any:
    """A field, its help, and its rule. A runtime field says where and how to run, and cannot change
    the result. A path may begin with ~, the user's home.
    """
    if choices:
        allowed, check = " | ".join(choices), lambda value: value in choices
    return field(
        default=default,
        metadata={
            "help": text,
            "allowed": allowed,
            "check": check,
            "runtime": runtime,
            "path": path,
        },
    )


def at_least(low: float) -> dict:
    return {"allowed": f"{low} or more", "check": lambda value: value >= low}


def between(low: float, high: float) -> dict:
    return {"allowed": f"{low} to {high}", "check": lambda value: low <= value <= high}


def pair_up_to(high: float) -> dict:
    return {
        "allowed": f"two values above 0 and up to {high}, the smaller first",
        "check": lambda pair: len(pair) == 2 and 0 < pair[0] <= pair[1] <= high,
    }


POSITIVE = {"allowed": "above 0", "check": lambda value: value > 0}
INCREASING = {
    "allowed": "increasing epochs, each above 0",
    "check": lambda at: all(a < b for a, b in zip((0, *at), at, strict=False)),
}


def _of_type(f: Any, value: Any, refusal: type[Error]) -> Any:
    wanted = f.type
    if get_origin(wanted) is tuple:
        item = get_args(wanted)[0]
        if isinstance(value, (list, tuple)) and all(_fits(each, item) for each in value):
            return tuple(item(each) for each in value)
        kind = "names" if item is str else "numbers"
        raise refusal(f"{f.name} = {shown(value)} must be a list of {kind}")
    if _fits(value, wanted):
        return wanted(value)
    kind = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text"}[
        wanted
    ]
    raise refusal(f"{f.name} = {shown(value)} must be {kind}")


def _fits(value: Any, wanted: type) -> bool:
    if wanted in (bool, str):
        return type(value) is wanted
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if wanted is int:
        return isinstance(value, int)
    return abs(value) <= sys.float_info.max  # so a whole number can become a float
