"""How wide a text is, from a table of DejaVu Sans' advance widths, so that every drawing is laid
out alike on every machine. DejaVu Sans is wide: in the fonts that stand in for it a text takes less
room, not more.
"""

import re

TIMES, DASH = "\u00d7", "\u2013"  # as in 3 x 3, and from 1 to 3
FURTHER = f"{TIMES}{DASH}·→…²\u2212é"  # the letters that a drawing uses beside ASCII
PLAIN = """
    318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636
    636 636 636 636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295
    295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838
    500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521
    392 634 592 818 592 592 525 636 337 636 838 838 500 318 838 1000 401 838 615
"""  # thousandths of the size: of chr(32) to chr(126), then FURTHER
BOLD = """
    348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696
    696 696 696 696 696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372
    372 775 637 995 837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838
    500 500 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595
    478 712 652 924 645 652 582 712 365 712 838 838 500 380 838 1000 438 838 678
"""  # thousandths of the size: of chr(32) to chr(126), then FURTHER


def _table(widths: str) -> dict[str, int]:
    letters = [*map(chr, range(32, 127)), *FURTHER]
    return dict(zip(letters, map(int, widths.split()), strict=True))


_WIDTHS = {False: _table(PLAIN), True: _table(BOLD)}
_WIDEST = 1000  # of a letter that is in no table


def width_of(text: str, size: float, bold: bool = False) -> float:
    """In the units of `size`, the height of the font."""
    table = _WIDTHS[bold]
    return sum(table.get(letter, _WIDEST) for letter in text) * size / 1000


def shortened(text: str, size: float, room: float, bold: bool = False) -> str:
    """The text, or as much of it as fits the room, and then an ellipsis."""
    if width_of(text, size, bold) <= room:
        return text
    while text and width_of(text + "…", size, bold) > room:
        text = text[:-1].rstrip()
    return text + "…"


def wrapped(text: str, size: float, room: float, bold: bool = False) -> list[str]:
    """The text in lines that fit the room, broken behind commas and bars; what is longer is
    shortened.
    """
    lines: list[str] = []
    for word in re.split(r"(?<=,) |(?<=\|) ", text):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, bold) <= room:
            lines[-1] = longer
        else:
            lines.append(shortened(word, size, room, bold))
    return lines
