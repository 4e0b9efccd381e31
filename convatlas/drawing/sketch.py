"""Which boxes a drawing shows, and what lies in which: a network as Pieces in Pieces.

Shown are layers that weigh something, and places where maps meet or part; what works on one map
element by element (activations, norms, dropout, changes of shape) belongs to what it follows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from convatlas.anatomy.table import Layer

PASSING = {
    *("view", "transpose", "unsqueeze", "squeeze", "rearrange", "flatten", "permute"),
    *("pad", "crop"),
    *("relu", "relu6", "sigmoid", "tanh", "softmax", "hardsigmoid", "hardswish", "hardtanh"),
    *("gelu", "silu", "prelu", "scale", "shift", "clip", "power", "neg", "exp", "sqrt", "square"),
    *("layer norm", "batch norm", "dropout"),
}
Group = tuple[str, list[int]]  # a name, and numbers of steps
SIZES = 3  # of maps, in a module that is no stage but holds stages
NORMS = ("Norm", "Affine", "Scale")
DRAWN = {
    "LocalResponseNorm",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "ChannelShuffle",
    "Upsample",
}


@dataclass(frozen=True)
class Step:
    """A box that is shown. `boxes` are the places in the graph of it and of what belongs to it."""

    path: str
    kind: str
    row: Layer | None
    output: tuple[int, ...]
    boxes: tuple[int, ...]
    mark: str = ""  # a look of its own
    since: Layer | None = (
        None  # of folded units that differ in their channels: the first one's layer
    )

    @property
    def macs(self) -> int:
        return self.row.macs if self.row else 0


class Into(NamedTuple):
    """What enters a piece from outside, by its number among its sources."""

    number: int


Key = (
    int | Into
)  # what a part reads: another part of the piece, by its number, or what enters the piece


@dataclass(frozen=True)
class Piece:
    """A part of the network: a stage or a unit, or a single step.

    `parts` are Pieces or Steps in the order they run; `reads` has for each of them the keys of what
    it reads, in the order of its own `sources`; `gives` are the parts that are read outside.
    Folded, it stands for `repeats` of the same, from `path` to `last`, one behind the other.
    """

    path: str
    parts: tuple
    reads: tuple[tuple[Key, ...], ...]
    gives: tuple[int, ...]
    output: tuple[int, ...]
    rows: tuple[int, ...]
    params: int
    macs: int
    field: int | None
    repeats: int = 1
    last: str = ""
    joined: bool = False  # a row of steps that is drawn as one box
    behind: tuple[
        int, ...
    ] = ()  # how far before each of them what it reads lies, where that is several things

    @property
    def steps(self) -> list[Step]:
        """All that lie in it, at any depth."""
        parts = [part.steps if isinstance(part, Piece) else [part] for part in self.parts]
        return [step for steps in parts for step in steps]


@dataclass
class Plan:
    """The shown steps of a graph, by number, and the wires between them."""

    steps: list[Step]
    reads: list[tuple[int, ...]]
    rows: Sequence[Layer]
    boxes: Sequence
    ends: Mapping
    readers: list[list[int]] = field(default_factory=list)


def plan(
    graph,
    rows: Sequence[Layer],
    ends: Mapping,
    every: bool = False,
    mark: Callable[[str], str] = lambda path: "",
) -> Plan:
    """Of a NetworkGraph (anatomy.network_graph), its layer table and what containers give out
    (anatomy.fold); input and output are steps too. With `every` box. `mark` gives the look of what
    has this path.
    """
    step_of: dict[int, int] = {}
    steps: list[Step] = []
    reads: list[tuple[int, ...]] = []
    concatenated: dict[tuple[int, ...], int] = {}
    seen = {_component(box.name, 0) for box in graph.boxes if _is_shown(box, _row(box, rows))}
    for place, box in enumerate(graph.boxes):
        row = _row(box, rows)
        alone = row is not None and row.params and _component(box.name, 0) not in seen
        if len(box.reads) == 1 and not (every or alone or _is_shown(box, row)):
            step_of[place] = step_of[box.reads[0]]
            continue
        step_of[place] = len(steps)
        steps.append(Step(box.name, box.kind, row, box.output, (), mark(box.name)))
        read = tuple(step_of[read] for read in box.reads)
        if box.kind == "concat":
            read = _begun(read, concatenated)
            concatenated[tuple(step_of[read] for read in box.reads)] = len(steps) - 1
        reads.append(tuple(dict.fromkeys(read)))
    owned = _owned(steps, step_of, graph)
    finished = [replace(steps[n], boxes=tuple(places)) for n, places in enumerate(owned)]
    return Plan(finished, reads, rows, graph.boxes, ends)


def _row(box, rows: Sequence[Layer]) -> Layer | None:
    return None if box.row is None else rows[box.row]


def _owned(steps: list[Step], step_of: dict[int, int], graph) -> list[list[int]]:
    """The places of each step's boxes: what is not shown belongs to what it follows or, where that
    lies in its own module and this does not, to what it precedes.
    """
    shown = {place for place, step in step_of.items() if _is_first(place, step, step_of, graph)}
    owner = dict(step_of)
    for place in reversed(range(len(graph.boxes))):
        readers = graph.readers[place]
        if place in shown or not readers:
            continue
        path, after = graph.boxes[place].name, owner[readers[0]]
        if _shared(path, steps[after].path) > _shared(path, steps[step_of[place]].path):
            owner[place] = after
    found: list[list[int]] = [[] for _ in steps]
    for place in range(len(graph.boxes)):
        found[owner[place]].append(place)
    return found


def _is_first(place: int, step: int, step_of: dict[int, int], graph) -> bool:
    """Whether it is the box that is shown of its step."""
    return all(step_of[read] != step for read in graph.boxes[place].reads)


def _shared(a: str, b: str) -> int:
    """How many modules two paths have in common."""
    pairs = zip(a.split("."), b.split("."), strict=False)
    return next(
        (n for n, (x, y) in enumerate(pairs) if x != y), min(a.count("."), b.count(".")) + 1
    )


def _begun(read: tuple[int, ...], concatenated: dict[tuple[int, ...], int]) -> tuple[int, ...]:
    """What a concatenation reads, which begins with all that an earlier one reads: that one, and
    the rest.
    """
    for end in range(len(read) - 1, 1, -1):
        if read[:end] in concatenated:
            return concatenated[read[:end]], *read[end:]
    return read


def _is_shown(box, row: Layer | None) -> bool:
    if row is None:
        return box.kind not in PASSING
    if row.macs or row.kernel or box.kind in DRAWN:
        return True
    return bool(row.params) and not any(word in box.kind for word in NORMS)


def pieces(made: Plan) -> Piece:
    """The whole network, without its output: its stages, which hold units where several follow each
    other.
    """
    everything = list(range(len(made.steps) - 1))
    groups = _top(made, "", everything)
    return _piece(made, "", everything, [(_stage(made, *group), group[1]) for group in groups])


def _top(made: Plan, path: str, members: list[int]) -> list[Group]:
    """The modules at the top; where one of them holds most of the network at several sizes, those
    in it.
    """
    found: list[Group] = []
    for name, inside in _grouped(made, members, path.count(".") + 1 if path else 0):
        whole = ".".join(filter(None, (path, name)))
        if name and 2 * len(inside) > len(made.steps) and _holds_stages(made, whole, inside):
            found += _top(made, whole, inside)
        else:
            found.append((whole, inside))
    return found


def _holds_stages(made: Plan, path: str, members: list[int]) -> bool:
    groups = _grouped(made, members, path.count(".") + 1)
    return len({made.steps[inside[-1]].output[1:] for _, inside in groups}) >= SIZES


def _component(path: str, depth: int) -> str:
    return ".".join(path.split(".")[depth : depth + 1])


def _grouped(made: Plan, members: list[int], depth: int) -> list[Group]:
    """Members that share the name at this depth, and run one after the other."""
    groups: list[Group] = []
    for member in members:
        name = _component(made.steps[member].path, depth)
        if groups and name and groups[-1][0] == name:
            groups[-1][1].append(member)
        else:
            groups.append((name, [member]))
    return groups


def sources(made: Plan, members: list[int]) -> list[int]:
    """The steps outside that members read, in their order."""
    inside = set(members)
    return list(
        dict.fromkeys(r for member in members for r in made.reads[member] if r not in inside)
    )


def _stage(made: Plan, name: str, members: list[int]) -> Piece:
    groups = _grouped(made, members, name.count(".") + 1)
    if not _are_units(made, groups):
        groups = _joins_last(made, groups)
    if not _are_units(made, groups):
        return _flat(made, name or made.steps[members[0]].path, members)
    units = [
        (_flat(made, f"{name}.{unit}" if unit else name, inside), inside) for unit, inside in groups
    ]
    return _piece(made, name, members, units)


def _are_units(made: Plan, groups: list[Group]) -> bool:
    """Whether they follow each other: each reads the one before it, and that one alone unless all
    are numbered.
    """
    if len(groups) < 2 or all(len(inside) == 1 for _, inside in groups):
        return False
    numbered = all(name.isdigit() and len(inside) > 1 for name, inside in groups)
    for (_, before), (_, inside) in pairwise(groups):
        read = sources(made, inside)
        if not set(read) & set(before) or not (numbered or set(read) <= set(before)):
            return False
    return numbered or len(sources(made, [m for _, inside in groups for m in inside])) <= 1


def _joins_last(made: Plan, groups: list[tuple[str, list[int]]]) -> list[tuple[str, list[int]]]:
    """With the join that a unit begins with, of what the one before it reads and gives out, at the
    end of that one.
    """
    result = [(name, list(inside)) for name, inside in groups]
    for (_, before), (_, inside) in pairwise(result):
        while (
            inside and len(made.reads[inside[0]]) > 1 and set(made.reads[inside[0]]) & set(before)
        ):
            before.append(inside.pop(0))
    return [(name, inside) for name, inside in result if inside]


def _flat(made: Plan, name: str, members: list[int]) -> Piece:
    """All steps side by side in one piece."""
    return _piece(made, name, members, [(made.steps[member], [member]) for member in members])


def _piece(
    made: Plan, path: str, members: list[int], parts: list[tuple[Piece | Step, list[int]]]
) -> Piece:
    part_of: dict[int, Key] = {
        m: number for number, (_, inside) in enumerate(parts) for m in inside
    }
    part_of |= {step: Into(number) for number, step in enumerate(sources(made, members))}
    places = sorted(place for member in members for place in made.steps[member].boxes)
    rows = tuple(row for row in (made.boxes[place].row for place in places) if row is not None)
    layers = [made.rows[row] for row in rows]
    return Piece(
        path,
        tuple(part for part, _ in parts),
        tuple(tuple(part_of[step] for step in sources(made, inside)) for _, inside in parts),
        tuple(
            dict.fromkeys(
                part_of[member] for member in members if _is_read_outside(made, member, members)
            )
        ),
        made.boxes[places[-1]].output,
        rows,
        sum(layer.params for layer in layers),
        sum(layer.macs for layer in layers),
        made.ends[path][1] if path in made.ends else layers[-1].receptive_field if layers else None,
    )


def _is_read_outside(made: Plan, member: int, members: list[int]) -> bool:
    if not made.readers:
        made.readers = [[] for _ in made.steps]
        for place, reads in enumerate(made.reads):
            for read in reads:
                made.readers[read].append(place)
    inside = set(members)
    return not inside.issuperset(made.readers[member])
