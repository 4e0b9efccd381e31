"""From which box to which the wires of a scene lead, read off its geometry alone; and what should
be there.
"""

from collections import defaultdict

from convatlas.drawing.scene import Box, Scene, Wire
from convatlas.drawing.sketch import Into, Piece, Step

NEAR = 0.6
Edge = tuple[str, str]


def drawn_edges(scene: Scene) -> set[Edge]:
    """Pairs of paths of boxes. A wire begins where another runs, or at a box; it ends in a box, or
    where another begins.
    """
    wires = [item for item in scene.items if isinstance(item, Wire)]
    boxes = [item for item in scene.items if isinstance(item, Box) and not item.frame]
    begins = defaultdict(list)
    for wire in wires:
        begins[_cell(wire.points[0])].append(wire)
    found = set()
    for box in boxes:
        if box.path or box.join:
            for end in _reached(box, wires, begins, boxes):
                found.add((box.path, end.path))
    return found


def _cell(point) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _reached(box: Box, wires, begins, boxes) -> list[Box]:
    """The boxes that wires from this one lead to, through the places where something enters a
    frame.
    """
    left, _, right, bottom = box.bounds
    waiting = [
        wire
        for wire in wires
        if abs(wire.points[0][1] - bottom) < NEAR and left <= wire.points[0][0] <= right
    ]
    seen, found = set(map(id, waiting)), []
    while waiting:
        wire = waiting.pop()
        end = wire.points[-1]
        into = next((each for each in boxes if each is not box and _touches(each, end)), None)
        following = []
        if into is not None and not into.path and not into.join:  # a port
            x, _, right_of_it, low = into.bounds
            following = [
                w
                for w in wires
                if abs(w.points[0][1] - low) < NEAR and x <= w.points[0][0] <= right_of_it
            ]
        elif into is not None:
            found.append(into)
        else:
            following = begins[_cell(end)]
        following = [*following, *_on_the_way(wire, begins)]
        for each in following:
            if id(each) not in seen:
                seen.add(id(each))
                waiting.append(each)
    return found


def _touches(box: Box, point) -> bool:
    """Whether a wire that ends there enters the box from above or from a side."""
    left, top, right, bottom = box.bounds
    x, y = point
    above = abs(y - top) < NEAR and left - NEAR <= x <= right + NEAR
    beside = top - NEAR <= y <= bottom + NEAR and min(abs(x - left), abs(x - right)) < NEAR
    return above or beside


def _on_the_way(wire: Wire, begins) -> list[Wire]:
    """Wires that begin at a corner of this one, or on one of its pieces."""
    start, found = _cell(wire.points[0]), []
    for (a, b), (c, d) in zip(wire.points, wire.points[1:], strict=False):
        if a == c:
            steps = range(round(min(b, d)), round(max(b, d)) + 1)
            cells = [(round(a), y) for y in steps]
        else:
            cells = [(x, round(b)) for x in range(round(min(a, c)), round(max(a, c)) + 1)]
        found += [each for cell in cells if cell != start for each in begins.get(cell, ())]
    return found


def named(part: Piece | Step) -> str:
    return part.path


def is_one_box(part: Piece | Step) -> bool:
    single = isinstance(part, Piece) and len(part.parts) == 1 and isinstance(part.parts[0], Step)
    return isinstance(part, Step) or part.joined or single


def expected_edges(whole: Piece, stages: bool = False) -> set[Edge]:
    """Of the boxes of a picture of these pieces; with `stages` every part at the top is one."""
    found: set[Edge] = set()
    _collect(whole, stages, found)
    return found


def _collect(piece: Piece, stages: bool, found: set[Edge]) -> None:
    for part, keys in zip(piece.parts, piece.reads, strict=True):
        for number, key in enumerate(keys):
            if not isinstance(key, Into):
                ends = _entries(part, number, stages)
                found |= {(a, b) for a in _exits(piece.parts[key], stages) for b in ends}
        if not stages and not is_one_box(part):
            _collect(part, stages, found)


def _exits(part, stages: bool) -> set[str]:
    if stages or is_one_box(part):
        return {named(part)}
    return set().union(*(_exits(part.parts[number], stages) for number in part.gives))


def _entries(part, source: int, stages: bool) -> set[str]:
    if stages or is_one_box(part):
        return {named(part)}
    found: set[str] = set()
    for inner, keys in zip(part.parts, part.reads, strict=True):
        for number, key in enumerate(keys):
            if key == Into(source):
                found |= _entries(inner, number, stages)
    return found
