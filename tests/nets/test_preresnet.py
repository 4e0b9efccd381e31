"""Where the activations of the pre-activation networks stand."""

import pytest
import torch
import torch.nn as nn

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

UNITS = {
    "preresnet50": 16,
    "preresnet101": 33,
    "preresnet152": 50,
    "preresnet200": 66,  # 16 more than 152
    "preresnet110_cifar": 54,
    "preresnet164_cifar": 54,
    "preresnet1001_cifar": 333,
}


def blueprint(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name).eval()


def units(net: nn.Module) -> list[nn.Module]:
    return [unit for stage in net.stages[1:] for unit in getattr(net, stage)]


@pytest.mark.parametrize("name", UNITS)
def test_one_activation_before_each_convolution_but_the_first(name):
    """Sec. 4.2: "the inputs to all weight layers have been normalized", by one batch norm each."""
    net = blueprint(name)
    assert len(units(net)) == UNITS[name]
    assert isinstance(units(net)[0].activation, nn.Identity)
    assert all(isinstance(unit.activation, nn.Sequential) for unit in units(net)[1:])
    convolutions = [
        path
        for path, m in net.named_modules()
        if isinstance(m, nn.Conv2d) and "shortcut" not in path
    ]
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == len(
        convolutions
    )  # one after conv1 and before each other; one for the classifier
    assert all("branch" in path for path in convolutions[1:])


@pytest.mark.parametrize("name", ["preresnet50", "preresnet110_cifar", "preresnet164_cifar"])
def test_the_way_between_units_is_free(name):
    """x_L = x_l + the branches between, Eq. (4): without branches, a unit that keeps its shape
    changes nothing.
    """
    torch.manual_seed(0)
    net = create_model(name).eval()
    kept = [unit for unit in units(net) if not hasattr(unit, "shortcut")]
    assert (
        len(units(net)) - len(kept)
        == {"preresnet50": 4, "preresnet110_cifar": 2, "preresnet164_cifar": 3}[name]
    )
    for unit in kept:
        nn.init.zeros_(list(unit.branch)[-1].weight)
    c = list(kept[0].branch)[-1].out_channels
    x = torch.randn(2, c, 4, 4)
    with torch.no_grad():
        assert torch.equal(kept[0](x), x)


@pytest.mark.parametrize("name", ["preresnet50", "preresnet110_cifar", "preresnet164_cifar"])
def test_where_dimensions_increase_both_ways_are_activated(name):
    torch.manual_seed(0)
    net = create_model(name).eval()
    unit = getattr(net, net.stages[2])[0]
    x = torch.randn(
        2, next(m.num_features for m in unit.activation if hasattr(m, "num_features")), 8, 8
    )
    with torch.no_grad():
        activated = unit.activation(x)
        assert activated.min() == 0
        torch.testing.assert_close(unit(x), unit.shortcut(activated) + unit.branch(activated))
        assert unit(x).shape[2:] == (4, 4)
        assert torch.equal(
            unit(-x.abs() * 1e3), torch.zeros_like(unit(x))
        )  # nothing passes a closed activation
    strided = [
        path for path, m in unit.branch.named_modules() if getattr(m, "stride", None) == (2, 2)
    ]
    assert strided == ["conv1"]
