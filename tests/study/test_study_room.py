"""How many runs are at work at a time: what cores and memory can hold."""

from types import SimpleNamespace

import pytest
from runs_of_a_study import planned

from convatlas.study import pool
from convatlas.study.watching import Observer
from convatlas.training.recipe import Recipe

GB = 2**30


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """A pool on eight cores with one run of LeNet at work; a function of the free bytes and the
    network that waits.
    """
    recipes = [Recipe(network=name, threads=1) for name in ("lenet_caffe", "resnet50")]
    lines = planned(tmp_path / "study", recipes)
    monkeypatch.setattr(pool, "cores", lambda: 8)
    monkeypatch.setattr(pool, "resident", lambda pid: 0)
    made = pool._Pool(tmp_path / "study", lines, Observer(), 0)
    at_work = SimpleNamespace(line=lines[0], process=SimpleNamespace(pid=1), width=1, shared=0)
    made.running = [at_work]

    def has_room(free: float, network: str, told: dict) -> bool:
        monkeypatch.setattr(pool, "free", lambda device: int(free * GB))
        made.memory = {
            line.setting: int(told[line.network] * GB) for line in lines if line.network in told
        }
        return made._has_room_for(next(line for line in lines if line.network == network))

    has_room.pool = made
    return has_room


def test_until_a_run_has_told_its_need_is_presumed(waiting):
    assert waiting(2.2, "lenet_caffe", {})
    assert not waiting(1.9, "lenet_caffe", {})
    assert not waiting(20, "resnet50", {})


def test_what_a_run_has_told_holds_for_all_of_its_setting(waiting):
    assert waiting(0.5, "lenet_caffe", {"lenet_caffe": 0.2})
    assert not waiting(0.3, "lenet_caffe", {"lenet_caffe": 0.2})  # one is at work, and grows
    assert waiting(8.3, "resnet50", {"lenet_caffe": 0.2, "resnet50": 8})
    assert not waiting(8.1, "resnet50", {"lenet_caffe": 0.2, "resnet50": 8})


def test_cores_that_are_taken_have_no_room_and_a_number_of_jobs_overrules_them(waiting):
    told = {"lenet_caffe": 0.2}
    waiting.pool.running[0].width = 8
    assert not waiting(9, "lenet_caffe", told)
    waiting.pool.at_once = 2
    assert waiting(9, "lenet_caffe", told)
    waiting.pool.at_once = 1
    assert not waiting(9, "lenet_caffe", told)


def test_a_run_alone_always_has_room(waiting):
    waiting.pool.running = []
    assert waiting(0, "resnet50", {})
