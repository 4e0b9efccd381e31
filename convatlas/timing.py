"""How long calls take, measured in turn in one process; and what share of the machine that is.
Imports no torch.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Clock = Callable[[], float]  # seconds

LEAST = 5  # rounds
PAUSE = 0.005  # seconds
AT_REST = 0.1  # of a pause: what this process counts in it, at most, once its threads wait
LONGEST = 0.25  # seconds of waiting for them


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


def rest(used: Clock = time.process_time, pause: Callable[[float], object] = time.sleep) -> None:
    """Until this process no longer counts. Engines let their threads look for more work at full
    speed after a call, ONNX Runtime for 30 ms, and whoever is timed next has a core less.
    """
    for _ in range(round(LONGEST / PAUSE)):
        before = used()
        pause(PAUSE)
        if used() - before <= AT_REST * PAUSE:
            return


def alternated(
    calls: Mapping[str, Callable[[], object]],
    budget: float,
    clock: Clock = time.perf_counter,
    rest: Callable[[], object] = rest,
    least: int = LEAST,
) -> dict[str, Timing]:
    """Each call once a round, in turn, until `budget` seconds of the clock are spent, and `least`
    rounds at least; so that what else the machine does meets all of them alike. Each begins when
    the threads of the one before are at rest. Before it is timed a call is made once, since the
    one before it took the caches.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    begin = clock()
    rounds = 0
    while rounds < least or clock() - begin < budget:
        for name, call in calls.items():
            rest()
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
