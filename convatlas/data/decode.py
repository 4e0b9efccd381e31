"""Decoding many pictures: a whole split into memory, or batch after batch in worker processes."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from convatlas.data.errors import DataError, broken_pictures
from convatlas.data.split import Split

MEMORY_LIMIT = 2**30                    # bytes of one decoded split; a larger one is streamed
TIMEOUT = 300                           # seconds to wait for one batch from a worker
BLOCK = 64                              # pictures that a worker decodes at a time
IDLE = -1

Reading = Callable[[int], None]         # told the number of each picture before its file is opened


def fits_in_memory(split: Split, prep, limit: int = MEMORY_LIMIT) -> bool:
    """Whether the fitted split, one byte a value, stays within `limit` bytes."""
    return len(split) * prep.channels * prep.side**2 <= limit


def decoded(split: Split, prep, workers: int = 0, timeout: float = TIMEOUT) -> Tensor:
    """The whole split, fitted: uint8 (n, channels, side, side). Decoded once, then kept with the split.

    Raises one DataError that lists every picture which cannot be read.
    """
    geometry = (prep.channels, prep.side, prep.fit, prep.content)
    if split.decoded is None or split.decoded[0] != geometry:
        split.decoded = geometry, _decode(split, prep, workers, timeout)
    return split.decoded[1]


def _decode(split: Split, prep, workers: int, timeout: float) -> Tensor:
    blocks = in_turn(len(split), BLOCK)
    pictures = torch.empty(len(split), prep.channels, prep.side, prep.side, dtype=torch.uint8)
    broken = []
    fitted = stream(_Fitting(split, prep, blocks), range(len(blocks)), split, workers, timeout)
    for block, result in zip(blocks, fitted, strict=True):
        if isinstance(result, DataError):
            broken += result.reasons
        else:
            pictures[block] = result
    if broken:
        raise broken_pictures(broken)
    return pictures


def in_turn(n: int, size: int) -> Sequence[Tensor]:
    """0..n-1 in consecutive blocks of `size`, the last one perhaps smaller; none at all for n = 0."""
    return torch.arange(n).split(size) if n else ()


@dataclass(frozen=True)
class _Fitting:
    split: Split
    prep: object
    blocks: Sequence[Tensor]

    def __call__(self, step: int, reading: Reading) -> Tensor:
        return self.split.fitted(self.blocks[step], self.prep, reading)


def stream(build: Callable[[int, Reading], object], steps: Sequence[int], split: Split, workers: int,
           timeout: float) -> Iterator[object]:
    """build(step, reading) for each step, in order, each whole in one of `workers` processes (0: in this one).

    A DataError that `build` raises is yielded, so that the caller may go on and collect the others. A worker that dies
    or takes longer than `timeout` seconds raises DataError naming the files that were being read.
    """
    if workers == 0:
        yield from (_attempt(build, step, lambda i: None) for step in steps)
        return
    reading = torch.full((workers,), IDLE).share_memory_()
    # A generator of its own: a DataLoader would otherwise draw a seed from the global one.
    loader = DataLoader(_Job(build, reading), batch_size=None, sampler=steps, num_workers=workers, timeout=timeout,
                        generator=torch.Generator(), collate_fn=_as_it_is)
    results, trouble = iter(loader), ""
    while not trouble:
        try:
            result = next(results)
        except StopIteration:
            return
        except (RuntimeError, OSError, EOFError) as fault:
            trouble = _loader_fault(fault, [split.names[i] for i in reading.tolist() if i != IDLE])
        else:
            yield result
    del results                         # ends the workers; raising only now leaves no traceback that would keep them
    raise DataError(trouble)


@dataclass(frozen=True)
class _Job:
    """What a worker holds. `reading`, shared with the main process, tells which picture each worker has open."""
    build: Callable[[int, Reading], object]
    reading: Tensor

    def __getitem__(self, step: int) -> object:
        worker = get_worker_info().id

        def note(i: int) -> None:
            self.reading[worker] = i

        result = _attempt(self.build, step, note)
        note(IDLE)
        return result


def _attempt(build, step: int, reading: Reading) -> object:
    try:
        return build(step, reading)
    except DataError as fault:
        return fault


def _as_it_is(result: object) -> object:
    return result


def _loader_fault(fault: Exception, in_flight: list[str]) -> str:
    where = f" while reading {', '.join(map(repr, in_flight))}" if in_flight else ""
    return (f"a process that reads pictures failed{where}: {' '.join(str(fault).split()) or type(fault).__name__}; "
            "look at these files, or use fewer workers (0 reads in the main process)")
