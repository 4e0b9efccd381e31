"""Evaluation counts whole images: the same integers for any batch size, and the same as
scikit-learn's.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    top_k_accuracy_score,
)

from convatlas.evaluation import Evaluation, evaluate


class Answers(torch.nn.Module):
    """A network that looks its logits up by the image's number; dropout shows whether it is in
    evaluation mode.
    """

    def __init__(self, logits):
        super().__init__()
        self.logits, self.dropout = torch.nn.Parameter(logits), torch.nn.Dropout(0.9)

    def forward(self, x):
        return self.dropout(self.logits)[x[:, 0, 0, 0].long()]


class Numbered:
    """A loader whose image i holds the number i."""

    def __init__(self, labels, batch_size):
        self.labels, self.batch_size = labels, batch_size

    def all(self):
        for indices in torch.arange(len(self.labels)).split(self.batch_size):
            yield indices.float()[:, None, None, None], self.labels[indices], indices


def case(seed, count, classes):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(count, classes, generator=generator),
        torch.randint(classes, (count,), generator=generator),
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 17),
    classes=st.integers(2, 9),
    batch=st.integers(1, 18),
)
def test_counts_are_scikit_learns_for_every_batch_size(seed, count, classes, batch):
    logits, labels = case(seed, count, classes)
    found = evaluate(Answers(logits), Numbered(labels, batch), classes)
    assert (
        found.confusion.tolist()
        == confusion_matrix(labels, logits.argmax(1), labels=range(classes)).tolist()
    )
    assert found.count == count
    assert found.accuracy == accuracy_score(labels, logits.argmax(1))
    if classes > 5:
        assert found.top5 / count == pytest.approx(
            top_k_accuracy_score(labels, logits.numpy(), k=5, labels=range(classes))
        )
    else:
        assert found.top5 == count
    assert found.loss == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits.double(), labels))
    )


@pytest.mark.parametrize("mode", [True, False])
def test_the_network_keeps_its_mode_even_after_an_error(mode):
    logits, labels = case(0, 4, 3)
    net = Answers(logits).train(mode)
    evaluate(net, Numbered(labels, 2), 3)
    assert net.training is mode
    with pytest.raises(RuntimeError):
        evaluate(net, Numbered(labels, 2), 2)
    assert net.training is mode


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(0, 40),
    classes=st.integers(2, 9),
    most=st.integers(1, 10),
)
def test_cells_and_pools_are_the_matrix_without_its_zeros_and_in_blocks(seed, count, classes, most):
    logits, labels = case(seed, count, classes)
    found = Evaluation.none(classes) if not count else counted(logits, labels)
    again = torch.zeros(classes, classes, dtype=torch.int64)
    for truth, answer, images in found.cells().tolist():
        again[truth, answer] = images
    assert torch.equal(again, found.confusion) and (found.cells()[:, 2] > 0).all()
    pooled, each = found.pooled(most)
    assert len(pooled) == -(-classes // each) <= most
    wider = torch.nn.functional.pad(found.confusion, (0, -classes % each, 0, -classes % each))
    assert torch.equal(pooled, wider.unflatten(1, (-1, each)).unflatten(0, (-1, each)).sum((1, 3)))


def test_answers_of_many_classes_are_counted_in_parts_as_in_one(monkeypatch):
    logits, labels = case(0, 30, 1100)
    whole = evaluate(Answers(logits), Numbered(labels, 30), 1100)
    monkeypatch.setattr("convatlas.evaluation.measure.PART", 5000)
    in_parts = evaluate(Answers(logits), Numbered(labels, 30), 1100)
    assert torch.equal(in_parts.answers, whole.answers)
    assert torch.equal(in_parts.bins, whole.bins)
    assert in_parts.loss == pytest.approx(whole.loss, rel=1e-12)


def test_a_billion_classes_are_no_matter_where_nobody_asks_for_the_matrix():
    """A matrix of these classes would have eight million gigabytes."""
    labels = torch.tensor([5, 5, 7])
    found = Evaluation.none(10**9)
    found = replace(found, answers=torch.stack([labels, labels + 1, labels * 0], 1))
    assert found.cells().tolist() == [[5, 6, 2], [7, 8, 1]]
    assert (found.correct, (found + found).count, found.pooled(2)[0].tolist()) == (
        *(0, 6),
        [[3, 0], [0, 0]],
    )


def test_confusion_has_the_true_class_in_its_row():
    logits = torch.tensor([[0.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
    assert counted(logits, torch.tensor([0, 0])).confusion.tolist() == [
        [0, 1, 1],
        [0, 0, 0],
        [0, 0, 0],
    ]


def counted(logits, labels):
    return Evaluation.of(
        logits, labels, float(torch.nn.functional.cross_entropy(logits.double(), labels))
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(0, 60), max_size=3),
    sharp=st.sampled_from([0.1, 1, 30]),
)
def test_parts_in_any_order_add_up_to_the_whole_exactly(seed, cuts, sharp):
    logits, labels = case(seed, 60, 4)
    ends = [0, *sorted(cuts), 60]
    parts = [counted(sharp * logits[a:b], labels[a:b]) for a, b in pairwise(ends) if a < b]
    forth, back = sum(parts, Evaluation.none(4)), sum(reversed(parts), Evaluation.none(4))
    whole = counted(sharp * logits, labels)
    assert torch.equal(forth.confusion, whole.confusion)
    assert torch.equal(forth.bins, whole.bins)
    assert forth.top5 == whole.top5
    assert forth.loss_sum == back.loss_sum  # exactly, where floats would differ in the last bits
    assert forth.loss == pytest.approx(whole.loss)
    assert forth.to_dict() == back.to_dict()


def test_a_sum_of_losses_does_not_depend_on_the_order():
    """In floats 1e9 + 1e-7 + 1e-7 - from left or right - are two numbers."""
    big, small = (
        Evaluation.of(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64), loss)
        for loss in (1e9, 1e-7)
    )
    assert (
        (big + small + small).loss_sum
        == (small + small + big).loss_sum
        == big.loss_sum + 2 * small.loss_sum
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 300),
    classes=st.integers(2, 9),
    sharp=st.floats(0.1, 10),
)
def test_the_calibration_error_is_that_of_scikit_learns_curve(seed, count, classes, sharp):
    logits, labels = case(seed, count, classes)
    found = counted(sharp * logits, labels)
    sure, said = (sharp * logits).double().softmax(1).max(1)
    right, promised = calibration_curve(said == labels, sure, n_bins=15, strategy="uniform")
    sizes = [n for n in torch.histc(sure, 15, 0, 1).long().tolist() if n]
    assert [row["count"] for row in found.calibration] == sizes
    assert [row["accuracy"] for row in found.calibration] == pytest.approx(list(right))
    assert [row["confidence"] for row in found.calibration] == pytest.approx(
        list(promised), abs=1e-9
    )
    by_hand = sum(n * abs(r - p) for n, r, p in zip(sizes, right, promised, strict=True)) / count
    assert found.calibration_error == pytest.approx(by_hand, abs=1e-9)


def test_a_bin_holds_its_upper_end_and_not_its_lower_one():
    """Equal logits of two classes: confidence 0.5, in (7/15, 8/15]; certainty is in the last bin,
    NaN in the first.
    """
    logits = torch.tensor([[0.0, 0.0], [900.0, 0.0], [float("nan"), 0.0]])
    assert counted(logits, torch.tensor([0, 0, 1])).bins[:, 0].nonzero().flatten().tolist() == [
        0,
        7,
        14,
    ]
    five = torch.zeros(1, 5)  # confidence 0.2 = 3/15, the upper end of the third
    assert counted(five, torch.tensor([0])).bins[:, 0].nonzero().flatten().tolist() == [2]


def test_a_network_that_is_always_sure_and_right_half_the_time_is_off_by_a_half():
    logits = torch.tensor([[99.0, 0.0]] * 4)
    assert counted(logits, torch.tensor([0, 0, 1, 1])).calibration_error == pytest.approx(0.5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 40))
def test_per_class_figures_are_scikit_learns(seed, count):
    logits, labels = case(seed, count, 4)
    report = classification_report(
        labels, logits.argmax(1), labels=range(4), output_dict=True, zero_division=np.nan
    )
    for i, row in enumerate(counted(logits, labels).per_class):
        theirs = report[str(i)]
        assert row["count"] == row["top5"] == theirs["support"]
        for share in ("recall", "precision"):
            assert row[share] == (None if np.isnan(theirs[share]) else theirs[share])


def test_a_loss_that_is_no_number_stays_one_and_the_counts_are_kept():
    found = Evaluation.of(torch.zeros(2, 3), torch.tensor([0, 1]), float("nan")) + counted(
        *case(0, 3, 3)
    )
    assert found.loss != found.loss
    assert found.count == 5


def test_counts_of_three_processes_are_summed_exactly_however_large_their_losses():
    """Three processes with the same counts: whoever sums multiplies by three."""
    one = counted(*case(0, 17, 3)) + Evaluation.of(
        torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64), 1e15
    )
    summed = one.summed(lambda tensor: tensor.mul_(3), lambda rows: rows.repeat(3, 1))
    added = one + one + one
    assert summed.loss_sum == added.loss_sum > 2**63
    assert summed.to_dict() == added.to_dict()
    assert torch.equal(summed.confusion, added.confusion)
    assert torch.equal(summed.bins, added.bins)
    assert (summed.top5, one.count) == (added.top5, 18)  # and the own counts are left as they were
    lost = Evaluation.of(torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64), float("inf"))
    assert lost.summed(lambda tensor: tensor, lambda rows: rows).lost == 1
