"""A network as a scene, at one of three levels: its stages, its units with what is inside them, or
every layer.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from convatlas.anatomy.table import Layer
from convatlas.drawing.block import Block, Ends
from convatlas.drawing.boxes import (
    SIZE,
    Scale,
    card_block,
    frame_block,
    port_block,
    row_block,
    size_text,
    step_block,
)
from convatlas.drawing.letters import TIMES, width_of
from convatlas.drawing.merging import merged
from convatlas.drawing.pages import paged
from convatlas.drawing.repeats import folded
from convatlas.drawing.rows import Style, chain_block
from convatlas.drawing.scene import Scene
from convatlas.drawing.sketch import Into, Key, Piece, Step, pieces, plan
from convatlas.drawing.structure import Chain, Fan, Mesh, structure
from convatlas.drawing.words import look_of, numbers_told, step_words, title_of

LEVELS = ("stage", "unit", "layer")
LONG = 760  # of what a unit is made of: two lines of a card
SOME, MANY = 90, 180  # steps
BEFORE = {1: "one before", 2: "two before"}
OUT = -1  # what reads the parts that a piece gives


def scene(
    graph, rows: Sequence[Layer], ends: Mapping, level: str = "unit", columns: int | None = None
) -> Scene:
    """Of a NetworkGraph (anatomy.network_graph), its layer table and what containers give out."""
    whole = whole_of(graph, rows, ends, level)
    drawer = drawing_of(whole, level, rows)
    totals = f"{numbers_told(whole.params, whole.macs)} · input {size_text(graph.size)}"
    return paged(
        graph.network, totals, structure_of(whole), drawer.style(whole), drawer.scale, columns
    )


def whole_of(
    graph,
    rows: Sequence[Layer],
    ends: Mapping,
    level: str,
    mark: Callable[[str], str] = lambda path: "",
) -> Piece:
    """What is drawn of a network at a level; `mark` tells the look of what has a path, or "" where
    its kind does.
    """
    whole = pieces(plan(graph, rows, ends, level == "layer", mark))
    return _fewer(whole) if level == "unit" else folded(whole)


def drawing_of(whole: Piece, level: str, rows: Sequence[Layer]) -> "Stages | Units":
    return Stages(whole, rows) if level == "stage" else Units(whole)


def _fewer(whole: Piece) -> Piece:
    """Folded; of very many steps as one what differs in its channels alone, and then what one small
    module holds.
    """
    found = folded(whole)
    if len(_costs(found)) > SOME:
        found = folded(whole, loosely=True)
    return merged(found) if len(_costs(found)) > MANY else found


def structure_of(piece: Piece, entries: Sequence[Key] = ()) -> Chain:
    """Of the parts of a piece, by their numbers. `entries` are what its sources are outside; where
    they differ, each of those is a part too, as Into(the number of the first of its sources).
    """
    several = len(set(entries)) > 1
    names = {key: Into(entries.index(key)) for key in entries} if several else {}

    def outside(key: Key) -> Key | None:
        if isinstance(key, Into):
            return names[entries[key.number]] if several else None
        return key

    keys = [None, *names.values(), *range(len(piece.parts)), OUT]
    wires = [(None, name) for name in names.values()]
    wires += [
        (outside(key), part)
        for part, reads in enumerate(piece.reads)
        for key in reads or (Into(0),)
    ]
    wires += [(part, OUT) for part in piece.gives]
    return structure(keys, wires, None, OUT)


def _main(piece: Piece):
    """Which of several branches stands on the axis: of a sum the one that does most, of a product
    the map that is weighed; the branches of a concatenation stand around it.
    """

    def main(branches: Sequence[Chain], key) -> int | None:
        part = piece.parts[key] if isinstance(key, int) and key != OUT else None
        if isinstance(part, Piece) and len(part.parts) == 1:
            part = part.parts[0]
        kind = part.kind if isinstance(part, Step) else ""
        lengths = [_length(branch) for branch in branches]
        if kind == "multiply":
            return lengths.index(min(lengths))
        plain = 0 in lengths
        if kind == "add" or plain or (len(branches) == 2 and min(lengths) * 3 <= max(lengths)):
            return lengths.index(max(lengths))
        return None

    return main


def _length(branch: Chain) -> int:
    return sum(1 if isinstance(part, int) else 3 for part in branch.parts)


class Units:
    """Stages as frames around their units, with every step inside."""

    def __init__(self, whole: Piece):
        self.scale = Scale(max(_costs(whole), default=0), whole.macs)

    def style(self, piece: Piece, names: Sequence[str] = ()) -> Style:
        """Of what is inside a piece; `names` are those of its sources."""

        @cache  # every number of columns is tried with the same boxes
        def box(key, tails) -> Block:
            if isinstance(key, Into):
                return port_block(key, names[key.number])
            return self.block(piece, key, tails)

        def label(key) -> str:
            part = None if isinstance(key, Into) else piece.parts[key]
            return size_text(part.output) if isinstance(part, Piece) else ""

        return Style(box, label, _main(piece))

    def block(self, around: Piece, key: int, tails: Ends) -> Block:
        part = around.parts[key]
        if isinstance(part, Step):
            return step_block(part, tails, self.scale)
        if part.joined:
            words = _told(structure_of(part), part).split(", ")
            return row_block(part, words if len(words) < 5 else [", ".join(words)], self.scale)
        if len(part.parts) == 1 and isinstance(part.parts[0], Step):
            step = part.parts[0]
            title = "" if step.path == "" else part.path.removeprefix(f"{around.path}.")
            return step_block(step, tails, self.scale, part, title)
        entries = around.reads[key]
        style = self.style(part, _names(around, key))
        inner = chain_block(structure_of(part, entries), style)
        look = "unit" if around.path else "stage"
        return frame_block(part, _keyed(inner, entries), look, around.path)


def _names(around: Piece, key: int) -> list[str]:
    """What stands where the sources of a part enter it."""
    part, found = around.parts[key], []
    for number, source in enumerate(around.reads[key]):
        if part.behind:
            found.append(BEFORE.get(part.behind[number], "earlier"))
        elif isinstance(source, Into):
            found.append("")  # its name stands where it enters the piece around this one
        else:
            found.append(title_of(around.parts[source], around.path))
    return found


def _keyed(inner: Block, entries: Sequence[Key]) -> Block:
    """With the heads named by what their wires come from outside."""
    heads = tuple(
        end._replace(key=entries[end.key.number]) if isinstance(end.key, Into) else end
        for end in inner.heads
    )
    return inner._replace(heads=heads)


class Stages:
    """Every stage as a card."""

    def __init__(self, whole: Piece, rows: Sequence[Layer]):
        self.rows = rows
        self.scale = Scale(max((part.macs for part in whole.parts), default=0), whole.macs)

    def style(self, piece: Piece) -> Style:
        @cache  # every number of columns is tried with the same boxes
        def box(key, tails) -> Block:
            return self.block(piece.parts[key], tails)

        def label(key) -> str:
            return size_text(piece.parts[key].output)

        return Style(box, label, _main(piece))

    def block(self, part: Piece, tails) -> Block:
        step = part.parts[0]
        if len(part.parts) == 1 and isinstance(step, Step) and not step.path:
            return step_block(step, tails, self.scale, part)
        return card_block(
            part, _made_of(part), _spent(part, self.rows), self.scale, tails, _mark(part)
        )


def _mark(stage: Piece) -> str:
    """The look of a card: "stage", or what is said of all steps in it, or else that they differ."""
    marks = {step.mark for step in stage.steps}
    return "stage" if marks == {""} else marks.pop() if len(marks) == 1 else "changed"


def _made_of(stage: Piece) -> list[str]:
    """A line a unit: "x3 1x1 128, 3x3 128, 1x1 512"; branches side by side are set apart by bars.
    Where that is long, how many there are of each.
    """
    units = [part for part in stage.parts if isinstance(part, Piece)] or [stage]
    lines = []
    for unit in units:
        times = f"{TIMES}{unit.repeats}  " if len(units) > 1 and unit.repeats > 1 else ""
        words = _told(structure_of(unit), unit) or step_words(unit.parts[0])
        if width_of(words, SIZE) > LONG:
            counted = Counter(
                step_words(step) for step in unit.parts if isinstance(step, Step) and step.row
            )
            words = ", ".join(
                f"{word} ({TIMES}{n})" if n > 1 else word for word, n in counted.most_common()
            )
        lines.append(times + words)
    return lines


def _told(chain: Chain, piece: Piece) -> str:
    return ", ".join(filter(None, (_told_part(part, piece) for part in chain.parts)))


def _told_part(part, piece: Piece) -> str:
    if isinstance(part, Into):
        return ""
    if isinstance(part, Fan):
        return " | ".join(filter(None, (_told(branch, piece) for branch in part.branches)))
    if isinstance(part, Mesh):
        chains = [_told(chain, piece) for _, _, chain in part.wires]
        return ", ".join(filter(None, [*(_told_part(key, piece) for key in part.keys), *chains]))
    step = piece.parts[part]
    return step_words(step) if step.row and (step.row.macs or step.row.kernel) else ""


def _spent(stage: Piece, rows: Sequence[Layer]) -> dict[str, int]:
    """Multiply-adds by kind of operation, of all that the stage stands for."""
    spent: dict[str, int] = {}
    for row in (rows[number] for number in stage.rows if rows[number].macs):
        kind = look_of(Step(row.name, row.kind, row, row.output, ()))
        spent[kind] = spent.get(kind, 0) + row.macs
    return spent


def _costs(piece: Piece) -> list[int]:
    """Multiply-adds of every box with steps."""
    found: list[int] = []
    for part in piece.parts:
        if isinstance(part, Step) or part.joined:
            found.append(part.macs)
        else:
            found += _costs(part)
    return found
