"""Decoding a whole split into memory, once for all the Loaders that read it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from convatlas.data import keyed_random
from convatlas.data.errors import broken_images
from convatlas.data.neighbours import Neighbours, neighbours, shared_bytes
from convatlas.data.readers import TIMEOUT, Reading, stream
from convatlas.data.split import Split
from convatlas.data.telling import Tally
from convatlas.errors import DataError
from convatlas.machine import free_memory

MEMORY_SHARE = 4  # a decoded split may have one part in so many of the memory that is free
UNTOLD = 2**30  # bytes that it may have where nobody tells how much is free
BLOCK = 64  # images that a worker decodes at a time
SAMPLE = 2000  # headers read, at most, to estimate what a split needs

Build = Callable[[Tensor, Reading], object]

# What was decoded last of each split, for as long as the split lives: (geometry, uint8 (n, C, S,
# S)) as it was fitted, and ((at_least, white), [uint8 (C, H, W), ...]) whole, for crops.
_FITTED: WeakKeyDictionary[Split, tuple[tuple, Tensor]] = WeakKeyDictionary()
_WHOLE: WeakKeyDictionary[Split, tuple[tuple, list[Tensor]]] = WeakKeyDictionary()
# What a first look has decoded: (geometry, images, uint8 (n,): 1 for each that is there).
_BEGUN: WeakKeyDictionary[Split, tuple[tuple, Tensor, Tensor]] = WeakKeyDictionary()


def fitted_bytes(split: Split, prep) -> int:
    """Of the fitted split: one byte a value."""
    return len(split) * prep.channels * prep.side**2


def decoded(
    split: Split,
    prep,
    workers: int = 0,
    timeout: float = TIMEOUT,
    limit: int | None = None,
) -> Tensor | None:
    """The whole split, fitted: uint8 (n, channels, side, side). Decoded once, then kept while the
    split lives; on one machine, processes that prepare it together keep it once. None where it has
    more than `limit` bytes, by default a share of the memory that is free.

    Raises one DataError that lists every image which cannot be read.
    """
    if limit is not None and fitted_bytes(split, prep) > limit:
        return None
    geometry = _geometry(prep)
    begun = _BEGUN.pop(split, None)
    if begun and begun[0] == geometry:
        _FITTED[split] = geometry, _completed(split, prep, *begun[1:], workers, timeout)
    if split not in _FITTED or _FITTED[split][0] != geometry:
        limit = _limit() if limit is None else limit
        images = _decode(split, prep, workers, timeout, limit)
        if images is None:
            return None
        _FITTED[split] = geometry, images
    return _FITTED[split][1]


def _geometry(prep) -> tuple:
    return (prep.channels, prep.side, prep.fit, prep.content, prep.white, prep.interpolation)


def begin(splits: Sequence[Split], prep) -> tuple[Tensor, Tensor] | None:
    """Memory for the images of all the splits, one after the other: (uint8 (n, channels, side,
    side), uint8 (n,), which is 1 for each that somebody has put there), shared with readers and
    with the processes that prepare the set together. `decoded` adds what is missing then. None
    where it is too much.
    """
    total, size = sum(map(len, splits)), sum(fitted_bytes(split, prep) for split in splits)
    if size > _limit() or (memory := shared_bytes(neighbours(), size + total)) is None:
        return None
    images, there = memory[:size].view(total, prep.channels, prep.side, prep.side), memory[size:]
    lengths = [len(split) for split in splits]
    for split, *own in zip(splits, images.split(lengths), there.split(lengths), strict=True):
        _BEGUN[split] = _geometry(prep), *own
    return images, there


def _completed(
    split: Split, prep, images: Tensor, there: Tensor, workers: int, timeout: float
) -> Tensor:
    """The images, with those that no look has left there."""
    build, near = partial(_fit, split, prep), neighbours()
    near.say("")  # nobody looks any longer
    left = (there == 0).nonzero().flatten()
    blocks = left.split(BLOCK) if len(left) else ()
    return _decoded_together(build, split, images, blocks, near, workers, timeout)


def _limit() -> int:
    """Bytes that a decoded split may have: the same in all processes that prepare it together."""
    free, near = free_memory(), neighbours()
    limit = UNTOLD if free is None else free // MEMORY_SHARE
    return min(map(int, near.say(str(limit))))


def _decode(split: Split, prep, workers: int, timeout: float, limit: int) -> Tensor | None:
    size, near = fitted_bytes(split, prep), neighbours()
    if size > limit:
        return None
    shape = (len(split), prep.channels, prep.side, prep.side)
    memory = shared_bytes(near, size) if near.size > 1 and len(split) else None
    if memory is not None:
        build, blocks = partial(_fit, split, prep), in_turn(len(split), BLOCK)
        return _decoded_together(build, split, memory.view(shape), blocks, near, workers, timeout)
    if size * near.size > limit:  # each would have its own
        return None
    images = torch.empty(shape, dtype=torch.uint8)
    for block, fitted in fitted_blocks(split, prep, workers, timeout):
        images[block] = fitted
    return images


def fitted_blocks(
    split: Split, prep, workers: int = 0, timeout: float = TIMEOUT
) -> Iterator[tuple[Tensor, Tensor]]:
    """(numbers of some images, these fitted), to the split's end; raises as `decoded` does."""
    yield from in_blocks(partial(_fit, split, prep), split, workers, timeout)


