"""Calibration from the answers of a run is that which the run counted itself."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from convatlas.evaluation import BINS, Evaluation
from convatlas.reporting.calibration import reliability

EASY = settings(max_examples=40, deadline=None)


@EASY
@given(seed=st.integers(0, 2**32), m=st.integers(1, 300))
def test_it_is_the_evaluation_s(seed, m):
    torch.manual_seed(seed)
    logits = torch.randn(m, 4) * 2
    labels = torch.randint(4, (m,))
    counted = Evaluation.of(logits, labels, 0.0)
    sure, said = logits.double().softmax(1).max(1)
    found = reliability(sure.numpy(), (said == labels).numpy(), bins=BINS)
    assert found.counts.sum() == m
    for bin in counted.calibration:
        i = round(bin["low"] * BINS)
        assert found.edges[i] == pytest.approx(bin["low"])
        assert found.counts[i] == bin["count"]
        assert found.accuracy[i] == pytest.approx(bin["accuracy"])
        assert found.confidence[i] == pytest.approx(bin["confidence"])


def test_exact_figures():
    found = reliability(np.array([0.5, 0.5, 0.9, 1.0]), np.array([1, 0, 1, 0]), bins=2)
    assert found.counts.tolist() == [2, 2]  # 0.5 belongs below
    assert found.accuracy.tolist() == [0.5, 0.5]
    assert found.confidence.tolist() == pytest.approx([0.5, 0.95])
    assert found.log_loss is None


def test_bins_without_pictures_are_empty_and_nan_is_no_confidence():
    found = reliability(np.array([np.nan, 1.0]), np.array([False, True]))
    assert found.counts[0] == found.counts[-1] == 1
    assert np.isnan(found.accuracy[1:-1]).all()


def test_the_log_loss_is_scikit_learn_s():
    probability = np.array([0.2, 0.9, 0.55])
    found = reliability(probability, np.ones(3, bool), probability)
    both = np.stack([1 - probability, probability], 1)
    assert found.log_loss == pytest.approx(log_loss([1, 1, 1], both, labels=[0, 1]))
    assert reliability(np.ones(1), np.zeros(1), np.zeros(1)).log_loss == pytest.approx(13.8155106)


@pytest.mark.parametrize(
    "arrays",
    [
        (np.ones(3), np.ones(2)),
        (np.ones(0), np.ones(0)),
        (np.ones((2, 2)), np.ones((2, 2))),
        (np.ones(3), np.ones(3), np.ones(2)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(arrays):
    with pytest.raises(ValueError, match="picture"):
        reliability(*arrays)
