"""lr-find: rates rise, the loss is looked at, and the rule does what it says."""

import csv
import io
import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from short_runs import SMALL

import convatlas
from convatlas.cli import run as typed
from convatlas.cli.rates import USELESS
from convatlas.errors import RecipeError
from convatlas.training import rate_search, run, train
from convatlas.training.callbacks import Callback
from convatlas.training.rate_search import (
    lr_find,
    rates_between,
    smoothed,
    suggested,
    until_risen,
)
from convatlas.training.recipe import DEFAULTS
from convatlas.training.trainer import Diverged


@pytest.fixture(scope="module")
def found():
    return lr_find(SMALL, low=1e-5, high=10, steps=60)


def test_rates_rise_by_the_same_multiple_each_time():
    rates = rates_between(1e-5, 10, 61)
    assert (rates[0], rates[-1]) == (1e-5, pytest.approx(10))
    assert all(b / a == pytest.approx(10 ** (6 / 60)) for a, b in pairwise(rates))


@pytest.mark.parametrize(
    ("low", "high", "steps"),
    [
        *((0, 1, 10), (-1, 1, 10), (1, 1, 10), (2, 1, 10), (1, math.inf, 10), (math.nan, 1, 10)),
        *((1e-6, 1, 6), (1e-6, 1, 0), (1e-6, 1, 10**6), (1e-320, 10, 10)),
    ],
)
def test_what_is_no_range_of_rates_is_refused(low, high, steps):
    with pytest.raises(RecipeError, match="give "):
        lr_find(SMALL, low, high, steps)


def test_a_smoothed_loss_is_the_mean_of_seven_and_lags_behind_none():
    assert smoothed([float(i) for i in range(9)]) == [1.5, 2, 2.5, 3, 4, 5, 5.5, 6, 6.5]
    assert smoothed([5.0]) == [5.0] and smoothed([]) == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_smoothing_stays_within_the_losses(losses):
    means = smoothed(losses)
    assert len(means) == len(losses)
    assert min(losses) - 1e-6 <= min(means) and max(means) <= max(losses) + 1e-6


def test_the_rule_on_a_curve_whose_lowest_point_is_known():
    rates = rates_between(1e-6, 10, 141)  # twenty a decade
    means = [2.3 - 1.5 * math.exp(-((math.log10(rate / 0.05)) ** 2)) for rate in rates]
    rate, reason = suggested(rates, means, 10)
    assert rate == 0.005
    assert reason.startswith("a tenth of 0.05, the rate at which the smoothed loss was least")
    assert "highest" not in reason


def test_without_a_fall_nothing_is_suggested():
    rates = rates_between(1e-6, 10, 50)
    for means in ([2.3] * 50, [2.3 + i for i in range(50)], [2.3 - 1e-3 * i for i in range(50)]):
        rate, reason = suggested(rates, means, 10)
        assert rate is None and "the loss fell by less than 5% at every rate" in reason
    assert suggested((), (), 10)[0] is None


def test_a_loss_that_still_falls_at_the_end_is_said():
    rates = rates_between(1e-6, 1e-3, 50)
    rate, reason = suggested(rates, [2.3 * 0.98**i for i in range(50)], 1e-3)
    assert rate == 1e-4 and reason.endswith("so a higher --to may say more")


def test_on_the_digits_it_is_repeated_to_the_bit_and_ends_where_the_loss_has_risen(found):
    again = lr_find(SMALL, low=1e-5, high=10, steps=60)
    assert again == found
    assert 1e-4 <= found.suggestion <= 0.1
    assert len(found.rates) == 60 or tuple(until_risen([*found.losses, 0.0])) == found.losses
    assert (found.network, found.data, found.batch_size) == ("lenet1989", "digits", 256)


def test_the_steps_are_those_of_training_at_that_rate(tmp_path):
    """Of a search whose rates are all but equal, the losses are those of a run at that rate."""

    class Losses(Callback):
        def __init__(self):
            self.seen = []

        def step(self, progress, loss, rate):
            self.seen.append(loss)

    heard, recipe = Losses(), SMALL.change(sched="constant", lr=0.005)
    train(recipe, tmp_path, callback=heard)
    near = lr_find(recipe, low=0.005, high=math.nextafter(0.005, 1), steps=8)
    assert list(near.losses) == pytest.approx(heard.seen, rel=1e-6)


