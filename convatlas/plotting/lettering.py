"""Names in plots, in whatever letters: drawn as they are where a font of this machine has them,
spelled in Latin letters where none has.

matplotlib brings one font of many letters, DejaVu Sans, which has no Chinese, Japanese, Korean or
Indian ones. A system for people who read these has; many containers have not.
"""

import contextlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anyascii import anyascii

from convatlas.printable import printable

LONGEST = 40  # columns of a name
BASE = "DejaVu Sans"
SLANTED_OR_HEAVY = ("bold", "italic", "oblique", "light", "thin", "black", "serif", "mono")
EMPTY = ("lastresort", "blank")  # they have every letter, as a box or as nothing


@dataclass(frozen=True)
class Lettering:
    """How names are drawn."""

    labels: tuple[str, ...]
    families: tuple[str, ...]  # fonts, of which the first that has a letter draws it
    is_spelled: bool  # whether a label is in other letters than its name


def lettering(names: Sequence[str], longest: int = LONGEST, is_numbered: bool = True) -> Lettering:
    """Labels that can be drawn, one for each name, at most `longest` columns wide. One that is not
    the name itself begins with its number, so that no two are taken for one.
    """
    shown = [_short(printable(name), longest) for name in names]
    missing = set("".join(shown))
    families = [BASE, *_families(missing)]
    spelled = [_spelled(text) if missing & set(text) else text for text in shown]
    labels = tuple(
        label if label == name or not is_numbered else f"{number}: {label}"
        for number, (name, label) in enumerate(zip(names, spelled, strict=True))
    )
    return Lettering(labels, tuple(families), spelled != shown)


def columns(text: str) -> int:
    """Its width, where a Latin letter is 1 wide and a Chinese one 2."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _families(missing: set[str]) -> Iterable[str]:
    """Fonts that have letters which those before have not; these are taken out of `missing`."""
    from matplotlib import font_manager

    base = font_manager.get_font(font_manager.findfont(BASE))
    missing -= {c for c in missing if base.get_char_index(ord(c))}
    for path in sorted(font_manager.findSystemFonts(), key=_rank) if missing else ():
        if not missing:
            return
        with contextlib.suppress(Exception):  # somebody's broken font is no reason to fail
            font = font_manager.get_font(path)
            has = {c for c in missing if font.scalable and font.get_char_index(ord(c))}
            if has:
                font_manager.fontManager.addfont(path)
                missing -= has
                yield font.family_name


def _rank(path: str) -> tuple[bool, bool, str]:
    name = Path(path).name.lower()
    return any(word in name for word in EMPTY), any(w in name for w in SLANTED_OR_HEAVY), name


def _short(text: str, longest: int) -> str:
    if columns(text) <= longest:
        return text
    head, tail = text, text
    while columns(head) > longest * 2 // 3:
        head = head[:-1]
    while columns(tail) > longest // 4:
        tail = tail[1:]
    return f"{head}...{tail}"


def _spelled(text: str) -> str:
    return anyascii(text).strip() or " ".join(f"U+{ord(c):04X}" for c in text)
