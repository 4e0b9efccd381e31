"""--autotune: what wins is kept, written down, and kept again on resume; what does not win changes
nothing.
"""

import copy

import pytest
import torch
from safetensors.torch import load_file

from convatlas.cli import run
from convatlas.data import Loader, fit_preprocess, open_data
from convatlas.errors import RunError
from convatlas.registry import create_model
from convatlas.training import Recipe, train
from convatlas.training import autotune as tuning
from convatlas.training.autotune import Config, Trials, autotune
from convatlas.training.callbacks import Callback
from convatlas.training.in_memory import learn
from convatlas.training.prepare import threads
from convatlas.training.progress import Lines

PLAIN, LAST, BF16, COMPILED = (
    Config(),
    Config(channels_last=True),
    Config(amp=True),
    Config(amp=True, compile=True),
)
ONE, TWO = Config(amp=True, threads=1), Config(amp=True, threads=2)
RECIPE = Recipe(network="lenet_caffe", epochs=1, batch_size=128, autotune=True)


@pytest.fixture(scope="module")
def loader():
    data = open_data("digits")
    return Loader(data.train, fit_preprocess(data, 28), 128)


@pytest.fixture
def stopwatch(monkeypatch):
    """Steps are taken, but their seconds are said here: by (amp, channels_last)."""
    said = {(False, False): 1.0, (False, True): 0.8, (True, False): 0.9, (True, True): 0.7}

    def step_seconds(trainer, x, y):
        trainer.step(x, y)
        return said[trainer.recipe.amp, trainer.recipe.channels_last]

    monkeypatch.setattr(tuning, "step_seconds", step_seconds)
    return said


def steady(*stages, images=2):
    """Trials of which every try of a stage takes the same seconds."""
    return Trials(tuple((seconds,) * tuning.TRIES for seconds in stages), images)


def recipe_of(folder):
    return Recipe.read(folder / "recipe.toml")


@pytest.mark.parametrize(
    ("seconds", "winner"),
    [
        ({PLAIN: 1.0, LAST: 0.6, BF16: 0.7}, LAST),
        ({PLAIN: 1.0, LAST: 0.96, BF16: 1.3}, PLAIN),  # not worth another rounding
        ({PLAIN: 1.0, LAST: 0.95}, LAST),
        ({PLAIN: 1.0}, PLAIN),
        ({LAST: 1.0}, LAST),
        ({}, PLAIN),
    ],
)
def test_a_configuration_is_kept_only_where_it_wins(seconds, winner):
    assert steady(seconds).winner == winner
    assert not steady(seconds).is_within_noise


@pytest.mark.parametrize(
    ("later", "winner"),
    [
        ({BF16: 0.6, COMPILED: 0.58}, BF16),
        ({BF16: 0.6, COMPILED: 0.57}, COMPILED),
        ({BF16: 0.6, TWO: 0.5}, TWO),
        ({BF16: 0.6, TWO: 0.7}, BF16),
        ({}, BF16),
    ],
)
def test_each_stage_goes_on_from_what_the_one_before_kept(later, winner):
    assert steady({PLAIN: 1.0, BF16: 0.6}, later).winner == winner


@pytest.mark.parametrize("last", [{PLAIN: 1.0, LAST: 0.6, BF16: 0.7}, {PLAIN: 0.6, LAST: 0.6}])
def test_tries_that_do_not_agree_keep_what_there_was(last):
    tries = ({PLAIN: 1.0, LAST: 0.7, BF16: 0.6}, {PLAIN: 1.0, LAST: 0.8, BF16: 0.6}, last)
    found = Trials((tries,), 2)
    assert found.winner == PLAIN and found.is_within_noise
    assert found.seconds[LAST] == 0.7


def test_a_quick_step_is_timed_more_often_than_a_slow_one():
    taken = []

    def step(seconds):
        taken.append(seconds)
        return seconds

    for seconds, number in ((0.01, 21), (0.05, 5), (0.001, 21), (3.0, 2), (0.0, 2)):
        taken.clear()
        assert tuning._least_seconds(lambda seconds=seconds: step(seconds)) == seconds
        assert len(taken) == number


@pytest.mark.parametrize(("two", "winner"), [(0.5, TWO), (0.88, BF16)])
def test_another_number_of_threads_is_tried_with_the_best_form(loader, monkeypatch, two, winner):
    asked = []

    def step_seconds(trainer, x, y):
        asked.append((trainer.recipe.amp, trainer.recipe.channels_last, torch.get_num_threads()))
        form = 0.9 if trainer.recipe.amp and not trainer.recipe.channels_last else 1.0
        return two if torch.get_num_threads() == 2 else form

    monkeypatch.setattr(tuning, "step_seconds", step_seconds)
    with tuning.with_threads(Config(threads=1)):
        found = autotune(
            RECIPE, create_model("lenet_caffe"), loader, 2e6, torch.device("cpu"), other_threads=2
        )
        assert torch.get_num_threads() == 1
    assert {ask[:2] for ask in asked if ask[2] == 2} == {(True, False)}
    assert found.winner == winner and TWO in found.seconds


def test_every_configuration_is_tried_and_the_network_left_alone(loader):
    net = create_model("lenet_caffe", in_channels=1)
    before = copy.deepcopy(net.state_dict())
    found = autotune(RECIPE, net, loader, 2e6, torch.device("cpu"))
    assert found.seconds.keys() == {Config(a, b) for a in (False, True) for b in (False, True)}
    assert found.images == 128 and all(second > 0 for second in found.seconds.values())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert (
        autotune(RECIPE, net, loader, 4e9, torch.device("cpu")).images == 5
    )  # a dear one gets fewer


