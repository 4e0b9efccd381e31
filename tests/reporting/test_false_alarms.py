"""Of studies without a difference at most one in twenty calls one; and what differences are seen.

Run as a program, prints the table of docs/statistics.md:

    PYTHONPATH=tests/reporting python -m test_false_alarms
"""

import numpy as np
import pytest
from scipy.stats import binom
from studies import LUCKS

from convatlas.reporting.verdicts import compare

LEVEL = 0.05


def called(luck, errors, seeds, pictures, studies, answers=True, seed=0) -> int:
    """Of so many studies those that call some network better."""
    draw = np.random.default_rng(seed)
    found = 0
    for _ in range(studies):
        results = LUCKS[luck].study(draw, errors, seeds, pictures, answers)
        found += any(pair.better for pair in compare(results, LEVEL, resample=False).pairs)
    return found


def most(studies: int) -> int:
    """So many of them a rule of one in twenty exceeds once in a thousand tries."""
    return int(binom.isf(0.001, studies, LEVEL))


@pytest.mark.parametrize("luck", LUCKS)
@pytest.mark.parametrize("networks", [2, 4])
def test_few_studies_without_a_difference_call_one(luck, networks):
    studies = 120 // networks
    assert called(luck, [0.1] * networks, 6, 500, studies) <= most(studies)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("luck", LUCKS)
@pytest.mark.parametrize(("networks", "seeds"), [(2, 6), (2, 10), (10, 6)])
def test_of_a_thousand_studies_without_a_difference_at_most_one_in_twenty_calls_one(
    luck, networks, seeds
):
    assert called(luck, [0.1] * networks, seeds, 500, 1000) <= 50


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("luck", LUCKS)
@pytest.mark.parametrize("networks", [2, 10])
def test_nor_without_the_answers(luck, networks):
    assert called(luck, [0.1] * networks, 6, 500, 1000, answers=False) <= 50


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "pictures"), [(0.005, 360), (0.02, 360), (0.02, 2000), (0.5, 100)]
)
def test_nor_where_errors_are_few_or_pictures_are(error, pictures):
    assert called("all", [error] * 3, 6, pictures, 1000) <= 50


@pytest.mark.parametrize("luck", LUCKS)
def test_a_large_difference_is_seen(luck):
    assert called(luck, [0.08, 0.2], 6, 1000, 20) >= 18


@pytest.mark.parametrize("luck", LUCKS)
def test_three_seeds_see_none_however_large(luck):
    assert called(luck, [0.01, 0.9], 3, 1000, 5) == 0


def main() -> None:
    for networks, seeds, pictures in [(2, 6, 500), (10, 6, 500), (2, 10, 500), (2, 6, 10_000)]:
        for better in (0.1, 0.09, 0.08, 0.06, 0.04):
            studies = 1000 if better == 0.1 else 200
            errors = [better, *[0.1] * (networks - 1)]
            rates = {
                luck: f"{called(luck, errors, seeds, pictures, studies) / studies:.1%}"
                for luck in LUCKS
            }
            print(networks, seeds, pictures, better, rates, flush=True)


if __name__ == "__main__":
    main()