def test_validation_and_test_images_are_not_shown_to_the_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("nothing is measured")

    monkeypatch.setattr(run, "evaluate_together", refuse)
    monkeypatch.setattr(rate_search.Loader, "all", refuse)
    assert lr_find(SMALL, steps=8).rates


def test_one_easy_batch_does_not_end_the_search_and_a_rise_does():
    falling = [2.4 - 0.03 * i for i in range(60)]
    below = [-1.0 - i for i in range(20)]  # as LeNet-5's losses may be
    easy, rising = [*falling[:50], 0.01, 0.9], [*falling, 0.6, 0.9, 1.2]
    for losses in (falling, easy, rising, below, [], [2.0] * 3):
        assert list(until_risen(losses)) == losses
    assert list(until_risen([*falling, *([9.0] * 40)])) == [*falling, 9.0, 9.0]


def test_a_hundred_thousand_steps_are_looked_at_in_seconds():
    import time

    began = time.process_time()
    assert len(list(until_risen([1.0] * 100_000))) == 100_000
    assert time.process_time() - began < 5  # measured: 0.04 s


@pytest.mark.parametrize(("then", "steps"), [(math.nan, 9), (400.0, 10)])
def test_a_loss_that_is_no_number_or_far_too_high_ends_the_search(monkeypatch, then, steps):
    def step(self, *_):
        self.progress.step += 1
        if self.progress.step < 10:
            return 3.0 - 0.1 * self.progress.step
        if math.isnan(then):
            raise Diverged("the loss became nan")
        return then

    monkeypatch.setattr(rate_search.Trainer, "step", step)
    search = lr_find(SMALL, steps=40)
    assert len(search.rates) == len(search.losses) == steps
    assert search.suggestion is not None


def test_the_command_prints_a_table_a_suggestion_and_writes_both_files(found, tmp_path, capsys):
    (tmp_path / "small.toml").write_text(SMALL.to_toml())
    words = ["lr-find", "--recipe", str(tmp_path / "small.toml"), "--from", "1e-5", "--to", "10"]
    words += ["--steps", "60", "-o", str(tmp_path / "found.png")]
    assert typed(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"lenet1989 on digits, 256 images a step: {len(found.rates)} steps"
    assert lines[1].split() == ["rate", "loss", "smoothed"]
    assert 15 <= len(lines) - 4 <= 20
    assert lines[-2] == f"suggestion: --lr {found.suggestion:g}, {found.reason}"
    rows = list(csv.reader(io.StringIO((tmp_path / "found.csv").read_text())))
    assert rows[0] == ["rate", "loss", "smoothed"] and len(rows) == 1 + len(found.rates)
    assert float(rows[9][1]) == pytest.approx(found.losses[8], rel=1e-5)
    with Image.open(tmp_path / "found.png") as picture:
        assert picture.format == "PNG" and picture.width > 600
    assert typed([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["suggestion"] == found.suggestion
    assert answer["smoothed"] == list(found.smoothed)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--lr", "0.1"], "--lr 0.1 has no effect on lr-find"),
        (["--epochs", "3"], "--epochs 3 has no effect on lr-find"),
        (["--no-test"], "--no-test has no effect on lr-find"),
        (["-o", "plot.svg"], "--output plot.svg is no PNG file"),
        (["--from", "1", "--to", "0.1"], "rates cannot rise from 1 to 0.1"),
        (["--steps", "3"], "3 steps make no curve"),
        (["--steps", "1000000"], "give --steps 7 to 100000"),
    ],
)
def test_what_makes_no_search_is_refused_in_a_sentence(words, sentence, capsys):
    assert typed(["lr-find", "lenet5", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_a_folder_that_is_not_there_is_said_before_the_search(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rate_search, "lr_find", pytest.fail)
    assert typed(["lr-find", "lenet1989", "-o", str(tmp_path / "no" / "plot.png")]) == 1
    assert f"there is no folder {tmp_path / 'no'}; name another" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said(tmp_path, capsys):
    words = ["lr-find", "lenet1989", "-b", "256", "--steps", "8"]
    (tmp_path / "plot.png").mkdir()
    assert typed([*words, "-o", str(tmp_path / "plot.png")]) == 1
    assert "name another place with --output" in capsys.readouterr().err


def test_it_is_a_function_of_the_package():
    assert convatlas.lr_find is lr_find


def test_the_flags_that_are_refused_are_flags_of_train():
    assert {*USELESS} <= {*DEFAULTS}
