"""What a run loses to failures, by how often it saves: predicted and simulated.

    python -m benchmarks.failures

A run that saves every T seconds, which takes C, on machines of which one fails every M seconds on
average, loses C of every T + C to saving, and with each failure what it did since the last save,
half of T + C on average, and the R seconds until it goes on. To first order that is
C/T + (T/2 + R)/M of its time, least at T = sqrt(2 C M) (Young, Daly). The simulation draws the
failures one by one. Both are of a run that stands still while it saves; ours goes on, and loses
less.

A run that is left to itself does not know M, and saves by the rule of convatlas.training.run. The
second table is of more and more machines, all of which a run needs: with n, M is one's part in n.
"""

import math
import random

from convatlas.training.recipe import DEFAULTS
from convatlas.training.run import SAVING_SHARE

CELLS = [  # (seconds a save takes, between failures, until it goes on)
    (1, 21_600, 30),
    (10, 21_600, 60),
    (10, 3_600, 60),
    (60, 86_400, 300),
    (2, 600, 10),
]


MACHINES = (1, 8, 64, 256)
ONE_FAILS = 30 * 86_400  # seconds between failures of one machine: an assumption, not measured
LARGE = (10, 120)  # seconds that a save takes, and until the run goes on


def best_interval(save: float, between: float) -> float:
    return math.sqrt(2 * save * between)


def own_interval(save: float) -> float:
    """The seconds between the saves of a run whose saves take so long."""
    return max(DEFAULTS["save_every"], SAVING_SHARE * save)


def of_machines(count: int) -> tuple[float, float, float]:
    """A cell for a run on so many machines."""
    save, restart = LARGE
    return save, ONE_FAILS / count, restart


def predicted(interval: float, save: float, between: float, restart: float) -> float:
    """The share of the time that is lost, to first order."""
    return save / interval + (interval / 2 + restart) / between


def simulated(
    interval: float, save: float, between: float, restart: float, failures: int, seed: int
) -> float:
    """The share that `failures` failures, at random times, really cost. One may come while the run
    saves, and while it starts again.
    """
    dice = random.Random(seed)
    kept, time = 0.0, 0.0
    for _ in range(failures):
        lived = dice.expovariate(1 / between)
        time += lived
        saves = max(0, int((lived - restart) // (interval + save)))
        kept += saves * interval
    return 1 - kept / time


def table() -> str:
    lines = ["| save, between failures, restart (s) | interval | predicted | simulated |"]
    lines.append("|---|---|---|---|")
    for cell in CELLS:
        lines += _rows(f"{cell[0]}, {cell[1]:,}, {cell[2]}", cell)
    return "\n".join(lines)


def table_of_machines() -> str:
    lines = [f"| machines; each fails every {ONE_FAILS:,} s | interval | predicted | simulated |"]
    lines.append("|---|---|---|---|")
    for count in MACHINES:
        lines += _rows(f"{count}", of_machines(count))
    return "\n".join(lines)


def _rows(title: str, cell: tuple[float, float, float]) -> list[str]:
    save, between, restart = cell
    intervals = {"best": best_interval(save, between), "of a run by itself": own_interval(save)}
    return [
        f"| {title} | {name}: {interval:.0f} s | "
        f"{100 * predicted(interval, save, between, restart):.2f} % | "
        f"{100 * simulated(interval, save, between, restart, 20_000, 0):.2f} % |"
        for name, interval in intervals.items()
    ]


if __name__ == "__main__":
    print(table())
    print()
    print(table_of_machines())
