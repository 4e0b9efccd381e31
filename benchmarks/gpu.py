"""Does all of it hold on a GPU, and how fast is it there? One command, eight minutes at most.

    python -m benchmarks.gpu                       # on the GPU; adds rows to benchmarks/gpu.jsonl
    python -m benchmarks.gpu --device cpu --quick  # in small on the processor, kept nowhere

Six networks in fp32 and bf16 (the loss falls, and device and processor agree within the tolerance
of each row), a run that is stopped and resumed to the same bits under `deterministic`, one process
of DistributedDataParallel against none, what --autotune chooses, images a second beside timm's own
step, and seconds to 99 % of MNIST. A check that would begin after its time is up is left out, and
says so. The exit code is 1 where a check failed.
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.gpu_checks import CHECKS, Setting
from benchmarks.results import keep
from convatlas.training.provenance import provenance

MINUTES = 8
LAST_START = 0.75  # of the time: a check that begins later might not end in it
UNTOLD = ("check", "case", "ok", "at", "provenance")  # among the figures of a line
VERDICTS = {True: "held", False: "FAILED", None: ""}


def rows(setting: Setting, names: list[str], minutes: float) -> list[dict]:
    """What each check found, as it goes on screen; a check that breaks off is a row that failed."""
    began, found = time.monotonic(), []

    def keep(name: str, row: dict) -> None:
        row = {"check": name, **row, "at": round(time.monotonic() - began, 1)}
        found.append(row)
        print(line(row), flush=True)

    for name in names:
        try:
            for row in CHECKS[name](setting):
                keep(name, row)
                if time.monotonic() - began > 60 * minutes * LAST_START:
                    keep(name, {"case": "the rest", "ok": None, "why": "left out: time is up"})
                    break
        except Exception as error:  # whatever a device brings about: the other checks go on
            first = str(error).partition("\n")[0]
            keep(name, {"case": name, "ok": False, "why": first or type(error).__name__})
        if time.monotonic() - began > 60 * minutes * LAST_START:
            left = names[names.index(name) + 1 :]
            for other in left:
                keep(other, {"case": other, "ok": None, "why": "left out: time is up"})
            break
    return found


def line(row: dict) -> str:
    """A row of the table."""
    figures = {name: row[name] for name in row if name not in UNTOLD}
    said = "; ".join(f"{name} {_text(value)}" for name, value in figures.items())
    return f"| {row['check']} | {row['case']} | {VERDICTS[row['ok']]} | {said} | {row['at']} |"


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list):
        return " -> ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.2g}" if value < 1e-2 else f"{value:.5g}"
    return str(value)


def device_of(name: str) -> torch.device:
    """Raises SystemExit, with the remedy, where there is none of the kind."""
    if name == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "gpu: this machine has no CUDA device that torch can use; --device cpu --quick tries "
            "the same on the processor"
        )
    return torch.device(name)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="small networks, few steps, no file")
    parser.add_argument("--only", choices=CHECKS, action="append", help="some of the checks")
    parser.add_argument("--data-root", default="data", help="where MNIST lies")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--results", type=Path, default=Path(__file__).with_suffix(".jsonl"))
    given = parser.parse_args(words)
    device = device_of(given.device)
    about = provenance(device) | {"date": f"{datetime.now(UTC):%Y-%m-%d}"}
    print("{device}, {threads} threads, torch {torch}, commit {commit}, {date}\n".format(**about))
    print("| check | case | | figures | seconds |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        setting = Setting(device, given.quick, given.data_root, Path(place))
        found = rows(setting, given.only or list(CHECKS), given.minutes)
    if not given.quick:
        for row in found:
            keep(row | {"provenance": about}, given.results)
    failed = [row for row in found if row["ok"] is False]
    print(f"\n{len(found)} rows, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
