"""Stop a training run at random moments, go on with it each time, and compare it with a run that
was left alone.

    python -m benchmarks.kill_resume --kills 200 --place /dev/shm
    python -m benchmarks.kill_resume --kills 30 --signal TERM

Every checkpoint that a kill leaves is read, and compared with that of the same step of the run left
alone: `unreadable` counts those that do not read back, `mixed` those that differ. The run saves
after every step, so that many kills fall into a save. SIGTERM must be answered by a save and exit
code 75.
"""

import argparse
import hashlib
import importlib
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from convatlas import cli
from convatlas.training import checkpoint, run
from convatlas.training.progress import Lines

WORDS = [
    "lenet1989",
    "--data",
    "digits",
    "--epochs",
    "10",
    "-b",
    "64",
    "--ema",
    "0.99",
    "--shift",
    "2",
    "--rotate",
    "10",
    "--threads",
    "1",
]
USED = ("sklearn.datasets", "torch._dynamo", "matplotlib.backends.backend_agg", "matplotlib.figure")
EARLY = 0.1  # share of the kills that fall before the first step


def started(words: list[str], folder: Path, keep: int) -> tuple[int, int]:
    """A process that trains: its id, and a pipe that says when the first step begins. Forked, to
    spare the imports.
    """
    ready, say = os.pipe()
    child = os.fork()
    if child:
        os.close(say)
        return child, ready
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    run.SAVING_SHARE, checkpoint.KEEP = 0, keep
    Lines.begin = lambda self, facts: os.write(say, b"!")
    Lines.epoch = lambda self, record: None
    os._exit(
        cli.run(["train", *words, "--save-every", "0", "--output", str(folder), "--resume", "auto"])
    )


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def tensors(step: Path) -> str:
    """One digest of a checkpoint's tensors; its state.json holds seconds, which never repeat."""
    files = [step / name for name in checkpoint.FILES if name.endswith(".safetensors")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def left_alone(words: list[str], folder: Path) -> tuple[float, dict[str, str]]:
    """Seconds from the first step to the end, and the digest of every step."""
    child, ready = started(words, folder, keep=10**9)
    select.select([ready], [], [])
    began = time.monotonic()
    if code := ended(child):
        raise SystemExit(f"the run that was left alone ended with exit code {code}")
    return time.monotonic() - began, {
        step.name: tensors(step) for step in checkpoint.steps(folder / "checkpoints")
    }


def looked_at(folder: Path, right: dict[str, str], counts: Counter) -> None:
    """What a stop has left, before anything is repaired."""
    for step in checkpoint.steps(folder / "checkpoints"):
        counts["checkpoints read"] += 1
        try:
            checkpoint.read_step(step)
        except checkpoint.CheckpointError:
            counts["unreadable"] += 1
            continue
        counts["mixed"] += tensors(step) != right[step.name]
    counts["in the middle of a save"] += any(folder.glob("checkpoints/.tmp-*"))


def result(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def stopped(
    words: list[str],
    place: Path,
    kills: int,
    number: int,
    window: float,
    right: dict[str, str],
    draw: random.Random,
) -> tuple[Counter, list[str]]:
    """Start or go on, stop after a random while; after the last stop, let it end. A run that ends
    before is followed by another. What was counted, and the digest that each run ended with.
    """
    counts, results = Counter({"unreadable": 0, "mixed": 0}), []
    while True:
        folder = place / f"cut-{len(results)}"
        child, ready = started(words, folder, keep=2)
        last = counts["stopped"] == kills
        if not last:
            early = number == signal.SIGKILL and draw.random() < EARLY
            if not early:
                select.select([ready], [], [])
            time.sleep(draw.uniform(0, window))
            os.kill(child, number)
        code = ended(child)
        os.close(ready)
        if code == 0:
            results.append(result(folder))
            if last:
                return counts, results
            continue
        if code != (75 if number == signal.SIGTERM else -number):
            raise SystemExit(f"exit code {code} after {counts['stopped']} stops")
        counts["stopped"] += 1
        counts["exit code 75"] += code == 75
        looked_at(folder, right, counts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--signal", choices=("KILL", "TERM"), default="KILL")
    parser.add_argument(
        "--place", default=None, help="where the runs are; default: the temporary folder"
    )
    parser.add_argument(
        "--seed", type=int, default=None, help="of the moments; default: a new one each time"
    )
    parser.add_argument(
        "words", nargs="*", default=WORDS, help=f"what follows `train`; default: {' '.join(WORDS)}"
    )
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(2**31)
    began = time.monotonic()
    for module in USED:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory(dir=given.place) as place:
        alone = Path(place, "alone")
        seconds, right = left_alone(given.words, alone)
        print(f"left alone: {len(right)} steps in {seconds:.1f} s, in {place}", flush=True)
        counts, results = stopped(
            given.words,
            Path(place),
            given.kills,
            getattr(signal, f"SIG{given.signal}"),
            1.5 * seconds / given.kills,
            right,
            random.Random(seed),
        )
        print(", ".join(f"{what}: {count}" for what, count in counts.items()))
        digests = [result(alone), *results]
        print(
            f"final sha256 {'equal' if len(set(digests)) == 1 else 'DIFFERENT'}: "
            f"{' '.join(d[:16] for d in digests)} (the first was left alone; seed of the moments "
            f"{seed}, {time.monotonic() - began:.0f} s)"
        )
    good = (
        len(set(digests)) == 1
        and counts["stopped"] == given.kills
        and not counts["unreadable"] + counts["mixed"]
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
