"""The plain networks of the ResNet paper: the same layers, and no way past them."""

import pytest
import torch
import torch.nn as nn

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def blueprint(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name)


def layers(net: nn.Module) -> list[tuple]:
    kinds = nn.Conv2d | nn.BatchNorm2d | nn.Linear
    return [tuple(p.shape for p in m.parameters()) for m in net.modules() if isinstance(m, kinds)]


@pytest.mark.parametrize(
    ("plain", "residual"),
    [
        ("plain18", "resnet18_option_a"),
        ("plain34", "resnet34_option_a"),
        ("plain20_cifar", "resnet20_cifar"),
        ("plain56_cifar", "resnet56_cifar"),
    ],
)
def test_layers_are_those_of_the_resnet_whose_shortcuts_have_no_parameters(plain, residual):
    """Sec. 3.3 and 4.2: "exactly the same depth, width, and number of parameters"."""
    assert layers(blueprint(plain)) == layers(blueprint(residual))


def test_each_unit_is_two_layers_and_nothing_else():
    torch.manual_seed(0)
    unit = create_model("plain20_cifar").eval().stage2[0]
    x = torch.randn(2, 16, 8, 8)
    with torch.no_grad():
        by_hand = unit.conv2(unit.conv1(x).relu()).relu()
        assert torch.equal(unit(x), by_hand)
        for layer in (unit.conv1, unit.conv2):
            layer.bn.weight.zero_()
        assert not unit(x).any()  # a shortcut would let x through


def test_option_c_has_thirteen_projections_more_than_option_b():
    """Sec. 4.1: "many (thirteen) projection shortcuts"."""

    def projections(name):
        net = blueprint(name)
        return [m for path, m in net.named_modules() if path.endswith("shortcut.conv")]

    assert len(projections("resnet34_option_c")) - len(projections("resnet34")) == 13
    assert {conv.kernel_size for conv in projections("resnet34_option_c")} == {(1, 1)}
