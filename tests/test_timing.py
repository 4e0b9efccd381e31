"""Medians, quartiles, turns and shares are exact: the clock is one of ours."""

import pytest
import torch

from convatlas.speed import peak
from convatlas.speed.forms import FORMS
from convatlas.timing import (
    LEAST,
    PAUSE,
    Timing,
    alternated,
    geometric_mean,
    rest,
    share_of_peak,
    summarised,
)


class Clock:
    """Goes on only where it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def call(self, *seconds: float):
        """A call that takes these seconds, one after the other, again and again."""
        times = list(seconds)

        def spend():
            times.append(times.pop(0))
            self.now += times[-1]

        return spend


def test_the_median_and_the_quartiles():
    assert summarised([5, 1, 4, 2, 3]) == Timing(3, 2, 4, 1, 5)
    assert summarised([1, 2, 3, 4]) == Timing(2.5, 1.75, 3.25, 1, 4)


def test_the_second_call_of_each_round_counts():
    clock = Clock()
    found = alternated({"a": clock.call(7, 1)}, 0, clock, rest=lambda: None)
    assert found == {"a": Timing(1, 1, 1, 1, LEAST)}


def test_calls_take_turns_with_a_rest_before_each():
    clock, order = Clock(), []
    calls = {name: lambda name=name: order.append(name) for name in "ab"}
    alternated(calls, 0, clock, rest=lambda: order.append("."))
    assert "".join(order) == ".aa.bb" * LEAST


@pytest.mark.parametrize(("spinning", "pauses"), [(0, 1), (PAUSE, 2), (0.03, 7), (9, 50)])
def test_a_rest_ends_when_no_thread_counts_any_more(spinning, pauses):
    """Threads that look for work for so many seconds, on a core of their own."""
    slept = []
    rest(lambda: min(sum(slept), spinning), slept.append)
    assert slept == [PAUSE] * pauses


@pytest.mark.parametrize(("budget", "rounds"), [(0, LEAST), (12, 6), (11.5, 6), (12.5, 7)])
def test_rounds_go_on_until_the_budget_is_spent(budget, rounds):
    clock = Clock()
    calls = {"a": clock.call(0.25), "b": clock.call(0.75)}
    found = alternated(calls, budget, clock, rest=lambda: None)
    assert [found[name].rounds for name in "ab"] == [rounds, rounds]


def test_a_share_of_the_peak_counts_two_operations_a_multiply_add():
    assert share_of_peak(1_000_000, 16, 0.5, 128e6) == 0.5


def test_the_geometric_mean():
    assert geometric_mean([2, 8]) == pytest.approx(4)


def test_the_peak_is_the_highest_figure_of_all_probes_and_forms(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(peak, "PROBES", ((2, 4), (3, 4)))
    monkeypatch.setattr(peak, "is_installed", lambda form: form.engine == "torch")
    spend = clock.call(2.0, 0.5, 1.0)
    monkeypatch.setattr(peak.Forms, "made", lambda self, form, threads: lambda maps: spend())
    assert peak.operations(3, 4) == 2 * peak.LAYERS * peak.BATCH * 3 * 3 * 9 * 4 * 4
    assert peak.peaks(1, clock) == {"f32": peak.operations(3, 4) / 0.5}


def test_slow_forms_and_those_with_fewer_multiplications_are_no_part_of_the_peak(monkeypatch):
    made = []
    monkeypatch.setattr(peak, "PROBES", ((2, 4),))
    monkeypatch.setattr(peak, "is_installed", lambda form: True)

    def seen(self, form, threads):
        made.append(form.name)
        return lambda maps: maps

    monkeypatch.setattr(peak.Forms, "made", seen)
    ticks = iter(range(1000))
    peak.peaks(1, lambda: float(next(ticks)))
    assert made == [name for name, form in FORMS.items() if not form.slow and name != "ncnn"]


def test_the_probe_is_the_convolutions_that_are_counted():
    probe = peak.Probe(3)
    assert probe(torch.zeros(2, 3, 5, 5)).shape == (2, 3)
    kernels = [p for p in probe.parameters() if p.ndim == 4]
    assert [tuple(k.shape) for k in kernels] == [(3, 3, 3, 3)] * peak.LAYERS
