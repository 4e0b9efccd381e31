"""Sixty runs, of which, or of their pool, one is killed twenty times: nothing is lost, nothing is
run twice, and the report is that of a study that nobody disturbed.
"""

import random
import signal
import subprocess
from pathlib import Path

import pytest
from small_studies import (
    GIVEN,
    NETWORKS,
    at_work,
    descendants,
    epochs,
    kill,
    require_same,
    undisturbed,
    wait_for_work,
    weights,
)

from convatlas.errors import RESUMABLE
from convatlas.study import conducting

KILLS = 20
SEEDS = 30  # of two networks


def going_on(study: Path) -> subprocess.Popen:
    return at_work("compare", "--continue", study)


@pytest.mark.slow
@pytest.mark.full
def test_twenty_kills_cost_nothing(tmp_path):
    whole, study = tmp_path / "whole" / "study", tmp_path / "killed" / "study"
    for folder in (whole, study):
        folder.parent.mkdir()
        conducting.begin(NETWORKS, ["digits"], SEEDS, given=GIVEN, output=folder)
    undisturbed(whole)
    dice, kills = random.Random(0), 0
    pool = going_on(study)
    while kills < KILLS:
        assert wait_for_work(study, pool, dice.randint(1, 24)), pool.communicate()[0]
        victim = dice.choice([pool.pid, *descendants(pool.pid)])
        number = dice.choice([signal.SIGKILL, signal.SIGTERM])
        kill(victim, number)
        kills += 1
        if victim == pool.pid:
            said = pool.communicate()[0]
            assert pool.returncode == (RESUMABLE if number == signal.SIGTERM else -number), said
            pool = going_on(study)
    said = pool.communicate()[0]
    assert pool.returncode == 0, said
    assert len(weights(study)) == 60
    assert set(map(tuple, epochs(study).values())) == {(1, 2)}
    require_same(study, whole)
