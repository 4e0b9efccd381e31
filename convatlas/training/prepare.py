"""What a run needs before its first step: a device, threads, images, a network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields

import torch
from torch import nn

from convatlas.data import (
    Augment,
    Data,
    Finding,
    Loader,
    Preprocess,
    fit_preprocess,
    open_data,
    usable,
)
from convatlas.data.first_look import FirstLook, first_look, is_due
from convatlas.data.preprocess import shape_of
from convatlas.data.readers import forks
from convatlas.data.split import ArraySplit, Split
from convatlas.data.survey import unseen
from convatlas.data.telling import Listener, told_to
from convatlas.errors import DataError, RunError
from convatlas.evaluation import MultiCrop, require_multi_crop
from convatlas.machine import spare_cores
from convatlas.registry import create_model, stored_facts
from convatlas.shapes_only import shapes_only
from convatlas.training import torchrun
from convatlas.training.batch_norm import require_several_values
from convatlas.training.distributed import ProcessGroup
from convatlas.training.init import he_init_network
from convatlas.training.recipe import Recipe
from convatlas.training.seeds import seed_for

# multiply-adds below which one thread is faster: threads that wait for each other cost more
SMALL_STEP = 200e6
READ_ALONE = 1000  # images of a part below which no process is worth its start
MOST_READERS = 16  # beside one process, unless more are asked for: each keeps batches in memory


@dataclass(frozen=True)
class Gathered:
    """Images and a network, before it is known how the ones are standardised for the other."""

    data: Data
    net: nn.Module  # with fresh weights, on the processor
    side: int  # of the input, in pixels
    skipped: list[Finding]  # images that cannot be read and are left out
    shape: Preprocess | None = None  # how images are fitted, where that is known already


@dataclass(frozen=True)
class Prepared:
    data: Data
    prep: Preprocess
    train: Loader
    val: Loader
    test: Loader
    net: nn.Module
    skipped: list[Finding]  # images that cannot be read and are left out

    @property
    def reading(self) -> str:
        """How the training images of a folder or a packed set are read: "held in memory", or who
        reads them; "" of a set that is in memory as soon as it is open.
        """
        if isinstance(self.data.train, ArraySplit):
            return ""
        if self.train.in_memory:
            return "held in memory"
        readers = self.train.workers
        by = f"by {readers} reader{'s' * (readers > 1)}" if readers else "in the training process"
        return f"read from files as they are needed, {by}"

    @property
    def per_step(self) -> int:
        """Images of a step, over all processes."""
        return min(self.train.batch_size, len(self.data.train))

    def read_by(self, readers: int) -> None:
        """Read the images that are not in memory by so many processes from now on."""
        for loader in (self.train, self.val, self.test):
            loader.workers = readers


def gather(
    recipe: Recipe,
    group: ProcessGroup,
    telling: Listener = lambda phase, done, total: None,
) -> Gathered:
    """The images, which are looked at as the recipe says, and the network."""
    side = side_of(recipe)
    with group.preparing(), told_to(telling):
        opened = _data(recipe, group)
        shape, look = _first_look(recipe, opened, side)
        data, skipped = usable(
            opened,
            recipe.bad_images,
            max(0, recipe.workers),
            check=recipe.check,
            seen=look or unseen,
        )
    return _with_network(recipe, data, side, skipped, shape if data.train is opened.train else None)


def _first_look(
    recipe: Recipe, data: Data, side: int
) -> tuple[Preprocess | None, FirstLook | None]:
    """How images are fitted, and where they are put as they are looked at for the first time;
    nothing where they are cut out anew in each epoch, or other weights say how they are fitted.
    """
    augment, few = _augment(recipe), len(data.train) < READ_ALONE
    if few or augment.cuts or recipe.weights or not is_due(data, recipe.check):
        return None, None
    shape = None
    with suppress(DataError):  # which will be said once all images were looked at
        apart = max(1, recipe.workers)  # an image may end the process that opens it
        shape = shape_of(data, side, apart, augment.shorter_side(side), recipe.white or None)
    return shape, first_look(data, shape)


def gather_with(recipe: Recipe, data: Data) -> Gathered:
    """The same of a set that is open already, whatever the recipe's own is."""
    return _with_network(recipe, data, side_of(recipe), [])


def _with_network(
    recipe: Recipe,
    data: Data,
    side: int,
    skipped: list[Finding],
    shape: Preprocess | None = None,
) -> Gathered:
    torch.manual_seed(seed_for(recipe.seed, "weights"))
    net = create_model(recipe.network, num_classes=len(data.classes), in_channels=data.channels)
    if recipe.init == "he":
        he_init_network(net)
    require_multi_crop(net, side, multi_crop_of(recipe))
    return Gathered(data, net, side, skipped, shape)


def prepare(
    recipe: Recipe,
    group: ProcessGroup,
    gathered: Gathered | None = None,
    standard: Mapping | None = None,
    telling: Listener = lambda phase, done, total: None,
) -> Prepared:
    """Everything is decoded or opened now, so that broken images and wrong names show before the
    first step. `standard` is how images are standardised: as these training images are, where
    nothing is given.
    """
    found = gathered or gather(recipe, group)
    with group.preparing(), told_to(telling):
        prepared = _prepared(recipe, group, found, standard)
    _require_parts(recipe, prepared, group)
    return prepared


