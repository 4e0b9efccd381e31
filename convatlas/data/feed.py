"""From a split to the batches that a training loop reads."""
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from convatlas.data import keyed
from convatlas.data.augment import COLUMNS, Augment
from convatlas.data.decode import MEMORY_LIMIT, TIMEOUT, Reading, decoded, fits_in_memory, in_turn, stream
from convatlas.data.errors import DataError
from convatlas.data.preprocess import Preprocess
from convatlas.data.split import Split

Batch = tuple[Tensor, Tensor, Tensor]   # x float32 (B, C, S, S) normalised, y int64 (B,), indices int64 (B,)


class Feed:
    """Batches of one split. Order is a function of (seed, epoch), augmentation of (seed, epoch, index); nothing else.

    So the same epoch has the same bits wherever it is started, and for any number of workers. A split that, fitted, has
    at most `memory_limit` bytes is decoded once, here, and shared with other Feeds of the same split; a larger one is
    read batch by batch, in `workers` processes. Both give the same bits. Raises DataError naming all pictures that
    cannot be read: now, or in the second case when their batch is due.

    `share` is (rank, size): of `size` processes that read the same split, which this one is. Training batches are split
    over them, so the global order is that of one process; of all() each gets every size-th batch, whole, so that what
    a network answers does not depend on their number.
    """

    def __init__(self, split: Split, prep: Preprocess, batch_size: int, seed: int = 0, augment: Augment | None = None,
                 workers: int = 0, memory_limit: int = MEMORY_LIMIT, timeout: float = TIMEOUT,
                 share: tuple[int, int] = (0, 1)):
        if batch_size < 1 or workers < 0:
            raise DataError(f"batches of {batch_size} by {workers} workers cannot be made; "
                            "give a batch size of 1 or more, and 0 workers or more")
        self.split, self.prep, self.batch_size, self.seed, self.augment = split, prep, batch_size, seed, augment
        self.workers, self.timeout, self.share = workers, timeout, share
        self.pictures = decoded(split, prep, workers, timeout) if fits_in_memory(split, prep, memory_limit) else None

    def __len__(self) -> int:
        """Steps in a training epoch.

        The last batch is left out unless it is full, for batch norm cannot learn from a batch of one and a small batch
        weighs its pictures more; a split smaller than a batch is one batch.
        """
        return max(len(self.split) // self.batch_size, min(len(self.split), 1))

    @property
    def smallest_part(self) -> int:
        """Pictures of a training batch that the process with the fewest gets."""
        batch, size = torch.arange(min(self.batch_size, len(self.split))), self.share[1]
        return min(len(_part(batch, rank, size)) for rank in range(size))

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of a training epoch, shuffled and augmented, from step `start`; earlier ones are not read."""
        if not 0 <= start <= len(self):
            raise DataError(f"an epoch of {len(self)} steps cannot start at step {start}; is the batch size the same?")
        order = torch.from_numpy(keyed.order(len(self.split), self.seed, epoch))
        batches = order.split(self.batch_size)[start:len(self)]
        return self._batches([_part(batch, *self.share) for batch in batches], epoch)

    def all(self) -> Iterator[Batch]:
        """Every picture once, in the split's order, as it is; the last batch may be smaller."""
        rank, size = self.share
        return self._batches(in_turn(len(self.split), self.batch_size)[rank::size], None)

    def _batches(self, batches: Sequence[Tensor], epoch: int | None) -> Iterator[Batch]:
        workers = self.workers if self.pictures is None else 0
        build = partial(self._build, batches, epoch)
        for batch in stream(build, range(len(batches)), self.split, workers, self.timeout):
            if isinstance(batch, DataError):
                raise batch
            yield batch

    def _build(self, batches: Sequence[Tensor], epoch: int | None, step: int, reading: Reading) -> Batch:
        indices = batches[step]
        if self.pictures is None:
            pictures = self.split.fitted(indices, self.prep, reading)
        else:
            pictures = self.pictures.index_select(0, indices)
        if self.augment is not None and epoch is not None:
            draws = keyed.draws(self.seed, epoch, indices.numpy(), len(COLUMNS))
            pictures = self.augment.apply(pictures, draws)
        return self.prep.normalise(pictures), self.split.labels[indices], indices


def _part(batch: Tensor, rank: int, size: int) -> Tensor:
    """The rank-th of `size` consecutive parts of about equal length.

    They begin at even places where each can have two pictures, so that neighbours stay together: those may be mixed.
    """
    n = len(batch)
    pair = 2 if n // 2 >= size else 1
    begin, end = (n // pair * number // size * pair for number in (rank, rank + 1))
    return batch[begin:n if rank + 1 == size else end]
