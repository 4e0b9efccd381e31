"""Studies on Ray, whose workers are killed, and what is said where there is none; pods as
Kubernetes would begin them.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from heard import Heard
from runs_of_a_study import make, planned, seeds
from shown_commands import commands, quick, with_program
from skips import needs
from small_studies import GIVEN, NETWORKS, at_work, kill, require_same, undisturbed

from convatlas.errors import RunError
from convatlas.study import conducting, jobs, on_ray, plan
from convatlas.study.watching import Observer

real = needs("ray is not installed", "ray")


@pytest.fixture
def study(tmp_path):
    planned(tmp_path / "study", seeds(3))
    return tmp_path / "study"


def test_without_ray_it_says_what_to_type(study, monkeypatch):
    monkeypatch.setattr(on_ray, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'convatlas\[ray\]'"):
        on_ray.run(plan.read(study), study, Observer())


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_a_cluster_that_is_not_there_is_named(study, monkeypatch, form):
    monkeypatch.setattr(on_ray, "find_spec", lambda name: True)
    monkeypatch.setenv("RAY_ADDRESS", address := form.format(free_port()))
    with pytest.raises(RunError, match=f"there is no Ray cluster at {address} .*refused"):
        on_ray.run(plan.read(study), study, Observer())


class PlayedRay:
    """What on_ray asks of Ray, with tasks that end as `ends` says of each line."""

    class exceptions:
        class RayError(Exception):
            pass

    def __init__(self, study: Path, ends: dict[int, list]):
        self.study, self.ends, self.started = study, ends, []

    def is_initialized(self) -> bool:
        return True

    def remote(self, *arguments, **options):
        """ray.remote(options)(function).remote(study, line)"""
        if options:
            return lambda function: self
        _, line = arguments
        self.started.append(line)
        return len(self.started) - 1

    def wait(self, tasks, timeout):
        return tasks[:1], tasks[1:]

    def get(self, task):
        line = self.started[task]
        match self.ends[line.seed].pop(0):
            case "over":
                make(self.study, line, [0.1, 0.2, 0.3])
            case "lost":
                raise self.exceptions.RayError("The node died.\nmore")
            case code:
                return code
        return 0


def test_a_task_is_started_again_until_its_run_is_over(study, monkeypatch):
    """Stopped, lost to Ray, then over: nothing is left out, and nothing is carried out twice."""
    ray, tell = PlayedRay(study, {0: [75, "over"], 1: ["lost", "over"], 2: ["over"]}), Heard("seed")
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(on_ray, "find_spec", lambda name: True)
    on_ray.run(plan.read(study), study, tell, at_once=2)
    assert sorted(line.seed for line in ray.started) == [0, 0, 1, 1, 2]
    assert (0, "again", "it was stopped") in tell.ends
    assert (1, "again", "Ray: The node died.") in tell.ends
    assert sorted(end[:2] for end in tell.ends if end[1] != "again") == [
        (n, "trained") for n in range(3)
    ]


@pytest.mark.parametrize(("is_there", "begun"), [(True, None), (False, "local")])
def test_a_cluster_that_was_killed_is_not_waited_for(tmp_path, monkeypatch, is_there, begun):
    """Ray keeps a note of this machine's cluster, which outlives a cluster that is killed."""
    (tmp_path / "ray").mkdir()
    monkeypatch.setattr(on_ray, "find_spec", lambda name: True)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    asked = []
    ray = SimpleNamespace(is_initialized=lambda: False, init=lambda at, **_: asked.append(at))
    monkeypatch.setitem(sys.modules, "ray", ray)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if is_there else free_port()
        (tmp_path / "ray" / "ray_current_cluster").write_text(f"127.0.0.1:{port}")
        on_ray._connect()
    assert asked == [begun]


# ---- a real one


def workers(study: Path) -> list[int]:
    """Processes of Ray's that carry out a line, and the runs' own processes."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            is_run = b"train" in words.split(b"\0") and (process / "cwd").resolve() == study
        except OSError:
            continue
        if is_run or words.startswith(b"ray::carry"):
            found.append(int(process.name))
    return found


@real
@pytest.mark.full
@pytest.mark.slow
def test_a_study_whose_workers_are_killed_ends_as_one_on_this_machine(tmp_path):
    whole, study = tmp_path / "whole" / "study", tmp_path / "disturbed" / "study"
    for folder in (whole, study):
        conducting.begin(NETWORKS, ["digits"], 2, given=GIVEN, output=folder)
    undisturbed(whole)
    dice, killed = random.Random(0), 0
    process = at_work("compare", "--continue", study, "--on", "ray")
    while killed < 4 and process.poll() is None:
        time.sleep(dice.uniform(0.5, 2))
        if found := workers(study):
            kill(dice.choice(found), [signal.SIGKILL, signal.SIGTERM][killed % 2])
            killed += 1
    process.send_signal(signal.SIGTERM)
    heard, _ = process.communicate(timeout=600)
    assert process.returncode == 75, heard
    process = at_work("compare", "--continue", study, "--on", "ray")
    heard, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, heard
    assert killed == 4
    require_same(study, whole)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@real
@pytest.mark.full
@pytest.mark.slow
def test_the_commands_of_the_page(tmp_path):
    """On two nodes, both on this machine, in a home of their own; pods are begun as Kubernetes
    begins them.
    """
    port = free_port()
    home = tmp_path / "home"
    home.mkdir()
    ray = next(each for each in ray_programs() if each.exists())
    folders = (with_program(tmp_path / "bin"), ray.parent, os.environ["PATH"])
    env = os.environ | {"PATH": ":".join(map(str, folders)), "HOME": str(home)}
    nodes = []
    try:
        for command in commands("ray.md"):
            here = quick(command.replace("first.example", "127.0.0.1").replace("6379", str(port)))
            if here.startswith("export "):
                env |= dict(word.split("=") for word in here.split()[1:])
                continue
            if here.startswith("ray start"):
                words = [ray, *here.split()[1:], "--block", "--num-cpus=1"]
                nodes.append(subprocess.Popen(words, env=env, cwd=tmp_path, start_new_session=True))
                time.sleep(15)
                continue
            if "studies/pods" in here and "--print" not in here:
                carry_out_pods(tmp_path / "study.yaml", tmp_path)
            found = subprocess.run(
                here, shell=True, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert found.returncode == 0, (here, found.stdout, found.stderr)
    finally:
        for node in reversed(nodes):
            os.killpg(node.pid, signal.SIGTERM)
            node.wait(60)
    studies = list((tmp_path / "studies").iterdir())
    assert sorted(each.name for each in studies) == ["lenets", "many", "pods"]
    for study in studies:
        assert {jobs.state(study, line) for line in plan.read(study)} == {"done"}


def ray_programs():
    import ray

    yield Path(sys.executable).with_name("ray")
    yield Path(ray.__file__).parents[1] / "bin" / "ray"


def carry_out_pods(manifest: Path, folder: Path) -> None:
    job = yaml.safe_load(manifest.read_text())["spec"]
    command = job["template"]["spec"]["containers"][0]["command"]
    assert command[0] == "python"
    for index in range(job["completions"]):
        env = os.environ | {"JOB_COMPLETION_INDEX": str(index)}
        found = subprocess.run([sys.executable, *command[1:]], env=env, cwd=folder, check=False)
        assert found.returncode == 0
