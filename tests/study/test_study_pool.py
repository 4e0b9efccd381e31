"""Studies carried out by real processes: to the bits of train, and through whatever is killed."""

import json
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

from convatlas import train
from convatlas.errors import RESUMABLE
from convatlas.study import conducting, plan
from convatlas.training.callbacks import Callback


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Six runs that nobody disturbed, and what was said of them."""
    study = tmp_path_factory.mktemp("studies") / "whole"
    said = compare(study)
    assert said.returncode == 0, said.stderr
    return study, said.stdout


def test_every_run_is_done_once_and_named(whole):
    study, said = whole
    lines = plan.read(study)
    assert len(lines) == 6
    assert weights(study).keys() == {line.run for line in lines}
    assert set(map(tuple, epochs(study).values())) == {(1, 2)}
    for line in lines:
        assert f"{line.run} trained" in said and f"{line.run} done" in said


def test_weights_and_results_are_those_of_train(whole, tmp_path):
    study, _ = whole
    for line in plan.read(study)[:2]:
        recipe = study / "recipes" / f"{line.run}.toml"
        train(recipe, tmp_path / "runs" / line.run, callback=Callback())
    alone = weights(tmp_path)
    assert len(alone) == 2
    assert alone.items() <= weights(study).items()
    assert all(results(study)[run] == found for run, found in results(tmp_path).items())


def test_no_test_image_is_looked_at_before_all_runs_are_trained(whole):
    said = whole[1].splitlines()
    words = [row.split()[-1] for row in said if row.split()[-1] in ("trained", "done")]
    assert words == ["trained"] * 6 + ["done"] * 6


def test_runs_and_their_pool_are_killed_and_nothing_is_lost(whole, tmp_path):
    """A run by KILL, another by TERM, the pool by KILL; then Ctrl-C; then nothing."""
    dice, study = random.Random(0), tmp_path / "study"
    pool = begun(study)
    for number in (signal.SIGKILL, signal.SIGTERM):
        assert wait_for_work(study, pool)
        kill(dice.choice(descendants(pool.pid)), number)
    assert wait_for_work(study, pool)
    orphans = descendants(pool.pid)
    kill(pool.pid)
    pool.communicate()
    again = going_on(study)
    assert wait_for_work(study, again)
    kill(again.pid, signal.SIGINT)
    said = again.communicate()[0]
    assert again.returncode == RESUMABLE, said
    assert f"go on with convatlas compare --continue {study}" in said
    assert not any(map(is_alive, orphans))
    last = going_on(study)
    said = last.communicate()[0]
    assert last.returncode == 0, said
    assert weights(study) == weights(whole[0])
    assert results(study) == results(whole[0])
    assert epochs(study) == epochs(whole[0])


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_that_fails_twice_the_same_way_is_named_and_the_others_go_on(tmp_path):
    study = tmp_path / "study"
    assert compare(study, "--seeds", 1, "--print", "commands").returncode == 0
    broken, sound = plan.read(study)
    recipe = study / "recipes" / f"{broken.run}.toml"
    text = recipe.read_text()
    recipe.write_text(text.replace("batch_size = 256", 'batch_size = "many"'))
    said = going_on(study)
    out = said.communicate()[0]
    assert said.returncode == 1
    assert f"1 run of the study failed; once mended, convatlas compare --continue {study}" in out
    assert f"{broken.run}: recipes/{broken.run}.toml: batch_size = 'many' must be a whole" in out
    assert weights(study).keys() == {sound.run}
    recipe.write_text(text)
    mended = going_on(study)
    assert mended.wait() == 0
    assert weights(study).keys() == {broken.run, sound.run}


def test_a_rate_is_chosen_by_validation_and_the_other_is_never_tested(tmp_path):
    study = tmp_path / "study"
    said = compare(study, "--seeds", 1, "--vary", "lr=1e-3,1e30")
    assert said.returncode == 0, said.stderr
    told = json.loads((study / "chosen.json").read_text())["choices"]
    assert [entry["chosen"] for entry in told] == [{"lr": 0.001}] * 2
    assert [entry["settings"][1]["mean"] for entry in told] == [None, None]
    done = {line.run for line in plan.read(study) if line.vary == {"lr": 0.001}}
    assert weights(study).keys() == done


def test_two_at_once_on_a_study_are_one_too_many(whole):
    from convatlas.errors import RunError

    study, _ = whole
    with (
        conducting.held(study),
        pytest.raises(RunError, match="another process is at work on the study"),
        conducting.held(study),
    ):
        pass
