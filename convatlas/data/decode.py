"""Decoding many pictures: a whole split into memory, or batch after batch in worker processes."""
import multiprocessing
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from types import FrameType

import torch
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from convatlas.data import keyed
from convatlas.data.errors import DataError, broken_pictures
from convatlas.data.split import Split

MEMORY_LIMIT = 2**30                    # bytes of one decoded split; a larger one is streamed
TIMEOUT = 300                           # seconds to wait for one batch from a worker
GRACE = 1.0                             # seconds more, in which torch tells of a late batch by itself
MOMENT = 0.01                           # seconds that a destructor is given
BURIAL = 30                             # seconds for a killed reader to be gone, unless its disk keeps it
BLOCK = 64                              # pictures that a worker decodes at a time
SAMPLE = 2000                           # headers read, at most, to estimate what a split needs
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
    pictures = torch.empty(len(split), prep.channels, prep.side, prep.side, dtype=torch.uint8)
    for block, fitted in _in_blocks(partial(_fit, split, prep), split, workers, timeout):
        pictures[block] = fitted
    return pictures


def _fit(split: Split, prep, block: Tensor, reading: Reading) -> Tensor:
    return split.fitted(block, prep, reading)


def sources(split: Split, at_least: int, limit: int = MEMORY_LIMIT, workers: int = 0,
            timeout: float = TIMEOUT) -> Sequence[Tensor] | None:
    """The whole pictures, uint8 (C, H, W) each, from which crops are taken; None where they exceed `limit` bytes.

    As the split reads them with `at_least`. Decoded once, then kept with the split. Raises as `decoded` does.
    """
    if _source_bytes(split, at_least) > limit:
        return None
    if split.sources is None or split.sources[0] != at_least:
        pictures = []
        for _, block in _in_blocks(partial(_read_all, split, at_least), split, workers, timeout):
            pictures += [picture.clone() for picture in block]      # a worker's own would each hold a file open
        split.sources = at_least, pictures
    return split.sources[1]


def _read_all(split: Split, at_least: int, block: Tensor, reading: Reading) -> list[Tensor]:
    pictures = []
    split.each(block, lambda row, i: pictures.append(split.read(i, at_least)), reading)
    return pictures


def _source_bytes(split: Split, at_least: int) -> float:
    """An estimate from the headers of a sample; three bytes a pixel, and JPEGs counted as large as they may be."""
    chosen = keyed.order(len(split), seed=0, epoch=0)[:SAMPLE].tolist()
    total = 0
    for i in chosen:
        try:
            h, w = split.size(i)
        except DataError:
            continue                    # decoding will report it, with all the others
        reduced = max((s for s in (1, 2, 4, 8) if min(h, w) // s >= at_least), default=1)
        total += 3 * (h // reduced + 1) * (w // reduced + 1)
    return total * len(split) / max(1, len(chosen))


def _in_blocks(build: Callable[[Tensor, Reading], object], split: Split, workers: int,
               timeout: float) -> Iterator[tuple[Tensor, object]]:
    """(block, build(block, reading)) for all blocks; at the end one DataError for all the pictures that broke."""
    blocks, broken = in_turn(len(split), BLOCK), []
    results = stream(_Blocks(build, blocks), range(len(blocks)), split, workers, timeout)
    for block, result in zip(blocks, results, strict=True):
        if isinstance(result, DataError):
            broken += result.reasons
        else:
            yield block, result
    if broken:
        raise broken_pictures(broken)


def in_turn(n: int, size: int) -> Sequence[Tensor]:
    """0..n-1 in consecutive blocks of `size`, the last one perhaps smaller; none at all for n = 0."""
    return torch.arange(n).split(size) if n else ()


@dataclass(frozen=True)
class _Blocks:
    build: Callable[[Tensor, Reading], object]
    blocks: Sequence[Tensor]

    def __call__(self, step: int, reading: Reading) -> object:
        return self.build(self.blocks[step], reading)


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
    others, trouble, open_files = set(multiprocessing.active_children()), "", []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")    # more workers than cores: train says it
        # A generator of its own: a DataLoader would otherwise draw a seed from the global one.
        results = iter(DataLoader(_Job(build, reading), batch_size=None, sampler=steps, num_workers=workers,
                                  timeout=timeout, generator=torch.Generator(), collate_fn=_as_it_is))
    readers = set(multiprocessing.active_children()) - others
    _spare_destructors()
    try:
        while not trouble:
            try:
                with _ended_if_late(readers, timeout):
                    result = next(results)
            except StopIteration:
                return
            except (RuntimeError, OSError, EOFError) as fault:
                open_files = [split.names[i] for i in reading.tolist() if i != IDLE]
                trouble = _loader_fault(fault, open_files)
            else:
                yield result
    finally:
        with _children_may_end():
            if trouble:
                _kill(readers)
            del results                 # ends the workers; raising only now leaves no traceback that would keep them
            _kill(readers)              # one that is stopped has not heard torch's request, and would hold up the exit
            for reader in readers:
                reader.join(BURIAL)
    error = DataError(trouble)
    error.reading = tuple(open_files)
    raise error


@contextmanager
def _ended_if_late(readers: set[BaseProcess], timeout: float) -> Iterator[None]:
    """Kills the readers where the wait for them outlasts torch's own timeout, which then is not heard.

    A reader that is stopped once it has announced a batch, but not yet handed over its memory, holds torch up for ever;
    its end frees the other end of that line.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(readers)

    timer = threading.Timer(timeout + GRACE, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (RuntimeError, OSError, EOFError) as fault:
        if late.is_set():
            raise OSError(f"it did not answer for {timeout:g} seconds") from fault
        raise
    finally:
        timer.cancel()


def _kill(readers: set[BaseProcess]) -> None:
    for reader in readers:
        reader.kill()


def _spare_destructors() -> None:
    """torch's handler of SIGCHLD raises wherever the program is; in a destructor, which loses errors, it waits now."""
    handler = signal.getsignal(signal.SIGCHLD)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not callable(handler) or hasattr(handler, "spares_destructors"):
        return

    def later(number: int, frame: FrameType | None) -> None:
        if any(caller.f_code.co_name == "__del__" for caller, _ in traceback.walk_stack(frame)):
            again = threading.Timer(MOMENT, signal.pthread_kill, (threading.main_thread().ident, number))
            again.daemon = True
            again.start()
        else:
            handler(number, frame)

    later.spares_destructors = True
    signal.signal(signal.SIGCHLD, later)


@contextmanager
def _children_may_end() -> Iterator[None]:
    """torch's handler of SIGCHLD raises for a worker that was killed, again whenever another one ends: not here."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler or signal.SIG_DFL)


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


def reader_fault(fault: RuntimeError) -> DataError:
    """For a worker that died while the main process was not waiting for it: torch tells so wherever it is just then.

    Any other error is raised again.
    """
    if "DataLoader worker" not in str(fault):
        raise fault
    return DataError(_loader_fault(fault, []))


def _loader_fault(fault: Exception, in_flight: list[str]) -> str:
    where = f" while reading {', '.join(map(repr, in_flight))}" if in_flight else ""
    return (f"a process that reads pictures failed{where}: {' '.join(str(fault).split()) or type(fault).__name__}; "
            "look at these files, or use fewer workers (0 reads in the main process)")
