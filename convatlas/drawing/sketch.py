"""Which boxes a drawing shows, and what lies in which: a network as Pieces in Pieces.

Shown are layers that weigh something, and places where maps meet or part; what works on one map element by element
(activations, norms, dropout, changes of shape) belongs to what it follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from convatlas.anatomy.table import Layer

PASSING = {"view", "transpose", "unsqueeze", "squeeze", "rearrange", "relu", "relu6", "sigmoid", "tanh", "softmax"}
PASSING |= {"scale", "shift", "clip", "power", "hardsigmoid", "hardswish", "hardtanh", "gelu", "silu", "neg", "exp"}
PASSING |= {"layer norm", "batch norm", "dropout", "flatten", "permute", "prelu", "sqrt", "square", "pad", "crop"}
NORMS = ("Norm", "Affine", "Scale", "Response")
DRAWN = {"AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "ChannelShuffle", "Upsample"}


@dataclass(frozen=True)
class Step:
    """A box that is shown. `boxes` are the places in the graph of it and of what belongs to it."""

    path: str
    kind: str
    row: Layer | None
    output: tuple[int, ...]
    boxes: tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """A part of the network: a stage or a unit, or a single step.

    `parts` are Pieces or Steps in the order they run, `wires` between them by their numbers, None being what enters the
    piece or leaves it. Folded, it stands for `repeats` of the same, from `path` to `last`, one behind the other.
    """

    path: str
    parts: tuple
    wires: tuple[tuple[int | None, int | None], ...]
    output: tuple[int, ...]
    rows: tuple[int, ...]
    params: int
    macs: int
    field: int | None
    repeats: int = 1
    last: str = ""

    @property
    def steps(self) -> int:
        return sum(part.steps if isinstance(part, Piece) else 1 for part in self.parts)


@dataclass
class Plan:
    """The shown steps of a graph, by number, and the wires between them."""

    steps: list[Step]
    reads: list[tuple[int, ...]]
    rows: Sequence[Layer]
    boxes: Sequence
    readers: list[list[int]] = field(default_factory=list)


def plan(graph, rows: Sequence[Layer]) -> Plan:
    """Of a NetworkGraph (anatomy.network_graph) and its layer table; input and output are steps too."""
    step_of: dict[int, int] = {}
    steps: list[list] = []
    reads: list[tuple[int, ...]] = []
    concatenated: dict[tuple[int, ...], int] = {}
    for place, box in enumerate(graph.boxes):
        row = None if box.row is None else rows[box.row]
        if len(box.reads) == 1 and not _is_shown(box, row):
            step_of[place] = step_of[box.reads[0]]
            steps[step_of[place]][1].append(place)
            continue
        step_of[place] = len(steps)
        steps.append([Step(box.name, box.kind, row, box.output, ()), [place]])
        read = tuple(step_of[read] for read in box.reads)
        if box.kind == "concat":
            read = _begun(read, concatenated)
            concatenated[tuple(step_of[read] for read in box.reads)] = len(steps) - 1
        reads.append(tuple(dict.fromkeys(read)))
    finished = [replace(step, boxes=tuple(places)) for step, places in steps]
    return Plan(finished, reads, rows, graph.boxes)


def _begun(read: tuple[int, ...], concatenated: dict[tuple[int, ...], int]) -> tuple[int, ...]:
    """What a concatenation reads, which begins with all that an earlier one reads: that one, and the rest."""
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
    """The whole network: its stages, which hold units where several follow each other."""
    everything = list(range(len(made.steps) - 1))  # without the output
    parts, wires = _grouped(made, everything, 0)
    inside = [_stage(made, name, members) for name, members in parts]
    entered = tuple(
        (None, number) for number, (_, members) in enumerate(parts) if not made.reads[members[0]]
    )
    return _piece(made, "", everything, tuple(inside), (*entered, *wires))


def _component(path: str, depth: int) -> str:
    return ".".join(path.split(".")[depth : depth + 1])


def _grouped(made: Plan, members: list[int], depth: int) -> tuple[list[tuple[str, list[int]]], tuple]:
    """Members that share the name at this depth, and run one after the other; and the wires between those."""
    groups: list[tuple[str, list[int]]] = []
    for member in members:
        name = _component(made.steps[member].path, depth)
        if groups and name and groups[-1][0] == name:
            groups[-1][1].append(member)
        else:
            groups.append((name, [member]))
    group_of = {member: number for number, (_, inside) in enumerate(groups) for member in inside}
    wires = _wires(made, members, group_of)
    return groups, wires


def _wires(made: Plan, members: list[int], group_of: dict[int, int]) -> tuple[tuple[int | None, int | None], ...]:
    found: dict[tuple[int | None, int | None], None] = {}
    read_outside = _read_outside(made, members)
    for member in members:
        for read in made.reads[member]:
            ends = group_of.get(read), group_of[member]
            if ends[0] != ends[1]:
                found[ends] = None
        if member in read_outside:
            found[group_of[member], None] = None
    return tuple(found)


def _read_outside(made: Plan, members: list[int]) -> set[int]:
    if not made.readers:
        made.readers = [[] for _ in made.steps]
        for place, reads in enumerate(made.reads):
            for read in reads:
                made.readers[read].append(place)
    inside = set(members)
    return {member for member in members if not inside.issuperset(made.readers[member])}


def _stage(made: Plan, name: str, members: list[int]) -> Piece:
    if len(members) == 1:
        return _piece(made, made.steps[members[0]].path if not name else name, members, (made.steps[members[0]],), ((None, 0), (0, None)))
    groups, wires = _grouped(made, members, 1)
    if not _is_row_of_units(groups, wires):
        groups = _joins_last(made, groups)
        wires = _wires(made, members, {m: n for n, (_, inside) in enumerate(groups) for m in inside})
    if not _is_row_of_units(groups, wires):
        return _flat(made, name, members)
    units = [_flat(made, f"{name}.{unit}" if unit else name, inside) for unit, inside in groups]
    return _piece(made, name, members, tuple(units), wires)


def _joins_last(made: Plan, groups: list[tuple[str, list[int]]]) -> list[tuple[str, list[int]]]:
    """With the join that a unit begins with, of what the one before it reads and gives out, at the end of that one."""
    result = [(name, list(inside)) for name, inside in groups]
    for (_, before), (_, inside) in pairwise(result):
        while inside and len(made.reads[inside[0]]) > 1 and set(made.reads[inside[0]]) & set(before):
            before.append(inside.pop(0))
    return [(name, inside) for name, inside in result if inside]


def _is_row_of_units(groups: list[tuple[str, list[int]]], wires: tuple) -> bool:
    """Whether each reads the one before it alone, and some hold several steps."""
    several = sum(len(inside) > 1 for _, inside in groups)
    wanted = {(a, a + 1) for a in range(len(groups) - 1)} | {(None, 0), (len(groups) - 1, None)}
    return len(groups) > 1 and several > 0 and set(wires) == wanted


def _flat(made: Plan, name: str, members: list[int]) -> Piece:
    """All steps side by side in one piece."""
    number = {member: place for place, member in enumerate(members)}
    return _piece(made, name, members, tuple(made.steps[m] for m in members), _wires(made, members, number))


def _piece(made: Plan, path: str, members: list[int], parts: tuple, wires: tuple) -> Piece:
    places = sorted(place for member in members for place in made.steps[member].boxes)
    rows = tuple(made.boxes[p].row for p in places if made.boxes[p].row is not None)
    layers = [made.rows[row] for row in rows]
    seen = [layer.receptive_field for layer in layers]
    return Piece(
        path,
        parts,
        wires,
        made.boxes[places[-1]].output,
        rows,
        sum(layer.params for layer in layers),
        sum(layer.macs for layer in layers),
        None if None in seen or not seen else max(seen),
    )


def folded(piece: Piece) -> Piece:
    """With parts that look alike and follow each other as one."""
    inside = [folded(part) if isinstance(part, Piece) else part for part in piece.parts]
    runs = [list(run) for run in _runs(inside, piece.wires)]
    if len(runs) == len(inside):
        return replace(piece, parts=tuple(inside))
    number = {old: new for new, run in enumerate(runs) for old in run} | {None: None}
    wires = dict.fromkeys(
        (number[a], number[b]) for a, b in piece.wires if a is None or number[a] != number[b]
    )
    parts = tuple(_together([inside[old] for old in run]) for run in runs)
    return replace(piece, parts=parts, wires=tuple(wires))


def _runs(parts: Sequence, wires: tuple) -> Iterable[list[int]]:
    """Numbers of parts that are drawn as one."""
    enters: dict[int, set] = {}
    leaves: dict[int, set] = {}
    for a, b in wires:
        enters.setdefault(b, set()).add(a)
        leaves.setdefault(a, set()).add(b)
    run = [0]
    for before, number in pairwise(range(len(parts))):
        joined = enters.get(number) == {before} and leaves.get(before) == {number}
        if joined and _alike(parts[before], parts[number]):
            run.append(number)
        else:
            yield run
            run = [number]
    if parts:
        yield run


def _alike(a, b) -> bool:
    if not (isinstance(a, Piece) and isinstance(b, Piece)) or max(a.steps, b.steps) < 2:
        return False
    return (a.wires, len(a.parts)) == (b.wires, len(b.parts)) and all(
        _looks(x) == _looks(y) if isinstance(x, Step) and isinstance(y, Step) else _alike(x, y)
        for x, y in zip(a.parts, b.parts, strict=True)
    )


def _looks(step: Step) -> tuple:
    row = step.row
    return step.kind, row and (row.kernel, row.stride, row.groups, row.output), None if row else step.output[1:]


def _together(run: list):
    if len(run) == 1:
        return run[0]
    return replace(
        run[-1],
        path=run[0].path,
        last=run[-1].path,
        repeats=len(run),
        rows=tuple(row for piece in run for row in piece.rows),
        params=sum(piece.params for piece in run),
        macs=sum(piece.macs for piece in run),
    )
