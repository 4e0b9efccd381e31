"""From a split to the batches that a training loop reads."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from convatlas.data import keyed_random, mixing
from convatlas.data.augment import COLUMNS, Augment
from convatlas.data.image_cache import decoded, in_turn, sources
from convatlas.data.preprocess import Preprocess
from convatlas.data.readers import TIMEOUT, Reading, stream
from convatlas.data.split import Split
from convatlas.errors import DataError

# x float32 (B, C, S, S) normalised; y int64 (B,), or float32 (B, classes), shares that sum to 1,
# where images are mixed; indices int64 (B,). Where sizes are drawn, S is the step's.
Batch = tuple[Tensor, Tensor, Tensor]


class Loader:
    """Batches of one split. Order is a function of (seed, epoch), augmentation of (seed, epoch,
    index), and what a whole batch shares (its size, how much is mixed) of (seed, epoch, step);
    nothing else.

    So the same epoch has the same bits wherever it is started, and for any number of workers. A
    split that, as it is used, has at most `memory_limit` bytes (by default a share of the memory
    that is free) is decoded once, here, and shared with other Loaders of the same split; a larger
    one is read batch by batch, in `workers` processes. Both give the same bits. `classes` is needed
    for mixing only. Raises DataError naming all images that cannot be read: now, or in the second
    case when their batch is due.

    `share` is (rank, size): of `size` processes that read the same split, which this one is.
    Training batches are split over them, so the global order is that of one process; of all() each
    gets every size-th batch, whole, so that what a network answers does not depend on their number.
    """

    def __init__(
        self,
        split: Split,
        prep: Preprocess,
        batch_size: int,
        seed: int = 0,
        augment: Augment | None = None,
        workers: int = 0,
        memory_limit: int | None = None,
        timeout: float = TIMEOUT,
        classes: int = 0,
        share: tuple[int, int] = (0, 1),
    ):
        if batch_size < 1 or workers < 0:
            raise DataError(
                f"batches of {batch_size} by {workers} workers cannot be made; "
                "give a batch size of 1 or more, and 0 workers or more"
            )
        self.split, self.prep, self.batch_size, self.seed = split, prep, batch_size, seed
        self.augment, self.classes, self.share = augment or Augment(), classes, share
        self.workers, self.timeout = workers, timeout
        _check(self.augment, prep, classes)
        self.images, self.sources = None, None  # what is in memory: fitted, or whole for crops
        if self.augment.cuts:
            self.sources = sources(
                split,
                self.augment.source_side(prep.side),
                memory_limit,
                workers,
                timeout,
                prep.white,
            )
        else:
            self.images = decoded(split, prep, workers, timeout, memory_limit)

    @property
    def in_memory(self) -> bool:
        """Whether training reads no files."""
        return self.images is not None or self.sources is not None

    @property
    def forks(self) -> bool:
        """Whether processes of its own read the images of an epoch."""
        return self.workers > 0 and not self.in_memory

    def __len__(self) -> int:
        """Steps in a training epoch.

        The last batch is left out unless it is full, for batch norm cannot learn from a batch of
        one and a small batch weighs its images more; a split smaller than a batch is one batch.
        """
        return max(len(self.split) // self.batch_size, min(len(self.split), 1))

    @property
    def part(self) -> int:
        """Images of a training batch that this process gets."""
        return self._part_of(self.share[0])

    @property
    def smallest_part(self) -> int:
        """Images of a training batch that the process with the fewest gets."""
        return min(self._part_of(rank) for rank in range(self.share[1]))

    def _part_of(self, rank: int) -> int:
        return len(_part(torch.arange(min(self.batch_size, len(self.split))), rank, self.share[1]))

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of a training epoch, shuffled and augmented, from step `start`; earlier ones
        are not read.
        """
        if not 0 <= start <= len(self):
            raise DataError(
                f"an epoch of {len(self)} steps cannot start at step {start}; is the batch "
                "size the same?"
            )
        order = torch.from_numpy(self.split.order(self.seed, epoch))
        parts = [_part(batch, *self.share) for batch in order.split(self.batch_size)]
        build = partial(self._training_batch, parts, epoch)
        return self._batches(build, range(start, len(self)), self.in_memory)

    def sample(self, count: int) -> Batch:
        """A small batch of images as training will see them, made in this process: to try things
        on.
        """
        order = torch.from_numpy(self.split.order(self.seed, 0))
        return self._training_batch(order.split(count), 0, 0, lambda i: None)

    def all(self) -> Iterator[Batch]:
        """Every image once, in the split's order, as it is; the last batch may be smaller."""
        batches = self.blocks(self.batch_size)
        return self._batches(
            partial(self._plain_batch, batches), range(len(batches)), self.images is not None
        )

    def blocks(self, size: int) -> Sequence[Tensor]:
        """The numbers of the images that are measured here, `size` at a time, in
        the split's order.
        """
        rank, of = self.share
        return in_turn(len(self.split), size)[rank::of]

    def _batches(self, build, steps: Sequence[int], in_memory: bool) -> Iterator[Batch]:
        for batch in stream(
            build, steps, self.split, 0 if in_memory else self.workers, self.timeout
        ):
            if isinstance(batch, DataError):
                raise batch
            yield batch

    def _plain_batch(self, batches: Sequence[Tensor], step: int, reading: Reading) -> Batch:
        indices = batches[step]
        return (
            self.prep.normalise(self._fitted(indices, reading)),
            self.split.labels[indices],
            indices,
        )

    def _training_batch(
        self, batches: Sequence[Tensor], epoch: int, step: int, reading: Reading
    ) -> Batch:
        indices, augment = batches[step], self.augment
        draws = keyed_random.draws(self.seed, epoch, indices.numpy(), len(COLUMNS))
        shared = keyed_random.step_draws(self.seed, epoch, step, 1 + mixing.DRAWS)
        side = augment.side(self.prep.side, shared[0])
        if augment.cuts:
            images = self._cut(indices, draws, side, reading)
        else:
            images = _to_side(self._fitted(indices, reading), side, self.prep.interpolation)
        x = augment.erase(self.prep.normalise(augment.apply(images, draws)), draws)
        x, y = augment.mix(x, self.split.labels[indices], self.classes, shared[1:])
        return x, y, indices

    def _fitted(self, indices: Tensor, reading: Reading) -> Tensor:
        if self.images is None:
            return self.split.fitted(indices, self.prep, reading)
        return self.images.index_select(0, indices)

    def _cut(self, indices: Tensor, draws, side: int, reading: Reading) -> Tensor:
        """uint8 (B, channels, side, side): of each image the part that its draws say."""
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import resized_crop

        way = InterpolationMode(self.prep.interpolation)
        cut = torch.empty(len(indices), self.prep.channels, side, side, dtype=torch.uint8)
        at_least = self.augment.source_side(self.prep.side)

        def use(row: int, i: int) -> None:
            if self.sources is None:
                image = self.split.read(i, at_least, self.prep.white)
            else:
                image = self.sources[i]
            box = self.augment.box(*image.shape[1:], self.prep.side, draws[row])
            cut[row] = self.prep.in_channels(
                resized_crop(image, *box, [side, side], way, antialias=True)[None]
            )[0]

        self.split.each(indices, use, reading)
        return cut


def _to_side(images: Tensor, side: int, interpolation: str) -> Tensor:
    if images.shape[-1] == side:
        return images
    return interpolate(images, (side, side), mode=interpolation, antialias=True)


def _check(augment: Augment, prep: Preprocess, classes: int) -> None:
    if augment.mixes and classes < 2:
        raise DataError("mixing images needs the number of classes; give it to the Loader")
    if augment.lighting and prep.channels != 3:
        raise DataError(
            "lighting needs colour images, for its noise lies along the principal components of "
            "RGB; leave it out for grey ones"
        )
    if augment.crop == "random" and augment.resize and augment.resize[0] < prep.side:
        raise DataError(
            f"resize = {augment.resize[0]} is smaller than the {prep.side} pixels that are cut "
            f"out; give {prep.side} or more"
        )


def _part(batch: Tensor, rank: int, size: int) -> Tensor:
    """The rank-th of `size` consecutive parts of about equal length.

    They begin at even places where each can have two images, so that neighbours stay together:
    those may be mixed.
    """
    n = len(batch)
    pair = 2 if n // 2 >= size else 1
    begin, end = (n // pair * number // size * pair for number in (rank, rank + 1))
    return batch[begin : n if rank + 1 == size else end]
