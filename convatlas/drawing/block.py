"""Pieces of a drawing that are put together: what is drawn around an axis, x = 0, below y = 0."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import NamedTuple

from convatlas.drawing.scene import Box, Item, Text, Wire, moved

GAP = 24  # between boxes side by side
LANE = 14  # between wires


class End(NamedTuple):
    """Where a wire enters a piece, or leaves it: the key of what it comes from or goes to, where
    that matters; `is_open` where no box is, but a wire goes on.
    """

    key: Hashable = None
    x: float = 0.0
    is_open: bool = False


Ends = tuple[End, ...]


class Block(NamedTuple):
    """`left` and `right` are how far it reaches from the axis; `heads` and `tails` the places at
    its top and its bottom where wires enter and leave.
    """

    items: tuple[Item, ...]
    left: float
    right: float
    height: float
    heads: Ends = (End(),)
    tails: Ends = (End(),)

    @property
    def width(self) -> float:
        return self.left + self.right

    def moved(self, dx: float, dy: float) -> "Block":
        """`dy` moves what is drawn; the axis and the ends move by `dx`, and the reach with them."""
        return Block(
            tuple(moved(self.items, dx, dy)),
            self.left - dx,
            self.right + dx,
            self.height,
            shifted(self.heads, dx),
            shifted(self.tails, dx),
        )

    def mirrored(self) -> "Block":
        """Left for right; boxes stay as they are, in the places of their images."""
        heads, tails = (
            tuple(end._replace(x=-end.x) for end in reversed(ends))
            for ends in (self.heads, self.tails)
        )
        items = tuple(map(_mirrored, self.items))
        return Block(items, self.right, self.left, self.height, heads, tails)


def shifted(ends: Ends, dx: float) -> Ends:
    return tuple(end._replace(x=end.x + dx) for end in ends)


def _mirrored(item: Item) -> Item:
    if isinstance(item, Wire):
        return replace(item, points=tuple((-x, y) for x, y in item.points))
    if isinstance(item, Text):  # beside a wire
        return item
    left, _, right, _ = item.bounds
    return item.moved(-right - left, 0)


def plain_wire(height: float = 0) -> Block:
    """A wire and no box."""
    items = (Wire(((0, 0), (0, height))),) if height else ()
    return Block(items, LANE / 2, LANE / 2, height, (End(is_open=True),), (End(is_open=True),))


def fork(x: float, heads: Ends, top: float, bottom: float) -> list[Item]:
    """Wires from one place to several below it, over a common piece halfway; with arrows where they
    enter boxes.
    """
    half = (top + bottom) // 2
    wires: list[Item] = []
    for _, head, is_open in heads:
        down = ((x, half), (head, half), (head, bottom)) if head != x else ((x, half), (x, bottom))
        wires.append(Wire(down if wires else ((x, top), *down), ends=not is_open))
    return wires


def is_frame(block: Block) -> bool:
    return bool(block.items) and isinstance(block.items[0], Box) and block.items[0].frame


def widened(block: Block, left: float, right: float) -> Block:
    """A frame that reaches as far as that: what stands in its corners moves with them."""
    frame, *others = block.items
    border, *texts = frame.items
    border = replace(border, x=-left, w=left + right)
    shifted = [
        text.moved(right - block.right if text.anchor == "end" else block.left - left, 0)
        for text in texts
    ]
    whole = replace(frame, items=(border, *shifted))
    return block._replace(items=(whole, *others), left=left, right=right)


def of_one_width(blocks: Sequence[Block], framed: Sequence[bool]) -> list[Block]:
    """With those that are framed as wide as the widest of them."""
    frames = [block for block, is_one in zip(blocks, framed, strict=True) if is_one]
    left = max((frame.left for frame in frames), default=0)
    right = max((frame.right for frame in frames), default=0)
    return [
        widened(block, left, right) if is_one else block
        for block, is_one in zip(blocks, framed, strict=True)
    ]
