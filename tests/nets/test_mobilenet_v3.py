"""Where MobileNetV3's gates, activations and shortcuts stand."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.mobilenet_v3 import SqueezeExcite
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

GATED = {  # name: bnecks with a gate, first bneck with hard swish, all bnecks
    "mobilenet_v3_large": ({4, 5, 6, 11, 12, 13, 14, 15}, 7, 15),
    "mobilenet_v3_small": ({1, 4, 5, 6, 7, 8, 9, 10, 11}, 4, 11),
}


def build(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name).eval()


def kinds(module: nn.Module) -> list[type]:
    """The classes of the layers of a bneck, in order."""
    return [type(layer) for layer in module.layers]


@pytest.mark.parametrize("name", GATED)
def test_gates_and_activations_stand_where_the_table_has_them(name):
    net, (gated, first_hs, count) = build(name), GATED[name]
    for i in range(1, count + 1):
        layers = kinds(net.get_submodule(f"bneck{i}"))
        assert (SqueezeExcite in layers) == (i in gated), i
        assert (nn.Hardswish in layers) == (i >= first_hs), i
        assert (nn.ReLU in layers) == (i < first_hs), i
        if i in gated:  # after the depthwise activation, before the linear projection
            assert layers.index(SqueezeExcite) == len(layers) - 2
            assert layers[-3] in (nn.ReLU, nn.Hardswish)
    assert "expand" not in dict(net.bneck1.layers.named_children())  # expansion 16 of 16 channels
    assert "expand" in dict(net.bneck2.layers.named_children())


def test_shortcuts_of_large_are_where_stride_and_width_allow():
    net = build("mobilenet_v3_large")
    assert [i for i in range(1, 16) if net.get_submodule(f"bneck{i}").residual] == [
        1,
        3,
        5,
        6,
        8,
        9,
        10,
        12,
        14,
        15,
    ]


def test_a_gate_is_a_hard_sigmoid_of_the_pooled_map():
    torch.manual_seed(0)
    gate, x = SqueezeExcite(16), torch.randn(2, 16, 5, 5)
    assert gate.squeeze.out_channels == 8  # 16 / 4 = 4, rounded to a multiple of 8
    with torch.no_grad():
        inner = (
            gate.squeeze.weight[..., 0, 0] @ x.mean((2, 3)).T + gate.squeeze.bias[:, None]
        ).clamp(min=0)
        outer = gate.excite.weight[..., 0, 0] @ inner + gate.excite.bias[:, None]
        expected = x * ((outer.T + 3).clamp(0, 6) / 6)[..., None, None]
        torch.testing.assert_close(gate(x), expected)


@pytest.mark.parametrize(
    "name", ["mobilenet_v3_large_minimalistic", "mobilenet_v3_small_minimalistic"]
)
def test_minimalistic_networks_have_plain_parts(name):
    net = build(name)
    layers = list(net.modules())
    assert not any(isinstance(m, nn.Hardswish | nn.Hardsigmoid | SqueezeExcite) for m in layers)
    assert {m.kernel_size for m in layers if isinstance(m, nn.Conv2d)} == {(1, 1), (3, 3)}


def test_batch_norm_averages_as_the_paper_says():
    norms = [m for m in build("mobilenet_v3_small").modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(m.momentum, m.eps) for m in norms} == {(0.01, 0.001)}
