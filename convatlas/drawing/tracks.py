"""Which of the wires between two layers runs level at which height, so that no two lie on one
another.
"""

from typing import NamedTuple

from convatlas.drawing.block import Ends

NEAR = 6.0  # wires that run down nearer than this to each other would touch


class Net(NamedTuple):
    """Wires from all `begins`, at the top, to all `ends`, at the bottom."""

    begins: Ends
    ends: Ends

    @property
    def span(self) -> tuple[float, float]:
        places = [end.x for end in (*self.begins, *self.ends)]
        return min(places), max(places)

    @property
    def straight(self) -> bool:
        return self.span[0] == self.span[1]


def tracks(nets: list[Net]) -> tuple[list[int], int]:
    """The track of each net, 0 the highest, and how many there are.

    A wire that comes down in the place where another goes down further must end above it. Where two
    ask that of each other, the first one wins.
    """
    above = {
        number: {
            other
            for other, upper in enumerate(nets)
            if other != number and _must_end_above(upper, net)
        }
        for number, net in enumerate(nets)
    }
    levels: dict[int, int] = {}
    waiting = sorted(range(len(nets)), key=lambda number: nets[number].span)
    while waiting:
        free = [n for n in waiting if not (above[n] & set(waiting))] or waiting[:1]
        number = free[0]
        waiting.remove(number)
        levels[number] = _lowest(number, nets, levels, above[number])
    count = 1 + max((levels[n] for n, net in enumerate(nets) if not net.straight), default=-1)
    return [levels[number] for number in range(len(nets))], count


def _must_end_above(upper: Net, lower: Net) -> bool:
    return any(abs(a.x - b.x) < NEAR for a in upper.begins for b in lower.ends)


def _lowest(number: int, nets: list[Net], levels: dict[int, int], above: set[int]) -> int:
    """The first track below all that must lie above it in which there is room."""
    if nets[number].straight:
        return 0
    level = max((levels[n] + 1 for n in above if n in levels and not nets[n].straight), default=0)
    low, high = nets[number].span
    while any(
        levels[n] == level and nets[n].span[0] - NEAR < high and low < nets[n].span[1] + NEAR
        for n in levels
        if not nets[n].straight
    ):
        level += 1
    return level