def test_a_configuration_that_cannot_be_computed_is_left_out(loader, stopwatch, monkeypatch):
    honest = tuning.step_seconds

    def failing(trainer, x, y):
        if trainer.recipe.channels_last:
            raise (
                RunError("the loss became nan")
                if trainer.recipe.amp
                else RuntimeError("not implemented")
            )
        return honest(trainer, x, y)

    monkeypatch.setattr(tuning, "step_seconds", failing)
    found = autotune(RECIPE, create_model("lenet_caffe"), loader, 2e6, torch.device("cpu"))
    assert found.seconds == {PLAIN: 1.0, BF16: 0.9} and found.winner == BF16


@pytest.mark.parametrize("speedup", [0.5, 0.97])
def test_the_best_configuration_is_compiled_where_the_recipe_compiles_and_kept_so_where_it_pays(
    loader, monkeypatch, speedup
):
    def step_seconds(trainer, x, y):
        return (0.6 if trainer.recipe.amp else 1.0) * (speedup if trainer.recipe.compile else 1.0)

    monkeypatch.setattr(tuning, "step_seconds", step_seconds)
    found = autotune(
        RECIPE.change(compile=True), create_model("lenet_caffe"), loader, 2e6, torch.device("cpu")
    )
    assert found.seconds.keys() == {PLAIN, LAST, BF16, Config(True, True), COMPILED}
    assert len(found.stages) == 2 and all(len(stage) == tuning.TRIES for stage in found.stages)
    assert found.winner == (COMPILED if speedup == 0.5 else BF16)


def test_the_run_is_the_one_that_its_recipe_says(tmp_path, stopwatch):
    """The folder's recipe, run again without trials, gives the same bits."""
    train(RECIPE, tmp_path / "a")
    written = recipe_of(tmp_path / "a")
    assert (written.autotune, written.amp, written.channels_last) == (False, True, True)
    train(written, tmp_path / "b")
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_resumed_run_keeps_its_configuration_whatever_would_be_faster_now(
    tmp_path, stopwatch, capsys
):
    train(RECIPE, tmp_path)
    assert "autotune: bf16, channels last, the fastest" in capsys.readouterr().out
    stopwatch[False, False] = 0.1
    arguments = ["train", "lenet_caffe", "--epochs", "1", "--batch-size", "128", "--autotune"]
    assert run([*arguments, "--output", str(tmp_path), "--resume", "auto"]) == 0
    assert "autotune:" not in capsys.readouterr().out
    assert recipe_of(tmp_path).channels_last


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (
            {PLAIN: 0.2, LAST: 0.05},
            "autotune: single precision, channels last, the fastest (a step of 9 images: single "
            "precision 200.0 ms; single precision, channels last 50.0 ms)\n",
        ),
        (
            {PLAIN: 0.2, BF16: 0.3},
            "autotune: single precision, as nothing was 5 % faster (a step of 9 images: single "
            "precision 200.0 ms; bf16 300.0 ms)\n",
        ),
    ],
)
def test_what_was_picked_is_said(seconds, said, capsys):
    Lines().tried(steady(seconds, images=9))
    assert capsys.readouterr().out == said


def test_noise_is_said(capsys):
    tries = ({PLAIN: 0.2, LAST: 0.1}, {PLAIN: 0.2, LAST: 0.1}, {PLAIN: 0.2, LAST: 0.3})
    Lines().tried(Trials((tries,), 9))
    assert capsys.readouterr().out.startswith(
        "autotune: single precision, as what else was faster lies within the noise of three tries "
    )


@pytest.mark.parametrize(("given", "before", "other"), [(0, 2, 1), (2, 2, 0), (0, 1, 0), (1, 2, 0)])
def test_the_other_number_of_threads(given, before, other):
    with (
        tuning.with_threads(Config(threads=before)),
        threads(RECIPE.change(threads=given)) as found,
    ):
        assert found == other
    small = RECIPE.change(threads=given, batch_size=8)  # for which the rule takes one thread
    with tuning.with_threads(Config(threads=before)), threads(small) as found:
        assert found == (2 if other else 0)


@pytest.fixture
def one_is_faster(monkeypatch):
    """One thread than two, which torch has."""

    def step_seconds(trainer, x, y):
        return 0.1 if torch.get_num_threads() == 1 else 1.0

    monkeypatch.setattr(tuning, "step_seconds", step_seconds)
    with tuning.with_threads(Config(threads=2)):
        yield


@pytest.mark.usefixtures("one_is_faster")
def test_the_run_computes_with_the_threads_that_were_kept(tmp_path):
    metrics = train(RECIPE, tmp_path)
    assert recipe_of(tmp_path).threads == 1
    assert metrics["provenance"]["threads"] == 1


@pytest.mark.usefixtures("one_is_faster")
def test_so_does_a_run_that_leaves_nothing_on_disk():
    learnt = learn(RECIPE, open_data("digits"), Callback())
    assert learnt.provenance["threads"] == learnt.provenance["recipe"]["threads"] == 1
    assert torch.get_num_threads() == 2


def test_a_gpu_tries_the_whole_batch():
    work = 4e9  # multiply-adds of one image
    assert tuning.trial_images(64, work, torch.device("cpu")) == 5
    assert tuning.trial_images(64, 100 * work, torch.device("cpu")) == 2
    assert tuning.trial_images(3, work, torch.device("cpu")) == 3
    assert tuning.trial_images(64, work, torch.device("cuda")) == 64
