"""Checkpoints changed at random, hundreds of them from their seeds: refused in one sentence, or
read as PyTorch reads them, in little memory. The changes are in mutations.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MUTATIONS = Path(__file__).with_name("mutations.py")


@pytest.mark.parametrize(
    ("first", "count"), [(0, 600), pytest.param(600, 2_400, marks=pytest.mark.full)]
)
def test_changed_files_are_refused_or_equal(tmp_path, first, count):
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", MUTATIONS, str(first), str(count), tmp_path],
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert sum(said["counts"].values()) == count
    assert said["counts"]["refused"] > count // 4
    assert said["counts"]["equal"] > count // 20
    assert said["grown"] < 200_000_000