def _decoded_together(
    build: Build,
    split: Split,
    images: Tensor,
    blocks: Sequence[Tensor],
    near: Neighbours,
    workers: int,
    timeout: float,
) -> Tensor:
    """Each of the processes decodes every so many-th block; all hear of every image that broke."""
    mine = blocks[near.rank :: near.size]
    broken = []
    for block, result in _results(build, split, mine, workers, timeout):
        if isinstance(result, DataError):
            broken.append((int(block[0]), result.reasons))
        else:
            images[block] = result
    said = [tuple(one) for text in near.say(json.dumps(broken)) for one in json.loads(text)]
    if said:
        raise broken_images([reason for _, reasons in sorted(said) for reason in reasons])
    return images


def _fit(split: Split, prep, block: Tensor, reading: Reading) -> Tensor:
    return split.fitted(block, prep, reading)


def sources(
    split: Split,
    at_least: int,
    limit: int | None = None,
    workers: int = 0,
    timeout: float = TIMEOUT,
    white: float | None = None,
) -> Sequence[Tensor] | None:
    """The whole images, uint8 (C, H, W) each, from which crops are taken; None where they have more
    than `limit` bytes, by default a share of the memory that is free, parted among the processes of
    this machine: each keeps its own.

    As the split reads them with `at_least` and `white`. Decoded once, then kept while the split
    lives. Raises as `decoded` does.
    """
    if limit is not None and _source_bytes(split, at_least) > limit:
        return None
    if split not in _WHOLE or _WHOLE[split][0] != (at_least, white):
        if limit is None and _source_bytes(split, at_least) > _limit() // neighbours().size:
            return None
        images = []
        read = partial(_read_all, split, at_least, white)
        for _, block in in_blocks(read, split, workers, timeout):
            images += [
                image.clone() for image in block
            ]  # a worker's own would each hold a file open
        _WHOLE[split] = (at_least, white), images
    return _WHOLE[split][1]


def _read_all(
    split: Split, at_least: int, white: float | None, block: Tensor, reading: Reading
) -> list[Tensor]:
    images = []
    split.each(block, lambda row, i: images.append(split.read(i, at_least, white)), reading)
    return images


def _source_bytes(split: Split, at_least: int) -> float:
    """An estimate from the headers of a sample; three bytes a pixel, and JPEGs counted as large as
    they may be.
    """
    chosen = keyed_random.order(len(split), seed=0, epoch=0)[:SAMPLE].tolist()
    total = 0
    for i in chosen:
        try:
            h, w = split.size(i)
        except DataError:
            continue  # decoding will report it, with all the others
        reduced = max((s for s in (1, 2, 4, 8) if min(h, w) // s >= at_least), default=1)
        total += 3 * (h // reduced + 1) * (w // reduced + 1)
    return total * len(split) / max(1, len(chosen))


def in_blocks(
    build: Build, split: Split, workers: int, timeout: float
) -> Iterator[tuple[Tensor, object]]:
    """(block, build(block, reading)) for all blocks; at the end one DataError for all the images
    that broke.
    """
    broken = []
    for block, result in _results(build, split, in_turn(len(split), BLOCK), workers, timeout):
        if isinstance(result, DataError):
            broken += result.reasons
        else:
            yield block, result
    if broken:
        raise broken_images(broken)


def _results(
    build: Build, split: Split, blocks: Sequence[Tensor], workers: int, timeout: float
) -> Iterator[tuple[Tensor, object]]:
    """(block, build(block, reading), or the DataError that this raised)."""
    tally = Tally("decoding", sum(map(len, blocks)))
    results = stream(_Blocks(build, blocks), range(len(blocks)), split, workers, timeout)
    for block, result in zip(blocks, results, strict=True):
        tally.add(len(block))
        yield block, result


def in_turn(n: int, size: int) -> Sequence[Tensor]:
    """0..n-1 in consecutive blocks of `size`, the last one perhaps smaller; none
    at all for n = 0.
    """
    return torch.arange(n).split(size) if n else ()


@dataclass(frozen=True)
class _Blocks:
    build: Build
    blocks: Sequence[Tensor]

    def __call__(self, step: int, reading: Reading) -> object:
        return self.build(self.blocks[step], reading)
