"""Where a value stands on an axis, and which values are written beside it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on an axis of length 1."""

    low: float
    high: float
    ticks: tuple[float, ...]
    bend: Callable[[float], float] = float

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        low, high = self.bend(self.low), self.bend(self.high)
        return (self.bend(value) - low) / (high - low)


def linear(values: Sequence[float], from_zero: bool = False) -> Scale:
    """Round ends around the values, of which there is one at least."""
    low, high = (min(0.0, *values) if from_zero else min(values)), max(values)
    if high - low <= 1e-12 * max(1.0, abs(high)):
        room = abs(high) / 2 or 0.5
        low, high = (low if from_zero else low - room), high + room
    step = _step((high - low) / 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(_clean(number * step) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def tight(values: Sequence[float]) -> Scale:
    """From the first whole number to the last, with both and round ones between them written."""
    low, high = min(values), max(values)
    if low == high:
        return Scale(low - 0.5, high + 0.5, (low,))
    room = 0.08 * (high - low)
    between = (
        tick
        for tick in linear(values).ticks
        if low + room < tick < high - room and tick.is_integer()
    )
    return Scale(low, high, (low, *between, high))


def logarithmic(values: Sequence[float]) -> Scale:
    """Equal ratios are equally far apart; all values are above 0."""
    low, high = min(values), max(values)
    if high < 1.5 * low:
        low, high = low / 1.5, high * 1.5
    low, high = low / 1.15, high * 1.15
    wide = math.log10(high / low)
    heads = (1, 1.5, 2, 3, 5, 7) if wide < 0.9 else (1, 2, 5) if wide < 2.2 else (1,)
    stride = max(1, math.ceil(wide / 5)) if heads == (1,) else 1
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [
        _clean(head * 10.0**exponent)
        for exponent in exponents
        if exponent % stride == 0
        for head in heads
    ]
    return Scale(low, high, tuple(tick for tick in ticks if low <= tick <= high), math.log10)


def errors(values: Sequence[float], unit: float) -> Scale:
    """From 0, in percent; where values lie far apart small ones are spread, and `unit` (what one
    picture is worth) has room of its own.
    """
    positive = [value for value in values if value > 0]
    if not positive or max(positive) < 12 * min(positive):
        return linear([0.0, *values], from_zero=True)
    high = max(positive) * 1.05
    ticks = [0.0, *(head * 10.0**power for power in range(-3, 3) for head in (1, 2, 5))]

    def bend(value: float) -> float:
        return math.log1p(max(value, 0.0) / unit)

    kept: list[float] = []
    for tick in (tick for tick in ticks if tick <= high):
        if not kept or bend(tick) - bend(kept[-1]) > bend(high) / 9:
            kept.append(_clean(tick))
    return Scale(0.0, high, tuple(kept), bend)


def _step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is no smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(head * power for head in STEPS if head * power >= least * (1 - 1e-9))


def _clean(value: float) -> float:
    """Without the last digits of a sum of tenths."""
    return float(f"{value:.6g}")
