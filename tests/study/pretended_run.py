"""In place of `convatlas train`: does what the study's file `orders` says on its first line, which
it strikes out, and nothing that takes time.

    python pretended_run.py train … runs/NAME …
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

from made_runs import make

from convatlas.study import plan


def main(words: list[str]) -> int:
    run = next(word for word in words if word.startswith("runs/")).removeprefix("runs/")
    line = plan.read_line(Path(), run)
    order, *rest = Path("orders").read_text().splitlines()
    Path("orders").write_text("".join(f"{text}\n" for text in rest))
    with Path("words").open("a") as file:
        file.write(" ".join(words) + "\n")
    match order.partition(" "):
        case ("train", _, _) if plan.UNTESTED not in words:
            (line.folder(Path()) / "metrics.json").write_text("{}")
        case ("train", _, _):
            make(Path(), line, [0.1, 0.2, 0.3])
        case ("say", _, sentence):
            print(f"convatlas: {sentence}", file=sys.stderr)
            return 1
        case ("signal", _, name):
            os.kill(os.getpid(), getattr(signal, name))
        case ("work", _, _):
            return work(line.folder(Path()))
    return 0


def work(folder: Path) -> int:
    """Until it is asked to leave; how often it was asked is written down."""
    asked = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "run.pid").write_text(f"{os.getpid()}\n")
        while not asked:
            time.sleep(0.01)
        time.sleep(0.3)
        Path("asked").write_text(str(len(asked)))
    return 75


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
