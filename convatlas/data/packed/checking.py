"""check-data of a packed set: every image read and decoded once more."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from torch import Tensor

from convatlas.data.finding import Finding
from convatlas.data.image_cache import BLOCK, in_turn
from convatlas.data.packed.split import PackedSplit
from convatlas.data.readers import Reading, stream
from convatlas.data.split import Data
from convatlas.data.telling import Tally
from convatlas.errors import DataError


def check_packed(
    data: Data, workers: int, timeout: float, progress: Callable[[int], None] = lambda done: None
) -> tuple[int, list[Finding]]:
    """(images, what is wrong with some), in the order in which they lie. Raises DataError where
    they cannot be had at all.
    """
    split = PackedSplit.joined([data.train, data.val, data.test])
    split = split.subset(np.argsort(split.rows))
    blocks, problems = in_turn(len(split), BLOCK), []
    tally = Tally("looking at every image once", len(split))
    results = stream(partial(_look, split, blocks), range(len(blocks)), split, workers, timeout)
    for block, result in zip(blocks, results, strict=True):
        if isinstance(result, DataError):
            raise result
        problems += result
        tally.add(len(block))
        progress(tally.done)
    return len(split), problems


def _look(
    split: PackedSplit, blocks: Sequence[Tensor], step: int, reading: Reading
) -> list[Finding]:
    found = []

    def look(row: int, i: int) -> None:
        try:
            if split.deep_range(i) is None:
                split.read(i)
        except DataError as fault:
            found.append(Finding.of(split.called(i), fault.reason))

    split.each(blocks[step], look, reading)
    return found
