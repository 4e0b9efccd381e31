"""What one network takes for something else more often than another, as a drawing."""

from collections.abc import Sequence

import numpy as np

from convatlas.reporting.page.charts import look, shortened, units
from convatlas.reporting.page.markup import text
from convatlas.reporting.sections import Entry

MOST_CLASSES = 20  # of a drawing
SIDE, MARGIN = 340, 60
NAMED = 8  # letters of a class beside the drawing


def matrix(a: Entry, b: Entry, classes: Sequence[str], colours: tuple[int, int]) -> str:
    """A square for each true class (row) and answer (column), in the colour of the network that
    gives this wrong answer more often; "" where there are too many classes to be read.
    """
    n = len(classes)
    if not 1 < n <= MOST_CLASSES:
        return ""
    more = (a.confusion - b.confusion).toarray()
    np.fill_diagonal(more, 0)
    top = np.abs(more).max() or 1
    step = SIDE / n
    parts = [
        _square(more[i, j], top, i, j, step, look(colours[0] if more[i, j] > 0 else colours[1]))
        for i in range(n)
        for j in range(n)
        if i != j
    ]
    for i, name in enumerate(classes):
        at, shown = (i + 0.5) * step, text(shortened(name, NAMED))
        parts.append(
            f'<text x="{MARGIN - 6}" y="{units(MARGIN + at)}" dy=".35em" text-anchor="end">'
            f"{shown}</text>"
        )
        place = f"{units(MARGIN + at)} {MARGIN - 6}"
        turn = f' transform="rotate(-90 {place})" dy=".35em"' if _is_long(classes) else ""
        anchor = "start" if turn else "middle"
        x, y = place.split()
        parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}"{turn}>{shown}</text>')
    told = f"confusions of {a.name} and {b.name}: row is the true class, column the answer"
    whole = MARGIN + SIDE + 2
    return (
        f'<svg class="chart matrix" viewBox="0 0 {whole} {whole}" role="img" '
        f'aria-label="{text(told)}">'
        f"{''.join(parts)}</svg>"
    )


def _square(more: float, top: float, i: int, j: int, step: float, kind: str) -> str:
    x, y, side = MARGIN + j * step + 0.5, MARGIN + i * step + 0.5, step - 1
    place = f'x="{units(x)}" y="{units(y)}" width="{units(side)}" height="{units(side)}"'
    if abs(more) < 1e-9:
        return f'<rect class="none" {place}/>'
    share = 0.12 + 0.78 * abs(more) / top
    square = f'<rect class="more {kind}" fill-opacity="{share:.2f}" {place}/>'
    if step < 22 or abs(more) < 0.05:
        return square
    return (
        f'{square}<text class="value" x="{units(x + side / 2)}" y="{units(y + side / 2)}" '
        f'dy=".35em" text-anchor="middle">{abs(more):.1f}</text>'
    )


def _is_long(classes: Sequence[str]) -> bool:
    return max(map(len, classes)) > 3
