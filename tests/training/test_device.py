"""Where a run computes: the choice, and what a device that knows no doubles is spared."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from convatlas import machine
from convatlas.data import Loader, fit_preprocess, open_data
from convatlas.errors import RunError
from convatlas.evaluation import MultiCrop, evaluate
from convatlas.model_file import Saved
from convatlas.prediction import predict_fitted
from convatlas.registry import create_model
from convatlas.training import Recipe, forecast
from convatlas.training.optimisers import OPTIMISERS
from convatlas.training.prepare import device_of, device_type
from convatlas.training.trainer import Trainer


@pytest.fixture
def devices(monkeypatch):
    """devices("mps"): a machine on which torch says that it has these, and no others."""
    monkeypatch.delenv("RANK", raising=False)

    def have(*kinds: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in kinds)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in kinds)

    return have


@pytest.mark.parametrize(
    ("kinds", "taken"),
    [(("cuda", "mps"), "cuda"), (("mps",), "mps"), (("cuda",), "cuda"), ((), "cpu")],
)
def test_auto_takes_the_best_device_that_there_is(devices, kinds, taken):
    devices(*kinds)
    assert device_type(Recipe()) == taken
    assert device_type(Recipe(device="cpu")) == "cpu"
    for kind in kinds:
        assert device_type(Recipe(device=kind)) == kind


@pytest.mark.parametrize(
    ("kind", "what"), [("cuda", "no CUDA device"), ("mps", r"no Mac's GPU \(Metal\)")]
)
def test_a_device_that_is_not_there_is_one_sentence(devices, kind, what):
    devices()
    sentence = f"device = '{kind}', but this machine has {what} that torch can use; leave --device"
    with pytest.raises(RunError, match=sentence):
        device_type(Recipe(device=kind))


def test_a_macs_gpu_serves_one_process(devices, monkeypatch):
    devices("mps")
    launched = ("RANK", 0), ("WORLD_SIZE", 2), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", 9)
    for name, value in launched:
        monkeypatch.setenv(name, str(value))
    assert device_type(Recipe()) == "cpu"
    with pytest.raises(RunError, match="cannot be shared by several processes; start one without"):
        device_type(Recipe(device="mps"))


class OnDevice(torch.Tensor):
    """A tensor as a Mac's GPU would hold it: it cannot be made double until it is on the CPU."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), named=None):
        if function is torch.Tensor.cpu:
            return arguments[0].as_subclass(torch.Tensor)
        wanted = (*arguments, *(named or {}).values())
        if function is torch.Tensor.double or any(what is torch.float64 for what in wanted):
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return super().__torch_function__(function, types, arguments, named or {})


class Answers(nn.Module):
    """A network whose answers lie on such a device."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net, self.largest = net, net.largest

    def forward(self, x):
        return self.net(x).as_subclass(OnDevice)


def test_answers_become_double_on_the_cpu_only():
    data = open_data("digits")
    prep, test = fit_preprocess(data, 28), data.test.subset(np.arange(8))
    net = Answers(create_model("lenet1989", in_channels=1)).eval()
    with pytest.raises(TypeError, match="float64"):
        net(torch.zeros(1, 1, 28, 28)).double()
    for views in (None, MultiCrop("10", (32,))):
        found = evaluate(net, Loader(test, prep, 4), 10, views=views)
        assert found.count == 8
    saved = Saved(net, "lenet1989", data.classes, prep, {})
    assert len(predict_fitted(saved, torch.zeros(3, 1, 28, 28, dtype=torch.uint8), 2)) == 3


class NoDoubles(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        found = function(*arguments, **(named or {}))
        made = found if isinstance(found, (tuple, list)) else [found]
        assert torch.float64 not in [getattr(tensor, "dtype", None) for tensor in made], function
        return found


@pytest.mark.parametrize("opt", OPTIMISERS)
@pytest.mark.parametrize("loss", ["cross-entropy", "map", "squared-error"])
def test_a_step_makes_no_doubles(opt, loss):
    """A Mac's GPU has none."""
    ema = {"ema": 0.99} if loss == "map" else {"clip_grad": 1.0}
    recipe = Recipe(network="lenet1989", opt=opt, loss=loss, accumulate=2, **ema)
    trainer = Trainer(recipe, create_model("lenet1989"), 9, torch.device("cpu"))
    x, y = torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 3])
    with NoDoubles():
        for labels in (y, nn.functional.one_hot(y, 10).float()):
            trainer.step(x, labels)


def test_what_the_system_does_not_tell_is_not_forecast(monkeypatch):
    monkeypatch.setattr(machine, "resource", None)
    monkeypatch.setattr(machine, "_pages", lambda process: None)
    assert machine.resident() is None
    trainer = Trainer(Recipe(), create_model("lenet5"), 1, torch.device("cpu"))
    x = torch.rand(2, 1, 32, 32)
    assert forecast._memory(trainer, 2, 1e6, x, None) is None
    trainer.device = device_of("mps", trainer.group)
    assert forecast._memory(trainer, 2, 2e6, x, None) > 2e6
