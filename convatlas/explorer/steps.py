"""How the sizes of a network's maps follow from the size of its input.

Along any way through a network few layers change a map's height: a tree of such steps, and for each
layer the step that made its map. From the stored graph and layer table, without torch. The page
(static/network/sizes.js) follows the steps for any size.
"""

from dataclasses import dataclass, replace
from math import prod

from convatlas.anatomy.network_graph import Box, NetworkGraph

Pools = frozenset[tuple[str, int, int]]  # class, kernel, stride
FLOOR, CEIL, SAME = "floor", "ceil", "same"
MARGINS = ("Same",)  # layers that pad so that the next window gives input / stride, rounded up
NOWHERE = -1  # the map has no size: a vector, or one value a channel whatever came in


@dataclass(frozen=True)
class Step:
    """One change of height: from the map of the step `after` (0: the input)."""

    after: int
    kernel: int
    stride: int
    padding: float  # on each side; half of both where they differ
    rounding: str  # of the size: "floor", "ceil", or "same" (input / stride, rounded up)

    def size(self, height: int) -> int:
        """The height of its map, for that of the map it reads."""
        if self.rounding == SAME:
            return -(-height // self.stride)
        room = height + int(2 * self.padding) - self.kernel
        if self.rounding == FLOOR:
            return room // self.stride + 1
        size = -(-room // self.stride) + 1  # and no window begins beyond the map and its padding
        return size - ((size - 1) * self.stride >= height + self.padding)


@dataclass(frozen=True)
class Steps:
    """All steps of a network; 0 is the input, so the first is 1. `of_row`: of each layer's row."""

    steps: tuple[Step, ...]
    of_row: tuple[int, ...]

    def sizes(self, height: int) -> list[int]:
        """Height of the input, and of the map after each step; 0 where it is used up."""
        found = [height]
        for step in self.steps:
            found.append(max(0, step.size(found[step.after])))
        return found


def steps(graph: NetworkGraph, rows: list[list], rounded_up: Pools = frozenset()) -> Steps:
    """The steps of a stored graph with its table's rows; `rounded_up`: the pools that round so,
    where the printed size leaves it open.

    ValueError, naming the layer, for a change of size that is none of these kinds.
    """
    found: dict[Step, int] = {}
    at: list[int] = []
    for box in graph.boxes:
        at.append(_at(box, graph, rows, at, found, rounded_up))
    of_row = dict.fromkeys(range(len(rows)), NOWHERE)
    of_row |= {
        box.row: at[n]
        for n, box in enumerate(graph.boxes)
        if box.row is not None and box.kind not in MARGINS
    }
    return Steps(tuple(found), tuple(of_row[n] for n in range(len(rows))))


def _at(
    box: Box, graph: NetworkGraph, rows: list[list], at: list[int], found: dict, up: Pools
) -> int:
    """The step whose map the box puts out."""
    if len(box.output) < 3:
        return NOWHERE
    if not box.reads:
        return 0
    maps = [read for read in box.reads if len(graph.boxes[read].output) >= 3]
    read = max(maps, key=lambda n: graph.boxes[n].output[-2], default=None)
    if read is None:
        return NOWHERE
    if box.kind in MARGINS:
        return at[read]  # zeros that belong to the window after it
    before, after = graph.boxes[read].output[-2], box.output[-2]
    row = rows[box.row] if box.row is not None else None
    if at[read] == NOWHERE or (after == 1 != before and not (row and row[2])):
        return NOWHERE
    kernel, stride, padding = _window(row, before, after)
    if graph.boxes[read].kind in MARGINS:
        step = Step(at[read], kernel, stride, (kernel - 1) / 2, SAME)
        return at[read] if stride == 1 else found.setdefault(step, len(found) + 1)
    if stride == 1 and kernel == 2 * padding + 1:
        return at[read]
    first = CEIL if (box.kind, kernel, stride) in up else FLOOR
    step = Step(at[read], kernel, stride, padding, first)
    return found.setdefault(_rounded(step, before, after, box.name), len(found) + 1)


def _window(row: list | None, before: int, after: int) -> tuple[int, int, float]:
    """Kernel, stride and padding of the vertical axis; of what is no layer, from the sizes."""
    if row is not None and row[2]:
        return row[2][0], row[3][0], row[4][0] if row[4] else 0
    if before == after:
        return 1, 1, 0
    if before > after > before / 3 and abs(before / after - 2) < 0.5:
        return 1, 2, 0  # every second row
    return 1, 1, (after - before) / 2  # zeros around, or a margin cut off


def _rounded(step: Step, before: int, after: int, name: str) -> Step:
    for rounding in (step.rounding, FLOOR, CEIL, SAME):
        one = replace(step, rounding=rounding)
        if one.size(before) == after:
            return _plain(one)
    raise ValueError(f"{name}: a map of {before} becomes one of {after}, by {step}")


def _plain(step: Step) -> Step:
    """The same step without padding, where that says the same: 3x3 /2 padded by 1 goes the way of
    1x1 /2, to maps of the same size, whose units look at the same centres.
    """
    if step.rounding != FLOOR:
        return step
    return replace(step, kernel=int(step.kernel - 2 * step.padding), padding=0)


def whole_maps(graph: NetworkGraph) -> list[str]:
    """The linear layers that read every place of a map, and so bind the size of the input."""
    return [
        box.name
        for box in graph.boxes
        if box.kind == "Linear"
        and any(prod(graph.boxes[read].output[1:]) > 1 for read in box.reads)
    ]
