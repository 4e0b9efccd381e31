"""The papers' losses against their formulas written out."""

import math

import pytest
import torch

from convatlas.training.loss import RUBBISH, loss_function, map_criterion, squared_error


def test_map_criterion_is_equation_9():
    penalties = torch.tensor([[0.5, 2.0, 3.0], [4.0, 0.1, 0.2]], dtype=torch.float64)
    labels = torch.tensor([0, 2])
    by_hand = [
        0.5 + math.log(math.exp(-RUBBISH) + sum(math.exp(-y) for y in (0.5, 2.0, 3.0))),
        0.2 + math.log(math.exp(-RUBBISH) + sum(math.exp(-y) for y in (4.0, 0.1, 0.2))),
    ]
    assert float(map_criterion(-penalties, labels)) == pytest.approx(sum(by_hand) / 2, rel=1e-12)


def test_map_criterion_leaves_far_classes_alone():
    """With every wrong class far off, the pull is on the right class only, and it
    is bounded by 1.
    """
    penalties = torch.tensor([[3.0, 50.0, 60.0]], dtype=torch.float64, requires_grad=True)
    map_criterion(-penalties, torch.tensor([0])).backward()
    right = math.exp(-3) / (math.exp(-3) + math.exp(-RUBBISH))
    assert penalties.grad[0].tolist() == pytest.approx([1 - right, 0, 0], abs=1e-12)


def test_squared_error_is_half_the_distance_to_plus_and_minus_one():
    outputs = torch.tensor([[1.0, -1.0, 0.0], [0.5, 0.5, 0.5]])
    by_hand = (0.5 * 1.0 + 0.5 * (0.25 + 2.25 + 2.25)) / 2
    assert float(squared_error(outputs, torch.tensor([0, 0]))) == pytest.approx(by_hand)


def test_label_smoothing_mixes_in_the_uniform_distribution():
    logits = torch.tensor([[2.0, 0.0]])
    q = torch.tensor([0.95, 0.05])
    expected = float(-(q * logits.log_softmax(1)[0]).sum())
    assert float(loss_function("cross-entropy", 0.1)(logits, torch.tensor([0]))) == pytest.approx(
        expected
    )
