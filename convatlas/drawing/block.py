"""Pieces of a drawing that are put together: what is drawn around an axis, x = 0, below y = 0."""

from collections.abc import Hashable
from dataclasses import replace
from typing import NamedTuple

from convatlas.drawing.scene import Box, Item, Wire, moved

Ends = tuple[tuple[Hashable, float], ...]

OPEN = "~"  # the key of an end where no box is, but a wire goes on
GAP = 24  # between boxes side by side
ROOM = 30  # between boxes in a row, where a wire runs
LANE = 14  # between wires


class Block(NamedTuple):
    """`left` and `right` are how far it reaches from the axis; `heads` and `tails` the places at its top and its bottom
    where wires enter and leave, each with the key of what is there.
    """

    items: tuple[Item, ...]
    left: float
    right: float
    height: float
    heads: Ends = ((None, 0.0),)
    tails: Ends = ((None, 0.0),)

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
            tuple((key, x + dx) for key, x in self.heads),
            tuple((key, x + dx) for key, x in self.tails),
        )


def plain_wire(height: float = 0) -> Block:
    """A wire and no box."""
    items = (Wire(((0, 0), (0, height))),) if height else ()
    return Block(items, LANE / 2, LANE / 2, height, ((OPEN, 0.0),), ((OPEN, 0.0),))


def fork(x: float, heads: Ends, top: float, bottom: float) -> list[Item]:
    """Wires from one place to several below it, over a common piece halfway; with arrows where they enter boxes."""
    half = (top + bottom) / 2
    return [
        Wire(
            ((x, top), (x, bottom)) if head == x else ((x, top), (x, half), (head, half), (head, bottom)),
            ends=key != OPEN,
        )
        for key, head in heads
    ]


def is_frame(block: Block) -> bool:
    return bool(block.items) and isinstance(block.items[0], Box) and block.items[0].frame


def widened(block: Block, left: float, right: float) -> Block:
    """A frame that reaches as far as that: what stands in its corners moves with them."""
    frame, *others = block.items
    border, *texts = frame.items
    border = replace(border, x=-left, w=left + right)
    shifted = [
        text.moved(right - block.right if text.anchor == "end" else block.left - left, 0) for text in texts
    ]
    whole = replace(frame, items=(border, *shifted))
    return block._replace(items=(whole, *others), left=left, right=right)
