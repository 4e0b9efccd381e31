"""Names that come from files and folders, made safe for a line on a terminal, in a log or in a
table: what is not a letter that can be seen is written as Python's escape for it.

Class names, paths and data sets are chosen by others. Raw, an escape sequence would command the
terminal, a newline would forge a line of ours, a bidirectional override would turn one around, and
half of a surrogate pair (a file name that is not UTF-8) could not be printed at all.
"""

import re

LONGEST = 2000  # characters of a line
HEAD, TAIL = 1400, 400  # of a longer one: what it is about, and the remedy
BLANK = re.compile(  # letters by their category that nobody can see
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
)
FORMULA = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")  # also as East Asian full widths


def printable(text: str) -> str:
    """One line: newlines and tabs are escaped as well. What is longer than LONGEST is cut in the
    middle, and says so.
    """
    if len(text) > LONGEST:
        left_out = len(text) - HEAD - TAIL
        text = f"{text[:HEAD]} [... {left_out:,} characters left out ...] {text[-TAIL:]}"
    if not text.isprintable():
        text = "".join(c if c.isprintable() else _escaped(c) for c in text)
    return BLANK.sub(lambda found: _escaped(found[0]), text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def printable_lines(text: str) -> str:
    """A message of several lines, of which all but the first are indented: any other newline is a
    name's own.
    """
    return "\n  ".join(map(printable, text.split("\n  ")))


def cell(text: str) -> str:
    """A cell of a CSV file: a spreadsheet would run what begins as a formula, so that it gets an
    apostrophe.
    """
    return printable("'" + text if FORMULA.match(text) else text)
