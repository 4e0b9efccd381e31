"""The boxes of a drawing: a step, a join, a frame around a unit or a stage, a card for a whole
stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from convatlas.anatomy.table import by
from convatlas.drawing.block import LANE, Block, End, Ends, fork
from convatlas.drawing.letters import TIMES, width_of, wrapped
from convatlas.drawing.palette import BARS
from convatlas.drawing.palette import THICK as BAR
from convatlas.drawing.scene import Box, Item, Rect, Text, Wire
from convatlas.drawing.sketch import Into, Piece, Step
from convatlas.drawing.words import JOINS, look_of, numbers, numbers_told, step_words, title_of

SIZE = 12  # of letters in boxes
SMALL = 11
HIGH = 24  # a box with one line
FLAT = 18  # a join
PAD = 12
HEADER = 24
CARD = 380
LONG_BAR = 56  # in a card
ASKEW = 60  # how much further a frame may reach to one side
WIDEST = 200  # a line of a box with several


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
        values = (
            {"params": row.params, "macs": row.macs, "field": row.receptive_field} if row else {}
        )
    else:
        values = {"params": piece.params, "macs": piece.macs, "field": piece.field}
        values |= {"times": piece.repeats, "last": piece.last} if piece.last else {}
    return {key: value for key, value in values.items() if value}


def step_block(
    step: Step, tails: Ends, scale: Scale, piece: Piece | None = None, title: str = ""
) -> Block:
    """A box with what it does, and its cost as a bar; a join, where wires end in several places.

    A `piece` that has this step alone gives it its path, its numbers and a title.
    """
    look, is_join = look_of(step), step.row is None
    if is_join and step.kind in JOINS and _fits_sides(tails):
        return _round(step, look)
    words, macs = step_words(step), step.row.macs if step.row else 0
    flat = FLAT if is_join and look not in ("pool", "port") else HIGH
    wide = width_of(words, SIZE) + (width_of(f"{title}  ", SIZE, bold=True) if title else 0) + 2 * 9
    left, right = _reach(_even(max(wide, 44)), tails)
    high = flat + (BAR + 2 if macs else 0)
    x = (right - left) / 2 - wide / 2 + 9
    items: list[Item] = [Rect(-left, 0, left + right, high, look, 4)]
    line = flat / 2 + 0.36 * SIZE
    if title:
        items.append(Text(x, line, title, SIZE, bold=True))
        x += width_of(f"{title}  ", SIZE, bold=True)
    items.append(Text(x, line, words, SIZE))
    items += _bar(-left + 6, high - BAR - 3, left + right - 12, scale.share(macs)) if macs else []
    heads = tuple(End(end.key, end.x) for end in tails) if len(tails) > 1 else (End(),)
    path = piece.path if piece and piece.path else step.path
    box = Box(path, tuple(items), told(piece or step), join=is_join)
    return Block((box,), left, right, high, heads)


def row_block(piece: Piece, words: Sequence[str], scale: Scale) -> Block:
    """Steps of one module as the lines of one box; what recurs stands there once, with a factor."""
    lengths = [n for n in range(1, len(words) + 1) if [*words] == [*words[:n]] * (len(words) // n)]
    factor = len(words) // lengths[0]
    lines = [part for line in words[: lengths[0]] for part in wrapped(line, SIZE, WIDEST)]
    times = f"{TIMES}{factor}" if factor > 1 else ""
    wide = max(width_of(line, SIZE) for line in lines) + 18
    wide += width_of(times, SIZE, bold=True) + 8 if times else 0
    wide = _even(wide)
    high = 9 + 15 * len(lines) + (BAR + 2 if piece.macs else 0)
    items: list[Item] = [Rect(-wide / 2, 0, wide, high, _costliest(piece), 4)]
    items += [
        Text(-wide / 2 + 9, 16 + 15 * number, line, SIZE) for number, line in enumerate(lines)
    ]
    if times:
        items.append(Text(wide / 2 - 9, 16, times, SIZE, "times", "end", bold=True))
    items += (
        _bar(-wide / 2 + 6, high - BAR - 3, wide - 12, scale.share(piece.macs))
        if piece.macs
        else []
    )
    return Block((Box(piece.path, tuple(items), told(piece)),), wide / 2, wide / 2, high)


def _costliest(piece: Piece) -> str:
    """The look of the first step that is no pooling: of separable ones the depthwise one."""
    looks = [look_of(step) for step in piece.parts]
    return next((look for look in looks if look != "pool"), looks[0])


def _fits_sides(tails: Sequence) -> bool:
    """At most one wire from the left, one from above and one from the right."""
    sides = [0 if abs(x) < 1 else x / abs(x) for _, x, _ in tails]
    return len(sides) > 1 and len(set(sides)) == len(sides) and 0 in sides


def _round(step: Step, look: str) -> Block:
    sign = JOINS[step.kind]
    items = (Rect(-9, 0, 18, 18, look, 9), Text(0, 14.2, sign, 15, anchor="middle", bold=True))
    return Block((Box(step.path, items, join=True),), 9, 9, 18)


def _reach(wide: float, tails: Sequence) -> tuple[float, float]:
    """How far a box that wide goes to the left and the right, if it spans the wires above it."""
    if len(tails) < 2:
        return wide / 2, wide / 2
    low, high = min(0, *(x for _, x, _ in tails)) - LANE, max(0, *(x for _, x, _ in tails)) + LANE
    more = max(0, wide - (high - low)) / 2
    return -(low - more), high + more


def _bar(x: float, y: float, wide: float, share: float) -> list[Item]:
    return [Rect(x, y, wide, BAR, "track"), Rect(x, y, max(wide * share, 1), BAR, "bar")]


def port_block(key: Into, name: str) -> Block:
    """Where one of several things enters a frame, under the name of what it comes from; without
    one, the wire alone.
    """
    if not name:
        return Block((), LANE / 2, LANE / 2, 0, (End(key, is_open=True),), (End(is_open=True),))
    wide = _even(width_of(name, SMALL) + 12)
    items = (Rect(-wide / 2, 0, wide, 18, "port", 9), Text(0, 13, name, SMALL, "quiet", "middle"))
    return Block((Box("", items),), wide / 2, wide / 2, 18, (End(key),))


def frame_block(piece: Piece, inner: Block, look: str, within: str = "") -> Block:
    """A frame with a title in its left corner and numbers in its right one; wires come in between,
    those of several things each for itself.
    """
    title, figures = title_of(piece, within), numbers(piece.params, piece.macs)
    times = f"{TIMES}{piece.repeats}" if piece.repeats > 1 else ""
    named = width_of(title, SIZE, bold=True)
    names = named + (width_of(times, SIZE + 1, bold=True) + 6 if times else 0)
    own = len({end.key for end in inner.heads}) > 1
    low, high = (min(e.x for e in inner.heads), max(e.x for e in inner.heads)) if own else (0, 0)
    left = ceil(max(inner.left + PAD, names + PAD + 8 - low))
    right = ceil(max(inner.right + PAD, width_of(figures, SMALL) + PAD + 8 + high))
    left, right = (left, right) if own else (max(left, right - ASKEW), max(right, left - ASKEW))
    forks = len(inner.heads) > 1 and not own
    top = HEADER + (12 if forks else 4)
    tall = top + inner.height + (20 if len(inner.tails) > 1 else 12)
    items: list[Item] = [
        Rect(-left, 0, left + right, tall, look, 6),
        Text(-left + PAD, 17, title, SIZE, bold=True),
    ]
    if times:
        items.append(Text(-left + PAD + named + 6, 17, times, SIZE + 1, "times", bold=True))
    if figures:
        items.append(Text(right - PAD, 17, figures, SMALL, "quiet", "end"))
    box = Box(piece.path, tuple(items), told(piece), frame=True)
    wires = _in(inner, forks, own, top) + _out(inner, top + inner.height, tall)
    heads = tuple(end._replace(is_open=False) for end in inner.heads) if own else (End(),)
    return Block((box, *wires, *inner.moved(0, top).items), left, right, tall, heads)


def _in(inner: Block, forks: bool, own: bool, top: float) -> list[Item]:
    if own:
        return [Wire(((x, 0), (x, top)), ends=not is_open) for _, x, is_open in inner.heads]
    into = [Wire(((0, 0), (0, HEADER)))] if forks else []
    return into + fork(0, inner.heads, HEADER if forks else 0, top)


def _out(inner: Block, y: float, bottom: float) -> list[Item]:
    half = (y + bottom) / 2
    return [
        Wire(((0, y), (0, bottom)) if x == 0 else ((x, y), (x, half), (0, half), (0, bottom)))
        for _, x, _ in inner.tails
    ]


def card_block(
    piece: Piece,
    lines: Sequence[str],
    kinds: Mapping[str, int],
    scale: Scale,
    tails: Ends,
    look: str,
) -> Block:
    """A stage as one card: its name, what it is made of, its numbers and its share of the
    multiply-adds, `kinds` of which go to which kind of operation.
    """
    title = title_of(piece) + (f" {TIMES}{piece.repeats}" if piece.repeats > 1 else "")
    broken = [part for line in lines for part in wrapped(line, SIZE, CARD - 2 * PAD)]
    high = 26 + 17 * len(broken) + (26 if piece.params or piece.macs else 6)
    items: list[Item] = [
        Rect(-CARD / 2, 0, CARD, high, look, 6),
        Text(-CARD / 2 + PAD, 19, title, SIZE + 1, bold=True),
    ]
    if piece.field:
        items.append(Text(CARD / 2 - PAD, 19, f"field {piece.field}", SMALL, "quiet", "end"))
    y = 26
    for line in broken:
        items.append(Text(-CARD / 2 + PAD, y + 12, line, SIZE))
        y += 17
    if piece.params or piece.macs:
        items += _costs(piece, y, kinds, scale)
    edge = CARD / 2 - 2 * PAD
    heads = tuple(End(end.key, max(-edge, min(end.x, edge))) for end in tails) or (End(),)
    return Block((Box(piece.path, tuple(items), told(piece)),), CARD / 2, CARD / 2, high, heads)


def _costs(piece: Piece, y: float, kinds: Mapping[str, int], scale: Scale) -> list[Item]:
    share = piece.macs / scale.total if scale.total else 0
    part = f" · {100 * share:.{0 if share >= 0.0995 else 1}f} %" if piece.macs else ""
    words = numbers_told(piece.params, piece.macs) + part
    items: list[Item] = [Text(-CARD / 2 + PAD, y + 13, words, SMALL, "quiet")]
    if piece.macs:
        x = CARD / 2 - PAD - LONG_BAR
        items.append(Rect(x, y + 7, LONG_BAR, BAR, "track"))
        for kind in (kind for kind in BARS if kinds.get(kind)):
            long = LONG_BAR * scale.share(kinds[kind])
            items.append(Rect(x, y + 7, max(long, 0.5), BAR, f"bar_{kind}"))
            x += long
    return items


def _even(width: float) -> float:
    return 2 * ceil(width / 2)


def size_text(output: tuple[int, ...]) -> str:
    return by(output).replace("x", TIMES)
