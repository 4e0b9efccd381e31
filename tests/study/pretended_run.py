"""In place of `convatlas train`: does what the study's file orders/RUN says on its first line, and
strikes it out; nothing that takes time. Without such a file it pretends to train.

    python pretended_run.py train … runs/NAME …
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

from runs_of_a_study import make

from convatlas.study import plan

STEPS, STEP = 20, 0.1  # seconds of a step
HELD = Path("held")  # no run takes its last step while it is there


def main(words: list[str]) -> int:
    run = next(word for word in words if word.startswith("runs/")).removeprefix("runs/")
    line = plan.read_line(Path(), run)
    folder = line.folder(Path())
    with Path("words").open("a") as file:
        file.write(" ".join(words) + "\n")
    match next_order(Path("orders") / run).partition(" "):
        case ("train", _, _) if line.is_test or plan.UNTESTED not in words:
            (folder / "metrics.json").write_text("{}")
        case ("train", _, _):
            make(Path(), line, [0.1, 0.2, 0.3])
        case ("say", _, sentence):
            print(f"convatlas: {sentence}", file=sys.stderr)
            return 1
        case ("signal", _, name):
            os.kill(os.getpid(), getattr(signal, name))
        case ("work", _, _):
            return work(line, steps=10_000)
        case ("steps", _, _):
            return work(line, STEPS)
    return 0


def next_order(orders: Path) -> str:
    if not orders.exists():
        return "steps"
    order, *rest = orders.read_text().splitlines()
    orders.write_text("".join(f"{text}\n" for text in rest))
    return order


def work(line: plan.Line, steps: int) -> int:
    """Take the steps, each written down, and leave where it is asked to; how often it was asked is
    written down too.
    """
    asked = []
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda number, frame: asked.append(number))
    folder = line.folder(Path())
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / "run.pid").write_text(f"{os.getpid()}\n")
        taken = folder / "steps"
        done = len(taken.read_text().split()) if taken.exists() else 0
        for step in range(done, steps):
            time.sleep(STEP)
            while HELD.exists() and step == steps - 1 and not asked:
                time.sleep(STEP)
            if step < steps - 1 or not HELD.exists():
                with taken.open("a") as file:
                    file.write(f"{step}\n")
            if asked:
                time.sleep(0.3)  # as saving takes
                Path("asked").write_text(str(len(asked)))
                return 75
        make(Path(), line, [0.1, 0.2, 0.3])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
