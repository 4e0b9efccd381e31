"""Studies carried out by real processes: to the bits of train, and through whatever is killed."""

import json
import multiprocessing.spawn
import os
import random
import signal
from functools import partial
from multiprocessing import popen_forkserver

import pytest
from heard import Heard
from small_studies import (
    GIVEN,
    NETWORKS,
    at_work,
    descendants,
    epochs,
    kill,
    results,
    wait_for_work,
    weights,
)

from convatlas import train
from convatlas.errors import RunError, Stopped
from convatlas.study import conducting, jobs, plan, pool
from convatlas.study.watching import Observer
from convatlas.training.callbacks import Callback

RATES = [0.001, 0.002]


def planned(study):
    """Four runs, of two networks at two rates; of one the recipe is damaged."""
    conducting.begin(NETWORKS, ["digits"], 1, vary={"lr": RATES}, given=GIVEN, output=study)
    lines = plan.read(study)
    broken = next(line for line in lines if (line.network, line.vary["lr"]) == ("lenet1989", 0.002))
    recipe = study / "recipes" / f"{broken.run}.toml"
    recipe.write_text(recipe.read_text().replace("batch_size = 256", 'batch_size = "many"'))
    return lines, broken


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a study leaves that nobody disturbed, and what was heard of it."""
    study = tmp_path_factory.mktemp("studies") / "study"
    planned(study)
    heard = Heard()
    assert conducting.conduct(study, pool.run, heard) == []
    return study, heard


def test_weights_and_results_are_those_of_train(whole, tmp_path):
    study, _ = whole
    assert len(weights(study)) == 2
    for run in weights(study):
        train(study / "recipes" / f"{run}.toml", tmp_path / "runs" / run, callback=Callback())
    assert weights(tmp_path) == weights(study)
    assert results(tmp_path) == results(study)


def test_no_test_image_is_looked_at_before_all_is_trained_and_chosen(whole):
    study, heard = whole
    words = [word for _, word, _ in heard.ends]
    assert sorted(words[:5]) == ["again", "failed", "trained", "trained", "trained"]
    assert words[5:] == ["done", "done"]
    told = json.loads((study / "chosen.json").read_text())["choices"]
    chosen = {(entry["network"], entry["chosen"]["lr"]) for entry in told}
    done = [line for line in plan.read(study) if line.run in weights(study)]
    assert {(line.network, line.vary["lr"]) for line in done} == chosen
    assert set(map(tuple, epochs(study).values())) == {(1, 2)}


def test_a_run_that_fails_twice_the_same_way_is_given_up_and_the_others_go_on(whole):
    study, heard = whole
    broken = next(line for line in plan.read(study) if jobs.has_failed(study, line))
    sentence = f"recipes/{broken.run}.toml: batch_size = 'many' must be a whole number"
    assert jobs.failures(study, broken) == [sentence, sentence]
    assert [(broken.run, word, sentence) for word in ("again", "failed")] == [
        said for said in heard.ends if said[0] == broken.run
    ]


def test_what_a_run_says_is_kept_and_how_far_it_is_is_told(whole):
    study, heard = whole
    for run in weights(study):
        assert "test accuracy" in (study / "logs" / f"{run}.txt").read_text()
        assert (run, 2, 2) in [move[:3] for move in heard.moves]


def test_runs_and_their_pool_are_killed_and_nothing_is_lost(whole, tmp_path):
    """A run by KILL, another by TERM, the pool by KILL; then Ctrl-C; then nothing."""
    dice, study = random.Random(0), tmp_path / "study"
    planned(study)
    work = at_work("compare", "--continue", study)
    for number in (signal.SIGKILL, signal.SIGTERM):
        assert wait_for_work(study, work), work.communicate()[0]
        kill(dice.choice(descendants(work.pid)), number)
    assert wait_for_work(study, work), work.communicate()[0]
    orphans = descendants(work.pid)
    kill(work.pid)
    work.communicate()

    class Interrupted(Observer):
        def moved(self, *_):
            os.kill(os.getpid(), signal.SIGINT)
            self.moved = lambda *_: None

    with pytest.raises(Stopped, match="stopped by SIGINT, all runs saved; go on with convatlas c"):
        conducting.conduct(study, partial(pool.run, at_once=2), Interrupted())
    assert not any(map(is_alive, orphans))
    assert not any(jobs.is_held(line.folder(study)) for line in plan.read(study))
    assert conducting.conduct(study, pool.run, Observer()) == []
    assert weights(study) == weights(whole[0])
    assert results(study) == results(whole[0])
    assert epochs(study) == epochs(whole[0])
    assert (study / "chosen.json").read_bytes() == (whole[0] / "chosen.json").read_bytes()


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_at_once_on_a_study_are_one_too_many(tmp_path):
    with (
        conducting.held(tmp_path),
        pytest.raises(RunError, match="another process is at work on the study"),
        conducting.held(tmp_path),
    ):
        pass


def test_a_script_that_compares_is_not_run_again_by_its_runs(monkeypatch):
    """multiprocessing would, to find its functions, and the study would begin once more."""
    main = multiprocessing.spawn.sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", "/somebody/script.py", raising=False)
    monkeypatch.setattr(main, "__spec__", None)
    told = multiprocessing.spawn.get_preparation_data("run")
    assert told["init_main_from_path"] == "/somebody/script.py"
    with pool._without_the_program():
        told = multiprocessing.spawn.get_preparation_data("run")
    assert not {"init_main_from_path", "init_main_from_name"} & told.keys()
    assert main.__file__ == "/somebody/script.py"


def test_the_process_that_begins_runs_may_be_killed_while_it_begins_one(tmp_path, monkeypatch):
    """The run may have begun by then, and nobody knows its number."""
    launch, fails = popen_forkserver.Popen._launch, [EOFError(), ConnectionRefusedError()]

    def cut_off(self, process):
        launch(self, process)
        if fails:
            raise fails.pop()

    monkeypatch.setattr(popen_forkserver.Popen, "_launch", cut_off)
    study, heard = tmp_path / "study", Heard()
    conducting.begin(NETWORKS[:1], ["digits"], 1, given=GIVEN, output=study)
    assert conducting.conduct(study, pool.run, heard) == []
    assert [word for _, word, _ in heard.ends] == ["again", "again", "trained", "done"]
    assert "killed by the end of the process that begins runs" in heard.ends[0][2]
    assert list(epochs(study).values()) == [[1, 2]]
