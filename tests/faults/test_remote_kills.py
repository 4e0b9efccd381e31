"""SIGKILL at random moments while a run puts its saves into an object store that fails now and
then: the store holds a whole save or the one before, and the run goes on from it alone.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bucket import served
from ranks import SMALL, Ranks
from short_runs import same_bits
from skips import needs
from small_runs import Note

from convatlas.errors import Stopped
from convatlas.training import train

KILLS = 15
WORDS = ["train", "lenet1989", "--data", "digits", "--epochs", "6", "-b", "64", "--shift", "2"]
WORDS += ["--ema", "0.99", "--threads", "1", "--save-every", "0", "--resume", "auto", "--output"]
RUNNER = """
import boto3, json, sys
import forking
from convatlas.training import plots, run
run.SAVING_SHARE = 0  # each step is saved
plots.curves = plots.confusion = lambda *_: b""
for line in sys.stdin:
    print(json.dumps(forking.serve(json.loads(line))), flush=True)
"""


@pytest.mark.full
@needs("boto3 is not installed (extra shards)", "boto3")
def test_killed_at_random_it_goes_on_from_the_store_alone(tmp_path):
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    lot = random.Random(0)
    with served(tmp_path / "s3") as (bucket, address):
        runner = _runner(address)
        assert _answer(runner, [*WORDS, "whole"], tmp_path)["code"] == 0
        words = [*WORDS, "run", "--remote-sync", "s3://bucket/a"]
        bucket.every, bucket.hows, bucket.pause = 17, ("late", 500, "reset", "lost", "short"), 0.2
        killed, seen = [], -1
        while len(killed) < KILLS:
            already = len(bucket.puts)
            wanted = already + lot.randint(1, 20)
            dead = _kill_when(lambda n=wanted: len(bucket.puts) >= n, tmp_path / "run", lot)
            code = _answer(runner, words, tmp_path)["code"]
            dead.set()
            assert code in (0, -signal.SIGKILL), (tmp_path / "stderr").read_text()
            step = _whole(tmp_path / "s3" / "bucket" / "a", seen)
            killed.append((code, seen, step))
            seen = step
            if code == 0:
                break
            shutil.rmtree(tmp_path / "run")
        assert _answer(runner, words, tmp_path)["code"] == 0, (tmp_path / "stderr").read_text()
        runner.stdin.close()
        runner.wait()
    print(f"(exit code, step before, step in the store): {killed}; {bucket.failed} failed requests")
    assert sum(code < 0 for code, _, _ in killed) >= 5
    for name in ("model.safetensors", "answers.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    commit = json.loads((tmp_path / "s3/bucket/a/commit.json").read_text())
    there = {path.name for path in (tmp_path / "s3/bucket/a/objects").iterdir()}
    assert there == {sha256 for _, sha256 in commit["files"].values()}


@pytest.mark.full
@needs("boto3 is not installed (extra shards)", "boto3")
def test_two_processes_go_on_from_the_store_alone(tmp_path):
    """One of them uploads; both find the same folder again."""
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    with served(tmp_path / "s3") as (_, address):
        place = {"address": address, "remote_sync": "s3://bucket/two"}
        assert Ranks(2, _trained, tmp_path / "whole", 0).results() == [8, 8]
        assert Ranks(2, _trained, tmp_path / "run", 5, place).results() == ["stopped"] * 2
        shutil.rmtree(tmp_path / "run")
        assert Ranks(2, _trained, tmp_path / "run", 0, place).results() == [8, 8]
    same_bits(tmp_path / "run", tmp_path / "whole")


def _trained(folder: Path, stop_at: int, place: dict | None = None) -> int | str:
    place = place or {}
    os.environ |= {"AWS_ENDPOINT_URL": place.get("address", ""), "AWS_ACCESS_KEY_ID": "somebody"}
    os.environ["AWS_SECRET_ACCESS_KEY"] = "secret"
    recipe = SMALL.change(remote_sync=place.get("remote_sync", ""))
    try:
        return train(recipe, folder, resume=True, callback=Note(stop_at))["steps"]
    except Stopped:
        return "stopped"


def _runner(address: str) -> subprocess.Popen:
    env = os.environ | {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "somebody"}
    env |= {"AWS_SECRET_ACCESS_KEY": "secret"}
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER],
        env=env | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _answer(runner: subprocess.Popen, words: list[str], folder: Path) -> dict:
    runner.stdin.write(json.dumps({"words": words, "folder": str(folder)}) + "\n")
    runner.stdin.flush()
    return json.loads(runner.stdout.readline())


def _kill_when(is_time, run: Path, lot: random.Random) -> threading.Event:
    """Ends who trains in the folder, a moment after it is time; whoever it is has gone once the
    event is set.
    """
    over, moment = threading.Event(), lot.uniform(0, 0.02)

    def watch() -> None:
        while not over.wait(0.001):
            if is_time():
                time.sleep(moment)
                try:
                    os.kill(int((run / "run.pid").read_text()), signal.SIGKILL)
                except (OSError, ValueError):  # not there yet, or gone
                    continue
                return

    threading.Thread(target=watch, daemon=True).start()
    return over


def _whole(place: Path, before: int) -> int:
    """The step that the store holds, after every byte of it was looked at; -1 where it holds none,
    which it may before the first commit only.
    """
    if not (place / "commit.json").exists():
        assert before == -1
        return -1
    commit = json.loads((place / "commit.json").read_text())
    content = {}
    for name, (size, sha256) in commit["files"].items():
        content[name] = (place / "objects" / sha256).read_bytes()
        assert (len(content[name]), hashlib.sha256(content[name]).hexdigest()) == (size, sha256)
    step = f"checkpoints/step-{commit['step']:08d}"
    manifest = json.loads(content[f"{step}/MANIFEST.json"])
    for name, told in manifest["files"].items():
        assert commit["files"][f"{step}/{name}"] == [told["size"], told["sha256"]]
    assert json.loads(content[f"{step}/state.json"])["progress"]["step"] == commit["step"]
    assert json.loads(content["run.json"])["run"] == commit["run"]
    assert commit["step"] >= before
    return commit["step"]
