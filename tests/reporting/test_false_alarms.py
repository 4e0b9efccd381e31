"""Of studies without a difference at most one in twenty calls one; and what differences are seen.

As a program, prints the table of docs/statistics.md: python tests/reporting/test_false_alarms.py
"""

import numpy as np
import pytest
from scipy.stats import binom
from studies import LUCKS

from convatlas.reporting.verdicts import judge

LEVEL = 0.05
STUDIES = {(2, False): 1000, (2, True): 100, (10, False): 250, (10, True): 50}  # of the table


def called(luck, errors, seeds, pictures, studies, answers=True, seed=0) -> int:
    """Of so many studies those that call some network better."""
    draw = np.random.default_rng(seed)
    found = 0
    for _ in range(studies):
        results = LUCKS[luck].study(draw, errors, seeds, pictures, answers)
        found += any(each.better for each in judge(results, LEVEL))
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
@pytest.mark.parametrize(
    ("networks", "seeds", "studies"), [(10, 6, 250), (2, 6, 1000), (2, 10, 1000)]
)
def test_of_a_thousand_studies_without_a_difference_at_most_one_in_twenty_calls_one(
    networks, seeds, studies
):
    """Of each kind of luck. With ten seeds the level is exactly one in twenty where all luck lies
    in the pictures, so that a thousand studies may be a little above it by chance.
    """
    found = [called(luck, [0.1] * networks, seeds, 500, studies) for luck in LUCKS]
    assert sum(found) <= LEVEL * studies * len(LUCKS)
    assert max(found) <= (LEVEL * studies if seeds == 6 else binom.isf(0.05, studies, LEVEL))


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("luck", LUCKS)
def test_nor_without_the_answers(luck):
    assert called(luck, [0.1] * 2, 6, 500, 1000, answers=False) <= 50


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
    """Rows of: networks, seeds, pictures, the error of the first; then the share that is called."""
    for networks, seeds, pictures, best in [
        *((2, 6, 500, best) for best in (0.10, 0.08, 0.06, 0.04)),
        *((2, 10, 500, best) for best in (0.10, 0.08, 0.06)),
        *((2, 6, 10_000, best) for best in (0.10, 0.09, 0.08)),
        *((10, 6, 500, best) for best in (0.10, 0.06, 0.04)),
    ]:
        errors = [best, *[0.1] * (networks - 1)]
        studies = STUDIES[networks, best < 0.1]
        shares = [called(luck, errors, seeds, pictures, studies) / studies for luck in LUCKS]
        said = " ".join(f"{share:8.1%}" for share in shares)
        print(f"{networks:3} {seeds:3} {pictures:6} {best:.2f}  {said}", flush=True)


if __name__ == "__main__":
    main()
