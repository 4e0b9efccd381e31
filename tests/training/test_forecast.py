"""The forecast: exact where bytes can be counted, near where time is measured, and without a trace
in the run.
"""

import copy

import pytest
import torch
from torch import nn

from convatlas.data import Augment, Loader, fit_preprocess, open_data
from convatlas.registry import create_model
from convatlas.training import Recipe
from convatlas.training import forecast as room
from convatlas.training.trainer import Trainer

CPU = torch.device("cpu")
COUNT = {"train": 1131, "val": 126, "test": 540}


@pytest.fixture(scope="module")
def loader():
    data = open_data("digits")
    return Loader(data.train, fit_preprocess(data, 32), 64, augment=Augment(shift=1))


def test_what_a_step_keeps_is_counted_once_for_each_storage():
    """A convolution keeps its input, the ReLU after it its own output, the classifier its input,
    which is that same storage; the loss the log-probabilities and the labels.
    """
    net = nn.Sequential(
        nn.Conv2d(1, 4, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 10)
    )
    trainer = Trainer(Recipe(network="lenet5"), net, 1, CPU)
    x, y = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
    counted = room._saved_bytes(trainer, x, y)
    kept = 4 * (x.numel() + 2 * 4 * 64 + 2 * 10) + 8 * 2
    assert 0 <= counted - kept - room.PASSING * 4 * 2 * 4 * 64 <= 64


def test_the_network_and_the_generator_are_left_alone(loader):
    net = create_model("lenet5", in_channels=1)
    recipe, before = Recipe(network="lenet5", batch_size=64), copy.deepcopy(net.state_dict())
    assert room.forecast(recipe, net, loader, COUNT, 4e5, CPU, 3)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_epochs_add_up(loader, monkeypatch):
    """With each step of the probe taking 2 s and reading nothing: 17 steps, and thirds for
    validation and test.
    """
    monkeypatch.setattr(room, "step_seconds", lambda probe, x, y: 2.0)
    monkeypatch.setattr(
        room, "_timed_sample", lambda loader, count: (*loader.sample(count)[:2], 0.0)
    )
    net = create_model("lenet5", in_channels=1)
    coming = room.forecast(Recipe(network="lenet5", batch_size=64), net, loader, COUNT, 4e5, CPU, 3)
    assert coming.step == pytest.approx(2.0)
    each = 2 / 64 / 3
    assert coming.epoch == pytest.approx(17 * 2 + 126 * each)
    assert coming.rest == pytest.approx(3 * coming.epoch + 540 * each)


def test_a_dear_network_is_probed_with_few_images(loader, monkeypatch):
    asked = []
    monkeypatch.setattr(
        room,
        "_timed_sample",
        lambda loader, count: asked.append(count) or (*loader.sample(count)[:2], 0.0),
    )
    net = create_model("lenet5", in_channels=1)
    for macs in (4e5, 1e9, 1e12):
        room.forecast(Recipe(network="lenet5", batch_size=64), net, loader, COUNT, macs, CPU, 1)
    assert asked == [64, 6, 2]


@pytest.mark.parametrize(
    ("compute", "reading", "workers", "step"),
    [(3.0, 1.0, 0, 4.0), (1.0, 8.0, 4, 9 / 2), (3.0, 0.5, 1, 3.0), (1.0, 9.0, 1, 9.0)],
)
def test_reading_goes_on_beside_as_far_as_there_are_cores(
    monkeypatch, compute, reading, workers, step
):
    monkeypatch.setattr(room, "cores", lambda: 2)
    monkeypatch.setattr(room.torch, "get_num_threads", lambda: 1)
    assert room._with_reading(compute, reading, workers, CPU) == pytest.approx(step)


def test_memory_grows_with_the_batch_by_what_is_kept(loader):
    net = create_model("lenet5", in_channels=1)
    trainer = Trainer(Recipe(network="lenet5"), net, 1, CPU)
    x, y, _ = loader.sample(4)
    trainer.step(x, y)
    base = 10**11  # beyond what any test process has held
    small, large = (room._memory(trainer, batch, batch * 1e6, x, base) for batch in (10, 20))
    assert large - small == 10 * (10**6 + 4 * 32 * 32)
    weights = 4 * sum(p.numel() for p in net.parameters())
    kept = sum(b.numel() * b.element_size() for b in net.buffers())
    assert small - base - 10 * (10**6 + 4 * 32 * 32) == pytest.approx(
        2 * (weights + kept) + 2 * weights,
        rel=0.02,  # best, gradients; moments
    )


def test_a_network_that_gives_nonsense_has_no_forecast(loader):
    net = create_model("lenet5", in_channels=1)
    with torch.no_grad():
        next(net.parameters()).fill_(float("nan"))
    assert (
        room.forecast(Recipe(network="lenet5", batch_size=64), net, loader, COUNT, 4e5, CPU, 1)
        is None
    )


def test_memory_is_that_of_the_batch_however_few_images_the_probe_has(loader, monkeypatch):
    monkeypatch.setattr(room, "highest", lambda: 0)
    monkeypatch.setattr(room, "resident", lambda: 0)
    net, recipe = create_model("lenet5", in_channels=1), Recipe(network="lenet5", batch_size=64)
    told = [
        room.forecast(recipe, net, loader, COUNT, macs, CPU, 1).memory for macs in (4e5, 1e9, 1e12)
    ]
    assert max(told) < 1.1 * min(told)
