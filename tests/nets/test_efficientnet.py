"""EfficientNet: its padding, its stochastic depth, and the tables that no single claim can hold."""

import pytest
import torch
import torch.nn as nn
from torch.utils.flop_counter import FlopCounterMode

from convatlas.layers import Same, StochasticDepth
from convatlas.nets.efficientnet import SCALES, EfficientNet, MBConv
from convatlas.registry import create_model

BILLION, MILLION = 10**9, 10**6


def build(name: str, **given) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, **given).eval()


def multiply_adds(net: nn.Module, side: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.empty(1, 3, side, side, device="meta"))
    return counter.get_total_flops() // 2


def size(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_printed_multiply_adds_of_the_compound_scale():
    """Table 7, last row: d = 1.4, w = 1.2, r = 1.3 of B0. (Its rows of one scale alone fit no
    rounding known to us.)
    """
    with torch.device("meta"):
        net = EfficientNet(SCALES["b0"]._replace(width=1.2, depth=1.4)).eval()
    assert abs(multiply_adds(net, round(1.3 * 224)) - 1.8 * BILLION) <= 0.1 * BILLION


@pytest.mark.parametrize(
    ("name", "printed"),
    [  # Table 5: transfer to other classes, which it does not count
        ("efficientnet_b0", 4),
        ("efficientnet_b3", 10),
        ("efficientnet_b4", 17),
        ("efficientnet_b5", 28),
        ("efficientnet_b6", 41),
        ("efficientnet_b7", 64),
    ],
)
def test_printed_parameters_without_the_full_layer(name, printed):
    net = build(name)
    assert abs(size(net) - size(net.fc) - printed * MILLION) <= MILLION


@pytest.mark.parametrize(
    ("k", "s", "side", "before", "after"),
    [
        (3, 2, 224, 0, 1),
        (3, 2, 225, 1, 1),
        (5, 2, 56, 1, 2),
        (5, 2, 15, 2, 2),
        (3, 2, 1, 1, 1),
        (3, 2, 2, 0, 1),
        (1, 2, 8, 0, 0),
    ],
)
def test_padding_is_tensorflows(k, s, side, before, after):
    """The reference: out = ceil(side / s), total = (out - 1) * s + k - side, the smaller half
    first.
    """
    y = Same(k, s)(torch.ones(1, 1, side, side))
    assert y.shape[2] == y.shape[3] == before + side + after
    inside = y[..., before : before + side, before : before + side]
    assert inside.sum() == y.sum() == side * side


def test_only_strided_convolutions_are_padded_unevenly():
    net, form = build("efficientnet_b0"), build("efficientnet_b0_torchvision")
    pads = [(m.k, m.s) for m in net.modules() if isinstance(m, Same)]
    assert pads == [(3, 2), (3, 2), (5, 2), (3, 2), (5, 2)]  # stages 1, 3, 4, 5, 7
    assert not any(isinstance(m, Same) for m in form.modules())
    assert {
        m.padding for m in form.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (5, 5)
    } == {(2, 2)}


@pytest.mark.parametrize(
    ("name", "eps", "momentum"),
    [
        ("efficientnet_b0", 0.001, 0.01),
        ("efficientnet_b7", 0.001, 0.01),
        ("efficientnet_b4_torchvision", 1e-5, 0.1),
        ("efficientnet_b5_torchvision", 0.001, 0.01),
    ],
)
def test_batch_norm(name, eps, momentum):
    assert {
        (m.eps, m.momentum) for m in build(name).modules() if isinstance(m, nn.BatchNorm2d)
    } == {(eps, momentum)}


def test_depth_survives_with_0_8_at_the_end():
    drops = [m.drop.p for m in build("efficientnet_b0").modules() if isinstance(m, MBConv)]
    assert drops == pytest.approx([0.2 * i / 16 for i in range(16)])


def test_a_block_without_a_shortcut_is_never_left_out():
    torch.manual_seed(0)
    net = EfficientNet(SCALES["b0"]).train()
    for m in net.modules():
        if isinstance(m, StochasticDepth):
            m.p = 1.0
    block = net.stage3[0]  # stride 2
    assert not block.residual
    assert block(torch.randn(2, 16, 8, 8)).abs().sum() > 0
    second, x = net.stage3[1], torch.randn(2, 24, 8, 8)
    torch.testing.assert_close(second(x), x)  # and one with a shortcut is


def test_the_squeeze_is_a_quarter_of_the_blocks_input():
    net = build("efficientnet_b0")
    assert (
        net.stage3[0].layers.se.squeeze.out_channels == 16 // 4
    )  # not of the 96 that it expands to
    assert net.stage2[0].layers.se.squeeze.out_channels == 32 // 4


def test_initial_weights_fan_out_as_in_tensorflow():
    torch.manual_seed(0)
    net = EfficientNet(SCALES["b0"])
    weights = {path: p.detach() for path, p in net.named_parameters()}
    assert float(weights["stage7.1.layers.depthwise.conv.weight"].std()) == pytest.approx(
        (2 / 25) ** 0.5, rel=0.05
    )
    assert float(weights["stage9.conv.conv.weight"].std()) == pytest.approx(
        (2 / 1280) ** 0.5, rel=0.05
    )
    assert float(weights["fc.weight"].abs().max()) == pytest.approx(1000**-0.5, rel=0.01)
    net.reset_classifier(10)
    assert float(net.fc.weight.detach().abs().max()) == pytest.approx(10**-0.5, rel=0.01)
