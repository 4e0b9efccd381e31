"""check-data of a packed set: every image read and decoded once more."""

from collections.abc import Callable
from functools import partial

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
    """(images, what is wrong with some)."""
    split = PackedSplit.joined([data.train, data.val, data.test])
    blocks, problems = in_turn(len(split), BLOCK), []
    tally = Tally("looking at every image once", len(split))
    results = stream(partial(_look, split, blocks), range(len(blocks)), split, workers, timeout)
    for block, result in zip(blocks, results, strict=True):
        if isinstance(result, DataError):
            problems += [_finding(sentence) for sentence in result.reasons or (str(result),)]
        tally.add(len(block))
        progress(tally.done)
    return len(split), problems


def _look(split: PackedSplit, blocks, step: int, reading: Reading) -> None:
    def look(row: int, i: int) -> None:
        if split.deep_range(i) is None:
            split.read(i)

    split.each(blocks[step], look, reading)


def _finding(sentence: str) -> Finding:
    """ "the image 'packed/cat/1.png' is damaged; copy it again" in its parts."""
    before, quote, rest = sentence.partition("'")
    name, _, reason = rest.partition("' ")
    return (
        Finding.of(name, reason) if quote and before == "the image " else Finding.of("", sentence)
    )