def _prepared(
    recipe: Recipe, group: ProcessGroup, found: Gathered, standard: Mapping | None
) -> Prepared:
    augment = _augment(recipe)
    data = found.data
    waited_for = readers(recipe, group, data.train)  # by this process, which leaves all cores free
    prep = fit_preprocess(
        data,
        found.side,
        waited_for,
        shorter=augment.shorter_side(found.side),
        white=recipe.white or None,
        standard=standard,
        shape=found.shape,
    )
    share, batch = (group.rank, group.size), max(64, recipe.batch_size)
    train = Loader(
        data.train,
        prep,
        recipe.batch_size,
        recipe.seed,
        augment,
        waited_for,
        classes=len(data.classes),
        share=share,
    )
    # of a set that is read from files no part is decoded before the first step
    limit = {} if train.in_memory else {"memory_limit": 0}
    val, test = (
        Loader(part, prep, batch, workers=readers(recipe, group, part), share=share, **limit)
        for part in (data.val, data.test)
    )
    ready = Prepared(data, prep, train, val, test, found.net, found.skipped)
    ready.read_by(readers(recipe, group, data.train, busy=threads_of(recipe)))
    return ready


def _augment(recipe: Recipe) -> Augment:
    return Augment(**{f.name: getattr(recipe, f.name) for f in fields(Augment)})


def readers(recipe: Recipe, group: ProcessGroup, part: Split, busy: int = 0) -> int:
    """Processes that read a part's images for this one, which keeps `busy` cores at work meanwhile:
    those of the recipe, else one for each core that is free. None where the images are few or in
    memory, nor where a new process would first run the program's own file again.
    """
    if recipe.workers >= 0:
        return recipe.workers
    if isinstance(part, ArraySplit) or len(part) < READ_ALONE or not forks():
        return 0
    return min(MOST_READERS, spare_cores(group.neighbours, busy))


def _require_parts(recipe: Recipe, ready: Prepared, group: ProcessGroup) -> None:
    """RunError where a part of a step has no image, or too few for a batch norm."""
    smallest = ready.train.smallest_part
    if smallest < recipe.accumulate:
        raise RunError(
            f"a step of {ready.per_step} images cannot be split over {group.size} processes and "
            f"accumulate = {recipe.accumulate}; give --batch-size "
            f"{2 * group.size * recipe.accumulate} or more, or fewer processes"
        )
    require_several_values(recipe, smallest, group.size, ready.prep.side, ready.data.channels)


def _data(recipe: Recipe, group: ProcessGroup) -> Data:
    """With several processes on a machine, one of them downloads before the others look."""

    def opened(download: bool) -> Data:
        return open_data(
            recipe.data,
            root=recipe.data_root,
            download=download,
            seed=recipe.seed,
            val_fraction=recipe.val_fraction,
            missing_classes=recipe.missing_classes,
            test_from=recipe.test_from,
            max_megapixels=recipe.max_megapixels,
        )

    if recipe.download and group.size > 1:
        group.together(lambda: opened(True) if group.local_rank == 0 else None)
    return opened(recipe.download and group.size == 1)


def side_of(recipe: Recipe) -> int:
    """The input side: the paper's unless the recipe says another, which must be legal."""
    with shapes_only():
        net = create_model(recipe.network)
    side = recipe.size or net.side
    for legal in (side, *recipe.sizes):
        net.check_size(legal, legal)
    return side


def multi_crop_of(recipe: Recipe) -> MultiCrop:
    """What the test at the end looks at of each image."""
    return MultiCrop(recipe.test_crops, recipe.test_sizes)


def macs(recipe: Recipe, side: int) -> float:
    """Multiply-adds for one image: those of the paper's size, times the share of the pixels."""
    facts = stored_facts()[recipe.network]
    return facts["macs"] * (side / facts["input_size"][-1] if side else 1) ** 2


def threads_of(recipe: Recipe) -> int:
    """How many the recipe's own number is, or that of a small step, or torch's."""
    small = macs(recipe, recipe.size) * recipe.batch_size < SMALL_STEP
    return recipe.threads or (1 if small else torch.get_num_threads())


@contextmanager
def threads(recipe: Recipe) -> Iterator[int]:
    """The recipe's number of threads, or one where a step is small; a busy neighbour makes waiting
    far dearer still. Yields the number that might be as good; 0 where there is no choice.
    """
    before = torch.get_num_threads()
    number = threads_of(recipe)
    torch.set_num_threads(number)
    try:
        yield 0 if recipe.threads else max({1, before} - {number}, default=0)
    finally:
        torch.set_num_threads(before)


def device_type(recipe: Recipe) -> str:
    """cpu, cuda or mps. RunError where the recipe asks for what is not there."""
    usable = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available() and not torchrun.launched(),
        "cpu": True,
    }
    if recipe.device == "auto":
        return next(kind for kind in usable if usable[kind])
    if not usable[recipe.device]:
        lacks = {"cuda": "no CUDA device", "mps": "no Mac's GPU (Metal)"}[recipe.device]
        if recipe.device == "mps" and torchrun.launched():
            raise RunError(
                "device = 'mps' cannot be shared by several processes; start one without "
                "torchrun, or train on the processor with --device cpu"
            )
        raise RunError(
            f"device = {recipe.device!r}, but this machine has {lacks} that torch can use; leave "
            "--device out to train on what it has"
        )
    return recipe.device


def device_of(kind: str, group: ProcessGroup) -> torch.device:
    """This process's own device. RunError where a machine has fewer than it has processes."""
    if kind != "cuda" or group.size == 1:
        return torch.device(kind)
    if group.local_rank >= torch.cuda.device_count():
        raise RunError(
            f"process {group.local_rank} of this machine has no CUDA device, for there are "
            f"{torch.cuda.device_count()}; start as many with --nproc-per-node"
        )
    torch.cuda.set_device(group.local_rank)
    return torch.device("cuda", group.local_rank)
