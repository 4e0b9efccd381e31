"""Kill one of the processes that torchrun started, again and again; torchrun starts them anew, and
the run must end with the weights of a run that was left alone.

    python -m benchmarks.elastic --trials 16
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

RUN = [
    "lenet1989",
    "--data",
    "digits",
    "--epochs",
    "12",
    "-b",
    "64",
    "--threads",
    "1",
    "--save-every",
    "0",
    "--timeout",
    "30",
]
LIMIT = 180  # seconds after which a trial counts as hanging


def command(folder: Path, processes: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
        "--max-restarts=1",
        "-m",
        "convatlas",
        "train",
        *RUN,
        "--output",
        str(folder),
    ]


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def workers(launcher: int) -> dict[int, int]:
    """Rank -> process id, of the processes that torchrun has started."""
    found = {}
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        words = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        found |= {int(word[5:]): int(child) for word in words if word.startswith(b"RANK=")}
    return found


def trial(folder: Path, processes: int, rank: int, wait: float) -> str:
    """What became of a run whose process `rank` was killed `wait` seconds after its first
    checkpoint.
    """
    with (folder.parent / f"{folder.name}.txt").open("wb") as output:
        launcher = subprocess.Popen(command(folder, processes), stdout=output, stderr=output)
        try:
            until = time.monotonic() + LIMIT
            while not (folder / "checkpoints" / "LATEST").exists():
                if launcher.poll() is not None or time.monotonic() > until:
                    return "did not start"
                time.sleep(0.02)
            time.sleep(wait)
            os.kill(workers(launcher.pid)[rank], signal.SIGKILL)
            launcher.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return "hung"
        except (KeyError, OSError):
            return "ended before the kill"
        finally:
            launcher.terminate()
            launcher.wait()
    return "ended" if launcher.returncode == 0 else "failed"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the ranks and moments")
    given = parser.parse_args()
    draw, counts, began = random.Random(given.seed), Counter(), time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            command(Path(place, "alone"), given.processes), check=True, capture_output=True
        )
        right = digest(Path(place, "alone"))
        for number in range(given.trials):
            folder, rank = Path(place, f"trial{number}"), draw.randrange(given.processes)
            result = trial(folder, given.processes, rank, draw.uniform(0, 1.5))
            if result == "ended":
                result += ", equal sha256" if digest(folder) == right else ", DIFFERENT sha256"
            elif result == "failed":
                print(folder.with_name(f"{folder.name}.txt").read_text())
            counts[result] += 1
            print(f"trial {number + 1}, process {rank} killed: {result}", flush=True)
    print(
        f"{', '.join(f'{what}: {count}' for what, count in counts.items())} "
        f"({given.processes} processes, seed {given.seed}, {time.monotonic() - began:.0f} s)"
    )
    sys.exit(0 if set(counts) == {"ended, equal sha256"} else 1)


if __name__ == "__main__":
    main()
