"""On a GPU a deterministic recipe asks torch for kernels that repeat; afterwards all is as before."""

import os

import pytest
import torch

from convatlas.errors import RunError
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.determinism import WORKSPACE, deterministic


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        os.environ.get(WORKSPACE),
    )


def test_it_holds_inside_and_is_undone_outside(monkeypatch):
    monkeypatch.delenv(WORKSPACE, raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    before = settings()
    with deterministic(True, "cuda"):
        assert settings() == (True, False, True, False, ":4096:8")
    assert settings() == before
    with pytest.raises(KeyError), deterministic(True, "cuda"):
        raise KeyError
    assert settings() == before


def test_a_workspace_of_one_s_own_is_kept(monkeypatch):
    monkeypatch.setenv(WORKSPACE, ":16:8")
    with deterministic(True, "cuda"):
        assert os.environ[WORKSPACE] == ":16:8"
    assert os.environ[WORKSPACE] == ":16:8"


@pytest.mark.parametrize(("wanted", "kind"), [(False, "cuda"), (True, "cpu")])
def test_nothing_is_set_where_it_is_not_asked_for_or_bits_repeat_anyway(wanted, kind):
    before = settings()
    with deterministic(wanted, kind):
        assert settings() == before


def test_an_operation_that_cannot_repeat_is_named():
    with (
        pytest.raises(RunError, match="cannot repeat adaptive_max_pool2d_backward_cuda to the bit"),
        deterministic(True, "cuda"),
    ):
        raise RuntimeError(
            "adaptive_max_pool2d_backward_cuda does not have a deterministic implementation, but "
            "you set 'torch.use_deterministic_algorithms(True)'."
        )
    with pytest.raises(RuntimeError, match="something else"), deterministic(True, "cuda"):
        raise RuntimeError("something else")


def test_on_the_processor_bits_are_the_same_with_and_without(tmp_path):
    recipe = Recipe(network="lenet1989", epochs=1, batch_size=512)
    for name, wanted in (("plain", False), ("asked", True)):
        train(recipe.change(deterministic=wanted), tmp_path / name, callback=Callback())
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("plain", "asked")]
    assert weights[0] == weights[1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_two_runs_have_the_same_bits(tmp_path):
    recipe = Recipe(network="resnet20_cifar", epochs=1, batch_size=128, deterministic=True)
    for name in ("one", "two"):
        train(recipe, tmp_path / name, callback=Callback())
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
