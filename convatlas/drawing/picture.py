"""A network as a scene, at one of three levels: its stages, its units with what is inside them, or every layer."""

from collections.abc import Sequence

from convatlas.anatomy.table import Layer
from convatlas.drawing.block import Block
from convatlas.drawing.boxes import Scale, card_block, frame_block, size_text, step_block
from convatlas.drawing.pages import paged
from convatlas.drawing.rows import Style, chain_block
from convatlas.drawing.scene import Scene
from convatlas.drawing.sketch import Piece, Step, folded, pieces, plan
from convatlas.drawing.structure import Chain, structure
from convatlas.drawing.words import numbers_told, step_words

LEVELS = ("stage", "unit", "layer")
SOURCE, SINK = -1, -2


def scene(graph, rows: Sequence[Layer], level: str = "unit", columns: int | None = None) -> Scene:
    """Of a NetworkGraph (anatomy.network_graph) and the rows of its layer table."""
    whole = folded(pieces(plan(graph, rows)))
    drawer = Stages(whole) if level == "stage" else Units(whole)
    totals = f"{numbers_told(whole.params, whole.macs)} · input {size_text(graph.size)}"
    return paged(graph.network, totals, _structure(whole), drawer.style(whole), drawer.scale, columns)


def _structure(piece: Piece) -> Chain:
    """Of the parts of a piece, by their numbers."""
    keys = [SOURCE, *range(len(piece.parts)), SINK]
    wires = [(SOURCE if a is None else a, SINK if b is None else b) for a, b in piece.wires]
    return structure(keys, wires, SOURCE, SINK)


def _main(piece: Piece):
    """Which of several branches stands on the axis: of a sum the one that does most, of a product the map that is
    weighed; the branches of a concatenation stand around it.
    """

    def main(branches: Sequence[Chain], key) -> int | None:
        kind = piece.parts[key].kind if isinstance(key, int) and 0 <= key < len(piece.parts) and isinstance(piece.parts[key], Step) else ""
        lengths = [_length(branch) for branch in branches]
        if kind == "multiply":
            return lengths.index(min(lengths))
        plain = 0 in lengths
        if kind == "add" or plain or len(branches) == 2 and min(lengths) * 3 <= max(lengths):
            return lengths.index(max(lengths))
        return None

    return main


def _length(branch: Chain) -> int:
    return sum(1 if isinstance(part, int) else 3 for part in branch.parts)


class Units:
    """Stages as frames around their units, with every step inside."""

    def __init__(self, whole: Piece):
        steps = [step for step in _steps(whole) if step.row]
        self.whole = whole
        self.scale = Scale(max((step.row.macs for step in steps), default=0), whole.macs)

    def style(self, piece: Piece) -> Style:
        def box(key, tails) -> Block:
            return self.block(piece.parts[key], tails, piece)

        def label(key) -> str:
            part = piece.parts[key]
            return size_text(part.output) if isinstance(part, Piece) else ""

        def on_side(key) -> bool:
            return False

        return Style(box, on_side, label, _main(piece))

    def block(self, part: Piece | Step, tails, around: Piece) -> Block:
        if isinstance(part, Step):
            return step_block(part, tails, self.scale)
        if len(part.parts) == 1 and isinstance(part.parts[0], Step):
            step = part.parts[0]
            title = "" if step.path == "" else part.path.removeprefix(f"{around.path}.")
            return step_block(step, tails, self.scale, part.path, title)
        inner = chain_block(_structure(part), self.style(part))
        nested = around.path != "" or any(isinstance(each, Piece) for each in part.parts)
        look = "unit" if around.path else "stage"
        return frame_block(part, inner, look if nested else "stage", around.path)


class Stages:
    """Every stage as a card."""

    def __init__(self, whole: Piece):
        self.whole = whole
        self.scale = Scale(max((part.macs for part in whole.parts), default=0), whole.macs)

    def style(self, piece: Piece) -> Style:
        def box(key, tails) -> Block:
            return self.block(piece.parts[key], tails)

        def label(key) -> str:
            return size_text(piece.parts[key].output)

        return Style(box, lambda key: False, label, _main(piece))

    def block(self, part: Piece, tails) -> Block:
        step = part.parts[0]
        if len(part.parts) == 1 and isinstance(step, Step) and not step.path:
            return step_block(step, tails, self.scale)
        return card_block(part, _made_of(part), self.scale)


def _made_of(stage: Piece) -> list[str]:
    """A line a unit: "×3  1x1 128, 3x3 128, 1x1 512"."""
    units = [part for part in stage.parts if isinstance(part, Piece)]
    if not units:
        return [", ".join(filter(None, map(step_words, _weighty(stage)))) or step_words(stage.parts[0])]
    lines = []
    for unit in units:
        times = f"×{unit.repeats}  " if unit.repeats > 1 else ""
        lines.append(times + ", ".join(map(step_words, _weighty(unit))))
    return lines


def _weighty(piece: Piece) -> list[Step]:
    return [step for step in _steps(piece) if step.row and (step.row.macs or step.row.kernel)]


def _steps(piece: Piece) -> list[Step]:
    found: list[Step] = []
    for part in piece.parts:
        found += _steps(part) if isinstance(part, Piece) else [part]
    return found
