"""A run on a packed set is the run on its folder: one hash of the weights, from a folder, from
shards and from an object store that fails now and then, killed and resumed, with any readers.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bucket import served, served_by_moto
from noise import save_noise
from short_runs import StopAt
from skips import needs

from convatlas import machine
from convatlas.data.packed.writing import pack
from convatlas.errors import Stopped
from convatlas.training import Recipe, prepare, train
from convatlas.training.distributed import ProcessGroup

RECIPE = Recipe(
    network="lenet1989", epochs=1, batch_size=8, opt="adamw", lr=0.005, warmup_epochs=0, shift=2
)
# Sets as small as these would be decoded into memory; read from files they are as very large ones.
# And no block of an object store is kept, so that each image is a request.
STREAMED = """
import convatlas.data.packed.block_cache
convatlas.data.packed.block_cache.SHARE = 10**15
import convatlas.data.image_cache
convatlas.data.image_cache._limit = lambda: 0
from convatlas.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    for i in range(72):
        place = root / "photos" / ("train", "train", "train", "test")[i % 4] / f"class{i % 3}"
        place.mkdir(parents=True, exist_ok=True)
        save_noise(place / f"{i}.png", (20, 18), "L", i)
    pack([root / "photos"], root / "s" / "bucket" / "photos", workers=1)
    return root


def weights(run: Path) -> list:
    from safetensors.torch import load_file

    return [(name, value.tolist()) for name, value in load_file(run / "model.safetensors").items()]


def test_the_weights_from_shards_are_those_from_the_folder(sets, tmp_path, monkeypatch):
    monkeypatch.setattr("convatlas.data.image_cache._limit", lambda: 0)
    train(RECIPE.change(data=str(sets / "photos")), tmp_path / "folder")
    shards = str(sets / "s" / "bucket" / "photos")
    train(RECIPE.change(data=shards, workers=2), tmp_path / "shards")
    assert weights(tmp_path / "folder") == weights(tmp_path / "shards")


def test_a_run_on_a_folder_goes_on_with_its_packed_set(sets, tmp_path):
    folder = RECIPE.change(data=str(sets / "photos"))
    train(folder, tmp_path / "whole")
    with pytest.raises(Stopped):
        train(folder, tmp_path / "parts", callback=StopAt(5))
    packed = folder.change(data=str(sets / "s" / "bucket" / "photos"))
    train(packed, tmp_path / "parts", resume=True)
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


def test_packed_sets_have_readers_as_folders_have(sets, tmp_path, monkeypatch):
    monkeypatch.setattr("convatlas.data.image_cache._limit", lambda: 0)
    monkeypatch.setattr(prepare, "READ_ALONE", 10)
    monkeypatch.setattr(machine, "cores", lambda: 3)
    monkeypatch.setattr(prepare, "forks", lambda: True)
    recipe, group = RECIPE.change(data=str(sets / "s" / "bucket" / "photos")), ProcessGroup()
    ready = prepare.prepare(recipe, group)
    assert ready.reading == "read from files as they are needed, by 2 readers"
    assert ready.train.workers == ready.test.workers == 2


def command(data, run, *more):
    words = ["train", "lenet1989", "--data", str(data), "--output", str(run), "--epochs", "3"]
    words += ["--batch-size", "8", "--opt", "adamw", "--lr", "0.005", "--shift", "2", *more]
    return [sys.executable, "-c", STREAMED, *words]


def environment(tmp_path, address=""):
    store = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    cache = {"XDG_CACHE_HOME": str(tmp_path / f"cache{time.monotonic_ns()}")}
    return os.environ | cache | (store if address else {})


def run_to_its_end(words, env):
    done = subprocess.run(words, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def killed_after_its_first_save(words, run, env):
    process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 300
    while not [*run.glob("checkpoints/step-*/MANIFEST.json")] and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.full
@needs("boto3 is not installed (extra shards)", "boto3")
def test_one_hash_from_folder_shards_and_a_failing_store_killed_and_resumed(sets, tmp_path):
    run_to_its_end(command(sets / "photos", tmp_path / "folder"), environment(tmp_path))
    wanted = weights(tmp_path / "folder")
    with served(sets / "s") as (bucket, address):
        bucket.every, bucket.hows, bucket.pause = 29, ("late", 500, "reset"), 0.3
        shards, far = sets / "s" / "bucket" / "photos", "s3://bucket/photos"
        for place, readers in ((shards, "4"), (far, "0"), (far, "1"), (far, "4")):
            run = tmp_path / f"{'far' if place == far else 'near'}-{readers}"
            run_to_its_end(
                command(place, run, "--workers", readers), environment(tmp_path, address)
            )
            assert weights(run) == wanted, run
        run = tmp_path / "killed"
        words = command(far, run, "--workers", "1", "--save-every", "3")
        killed_after_its_first_save(words, run, environment(tmp_path, address))
        run_to_its_end([*words, "--resume", "auto"], environment(tmp_path, address))
        assert weights(run) == wanted
        assert bucket.failed > 5


@pytest.mark.full
@needs("moto or boto3 is not installed: moto", "moto", "boto3")
def test_motos_s3_gives_the_same_weights(sets, tmp_path):
    with served_by_moto("bucket") as (client, address):
        env = environment(tmp_path, address)
        for path in (sets / "s" / "bucket" / "photos").iterdir():
            client.upload_file(str(path), "bucket", f"photos/{path.name}")
        run_to_its_end(command("s3://bucket/photos", tmp_path / "moto"), env)
        run_to_its_end(command(sets / "photos", tmp_path / "folder"), environment(tmp_path))
        assert weights(tmp_path / "moto") == weights(tmp_path / "folder")


def test_eval_measures_another_runs_packed_set_under_its_classes(sets, tmp_path):
    from convatlas.finished_run import evaluate

    train(RECIPE.change(data=str(sets / "photos"), epochs=1), tmp_path / "run")
    shards = tmp_path / "packed"
    shutil.copytree(sets / "s" / "bucket" / "photos", shards)
    own = evaluate(tmp_path / "run")
    there = evaluate(tmp_path / "run", data=str(shards))
    assert own.accuracy == there.accuracy
