"""benchmarks/mutants.toml: each fault can still be planted, and its tests are there."""

from benchmarks import mutants


def test_every_fault_can_be_planted():
    assert len(mutants.mutants([])) > 150


def test_the_tests_that_must_see_it_are_there():
    missing = {
        name
        for each in mutants.mutants([])
        for name in each.tests.split()
        if not (mutants.ROOT / name.partition("::")[0]).exists()
    }
    assert missing == set()
