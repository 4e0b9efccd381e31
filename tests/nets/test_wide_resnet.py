"""What widening widens: the units, and nothing before or beside them."""

import pytest
import torch.nn as nn

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def blueprint(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name)


@pytest.mark.parametrize("depth", [16, 22, 28])
def test_n_counts_the_convolutions_with_the_projections(depth):
    """Sec. 2.3: "a total number of convolutional layers n"."""
    net = blueprint(f"wide_resnet{depth}_{8 if depth < 28 else 10}_cifar")
    assert sum(isinstance(m, nn.Conv2d) for m in net.modules()) == depth


def test_widths_are_multiples_of_the_thin_network_s_but_for_conv1():
    """Table 1: 16, then 16k, 32k and 64k."""
    net = blueprint("wide_resnet40_4_cifar")
    assert net.conv1.out_channels == 16
    for stage, thin in (("stage1", 16), ("stage2", 32), ("stage3", 64)):
        units = getattr(net, stage)
        assert len(units) == 6
        assert {u.branch.conv1.out_channels for u in units} == {4 * thin}
        assert {u.branch.conv2.out_channels for u in units} == {4 * thin}


def test_dropout_stands_between_relu_and_second_convolution():
    """Sec. 2.4: "between convolutions" and "after ReLU"."""
    unit = blueprint("wide_resnet28_10_cifar_dropout").stage2[1]
    assert list(dict(unit.branch.named_children())) == [
        "conv1",
        "activation2",
        "dropout",
        "conv2",
    ]


def test_a_gate_ends_the_branch():
    unit = blueprint("se_wide_resnet16_8_cifar").stage1[0]
    assert list(dict(unit.branch.named_children()))[-1] == "se"
    assert (unit.branch.se.w1.in_features, unit.branch.se.w1.out_features) == (128, 8)


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("wide_resnet18_1_5", [96, 192, 384, 768]),
        ("wide_resnet34_2", [128, 256, 512, 1024]),
        ("wide_resnet50_2", [256, 512, 1024, 2048]),
    ],
)
def test_widths_for_imagenet(name, widths):
    """WRN-50-2 widens only within its units."""
    net = blueprint(name)
    assert net.conv1.conv.conv.out_channels == 64
    assert [getattr(net, f"conv{i}_x").c_out for i in range(2, 6)] == widths


def test_the_inner_3x3_of_wrn_50_2_is_twice_as_wide_and_strides():
    unit = blueprint("wide_resnet50_2").conv3_x[0].branch
    assert (unit.conv2.conv.in_channels, unit.conv2.conv.out_channels) == (256, 256)
    assert [getattr(unit, f"conv{i}").conv.stride[0] for i in (1, 2, 3)] == [1, 2, 1]
