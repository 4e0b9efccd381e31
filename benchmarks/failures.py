"""What a run loses to failures, by how often it saves: predicted and simulated.

    python -m benchmarks.failures

A run that saves every T seconds, which takes C, on machines of which one fails every M seconds on
average, loses C of every T + C to saving, and with each failure what it did since the last save,
half of T + C on average, and the R seconds until it goes on. To first order that is
C/T + (T/2 + R)/M of its time, least at T = sqrt(2 C M) (Young, Daly). The simulation draws the
failures one by one.
"""

import math
import random

from convatlas.training.run import SAVING_SHARE

CELLS = [  # (seconds a save takes, between failures, until it goes on)
    (1, 21_600, 30),
    (10, 21_600, 60),
    (10, 3_600, 60),
    (60, 86_400, 300),
    (2, 600, 10),
]


def best_interval(save: float, between: float) -> float:
    return math.sqrt(2 * save * between)


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
    for save, between, restart in CELLS:
        for name, interval in (
            ("best", best_interval(save, between)),
            ("of a run by itself", SAVING_SHARE * save),
        ):
            expected = predicted(interval, save, between, restart)
            found = simulated(interval, save, between, restart, 20_000, 0)
            lines.append(
                f"| {save}, {between:,}, {restart} | {name}: {interval:.0f} s | "
                f"{100 * expected:.2f} % | {100 * found:.2f} % |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
