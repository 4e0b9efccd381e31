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
    ("confusion", "chance", "at_chance"),
    [
        ([[10, 0], [10, 0]], 0.5, True),  # always the same answer
        ([[90, 0], [10, 0]], 0.9, True),  # 90 % right, and nothing learnt
        ([[90, 0], [0, 10]], 0.9, False),  # all right
        ([[6, 4], [4, 6]], 0.5, True),  # 12 of 20: luck does as much every fourth time
        ([[60, 40], [40, 60]], 0.5, False),  # 120 of 200: luck does not
        ([[0, 10], [10, 0]], 0.5, True),  # worse than luck
        ([[3, 0], [0, 3]], 0.5, False),  # too few to tell
        ([[7, 3], [0, 0]], 1.0, False),  # one class only
        ([[0, 0], [0, 0]], 0.0, False),  # no image
    ],
)
def test_at_chance(confusion, chance, at_chance):
    assert chance_of(confusion) == pytest.approx(chance)
    assert is_at_chance(confusion) is is_at_chance(torch.tensor(confusion)) is at_chance
    assert bool(chance_line(confusion)) is at_chance


def test_the_sentence_says_what_one_answer_would_give_and_what_helps():
    line = chance_line([[90, 0], [10, 0]])
    assert "right for 90.00 %" in line
    assert "--lr" in line and "check-data" in line
