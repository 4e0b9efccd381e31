"""Tables 1 and 2 of "Identity Mappings in Deep Residual Networks": each unit by its formula."""

import pytest
import torch
import torch.nn.functional as F

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def unit_of(name: str, stage: str, number: int):
    """A unit with running statistics and scales that are not those of the start."""
    torch.manual_seed(0)
    unit = getattr(create_model(name), stage)[number].double().eval()
    for module in unit.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias)
        if getattr(module, "bias", None) is not None and hasattr(module, "kernel_size"):
            assert (module.bias == -6).all()  # Table 1: initial b_g = -6
            torch.nn.init.normal_(module.bias)
    return unit


def norm(bn, x):
    return F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias, eps=1e-5)


def branch(unit, x):
    """F of the original unit: weight BN ReLU weight BN."""
    b = unit.branch
    x = norm(b.conv1.bn, F.conv2d(x, b.conv1.conv.weight, stride=b.conv1.conv.stride, padding=1))
    return norm(b.conv2.bn, F.conv2d(x.relu(), b.conv2.conv.weight, padding=1))


def identity(unit, x):
    """Option (A): every second pixel and zeros for the new channels, where the unit strides."""
    stride = unit.branch.conv1.conv.stride[0]
    new = unit.branch.conv1.conv.out_channels - x.shape[1]
    return F.pad(x[..., ::stride, ::stride], (0, 0, 0, 0, 0, new))


def gate(unit, x):
    stride = unit.branch.conv1.conv.stride
    return F.conv2d(x, unit.gate.weight, unit.gate.bias, stride=stride).sigmoid()


def conv_shortcut(unit, x):
    h = unit.shortcut
    return norm(h.bn, F.conv2d(x, h.conv.weight, stride=unit.branch.conv1.conv.stride))


SHORTCUTS = {
    "constant_scaling": lambda u, x: (branch(u, x) + 0.5 * identity(u, x)).relu(),
    "frozen_gating": lambda u, x: (0.5 * branch(u, x) + 0.5 * identity(u, x)).relu(),
    "exclusive_gating": lambda u, x: (
        gate(u, x) * branch(u, x) + (1 - gate(u, x)) * identity(u, x)
    ).relu(),
    "shortcut_gating": lambda u, x: (branch(u, x) + (1 - gate(u, x)) * identity(u, x)).relu(),
    "conv_shortcut": lambda u, x: (branch(u, x) + conv_shortcut(u, x)).relu(),
    "dropout_shortcut": lambda u, x: (branch(u, x) + identity(u, x)).relu(),  # in evaluation
}


@pytest.mark.parametrize("case", SHORTCUTS)
@pytest.mark.parametrize(("stage", "number"), [("stage1", 4), ("stage2", 0)])
def test_what_is_on_the_shortcuts(case, stage, number):
    unit = unit_of(f"resnet110_cifar_{case}", stage, number)
    x = torch.randn(2, 16, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(unit(x), SHORTCUTS[case](unit, x))


def test_dropout_is_on_the_shortcut_alone():
    unit = unit_of("resnet110_cifar_dropout_shortcut", "stage1", 4)
    unit.shortcut.dropout.train()
    x = torch.rand(2, 16, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        for conv in (unit.branch.conv1, unit.branch.conv2):
            conv.bn.weight.zero_()
            conv.bn.bias.zero_()
        out = unit(x)
    kept = out != 0
    torch.testing.assert_close(out[kept], 2 * x[kept])
    assert 0.35 < float(kept.double().mean()) < 0.65


def without_last_norm(unit, x):
    b = unit.branch
    x = norm(b.conv1.bn, F.conv2d(x, b.conv1.conv.weight, stride=b.conv1.conv.stride, padding=1))
    return F.conv2d(x.relu(), b.conv2.weight, padding=1)


ACTIVATIONS = {
    "bn_after_addition": lambda u, x: norm(u.bn, without_last_norm(u, x) + identity(u, x)).relu(),
    "relu_before_addition": lambda u, x: branch(u, x).relu() + identity(u, x),
}


@pytest.mark.parametrize("case", ACTIVATIONS)
@pytest.mark.parametrize(("stage", "number"), [("stage1", 4), ("stage2", 0)])
def test_where_the_activations_stand(case, stage, number):
    unit = unit_of(f"resnet110_cifar_{case}", stage, number)
    x = torch.randn(2, 16, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(unit(x), ACTIVATIONS[case](unit, x))


def test_relu_only_preactivation():
    """The shortcut passes what the ReLU has not seen, but where dimensions increase."""
    x = torch.randn(2, 16, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        kept = unit_of("resnet110_cifar_relu_preactivation", "stage1", 4)
        torch.testing.assert_close(kept(x), x + branch(kept, x.relu()))
        first = unit_of("resnet110_cifar_relu_preactivation", "stage2", 0)
        y = x.relu()
        torch.testing.assert_close(first(x), identity(first, y) + branch(first, y))


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("resnet164_cifar", 54),
        ("resnet1001_cifar", 333),
        ("resnet110_cifar_one_layer", 108),
        ("preresnet110_cifar_one_layer", 108),
    ],
)
def test_how_many_units(name, units):
    """Sec. 4.1: "333 Residual Units (111 on each feature map size)"; one layer a unit: 110 - 2."""
    with shapes_only():
        net = create_model(name)
    assert [len(getattr(net, stage)) for stage in net.stages[1:]] == [units // 3] * 3
