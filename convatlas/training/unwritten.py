"""What a save has yet to write, shared by the thread that writes and by a step that waits."""

import math
import mmap
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from convatlas.training.tensor_file import TensorFile, content

HELD = 350_000_000  # bytes that are copied at most, so that nobody waits for a disk over them
PULSE = 0.2  # seconds in which a waiting process looks for signals, where none interrupts a wait


@dataclass
class Piece:
    """A few MB of a tensor, and where they belong."""

    file: TensorFile
    place: int
    values: Tensor
    lasting: bool  # a step of training leaves it as it is
    copy: np.ndarray | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return self.values.numel() * self.values.element_size()


class Unwritten:
    """The thread that writes takes piece after piece, each copied as it is taken. Whoever is to
    change the tensors waits until HELD bytes are left, copies these all at once, and goes on: they
    may wait for the disk then as long as it wants. The memory of each is free once it is written.
    """

    def __init__(self):
        self._turn = threading.Condition()
        self._pieces: deque[Piece] = deque()
        self._left = {False: math.inf, True: math.inf}  # bytes, lasting or not, once they are known

    def write(self, pieces: Iterable[Piece]) -> None:
        """All of them, into their files. OSError where the disk refuses."""
        with self._turn:
            self._pieces.extend(pieces)
            for lasting in self._left:
                self._left[lasting] = sum(p.size for p in self._pieces if p.lasting == lasting)
        for piece in self._taken():
            piece.file.write(piece.place, piece.copy)

    def _taken(self) -> Iterator[Piece]:
        while self._pieces:
            with self._turn:
                piece = self._pieces.popleft()
                if piece.copy is None:
                    piece.copy = content(piece.values).copy()
                self._left[piece.lasting] -= piece.size
                self._turn.notify_all()
            yield piece

    def free(self, lasting: bool = False) -> None:
        """Return once all that a step changes may change, or what is lasting, too."""
        kinds = {False, lasting}
        with self._turn:
            while sum(self._left[kind] for kind in kinds) > HELD:
                self._turn.wait(PULSE)
            for piece in self._pieces:
                if piece.lasting in kinds and piece.copy is None:
                    piece.copy = _kept(content(piece.values))

    def end(self) -> None:
        """Nothing more is written: it is done, or has failed."""
        with self._turn:
            self._pieces.clear()
            self._left = {False: 0, True: 0}
            self._turn.notify_all()


def _kept(content: np.ndarray) -> np.ndarray:
    """A copy whose memory is the system's again once it is dropped: an allocator may keep it."""
    copy = np.ndarray(content.shape, content.dtype, mmap.mmap(-1, max(1, content.nbytes)))
    copy[:] = content
    return copy
