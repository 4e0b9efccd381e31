"""What saving costs a run: how much more memory it has at its peak, and how long its steps wait.

    python -m benchmarks.saving
    python -m benchmarks.saving --network resnet50 --size 96

The same run on pictures of noise twice, once without a save and once with one every few seconds,
each in a process of its own; both have finished an epoch and keep its weights as the best. Of each
save, `blocked` is how long the loop waited: in taking it, before the weights may change again, and
at the end of an epoch.
Beside a busy neighbour it is longer than on a free machine.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

IMAGES = 12  # of training, an epoch of few steps
CLASSES = 2


def pictures(root: Path, side: int) -> Path:
    draw = np.random.default_rng(0)
    for part, count in (("train", IMAGES), ("test", 2)):
        for number in range(CLASSES * count):
            folder = root / part / f"class{number % CLASSES}"
            folder.mkdir(parents=True, exist_ok=True)
            pixels = draw.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


def trained(given: argparse.Namespace, place: Path) -> dict:
    """One run, in this process: its peak, the seconds of its steps and of their waits."""
    from convatlas.training import Recipe, checkpoint, run, train
    from convatlas.training.callbacks import Callback

    waits: list[float] = []
    steps: list[float] = []
    saves: list[int] = []

    def timed(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments, **options):
            began = time.perf_counter()
            try:
                return real(*arguments, **options)
            finally:
                waits[-1:] = [sum(waits[-1:]) + time.perf_counter() - began]

        setattr(owner, name, call)

    class Watch(Callback):
        began = time.perf_counter()

        def step(self, progress, loss, rate):
            steps.append(time.perf_counter() - self.began)
            self.began = time.perf_counter()
            waits.append(0.0)
            if progress.step == given.steps:
                raise KeyboardInterrupt

    timed(run._Run, "_save_if_due")
    timed(run.Saver, "let_go")
    timed(run.Saver, "let_best_go")
    timed(run.Saver, "finish")
    real = run._Run._save
    run._Run._save = lambda self: (saves.append(len(steps)), real(self))[1]
    run.SAVING_SHARE, checkpoint.KEEP = 0, 1  # spares the disk
    words = {"network": given.network, "data": str(place / "pictures"), "size": given.size}
    recipe = Recipe(
        **words,
        batch_size=2,
        epochs=1000,
        opt="sgd",
        lr=1e-5,
        save_every=given.every,
        warmup_epochs=0,
    )
    with contextlib.suppress(KeyboardInterrupt):
        train(recipe, place / "run", callback=Watch())
    return {
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "steps": steps[1:],
        "waits": waits,
        "saves": saves,
        "network": given.network,
    }


def measured(given: argparse.Namespace, every: float) -> dict:
    """A run in a process of its own."""
    with tempfile.TemporaryDirectory(dir=given.place) as place:
        pictures(Path(place, "pictures"), given.size)
        words = ["--network", given.network, "--size", str(given.size), "--every", str(every)]
        words += ["--steps", str(given.steps), "--alone", place]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.saving", *words],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        return json.loads(done.stdout.splitlines()[-1])


def median(numbers: list[float]) -> float:
    return float(np.median(numbers)) if numbers else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="vgg16")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two saves")
    parser.add_argument("--place", default=None, help="where the runs are")
    parser.add_argument("--alone", default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(trained(given, Path(given.alone))))
        return
    without, saving = measured(given, 1e9), measured(given, given.every)
    waits = [wait for wait in saving["waits"] if wait > 0.001]
    saves = len(saving["saves"])
    load = f"a load of {os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else "some load"
    print(f"{given.network} at {given.size} pixels, {os.cpu_count()} cores, {load}, {saves} saves")
    print(
        f"peak: {without['peak']:,.0f} MB without a save, {saving['peak']:,.0f} MB with: "
        f"{saving['peak'] - without['peak']:+,.0f} MB"
    )
    print(
        f"a step: {median(without['steps']):.2f} s; blocked: {sum(waits) / saves:.2f} s a save; "
        f"steps that waited: {', '.join(f'{wait:.2f}' for wait in waits)} s"
    )


if __name__ == "__main__":
    main()
