"""benchmarks/serving.py on a stand-in, in small: nothing is lost, and nothing grows."""

from asking import NEEDS_SERVE, stand_in

from benchmarks import serving

pytestmark = NEEDS_SERVE

PARTS = {
    "soak": {"requests": 10, "lost": 0, "megabytes": [50.0, 51.0], "handles": [9, 9]},
    "overload": {
        **{"answered": 3, "refused": 7, "neither": {"OSError": 1}, "accepted_and_lost": 1},
        **{"seconds": {"50": 0.5, "99": 1.25}, "health_seconds": {"99": 0.0123}},
    },
    "leaving": {"megabytes": [50.0, 49.0], "handles": [9, 10]},
}


def test_many_requests_lose_nothing_and_leave_nothing():
    with stand_in() as server:
        found = serving.soak(server, "stand_in", 300)
        assert found["lost"] == 0
        assert serving.growth(found) < 20  # of 300 requests; the benchmark's are 10,000
        assert found["handles"][1] <= found["handles"][0] + 4  # clients that it has yet to miss
        assert serving.capacity(server, "other", 0.2) > 1
        left = serving.leaving(server, 50)
        assert left["handles"][1] <= left["handles"][0] + 4


def test_ten_times_too_many_are_answered_or_sent_away():
    """An engine of 20 batches a second, whose line has four places."""
    with stand_in(seconds=0.05, places=4) as server:
        found = serving.overload(server, rate=400, seconds=1)
    assert found["requests"] == 400 == found["answered"] + found["refused"]
    assert found["refused"] > 0 < found["answered"]
    assert found["accepted_and_lost"] == 0


def test_what_was_found_becomes_a_row():
    row = {"model": "m: onnxruntime 1, f32", "processor": "P, 2 cores", "capacity": 41.6, **PARTS}
    assert serving.line(row) == (
        "| m: onnxruntime 1, f32; P, 2 cores | 10, 0 | +2.0 % | +0 | 42 | 3, 7, 2 | 0.50, 1.25 | "
        "12 ms | -2.0 %, +1 |"
    )


def test_percentiles():
    ordered = [0.1 * number for number in range(1, 101)]
    assert [serving.percentile(ordered, p) for p in (50, 99, 100)] == [5.0, 9.9, 10.0]
    assert serving.percentile([3.0], 99) == 3.0 and serving.percentile([], 50) is None
