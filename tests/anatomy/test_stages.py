"""features(): the right tensors in the right order, and no trace of it left after."""

import pytest
import torch
import torch.nn as nn

from convatlas.anatomy import features


class Staged(nn.Sequential):
    stages = ("1", "0.0")

    def __init__(self):
        super().__init__(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.MaxPool2d(2), nn.Conv2d(4, 5, 1)
        )


def hooks(net: nn.Module) -> int:
    return sum(len(layer._forward_hooks) for layer in net.modules())


def test_features_are_the_stages_in_order_with_gradients():
    net, x = Staged(), torch.rand(2, 3, 6, 6)
    seen = features(net, x)
    assert list(seen) == ["1", "0.0"]
    assert torch.equal(seen["0.0"], net[0][0](x))
    assert torch.equal(seen["1"], net[1](net[0](x)))
    seen["1"].sum().backward()
    assert net[0][0].weight.grad is not None
    assert (net.training, hooks(net)) == (True, 0)


def test_hooks_go_even_when_the_network_fails():
    net = Staged()
    with pytest.raises(RuntimeError):
        features(net, torch.rand(1, 4, 6, 6))
    assert hooks(net) == 0


def test_a_network_without_stages_is_refused():
    with pytest.raises(ValueError, match="Sequential names no stages"):
        features(nn.Sequential(nn.ReLU()), torch.rand(1, 3, 2, 2))


def test_a_stage_that_never_runs_is_named():
    net = Staged()
    net.unused, net.stages = nn.ReLU(), ("1", "unused")
    net.forward = lambda x: net[1](net[0](x))
    with pytest.raises(ValueError, match="'unused'"):
        features(net, torch.rand(1, 3, 6, 6))
    assert hooks(net) == 0
