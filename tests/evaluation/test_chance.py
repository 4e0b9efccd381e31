"""A result at chance is told from one that is better, whatever the shares of the classes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from convatlas.evaluation import is_at_chance
from convatlas.evaluation.chance import chance_line, chance_of, tail


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 3000), share=st.floats(0, 1), chance=st.floats(0.001, 0.999))
def test_the_tail_is_scipy_s(count, share, chance):
    correct = round(share * count)
    assert tail(count, correct, chance) == pytest.approx(
        float(binom.sf(correct - 1, count, chance)), rel=1e-6, abs=1e-12
    )


@pytest.mark.parametrize(
    ("seen", "correct", "chance", "at_chance"),
    [
        ([10, 10], 10, 0.5, True),  # always the same answer
        ([90, 10], 90, 0.9, True),  # 90 % right, and nothing learnt
        ([90, 10], 100, 0.9, False),  # all right
        ([10, 10], 12, 0.5, True),  # luck does as much every fourth time
        ([100, 100], 120, 0.5, False),  # luck does not
        ([10, 10], 0, 0.5, True),  # worse than luck
        ([3, 3], 6, 0.5, False),  # too few to tell
        ([10, 0], 7, 1.0, False),  # one class only
        ([0, 0], 0, 0.0, False),  # no image
    ],
)
def test_at_chance(seen, correct, chance, at_chance):
    assert chance_of(seen) == pytest.approx(chance)
    assert is_at_chance(seen, correct) is is_at_chance(torch.tensor(seen), correct) is at_chance
    assert bool(chance_line(seen, correct)) is at_chance


def test_the_sentence_says_what_one_answer_would_give_and_what_helps():
    line = chance_line([90, 10], 90)
    assert "right for 90.00 %" in line
    assert "--lr" in line and "check-data" in line
