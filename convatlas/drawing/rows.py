"""Rows and branches laid out: a Chain from top to bottom, a Fan with its branches side by side."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from convatlas.drawing.block import (
    GAP,
    Block,
    End,
    Ends,
    fork,
    is_frame,
    of_one_width,
    plain_wire,
    shifted,
)
from convatlas.drawing.matching import crossed, matched
from convatlas.drawing.mesh import mesh_block
from convatlas.drawing.scene import Item, Text, Wire
from convatlas.drawing.structure import Chain, Fan, Mesh
from convatlas.drawing.tracks import Net, tracks

Key = Hashable


@dataclass(frozen=True)
class Style:
    """How boxes are drawn that the layout puts in place.

    box(key, tails) is the Block of a key, given the places above it where wires end if they are
    several; label(key) is the text beside the wire that leaves it; main(branches, key) the number
    of the branch that stands on the axis, for branches that end in this key, or None.
    """

    box: Callable[[Key, Ends], Block]
    label: Callable[[Key], str]
    main: Callable[[Sequence[Chain], Key], int | None]
    room: float = 18  # between one box and the next
    labelled: float = 30  # the same, where a text stands beside the wire
    size: float = 11  # of that text


def chain_block(chain: Chain, style: Style, after: Key = None) -> Block:
    """Parts from top to bottom on one axis; `after` is the key that follows the chain, for its last
    branches.
    """
    if not chain.parts:
        return plain_wire()
    blocks = _blocks(chain, style, after)
    items: list[Item] = list(blocks[0].items)
    left, right = max(block.left for block in blocks), max(block.right for block in blocks)
    y = blocks[0].height
    for number, (before, block) in enumerate(pairwise(blocks)):
        last = chain.parts[number]
        words = "" if isinstance(last, Fan | Mesh) else style.label(last)
        room = style.room if not words else style.labelled + (10 if len(block.heads) > 1 else 0)
        items += between(before.tails, block, y, room)
        text = label(words, y, room, len(block.heads) > 1, style)
        right = max([right, *(piece.bounds[2] for piece in text)])
        items += [*text, *block.moved(0, y + room).items]
        y += room + block.height
    return Block(tuple(items), left, right, y, blocks[0].heads, blocks[-1].tails)


def _blocks(chain: Chain, style: Style, after: Key) -> list[Block]:
    """Of each part; frames below each other are of the same width."""
    blocks: list[Block] = []
    for part, following in pairwise([*chain.parts, after]):
        tails = blocks[-1].tails if blocks else ()
        block = _part(part, following, tails, style)
        blocks.append(block.mirrored() if len(tails) > 1 and crossed(block.heads, tails) else block)
    framed = [
        not isinstance(part, Fan | Mesh) and is_frame(block)
        for part, block in zip(chain.parts, blocks, strict=True)
    ]
    return of_one_width(blocks, framed)


def _part(part, following: Key, tails: Ends, style: Style) -> Block:
    if isinstance(part, Fan):
        return fan_block(part, style, following)
    if isinstance(part, Mesh):
        return mesh_block(part, style, chain_block)
    block = style.box(part, tails)
    return block._replace(tails=tuple(end._replace(key=part) for end in block.tails))


def between(tails: Ends, block: Block, y: float, room: float) -> list[Item]:
    """The wires from the tails at y to the heads of the block below."""
    if len(tails) == 1:
        return fork(tails[0].x, block.heads, y, y + room)
    if len(block.heads) > 1:
        pairs = matched(tails, block.heads)
        levels, count = tracks([Net((tail,), (head,)) for tail, head in pairs])
        step = room // (count + 1)
        return [
            _joint(tail.x, head, y, y + step * (level + 1), y + room)
            for (tail, head), level in zip(pairs, levels, strict=True)
        ]
    return _into_side(tails, block, y, room)


def _into_side(tails: Ends, block: Block, y: float, room: float) -> list[Item]:
    """To a round box: from above, and from the left and the right at half its height."""
    half = y + room + block.height / 2
    wires = []
    for _, x, _ in tails:
        if abs(x) < 1:
            wires.append(Wire(((x, y), (0, y + room)), ends=True))
        else:
            edge = block.right if x > 0 else -block.left
            wires.append(Wire(((x, y), (x, half), (edge, half)), ends=True))
    return wires


def _joint(a: float, head: End, top: float, half: float, bottom: float) -> Wire:
    b = head.x
    points = ((a, top), (a, bottom)) if a == b else ((a, top), (a, half), (b, half), (b, bottom))
    return Wire(points, ends=not head.is_open)


def label(words: str, y: float, room: float, forks: bool, style: Style) -> list[Text]:
    baseline = y + (room / 2 - 3 if forks else room / 2 + 0.36 * style.size)
    return [Text(7, baseline, words, style.size, "quiet")] if words else []


def fan_block(fan: Fan, style: Style, after: Key) -> Block:
    """Branches side by side, the main one on the axis; else the middle of them all."""
    main = style.main(fan.branches, after)
    blocks = [chain_block(branch, style, after) for branch in fan.branches]
    height = max(block.height for block in blocks)
    placed = _placed(blocks, main)
    items: list[Item] = []
    for block, x in placed:
        down = (height - block.height) // 2
        items += block.moved(x, down).items
        items += _lengthened(block.moved(x, 0), down, height)
    return Block(
        tuple(items),
        max(block.left - x for block, x in placed),
        max(block.right + x for block, x in placed),
        height,
        tuple(
            end for block, x in placed for end in _opened(shifted(block.heads, x), block, height)
        ),
        tuple(end for block, x in placed for end in shifted(block.tails, x)),
    )


def _opened(heads: Ends, block: Block, height: float) -> Ends:
    """Heads of a block that does not fill the height: wires go on to it."""
    return tuple(end._replace(is_open=end.is_open or block.height < height) for end in heads)


def _lengthened(block: Block, down: float, height: float) -> list[Item]:
    """Wires from the top to a block that begins further down, and on from it to the bottom."""
    if not down:
        return []
    into = [Wire(((x, 0), (x, down)), ends=not is_open) for _, x, is_open in block.heads]
    return [*into, *(Wire(((x, down + block.height), (x, height))) for _, x, _ in block.tails)]


def _placed(blocks: Sequence[Block], main: int | None) -> list[tuple[Block, float]]:
    """Each with the place of its axis, from left to right."""
    if main is None:
        return _in_the_middle(blocks)
    others = [number for number in range(len(blocks)) if number != main]
    on_the_right, on_the_left = others[::2], others[1::2]
    placed, edge = [(blocks[main], 0.0)], blocks[main].right
    for number in on_the_right:
        x = edge + GAP + blocks[number].left
        placed.append((blocks[number], x))
        edge = x + blocks[number].right
    edge = -blocks[main].left
    for number in on_the_left:
        x = edge - GAP - blocks[number].right
        placed.insert(0, (blocks[number], x))
        edge = x - blocks[number].left
    return placed


def _in_the_middle(blocks: Sequence[Block]) -> list[tuple[Block, float]]:
    whole = sum(block.width for block in blocks) + GAP * (len(blocks) - 1)
    edge, placed = -whole / 2, []
    for block in blocks:
        placed.append((block, edge + block.left))
        edge += block.width + GAP
    return placed
