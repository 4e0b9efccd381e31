"""Rows of a table as drawings: every seed a dot, the mean, its interval, on one axis for all rows."""

from collections.abc import Sequence
from html import escape

from convatlas.printable import printable
from convatlas.reporting.charts import look, units
from convatlas.reporting.scales import Scale

WIDE, HIGH, EDGE = 200, 22, 6


def strip(
    values: Sequence[float],
    mean: float,
    interval: tuple[float, float],
    scale: Scale,
    colour: int,
    told: str,
) -> str:
    """One row; `told` says the same in words. An interval of NaN is not drawn."""
    kind, (low, high) = look(colour), interval
    parts = []
    if low == low and high == high:
        line = f"M{_at(scale, low)} 11H{_at(scale, high)}"
        parts.append(f'<path class="reach {kind}" d="{line}"/>')
    parts += (
        f'<circle class="seed {kind}" cx="{_at(scale, value)}" cy="11" r="3.4"/>'
        for value in values
    )
    parts.append(f'<path class="mean {kind}" d="M{_at(scale, mean)} 3V19"/>')
    return _drawn("strip", f'role="img" aria-label="{escape(printable(told))}"', parts)


def lead(mean: float, interval: tuple[float, float], scale: Scale, is_real: bool, told: str) -> str:
    """How far one network is ahead of another, beside the line of no difference."""
    low, high = interval
    kind = "real" if is_real else "open"
    parts = [f'<path class="zero" d="M{_at(scale, 0)} 1V21"/>']
    if low == low and high == high:
        parts.append(f'<path class="reach {kind}" d="M{_at(scale, low)} 11H{_at(scale, high)}"/>')
    parts.append(f'<circle class="lead {kind}" cx="{_at(scale, mean)}" cy="11" r="4"/>')
    return _drawn("strip", f'role="img" aria-label="{escape(printable(told))}"', parts)


def ruler(scale: Scale) -> str:
    """The axis above such rows."""
    parts = [f'<path class="axis" d="M{EDGE} 20H{WIDE - EDGE}"/>']
    for tick in scale.ticks:
        at = EDGE + scale.place(tick) * (WIDE - 2 * EDGE)
        anchor, x = "middle", at
        if at < 15:
            anchor, x = "start", 1.0
        elif at > WIDE - 15:
            anchor, x = "end", WIDE - 1.0
        parts.append(
            f'<path class="axis" d="M{units(at)} 16V20"/>'
            f'<text x="{units(x)}" y="12" text-anchor="{anchor}">{tick:g}</text>'
        )
    return _drawn("strip ruler", 'aria-hidden="true"', parts)


def _at(scale: Scale, value: float) -> str:
    share = min(1.0, max(0.0, scale.place(value)))
    return units(EDGE + share * (WIDE - 2 * EDGE))


def _drawn(kind: str, about: str, parts: Sequence[str]) -> str:
    return f'<svg class="{kind}" viewBox="0 0 {WIDE} {HIGH}" {about}>{"".join(parts)}</svg>'
