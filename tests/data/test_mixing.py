"""mixup and CutMix: arithmetic by hand, and the distribution of the shares."""

import numpy as np
import pytest
import torch
from scipy import stats

from convatlas.data import Augment, Loader, Preprocess
from convatlas.data.keyed_random import step_draws
from convatlas.data.mixing import mixed
from convatlas.errors import DataError

X = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 2, 8, 8).contiguous()
Y = torch.tensor([0, 1, 2, 1, 0])


def test_mixup_by_hand():
    """Beta(1, 1) is uniform, so a draw of 0.3 keeps 0.3; the last of five has no neighbour."""
    x, y = mixed(X, Y, 3, (0.9, 0.3, 0, 0), mixup=1.0, cutmix=0.0)
    assert x[:, 0, 0, 0].tolist() == pytest.approx([0.7, 0.3, 2.7, 2.3, 4.0])
    assert (x - x[:, :1, :1, :1]).abs().max() < 1e-6
    expected = [[0.3, 0.7, 0], [0.7, 0.3, 0], [0, 0.7, 0.3], [0, 0.3, 0.7], [1, 0, 0]]
    assert y.dtype == torch.float32
    assert (y - torch.tensor(expected)).abs().max() < 1e-6


def test_cutmix_by_hand():
    """A quarter of the area, 4 x 4 of 8 x 8 in the middle, comes from the neighbour."""
    before = X.clone()
    x, y = mixed(X, Y, 3, (0.1, 0.75, 0.5, 0.5), mixup=0.0, cutmix=1.0)
    assert torch.equal(X, before)
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[2:6, 2:6] = True
    for i, other in enumerate((1, 0, 3, 2, 4)):
        assert torch.equal(x[i][:, inside], X[other][:, inside])
        assert torch.equal(x[i][:, ~inside], X[i][:, ~inside])
    assert y[0].tolist() == [0.75, 0.25, 0]
    assert y[4].tolist() == [1, 0, 0]


def test_labels_follow_the_part_that_was_really_cut():
    _, y = mixed(
        X, Y, 3, (0.1, 0.75, 0.0, 0.0), mixup=0.0, cutmix=1.0
    )  # three quarters of the box is outside
    assert y[0].tolist() == pytest.approx([1 - 4 / 64, 4 / 64, 0])


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_are_those_of_the_beta_distribution(alpha):
    kept = [
        float(mixed(X[:2], Y[:2], 3, step_draws(0, 0, step, 4), alpha, 0.0)[1][0, 0])
        for step in range(3000)
    ]
    assert stats.kstest(kept, stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_with_both_either_is_as_likely():
    cut = sum(
        len(mixed(X[:2], Y[:2], 3, step_draws(0, 0, step, 4), 1.0, 1.0)[0][0, 0].unique()) == 2
        or float(mixed(X[:2], Y[:2], 3, step_draws(0, 0, step, 4), 1.0, 1.0)[0][0, 0, 0, 0])
        in (0.0, 1.0)
        for step in range(1000)
    )
    assert abs(cut - 500) < 5 * np.sqrt(250)


def test_an_even_stretch_of_a_batch_is_mixed_as_in_the_whole():
    draws = step_draws(3, 1, 2, 4)
    for how in ({"mixup": 0.4, "cutmix": 0.0}, {"mixup": 0.0, "cutmix": 1.0}):
        x, y = mixed(X, Y, 3, draws, **how)
        part_x, part_y = mixed(X[2:4], Y[2:4], 3, draws, **how)
        assert torch.equal(part_x, x[2:4]) and torch.equal(part_y, y[2:4])


def test_a_feed_yields_shares_and_needs_the_number_of_classes(noise_data):
    split, prep = noise_data(12).train, Preprocess(1, 10, (0.0,), (1.0,), "pad", 10)
    plain = list(Loader(split, prep, 4).epoch(0))
    batches = list(Loader(split, prep, 4, augment=Augment(mixup=0.5), classes=3).epoch(0))
    for step, ((x, y, i), (plain_x, plain_y, plain_i)) in enumerate(
        zip(batches, plain, strict=True)
    ):
        assert torch.equal(i, plain_i)
        assert y.shape == (4, 3) and y.dtype == torch.float32
        assert (y.sum(1) - 1).abs().max() < 1e-6
        expected = mixed(plain_x, plain_y, 3, step_draws(0, 0, step, 5)[1:], 0.5, 0.0)
        assert torch.equal(x, expected[0]) and torch.equal(y, expected[1])
    assert all(
        y.dtype == torch.int64
        for _, y, _ in Loader(split, prep, 4, augment=Augment(mixup=0.5), classes=3).all()
    )
    with pytest.raises(DataError, match="needs the number of classes"):
        Loader(split, prep, 4, augment=Augment(cutmix=1.0))


def test_what_a_batch_shares_is_another_in_every_epoch(noise_data):
    """How much is mixed, and the size that is drawn: of the epoch as well as of the step."""
    split, prep = noise_data(32).train, Preprocess(1, 10, (0.0,), (1.0,), "pad", 10)
    augment = Augment(mixup=0.5, sizes=(6, 8, 10, 12))
    loader = Loader(split, prep, 4, seed=2, augment=augment, classes=3)
    shared = [
        [(x.shape[-1], round(float(y[0].max()), 5)) for x, y, _ in loader.epoch(epoch)]
        for epoch in range(3)
    ]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        sizes, amounts = zip(*shared[one], strict=True)
        other_sizes, other_amounts = zip(*shared[other], strict=True)
        assert sizes != other_sizes
        assert sum(a == b for a, b in zip(amounts, other_amounts, strict=True)) < 8
    for epoch in range(3):
        for step, (side, _) in enumerate(shared[epoch]):
            draws = step_draws(2, epoch, step, 5)
            assert side == augment.side(10, draws[0])


def test_shares_of_two_epochs_differ_at_every_step(noise_data):
    """Two images alone, so that the same two are mixed in every epoch, whatever their order."""
    split, prep = noise_data(2).train, Preprocess(1, 10, (0.0,), (1.0,), "pad", 10)
    for how in ({"mixup": 1.0}, {"cutmix": 1.0}):
        loader = Loader(split, prep, 2, augment=Augment(**how), classes=3)
        kept = {round(float(next(loader.epoch(epoch))[1].max()), 6) for epoch in range(12)}
        assert len(kept) >= 6, how
