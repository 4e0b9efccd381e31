"""Which parts of a graph repeat: units in a row that read alike and are wired alike."""

from collections.abc import Hashable, Sequence

from convatlas.anatomy.folding import weighs
from convatlas.anatomy.network_graph import Box
from convatlas.anatomy.table import Layer

Places = tuple[int, ...]


def runs(
    groups: Sequence[Places],
    reads_as: Sequence[Hashable],
    boxes: Sequence[Box],
    rows: Sequence[Layer],
) -> list[list[int]]:
    """The groups, by number, together with those that repeat them.

    Groups repeat where their words in `reads_as` are equal and not None, where they are wired
    alike inside, and where each reads the one before as that reads the one before it: in a chain,
    with one or more maps of farther back, or densely, each reading all before it.
    """
    found: list[_Run] = []
    for number, places in enumerate(groups):
        word = reads_as[number]
        if word is None or not found or not found[-1].goes_on(number, word, places):
            found.append(_Run(boxes, rows, number, word, places))
    return [run.numbers for run in found]


class _Run:
    """Groups so far."""

    def __init__(self, boxes: Sequence[Box], rows: Sequence[Layer], number: int, word, places):
        self.boxes, self.rows = boxes, rows
        self.numbers = [number]
        self.word = word
        self.groups: list[Places] = [places]
        self.outside = [_outside(boxes, places)]
        self.after: dict[int, int] = {}  # what a group reads -> what the next one reads there
        self.shape = self._shape(places)

    def goes_on(self, number: int, word: Hashable, places: Places) -> bool:
        """Whether this group is one more; it is taken up then."""
        if word != self.word or len(places) != len(self.groups[0]):
            return False
        outside = _outside(self.boxes, places)
        after = self._chained(outside) or self._dense(outside)
        if after is None or self._shape(places) != self.shape:
            return False
        self.after |= after
        self.numbers.append(number)
        self.groups.append(places)
        self.outside.append(outside)
        return True

    def _chained(self, outside: Places) -> dict[int, int] | None:
        """As many maps as the group before, each from one step on, or from where it stays."""
        before, last = self.outside[-1], self.groups[-1]
        if len(outside) != len(before) or not {*outside} & {*last}:
            return None
        found: dict[int, int] = {}
        for old, new in zip(before, outside, strict=True):
            known = self._next(old)
            near = new in last or new in self.outside[0] or any(new in g for g in self.groups)
            if not near or (known is not None and known != new) or found.get(old, new) != new:
                return None
            found[old] = new
        return found

    def _next(self, place: int) -> int | None:
        """What follows on a map, where that is known: the same box of the next group."""
        for group, following in zip(self.groups, self.groups[1:], strict=False):
            if place in group:
                return following[group.index(place)]
        return self.after.get(place)

    def _dense(self, outside: Places) -> dict[int, int] | None:
        """All that the group before reads, and one map of that group."""
        last = self.groups[-1]
        if outside[:-1] != self.outside[-1] or outside[-1] not in last:
            return None
        if len(self.groups) > 1 and self.outside[-1][-1] in self.groups[-2]:
            same = self.groups[-2].index(self.outside[-1][-1]) == last.index(outside[-1])
            return {} if same else None
        return {}

    def _shape(self, places: Places) -> tuple:
        """Kinds, windows and wires inside; how many outer maps a concat joins is no part of it."""
        outside = _outside(self.boxes, places)
        within = {place: number for number, place in enumerate(places)}
        shape = []
        for place in places:
            box = self.boxes[place]
            reads = [
                within.get(r, f"outer {outside.index(r) if r in outside else ''}")
                for r in box.reads
            ]
            if box.kind == "concat":
                reads = [*dict.fromkeys("outer" if isinstance(r, str) else r for r in reads)]
            shape.append((box.kind, tuple(reads), self._settings(box)))
        return tuple(shape)

    def _settings(self, box: Box) -> tuple:
        row = None if box.row is None else self.rows[box.row]
        if row is None or not weighs(row):
            return ()
        return row.kernel, row.stride, row.padding, row.groups, row.output, row.bias


def _outside(boxes: Sequence[Box], places: Places) -> Places:
    """What a group reads of others, in the order it is read."""
    own = {*places}
    return tuple(dict.fromkeys(r for place in places for r in boxes[place].reads if r not in own))
