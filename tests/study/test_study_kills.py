"""Sixty runs, of which, or of their pool, one is killed twenty times: nothing is lost, nothing is
run twice, and the report is that of a study that nobody disturbed.
"""

import random
import signal

import pytest
from small_studies import (
    begun,
    compare,
    descendants,
    epochs,
    going_on,
    kill,
    results,
    wait_for_work,
    weights,
)

from convatlas.reporting import report

KILLS = 20
SEEDS = ("--seeds", "30")  # of two networks


@pytest.mark.slow
@pytest.mark.full
def test_twenty_kills_cost_nothing(tmp_path):
    whole, study = tmp_path / "whole" / "study", tmp_path / "killed" / "study"
    for folder in (whole, study):
        folder.parent.mkdir()
    assert compare(whole, *SEEDS).returncode == 0
    dice, kills = random.Random(0), 0
    pool = begun(study, *SEEDS)
    while kills < KILLS:
        assert wait_for_work(study, pool, dice.randint(1, 40)), pool.communicate()[0]
        victims = [pool.pid, pool.pid, *descendants(pool.pid)]
        victim = dice.choice(victims)
        kill(victim, dice.choice([signal.SIGKILL, signal.SIGTERM]))
        kills += 1
        if victim == pool.pid:
            pool.communicate()
            pool = going_on(study)
    said = pool.communicate()[0]
    assert pool.returncode == 0, said
    assert len(weights(study)) == 60
    assert weights(study) == weights(whole)
    assert results(study) == results(whole)
    assert epochs(study) == epochs(whole)
    assert set(map(tuple, epochs(study).values())) == {(1, 2)}
    files = [report([folder], folder.parent, times=False) for folder in (whole, study)]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
