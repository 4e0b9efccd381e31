"""Rows of a table as drawings: every seed a dot, the mean, its interval, on one axis for all rows.

They are as wide as their column: places are shares of it, dots and letters keep their size.
"""

from collections.abc import Sequence

from convatlas.reporting.page.charts import look
from convatlas.reporting.page.markup import text
from convatlas.reporting.page.scales import Scale
from convatlas.reporting.spelling import signed

EDGE = 4  # percent of the width on either side


def strip(
    values: Sequence[float],
    mean: float,
    interval: tuple[float, float],
    scale: Scale,
    colour: int,
    told: str,
) -> str:
    """One row; `told` says the same in words. An interval of NaN is not drawn."""
    kind = look(colour)
    seeds = (
        f'<circle class="seed {kind}" cx="{_at(scale, value)}" cy="11" r="3.6"/>'
        for value in values
    )
    at = _at(scale, mean)
    middle = f'<line class="mean {kind}" x1="{at}" x2="{at}" y1="3" y2="19"/>'
    return _drawn(told, [_reach(scale, interval, kind), *seeds, middle])


def lead(mean: float, interval: tuple[float, float], scale: Scale, is_real: bool, told: str) -> str:
    """How far one network is ahead of another, beside the line of no difference."""
    kind, zero = "real" if is_real else "open", _at(scale, 0)
    return _drawn(
        told,
        [
            f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="22"/>',
            _reach(scale, interval, kind),
            f'<circle class="lead {kind}" cx="{_at(scale, mean)}" cy="11" r="4.5"/>',
        ],
    )


def ruler(scale: Scale) -> str:
    """The axis above such rows."""
    parts = [f'<line class="axis" x1="{EDGE}%" x2="{100 - EDGE}%" y1="20" y2="20"/>']
    for tick in scale.ticks:
        at = _at(scale, tick)
        parts.append(
            f'<line class="axis" x1="{at}" x2="{at}" y1="16" y2="20"/>'
            f'<text x="{at}" y="12" text-anchor="middle">{signed(f"{tick:g}")}</text>'
        )
    return f'<svg class="strip" aria-hidden="true">{"".join(parts)}</svg>'


def _reach(scale: Scale, interval: tuple[float, float], kind: str) -> str:
    low, high = interval
    if low != low or high != high:
        return ""
    ends = f'x1="{_at(scale, low)}" x2="{_at(scale, high)}"'
    return f'<line class="reach {kind}" {ends} y1="11" y2="11"/>'


def _at(scale: Scale, value: float) -> str:
    share = min(1.0, max(0.0, scale.place(value)))
    return f"{EDGE + share * (100 - 2 * EDGE):.2f}%"


def _drawn(told: str, parts: Sequence[str]) -> str:
    return f'<svg class="strip" role="img" aria-label="{text(told)}">{"".join(parts)}</svg>'
