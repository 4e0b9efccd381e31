"""What each process gets of a batch and of a set: all of it, once, neighbours together."""

import pytest
import torch

from convatlas.data import Loader, Preprocess
from convatlas.data.keyed_random import step_draws
from convatlas.data.split import ArraySplit

GREY = Preprocess(1, 4, (0.0,), (1.0,), "resize", 4)


def split(n: int) -> ArraySplit:
    levels = (torch.arange(n) % 256).to(torch.uint8)
    images = levels.view(n, 1, 1, 1).expand(n, 1, 4, 4).contiguous()
    return ArraySplit(images, torch.arange(n) % 2, [str(i) for i in range(n)])


def loaders(n: int, batch: int, size: int) -> list[Loader]:
    return [Loader(split(n), GREY, batch, share=(rank, size)) for rank in range(size)]


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("n", [1, 5, 7, 16, 23])
def test_processes_measure_every_image_once(n, size):
    seen = [int(i) for loader in loaders(n, 2, size) for _, _, rows in loader.all() for i in rows]
    assert sorted(seen) == list(range(n))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("batch", [4, 6, 7, 8, 9])
def test_the_parts_of_a_batch_are_the_batch_of_one_process_and_neighbours_stay_together(
    batch, size
):
    (alone,) = loaders(24, batch, 1)
    together = loaders(24, batch, size)
    for parts in zip(alone.epoch(1), *(loader.epoch(1) for loader in together), strict=True):
        whole, *parts = [rows.tolist() for _, _, rows in parts]
        assert [row for part in parts for row in part] == whole
        if batch >= 2 * size:
            assert all(len(part) % 2 == 0 for part in parts[:-1]), "2k and 2k + 1 may be mixed"


@pytest.mark.parametrize(("count", "batch"), [(1100, 512), (700, 300)])
def test_256_processes_get_slices_that_are_disjoint_complete_and_of_equal_length(count, batch):
    (alone,) = loaders(count, batch, 1)
    parts = loaders(count, batch, 256)
    lengths = [part.part for part in parts]
    assert sum(lengths) == batch and {part.smallest_part for part in parts} == {min(lengths)}
    assert max(lengths) - min(lengths) <= (0 if batch % 512 == 0 else 1)
    batches = [rows.tolist() for _, _, rows in alone.epoch(2)]
    shares = [[rows.tolist() for _, _, rows in part.epoch(2)] for part in parts]
    for step, whole in enumerate(batches):
        mine = [share[step] for share in shares]
        assert [len(each) for each in mine] == lengths
        assert [row for each in mine for row in each] == whole  # in order, each once
    measured = [row for part in parts for block in part.blocks(2) for row in block.tolist()]
    assert sorted(measured) == list(range(count))


@pytest.mark.parametrize("rank", [0, 100, 255])
def test_a_slice_depends_on_the_rank_the_epoch_and_the_step_alone(rank):
    """One of 256, made by itself, and started in the middle of the epoch."""
    parts = loaders(2100, 512, 256)
    wanted = [rows.tolist() for _, _, rows in parts[rank].epoch(3)]
    alone = Loader(split(2100), GREY, 512, share=(rank, 256))
    assert [rows.tolist() for _, _, rows in alone.epoch(3, 2)] == wanted[2:]
    assert [rows.tolist() for _, _, rows in alone.epoch(4)] != wanted


def test_a_step_s_draws_depend_on_seed_epoch_and_step():
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert len({tuple(step_draws(*key, 3)) for key in keys}) == len(keys)
