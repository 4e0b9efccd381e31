"""Row 5: a container as the careful make them. A root file system that cannot be written, a user
without name or home, no /dev/shm, no folder for temporary files, no terminal; one folder that can
be written.

Real namespaces of Linux, where this machine lets us make them; what can be played without is in
tests/data/test_readers.py and tests/training/test_plots.py.
"""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ranks import weights

import convatlas

NAMESPACE = """
set -e
mount -t tmpfs -o mode=777 none "$WRITABLE"
mount --bind / "$ROOT"
mount -o remount,ro,bind "$ROOT"
mount --bind "$WRITABLE" "$ROOT$WRITABLE"
mount --rbind /proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs -o size=4k,mode=0 none "$ROOT/dev/shm"
exec chroot "$ROOT" env -i PATH="$PATH" PYTHONPATH="$PYTHONPATH" OMP_NUM_THREADS=1 \
    TMPDIR=/nowhere C="$C" R="$WRITABLE/run" S="$S" \
    setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps=+dac_read_search \
    --ambient-caps=+dac_read_search bash -c "cd /; $1"
"""  # dac_read_search: Python itself may lie in root's home


def in_a_container(line: str, place: Path) -> subprocess.CompletedProcess:
    """A line of shell in one: $C is convatlas, $R the run's folder, $S a folder of images."""
    for name in ("root", "writable"):
        (place / name).mkdir(exist_ok=True)
    place.chmod(0o755)
    environment = os.environ | {
        "ROOT": str(place / "root"),
        "WRITABLE": str(place / "writable"),
        "PYTHONPATH": str(Path(convatlas.__file__).parents[1])
        + os.pathsep
        + os.environ.get("PYTHONPATH", ""),
        "C": f"{sys.executable} -m convatlas",
        "S": str(place / "images"),
    }
    words = ["unshare", "--mount", "bash", "-c", NAMESPACE, "bash", line]
    return subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Path:
    """A folder for one; skips where this machine or this user cannot make it."""
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "setpriv", "chroot"))):
        pytest.skip("this system has no namespaces, or not the tools for them")
    place = tmp_path_factory.mktemp("container")
    for folder in (place, *place.parents[:2]):
        folder.chmod(0o755)
    tried = in_a_container('echo hello > "$(dirname $R)/x" && ! echo > /x', place)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.strip()[-200:]}")
    for number in range(48):
        folder = place / "images" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return place


TRAIN = "$C train lenet1989 --data $S --epochs 2 -b 8 --workers 2 --output $R"


@pytest.mark.full
def test_training_is_saved_resumed_measured_and_used(container):
    done = in_a_container(
        f"{TRAIN} >&- && $C eval $R && $C predict $R $S/a | head -1 && $C check-data $S && "
        f"$C train --resume $R && ls -A $(dirname $R) $R",
        container,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = done.stdout
    assert "test images" in said and "0 problems" in said and "test accuracy" in said
    left = said.split(":\n")[-2:]
    assert left[0].splitlines()[-1].endswith("/run")
    assert "run\n" in said
    assert {"metrics.json", "model.safetensors", "confusion.png"} <= {*left[1].split()}
    assert not [name for name in said.split() if name.startswith(".tmp")]


@pytest.mark.slow
def test_a_signal_there_is_saved_and_costs_no_bit(container, tmp_path):
    """In a container the terminal is closed in the middle of it, and another one goes on."""
    stop = "until test -s $R/log.jsonl || ! kill -0 $!; do sleep 0.1; done; kill -HUP $!; wait $!"
    done = in_a_container(
        f"{TRAIN.replace('--epochs 2', '--epochs 30')} > /dev/full & {stop}; echo $?; "
        "$C train --resume $R > /dev/full; echo $?; base64 -w0 $R/model.safetensors",
        container,
    )
    stopped, resumed, content = done.stdout.split("\n")
    assert (stopped, resumed) == ("75", "0"), done.stderr
    assert "stopped by SIGHUP at step" in done.stderr
    assert "Traceback" not in done.stderr
    folder = tmp_path / "here"
    settings = {"data": str(container / "images"), "epochs": 30, "batch_size": 8}
    recipe = convatlas.Recipe(network="lenet1989", **settings)
    convatlas.train(recipe, folder, callback=convatlas.Callback())
    assert base64.b64decode(content) == weights(folder)
