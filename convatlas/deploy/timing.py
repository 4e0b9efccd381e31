"""How long calls take, measured in turn in one process; and what share of the machine that is.
Imports no torch.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Clock = Callable[[], float]  # seconds

LEAST = 5  # rounds
PAUSE = 0.005  # seconds in which the threads of the form before come to rest


@dataclass(frozen=True)
class Timing:
    """Seconds of a call: the median, the quartiles and the least of several."""

    median: float
    low: float
    high: float
    best: float
    rounds: int


def summarised(seconds: Sequence[float]) -> Timing:
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Timing(median, low, high, min(seconds), len(seconds))


def alternated(
    calls: Mapping[str, Callable[[], object]],
    budget: float,
    clock: Clock = time.perf_counter,
    pause: Callable[[float], object] = time.sleep,
    least: int = LEAST,
) -> dict[str, Timing]:
    """Each call once a round, in turn, until `budget` seconds of the clock are spent, and `least`
    rounds at least; so that what else the machine does meets all of them alike. Before it is timed
    a call is made once, since the one before it took the caches.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    begin = clock()
    rounds = 0
    while rounds < least or clock() - begin < budget:
        for name, call in calls.items():
            pause(PAUSE)
            call()
            before = clock()
            call()
            seconds[name].append(clock() - before)
        rounds += 1
    return {name: summarised(found) for name, found in seconds.items()}


def share_of_peak(macs: int, pictures: int, seconds: float, peak: float) -> float:
    """Of a peak in operations a second, where a multiply-add is two."""
    return 2 * macs * pictures / seconds / peak


def geometric_mean(values: Sequence[float]) -> float:
    return statistics.geometric_mean(values)
