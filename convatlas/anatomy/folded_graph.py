"""A network as pictures draw it: stages, the units in them, and what these are made of, with
repeats as "x3" and the edges between the parts of each level.

Plain records: works on a stored graph and a stored table without torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from convatlas.anatomy.folding import Ends, made_of, weighs
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.repeating import runs
from convatlas.anatomy.table import Layer

LEVELS = {"stage": 1, "unit": 2, "layer": 99}  # how deep parts lie in parts
STAGE, UNIT = 1, 2
SIZES = 3  # of maps, in a module that is no stage but holds stages


@dataclass(frozen=True)
class Part:
    """A stage, a unit, a branch, ... or a single box; or several equal units in a row.

    `boxes`, `params` and `macs` are those of all repeats, `parts` those of the first one; `output`
    and `receptive_field` are the last one's.
    """

    name: str  # dotted path, of the first where it repeats; of a join, of the module that joins
    title: str  # "conv3_x", "1-3", "add"
    kind: str  # of a single box; "" of several
    made_of: str  # "1x1 64, 3x3 64, 1x1 256", of each repeat; of a stage, its units with "; "
    repeats: int
    last: str  # path of the last repeat
    boxes: tuple[int, ...]  # places in the graph, in order
    parts: tuple["Part", ...]  # what it is made of, down to the level asked for
    reads: tuple[int | None, ...]  # places among the parts beside it; None: outside of all these
    sources: tuple[int, ...]  # for each of `reads` the box that is read, the last one of several
    output: tuple[int, ...]
    params: int
    macs: int
    receptive_field: int | None  # None where no layer table tells it: of joins


class Group(NamedTuple):
    """Boxes of one module, in a row."""

    path: str
    places: tuple[int, ...]


def folded(
    graph: NetworkGraph,
    rows: Sequence[Layer],
    ends: Ends,
    level: str = "unit",
    repeats: bool = True,
    marks: Mapping[str, object] | None = None,
) -> Part:
    """The whole network as one part, whose parts are those at the top, "input" and "output" too.

    At level "stage" these have no parts, at "unit" their parts have none, at "layer" all go down
    to single boxes. `rows` and `ends` are those of the layer table. Without `repeats` each unit
    stands for itself; with `marks`, by path, only units of one mark are put together. ValueError
    for another level.
    """
    if level not in LEVELS:
        raise ValueError(f"there is no level {level!r}; give one of {', '.join(LEVELS)}")
    return _Folding(graph, rows, ends, repeats, marks or {}).whole(LEVELS[level])


class _Folding:
    def __init__(
        self,
        graph: NetworkGraph,
        rows: Sequence[Layer],
        ends: Ends,
        repeats: bool,
        marks: Mapping[str, object],
    ):
        self.graph, self.rows, self.ends = graph, rows, ends
        self.repeats, self.marks = repeats, marks
        dots = ((box.name, i) for box in graph.boxes for i, c in enumerate(box.name) if c == ".")
        self.holders = {name[:i] for name, i in dots}

    def whole(self, depth: int) -> Part:
        every = Group("", tuple(range(len(self.graph.boxes))))
        parts = self._parts(self._top(every), depth, STAGE)
        whole = self._part([every], {}, parts)
        return replace(whole, title=self.graph.network, made_of="")

    def _top(self, every: Group) -> list[Group]:
        """The modules at the top, but where one of them holds most of the network at several
        sizes, the modules in it.
        """
        groups = self._groups(every)
        for i, group in enumerate(groups):
            if 2 * len(group.places) > len(every.places) and self._holds_stages(group):
                return [*groups[:i], *self._top(group), *groups[i + 1 :]]
        return groups

    def _holds_stages(self, group: Group) -> bool:
        inside = self._groups(group)
        maps = {self._output(inner)[1:] for inner in inside if len(self._output(inner)) == 3}
        return len(maps) >= SIZES or (len(inside) == 1 and self._holds_stages(inside[0]))

    def _groups(self, group: Group) -> list[Group]:
        """By the modules right inside; what the module does itself, and each call of a layer,
        stands alone.
        """
        within = f"{group.path}." if group.path else ""

        def key(place: int) -> tuple[str, int | None]:
            box = self.graph.boxes[place]
            if box.name == group.path:
                return box.name, place
            child = within + box.name.removeprefix(within).partition(".")[0]
            alone = child not in self.holders and box.row is not None
            if group.path and box.name.startswith(f"{child}."):  # a list's item has its number
                number = box.name.removeprefix(f"{child}.").partition(".")[0]
                child += f".{number}" * number.isdecimal()
            return child, place if alone else None

        return [Group(path, tuple(same)) for (path, _), same in groupby(group.places, key=key)]

    def _parts(self, groups: Sequence[Group], depth: int, level: int) -> tuple[Part, ...]:
        """`depth` levels from here on; `level` is that of these groups."""
        repeated = (
            self._repeated(groups) if level > STAGE and self.repeats else [[g] for g in groups]
        )
        owners = {p: i for i, run in enumerate(repeated) for g in run for p in g.places}
        return tuple(self._with_inside(run, owners, depth - 1, level + 1) for run in repeated)

    def _with_inside(self, run: list[Group], owners, depth: int, level: int) -> Part:
        first = run[0]
        if len(first.places) == 1 or (depth <= 0 and level > UNIT):
            return self._part(run, owners, ())
        if level > UNIT:
            return self._part(run, owners, self._parts(self._inside(first), depth, level))
        return self._stage(run, owners, depth)

    def _inside(self, group: Group) -> list[Group]:
        """What a part is made of, through those that hold nothing but one other."""
        inside = self._groups(group)
        while len(inside) == 1 and len(inside[0].places) > 1:
            inside = self._groups(inside[0])
        return inside

    def _stage(self, run: list[Group], owners, depth: int) -> Part:
        """With its units; one that is a single unit, or one several times, has that one's parts."""
        units = self._absorbed(self._groups(run[0]))
        repeated = self._repeated(units) if self.repeats else [[unit] for unit in units]
        if len(repeated) > 1:
            whole = self._part(run, owners, self._parts(units, depth, UNIT) if depth > 0 else ())
            return replace(whole, made_of="; ".join(map(self._told, repeated)))
        same = repeated[0]
        unit = same[0] if len(same) > 1 else run[0]
        parts = self._parts(self._inside(unit), depth, UNIT + 1) if depth > 1 else ()
        whole = self._part(run, owners, parts)
        return replace(whole, repeats=len(same), made_of=self._made_of(unit))

    def _absorbed(self, groups: list[Group]) -> list[Group]:
        """Norms, activations and padding alone go with what they follow, or else precede."""
        units: list[Group] = []
        for group in groups:
            before = [i for i, unit in enumerate(units) if self._leads_only(unit, group)]
            if before and self._is_light(group):
                unit = units[before[0]]
                units[before[0]] = Group(unit.path, unit.places + group.places)
            else:
                units.append(group)
        for i in reversed(range(len(units) - 1)):
            if self._is_light(units[i]) and self._leads_only(units[i], units[i + 1]):
                units[i : i + 2] = [Group(units[i + 1].path, units[i].places + units[i + 1].places)]
        return units

    def _is_light(self, group: Group) -> bool:
        for place in group.places:
            box = self.graph.boxes[place]
            if len(box.reads) != 1 or "shuffle" in box.kind.lower():
                return False
            if box.row is not None and weighs(self.rows[box.row]):
                return False
            pads = "pad" in box.kind.lower() or box.kind.startswith("Same")
            if box.output != self.graph.boxes[box.reads[0]].output and not pads:
                return False
        return True

    def _leads_only(self, one: Group, other: Group) -> bool:
        """Whether what the first gives out goes into the other alone, which reads nothing else."""
        readers = {r for place in one.places for r in self.graph.readers[place]}
        reads = {r for place in other.places for r in self.graph.boxes[place].reads}
        return readers - {*one.places} <= {*other.places} and reads - {*other.places} <= {
            *one.places
        }

    def _repeated(self, groups: Sequence[Group]) -> list[list[Group]]:
        words = [
            (self._made_of(group), self._output(group), self.marks.get(group.path))
            if self._matters(group)
            else None
            for group in groups
        ]
        places = [group.places for group in groups]
        found = runs(places, words, self.graph.boxes, self.rows)
        return [[groups[number] for number in run] for run in found]

    def _part(self, run: list[Group], owners: dict[int, int], parts: tuple[Part, ...]) -> Part:
        first, last = run[0], run[-1]
        places = tuple(place for group in run for place in group.places)
        box = self.graph.boxes[first.places[0]] if len(places) == 1 else None
        layers = self._rows(places)
        reads = self._reads(places, owners)
        return Part(
            first.path,
            self._title(run),
            box.kind if box else "",
            self._made_of(first),
            len(run),
            last.path,
            places,
            parts,
            tuple(owner for owner, _ in reads),
            tuple(source for _, source in reads),
            self._output(last),
            sum(row.params for row in layers),
            sum(row.macs for row in layers),
            self._field(last),
        )

    def _reads(self, places: tuple[int, ...], owners: dict[int, int]) -> list[tuple]:
        """(part, box) of what it reads: of one part the last box, of what is outside each."""
        own = {*places}
        found: dict[object, tuple[int | None, int]] = {}
        for place in places:
            for read in self.graph.boxes[place].reads:
                if read not in own:
                    owner = owners.get(read)
                    key = ("outside", read) if owner is None else owner
                    found[key] = owner, max(read, found.get(key, (0, 0))[1])
        return list(found.values())

    def _title(self, run: list[Group]) -> str:
        first, last = run[0], run[-1]
        box = self.graph.boxes[first.places[0]]
        if len(run) == 1 and len(first.places) == 1 and box.row is None:
            return box.kind
        names = [group.path.rpartition(".")[2] for group in (first, last)]
        return names[0] if len(run) == 1 else "-".join(names)

    def _rows(self, places: Sequence[int]) -> list[Layer]:
        boxes = (self.graph.boxes[place] for place in places)
        return [self.rows[box.row] for box in boxes if box.row is not None]

    def _matters(self, group: Group) -> bool:
        return any(map(weighs, self._rows(group.places)))

    def _made_of(self, group: Group) -> str:
        if self._matters(group):
            return made_of(self._rows(group.places))
        kinds = (self.graph.boxes[place].kind for place in group.places)
        return ", ".join(kind for kind, _ in groupby(kinds))

    def _told(self, run: list[Group]) -> str:
        """ "1x1 64, 3x3 64, 1x1 256 (x2)" """
        return self._made_of(run[0]) + f" (x{len(run)})" * (len(run) > 1)

    def _end(self, group: Group) -> tuple[tuple[int, ...], int | None] | None:
        return self.ends.get(group.path) if len(group.places) > 1 else None

    def _output(self, group: Group) -> tuple[int, ...]:
        end = self._end(group)
        return tuple(end[0]) if end else self.graph.boxes[group.places[-1]].output

    def _field(self, group: Group) -> int | None:
        end = self._end(group)
        if end:
            return end[1]
        box = self.graph.boxes[group.places[-1]]
        return None if box.row is None else self.rows[box.row].receptive_field
