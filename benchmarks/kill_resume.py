"""Kill a training run with SIGKILL at random moments, resume it each time, and compare the weights with a run that was
left alone.

    python -m benchmarks.kill_resume --kills 10 -- lenet5 --data digits --epochs 60
"""
import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAIN = [sys.executable, "-m", "convatlas", "train"]


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def left_alone(words: list[str], folder: Path) -> float:
    began = time.monotonic()
    subprocess.run([*TRAIN, *words, "--output", str(folder)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def killed(words: list[str], folder: Path, kills: int, length: float, draw: random.Random) -> list[float]:
    """Start or resume, kill after a random while; after the last kill, let it end. Returns the moments of the kills."""
    moments = []
    while True:
        process = subprocess.Popen([*TRAIN, *words, "--output", str(folder), "--resume", "auto"],
                                   stdout=subprocess.DEVNULL)
        wait = draw.uniform(0, 2 * length / (kills + 1)) if len(moments) < kills else None
        try:
            code = process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            moments.append(wait)
            continue
        if code:
            raise SystemExit(f"the run ended with exit code {code} after {len(moments)} kills")
        return moments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; default: a new one each time")
    parser.add_argument("--save-every", default="1", help="seconds between checkpoints")
    parser.add_argument("words", nargs="+", help="what follows `convatlas train`")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(2**31)
    words = [*given.words, "--save-every", given.save_every]
    with tempfile.TemporaryDirectory() as place:
        alone, cut = Path(place, "alone"), Path(place, "cut")
        length = left_alone(words, alone)
        print(f"left alone: {length:.1f} s, {sha256(alone)}", flush=True)
        moments = killed(words, cut, given.kills, length, random.Random(seed))
        print(f"killed {len(moments)} times (seed {seed}), after {', '.join(f'{m:.1f}' for m in moments)} s, "
              f"{sha256(cut)}")
        same = sha256(alone) == sha256(cut)
    print("the same bits" if same else "DIFFERENT BITS")
    sys.exit(0 if same and len(moments) == given.kills else 1)


if __name__ == "__main__":
    main()
