"""Where a paper prints what a part of its network is: the source of the claims that are tested of
that part.
"""

import re
from collections.abc import Iterable
from functools import cache

from convatlas.registry import stored_facts

WORDS = ("stride", "kernel", "groups", "channels", "bias", "padding", "size")


def printed(network: str, paths: Iterable[str], said: str = "") -> str:
    """The source, such as "Table 1, caption", of the claim that is closest to one of these dotted
    paths and of a quantity that `said`, what differs there, speaks of. Where there is none only
    the table or section of the closest, "Table 1"; "" where nothing is printed of any of them.
    """
    best, found = (False, 0), ""
    for part, quantity, source in _claims(network):
        for path in paths:
            depth = _depth(part, path)
            rank = quantity in said, depth
            if depth and rank > best:
                best, found = rank, source
    return found if best[0] else re.split("[,:]", found)[0]


@cache
def _claims(network: str) -> tuple[tuple[str, str, str], ...]:
    """(part, quantity, source) of the paper's own claims on parts."""
    return tuple(
        (claim["part"], claim["quantity"], claim["source"])
        for claim in stored_facts()[network]["claims"]
        if claim["part"]
    )


def _depth(part: str, path: str) -> int:
    """How many words of a path a part's pattern covers, where it covers the path or its parent."""
    words, pattern = path.split("."), part.split(".")
    if len(pattern) > len(words):
        return 0
    return len(pattern) if all(map(_is, pattern, words)) else 0


def _is(pattern: str, word: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), word))
