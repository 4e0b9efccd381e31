"""Markdown as GitHub reads it: prose that stays prose, tables, links."""

import re
import textwrap

WIDTH = 120
ITEM = re.compile(
    r" (?=(?:\d+[.)]|[-+]|#+) )"
)  # what would begin a list or a heading at the start of a line
GLUE = "\x00"


def plain(text: str) -> str:
    """The text without any meaning in Markdown."""
    return re.sub(r"(?<!\w)_|[*<`~]", lambda found: f"\\{found[0]}", text)


def paragraph(text: str) -> str:
    """Markdown as one paragraph, its lines broken at 120."""
    return _broken(text)


def item(text: str) -> str:
    """Markdown as an entry of a list."""
    return _broken(text, first="- ", rest="  ")


def _broken(text: str, first: str = "", rest: str = "") -> str:
    lines = textwrap.wrap(
        ITEM.sub(GLUE, text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(GLUE, " ")


def code(name: str) -> str:
    return f"`{name}`"


def link(text: str, target: str) -> str:
    return f"[{text}]({target})"


def picture(text: str, target: str) -> str:
    """`text` stands where the picture cannot be seen."""
    return f"![{plain(text)}]({target})"


def table(columns: dict[str, str], rows: list[tuple]) -> str:
    """`columns`: heading -> "left" or "right"."""
    marks = {"left": "---", "right": "---:"}
    lines = [columns, [marks[side] for side in columns.values()], *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    )


def document(*blocks: str) -> str:
    """Blocks with an empty line between them; empty ones are left out."""
    return "\n\n".join(filter(None, blocks)) + "\n"
