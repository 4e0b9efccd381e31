"""A class as somebody names it: by its name, or by its number."""

import difflib
from collections.abc import Sequence

from convatlas.errors import InputError

FEW = 12  # names in a sentence


def class_number(classes: Sequence[str], asked: int | str) -> int:
    """The number of a class. A name goes before a number, for classes may be called by digits.

    Raises InputError, naming classes, where there is none of that name or number.
    """
    if isinstance(asked, str):
        if asked in classes:
            return list(classes).index(asked)
        folded = [name.casefold() for name in classes]
        if folded.count(asked.casefold()) == 1:
            return folded.index(asked.casefold())
        if not asked.isdecimal():
            raise InputError(f"there is no class {asked!r}; {_instead(classes, asked)}")
    number = int(asked)
    if 0 <= number < len(classes):
        return number
    raise InputError(
        f"there is no class {number}; the network knows {len(classes):,}, counted from 0 to "
        f"{len(classes) - 1}: {_listed(classes)}"
    )


def _instead(classes: Sequence[str], asked: str) -> str:
    word = asked.casefold()
    near = [name for name in classes if word in name.casefold()][:3]
    near = near or difflib.get_close_matches(asked, classes, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"the network knows {len(classes):,}: {_listed(classes)}"


def _listed(classes: Sequence[str]) -> str:
    more = f" and {len(classes) - FEW:,} more" if len(classes) > FEW else ""
    return ", ".join(classes[:FEW]) + more
