"""The boxes of a drawing: a step, a join, a frame around a unit or a stage, a card for a whole stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convatlas.anatomy.table import by
from convatlas.drawing.block import LANE, Block, fork
from convatlas.drawing.letters import width_of, wrapped
from convatlas.drawing.scene import Box, Item, Rect, Text, Wire
from convatlas.drawing.sketch import Piece, Step
from convatlas.drawing.words import JOINS, look_of, numbers, numbers_told, step_words, title_of

SIZE = 12  # of letters in boxes
SMALL = 11
HIGH = 24  # a box with one line
BAR = 4
PAD = 12
HEADER = 24
CARD = 380


@dataclass(frozen=True)
class Scale:
    """The costliest box that is drawn has a full bar."""

    full: int
    total: int

    def share(self, macs: int) -> float:
        return macs / self.full if self.full else 0.0


def told(piece: Piece | Step) -> Mapping[str, object]:
    """The numbers that a page reads of a box."""
    if isinstance(piece, Step):
        row = piece.row
        values = {"params": row.params, "macs": row.macs, "field": row.receptive_field} if row else {}
    else:
        values = {"params": piece.params, "macs": piece.macs, "field": piece.field}
        values |= {"times": piece.repeats, "last": piece.last} if piece.last else {}
    return {key: value for key, value in values.items() if value}


def step_block(step: Step, tails: Sequence, scale: Scale, path: str = "", title: str = "") -> Block:
    """A box with what it does, and its cost as a bar; a join, where wires end in several places."""
    look = look_of(step)
    if look in ("join", "gate") and step.row is None and step.kind in JOINS and _fits_sides(tails):
        return _round(step, look)
    words, macs = step_words(step), step.row.macs if step.row else 0
    wide = width_of(words, SIZE) + (width_of(f"{title}  ", SIZE, bold=True) if title else 0) + 2 * 9
    left, right = _reach(max(wide, 44), tails)
    high = (HIGH if look not in ("join", "gate") or step.row else 18) + (BAR + 2 if macs else 0)
    x = (right - left) / 2 - wide / 2 + 9
    items: list[Item] = [Rect(-left, 0, left + right, high, look, 4)]
    line = (HIGH if look not in ("join", "gate") or step.row else 18) / 2 + 0.36 * SIZE
    if title:
        items.append(Text(x, line, title, SIZE, bold=True))
        x += width_of(f"{title}  ", SIZE, bold=True)
    items.append(Text(x, line, words, SIZE))
    items += _bar(-left + 6, high - BAR - 3, left + right - 12, scale.share(macs)) if macs else []
    heads = tuple(tails) if len(tails) > 1 else ((None, 0.0),)
    return Block((Box(path or step.path, tuple(items), told(step)),), left, right, high, heads)


def _fits_sides(tails: Sequence) -> bool:
    """At most one wire from the left, one from above and one from the right."""
    sides = [0 if abs(x) < 1 else x / abs(x) for _, x in tails]
    return len(sides) > 1 and len(set(sides)) == len(sides) and 0 in sides


def _round(step: Step, look: str) -> Block:
    sign = JOINS[step.kind]
    items = (Rect(-9, 0, 18, 18, look, 9), Text(0, 14.2, sign, 15, anchor="middle", bold=True))
    return Block((Box(step.path, items),), 9, 9, 18)


def _reach(wide: float, tails: Sequence) -> tuple[float, float]:
    """How far a box that wide goes to the left and the right, if it spans the wires above it."""
    if len(tails) < 2:
        return wide / 2, wide / 2
    low, high = min(0, *(x for _, x in tails)) - LANE, max(0, *(x for _, x in tails)) + LANE
    more = max(0, wide - (high - low)) / 2
    return -(low - more), high + more


def _bar(x: float, y: float, wide: float, share: float) -> list[Item]:
    return [Rect(x, y, wide, BAR, "track", 2), Rect(x, y, max(wide * share, 1), BAR, "bar", min(2, wide * share / 2))]


def frame_block(piece: Piece, inner: Block, look: str, within: str = "") -> Block:
    """A frame with a title to the left of the wire that comes in, and numbers to its right."""
    title, figures = title_of(piece, within), numbers(piece.params, piece.macs)
    times = f"×{piece.repeats}" if piece.repeats > 1 else ""
    named = width_of(title, SIZE, bold=True)
    names = named + (width_of(times, SIZE + 1, bold=True) + 6 if times else 0)
    side = max(names, width_of(figures, SMALL)) + PAD + 8
    left, right = max(inner.left + PAD, side), max(inner.right + PAD, side)
    forks = len(inner.heads) > 1
    top = HEADER + (12 if forks else 4)
    high = top + inner.height + (20 if len(inner.tails) > 1 else 12)
    items: list[Item] = [
        Rect(-left, 0, left + right, high, look, 6),
        Text(-left + PAD, 17, title, SIZE, bold=True),
    ]
    if times:
        items.append(Text(-left + PAD + named + 6, 17, times, SIZE + 1, "bar", bold=True))
    if figures:
        items.append(Text(right - PAD, 17, figures, SMALL, "quiet", "end"))
    box = Box(piece.path, tuple(items), told(piece), frame=True)
    into = [Wire(((0, 0), (0, HEADER)))] if forks else []
    into += fork(0, inner.heads, HEADER if forks else 0, top)
    wires = into + _out(inner, top + inner.height, high)
    return Block((box, *wires, *inner.moved(0, top).items), left, right, high)


def _out(inner: Block, y: float, bottom: float) -> list[Item]:
    half = (y + bottom) / 2
    return [
        Wire(((0, y), (0, bottom)) if x == 0 else ((x, y), (x, half), (0, half), (0, bottom)))
        for _, x in inner.tails
    ]


def card_block(piece: Piece, lines: Sequence[str], scale: Scale) -> Block:
    """A stage as one card: its name, what it is made of, its numbers and its share of the multiply-adds."""
    title = title_of(piece)
    broken = [part for line in lines for part in wrapped(line, SIZE, CARD - 2 * PAD)]
    high = 26 + 17 * len(broken) + (26 if piece.params or piece.macs else 6)
    items: list[Item] = [
        Rect(-CARD / 2, 0, CARD, high, "stage", 6),
        Text(-CARD / 2 + PAD, 19, title, SIZE + 1, bold=True),
    ]
    if piece.field:
        items.append(Text(CARD / 2 - PAD, 19, f"sees {piece.field}", SMALL, "quiet", "end"))
    y = 26
    for line in broken:
        items.append(Text(-CARD / 2 + PAD, y + 12, line, SIZE))
        y += 17
    if piece.params or piece.macs:
        items += _costs(piece, y, scale)
    return Block((Box(piece.path, tuple(items), told(piece)),), CARD / 2, CARD / 2, high)


def _costs(piece: Piece, y: float, scale: Scale) -> list[Item]:
    share = piece.macs / scale.total if scale.total else 0
    part = f" · {100 * share:.{0 if share >= 0.0995 else 1}f} %" if piece.macs else ""
    words = numbers_told(piece.params, piece.macs) + part
    wide = width_of(words, SMALL)
    items: list[Item] = [Text(-CARD / 2 + PAD, y + 13, words, SMALL, "quiet")]
    if piece.macs:
        x = -CARD / 2 + PAD + max(wide, 260) + 10
        items += _bar(x, y + 7, CARD / 2 - PAD - x, scale.share(piece.macs))
    return items


def size_text(output: tuple[int, ...]) -> str:
    return by(output).replace("x", "×")
