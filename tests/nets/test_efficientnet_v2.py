"""EfficientNetV2: what is fused, what is padded, and how its smaller forms are scaled."""

import pytest
import torch
import torch.nn as nn

from convatlas.layers import ConvBN, Same
from convatlas.nets.efficientnet import MBConv, SqueezeExcite
from convatlas.nets.efficientnet_v2 import FusedMBConv
from convatlas.registry import create_model

META = torch.device("meta")


def blueprint(name: str) -> nn.Module:
    with META:
        return create_model(name)


def kinds(name: str) -> list[type]:
    """Of the blocks of each stage but the first and the last."""
    net = blueprint(name)
    found = [{type(block) for block in net.get_submodule(stage)} for stage in net.stages[1:-1]]
    assert all(len(kind) == 1 for kind in found)
    return [kind.pop() for kind in found]


def test_the_first_three_stages_are_fused():
    assert kinds("efficientnet_v2_s") == [FusedMBConv] * 3 + [MBConv] * 3
    assert kinds("efficientnet_v2_m") == [FusedMBConv] * 3 + [MBConv] * 4


def test_every_gate_is_a_quarter_of_the_blocks_input():
    """Table 4: SE0.25 in the last three stages, none before."""
    net = blueprint("efficientnet_v2_s")
    gates = [m for m in net.modules() if isinstance(m, SqueezeExcite)]
    assert len(gates) == 6 + 9 + 15
    assert [gates[i].squeeze.out_channels for i in (0, 1, 6, 15, 16)] == [16, 32, 32, 40, 64]


def test_a_block_that_does_not_expand_is_one_convolution_and_its_activation():
    layers = blueprint("efficientnet_v2_s").stage1[0].layers
    assert list(dict(layers.named_children())) == ["project", "swish_p"]
    layers = blueprint("efficientnet_v2_s").stage2[0].layers
    assert list(dict(layers.named_children())) == ["expand", "swish_e", "project"]


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("efficientnet_v2_b0", [32, 16, 32, 48, 96, 112, 192, 1280]),
        ("efficientnet_v2_b2", [32, 16, 32, 56, 104, 120, 208, 1408]),
        # 16 x 1.2 is 19.2: 16, though that is more than a tenth below, unlike in EfficientNet
        ("efficientnet_v2_b3", [40, 16, 40, 56, 112, 136, 232, 1536]),
    ],
)
def test_widths_are_the_nearest_multiples_of_8(name, widths):
    net, x = blueprint(name).eval(), torch.empty(1, 3, 64, 64, device=META)
    found = []
    for stage in net.stages:
        x = net.get_submodule(stage)(x)
        found.append(x.shape[1])
    assert found == widths


def test_only_strided_convolutions_are_padded_unevenly():
    net, form = blueprint("efficientnet_v2_s"), blueprint("efficientnet_v2_s_torchvision")
    assert [(m.k, m.s) for m in net.modules() if isinstance(m, Same)] == [(3, 2)] * 5
    assert not any(isinstance(m, Same) for m in form.modules())


@pytest.mark.parametrize(
    ("name", "momentum"), [("efficientnet_v2_s", 0.01), ("efficientnet_v2_s_torchvision", 0.1)]
)
def test_batch_norm(name, momentum):
    norms = [m for m in blueprint(name).modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(m.eps, m.momentum) for m in norms} == {(0.001, momentum)}


@pytest.mark.parametrize(("c_in", "s", "left_out"), [(8, 1, True), (8, 2, False), (4, 1, False)])
def test_a_fused_block_is_left_out_only_where_it_has_a_shortcut(c_in, s, left_out):
    torch.manual_seed(0)
    block, x = FusedMBConv(c_in, 8, 4, 3, s, ConvBN, drop=1.0), torch.randn(2, c_in, 9, 9)
    with torch.no_grad():
        y = block.train()(x)
        assert (y.shape == x.shape and torch.equal(y, x)) is left_out
        assert torch.equal(block.eval()(x), block.layers(x) + (x if left_out else 0))
