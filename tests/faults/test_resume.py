"""Rows 10, 11, 14, 15 and 38 of the fault matrix; 12 is in test_distributed.py, 13 in
test_checkpoints.py, 23 and the short form of 10 in tests/training/test_run.py, and 27 in
tests/training/test_written_out.py.
"""

import os
import signal
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image
from ranks import SMALL, weights

from convatlas.data import Augment, Loader
from convatlas.errors import RunError, Stopped
from convatlas.training import Recipe, prepare, train
from convatlas.training import run as run_module
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import load_newest, read_step, steps
from convatlas.training.trainer import Trainer

EVERYTHING = {
    "pad": 2,
    "flip": True,
    "shift": 1.5,
    "rotate": 10,
    "scale": 0.1,
    "squeeze": 0.1,
    "shear": 0.1,
    "crop": "random-resized",
    "resize": (40,),
    "crop_scale": (0.3, 1.0),
    "crop_ratio": (0.75, 1.3333),
    "color_jitter": 0.4,
    "lighting": 0.1,
    "auto_augment": "randaugment",
    "random_erasing": 0.25,
    "mixup": 0.2,
    "cutmix": 1.0,
    "sizes": (32, 40),
}


class Stop(Callback):
    def __init__(self, at: int):
        self.at = at

    def step(self, progress, loss, rate):
        if progress.step == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


def images_in(folder: Path) -> Path:
    """72 images of two classes on disk, of which 48 make three steps an epoch."""
    dice = torch.Generator().manual_seed(0)
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for i in range(36):
            pixels = torch.randint(0, 256, (32, 32, 3), dtype=torch.uint8, generator=dice)
            Image.fromarray(pixels.numpy()).save(folder / label / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def streamed(tmp_path_factory):
    """Dropout, batch norm, an average and every distortion; images are read by workers. (recipe,
    its whole run)
    """
    place = tmp_path_factory.mktemp("streamed")
    recipe = Recipe(
        network="mobilenet_v2_x0_35",
        size=32,
        data=str(images_in(place / "set")),
        epochs=2,
        batch_size=16,
        opt="rmsprop-tf",
        lr=1e-3,
        eps=1e-3,
        warmup_epochs=0.5,
        ema=0.9,
        decay_norm=False,
        clip_grad=1.0,
        accumulate=2,
        sched="exponential",
        decay_epochs=0.3,
        gamma=0.9,
        label_smoothing=0.1,
        save_every=60,
        val_fraction=0.11,
        **EVERYTHING,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "Loader", partial(Loader, memory_limit=0))
        train(recipe, place / "whole")
        yield recipe, place / "whole"


def without_seconds(checkpoint) -> dict:
    """The state but for what no two runs have in common: how long they took, and their names."""
    state = checkpoint.state
    return {
        **state,
        "about": state["about"] | {"run": ""},
        "log": [line | {"seconds": 0} for line in state["log"]],
        "progress": state["progress"] | {"seconds": 0},
    }


def assert_equal_checkpoints(one: Path, two: Path) -> None:
    """All that the last one holds: weights, average, moments, best weights, scores, counters (rows
    10 and 14).
    """
    a, b = (load_newest(folder / "checkpoints", pytest.fail) for folder in (one, two))
    assert without_seconds(a) == without_seconds(b)
    for part in ("model", "train_state"):
        left, right = getattr(a, part), getattr(b, part)
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left)


def test_the_recipe_above_uses_every_distortion_there_is():
    unused = {f.name for f in fields(Augment)} - EVERYTHING.keys()
    assert unused <= set(), f"give {unused} a value in EVERYTHING"


@pytest.mark.parametrize(
    ("workers", "at"),
    [
        (2, 5),
        *(
            pytest.param(workers, at, marks=pytest.mark.full)
            for workers in (0, 1, 2, 4)
            for at in range(1, 7)
        ),
    ],
)
def test_cut_at_any_step_with_any_number_of_workers_it_ends_with_the_same_bits(
    streamed, tmp_path, workers, at
):
    recipe, whole = streamed
    with pytest.raises(Stopped, match=f"at step {at}, saved"):
        train(recipe.change(workers=workers), tmp_path, callback=Stop(at))
    assert train(recipe.change(workers=0 if workers else 1), tmp_path, resume=True)["steps"] == 6
    assert weights(tmp_path) == weights(whole)
    if at < 6:  # the last step's checkpoint is not written a second time, after validation
        assert_equal_checkpoints(tmp_path, whole)


def test_a_resume_whose_next_scores_are_worse_keeps_the_best_weights(tmp_path, monkeypatch):
    """Row 15. 90 of 126 in the first epoch, fewer ever after."""
    real, seen = run_module._Run._evaluate, []

    def scripted(self, loader, *ways):
        found = real(self, loader, *ways)
        if loader.split is self.data.test:
            return found
        seen.append(
            {name: tensor.clone() for name, tensor in self.trainer.result.state_dict().items()}
        )
        hits = 90 if len(seen) == 1 else 20
        answers = [[0, 0, 1]] * hits + [[0, 1, 1]] * (126 - hits)
        return replace(found, answers=torch.tensor(answers))

    monkeypatch.setattr(run_module._Run, "_evaluate", scripted)
    with pytest.raises(Stopped):
        train(SMALL.change(epochs=3), tmp_path, callback=Stop(6))
    best = {
        name[5:]: tensor
        for name, tensor in load_newest(tmp_path / "checkpoints", pytest.fail).train_state.items()
        if name.startswith("best.")
    }
    metrics = train(SMALL.change(epochs=3), tmp_path, resume=True)
    assert metrics["validation"] == {"accuracy": 90 / 126, "epoch": 1, "images": 126}
    assert all(torch.equal(best[name], tensor) for name, tensor in seen[0].items())
    from safetensors.torch import load

    saved = load(weights(tmp_path))
    assert all(torch.equal(saved[name], tensor) for name, tensor in seen[0].items())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_finite_weights(
    tmp_path, monkeypatch, value
):
    """Row 38, at step 5: the second batch of the second epoch."""
    real = Trainer._differentiate

    def broken(self, x, y, whole):
        loss_sum, *rest = real(self, x, y, whole)
        return [value if self.progress.step == 5 else loss_sum, *rest]

    monkeypatch.setattr(Trainer, "_differentiate", broken)
    with pytest.raises(
        RunError, match=rf"the loss became {value} at step 5 \(epoch 2, batch 2\); nothing of it"
    ):
        train(SMALL.change(save_every=1e-9), tmp_path)
    for step in steps(tmp_path / "checkpoints"):
        assert all(tensor.isfinite().all() for tensor in read_step(step).model.values())
    monkeypatch.undo()
    assert train(SMALL, tmp_path, resume=True)["steps"] == 8


def test_weights_that_are_no_longer_finite_are_not_saved(tmp_path, monkeypatch):
    """A gradient may overflow where the loss does not."""
    real = Trainer._differentiate

    def broken(self, x, y, whole):
        found = real(self, x, y, whole)
        if self.progress.step == 2:
            next(self.net.parameters()).grad.fill_(float("inf"))
        return found

    monkeypatch.setattr(Trainer, "_differentiate", broken)
    with pytest.raises(RunError, match="is no longer finite after step 3; nothing of it was saved"):
        train(SMALL, tmp_path, callback=Stop(3))
    assert all(step.name < "step-00000003" for step in steps(tmp_path / "checkpoints"))
