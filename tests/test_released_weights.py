"""The first weights and the norms of the networks as their authors released them."""

import pytest
import torch
import torch.nn as nn

from convatlas.layers import AuxiliaryHead
from convatlas.registry import create_model


def test_inception_v3_s_head_is_narrower():
    """Smaller in the last two layers of the auxiliary head, as in the release."""
    torch.manual_seed(0)
    net = create_model("inception_v3")
    for path, deviation in (("aux.convs.conv2.conv", 0.01), ("aux.fc", 0.001)):
        assert_truncated(net.get_submodule(path).weight, deviation)


def assert_truncated(weights: torch.Tensor, deviation: float) -> None:
    """Normal, with nothing beyond two deviations: 0.88 of the deviation is left."""
    assert float(weights.detach().abs().max()) <= 2 * deviation * (1 + 1e-6)
    assert float(weights.detach().std()) == pytest.approx(0.8796 * deviation, rel=0.02)


def drawn(name: str, layer: nn.Module) -> torch.Tensor:
    """First weights that this network gives a layer; biases are zero."""
    with torch.device("meta"):
        net = create_model(name)
    torch.manual_seed(0)
    net.initialise(layer)
    assert layer.bias is None or not layer.bias.any()
    return layer.weight.detach()


@pytest.mark.parametrize(
    "name",
    ["mobilenet_v1_released", "mobilenet_v2_released_x1_4", "mobilenet_v3_small_released_x0_75"],
)
def test_the_released_mobilenets_are_truncated(name):
    for layer in (nn.Conv2d(64, 200, 3, bias=False), nn.Linear(500, 40), nn.Conv2d(90, 90, 9)):
        assert_truncated(drawn(name, layer), 0.09)


def test_the_released_inceptions_are_slims():
    """v3 and the convolutions of v4: variance scaling, whose deviation after the truncation is He's
    for the inputs; classifiers of v4, Inception-ResNet-v2 and Xception: Glorot's, uniform.
    """
    conv, fc = nn.Conv2d(64, 128, 3, bias=False), nn.Linear(1536, 100)
    he = (2 / (64 * 9)) ** 0.5
    for name in ("inception_v3_released", "inception_v4_released"):
        weights = drawn(name, conv)
        assert float(weights.std()) == pytest.approx(he, rel=0.02)
        assert float(weights.abs().max()) <= 2 * (1.3 * 2 / (64 * 9)) ** 0.5 * (1 + 1e-6)
    for name, layer, fans in (
        ("inception_v4_released", fc, 1636),
        ("inception_resnet_v2_slim", fc, 1636),
        ("inception_resnet_v2_slim", conv, 9 * 192),
        ("xception_released", fc, 1636),
        ("xception_released", conv, 9 * 192),
    ):
        weights = drawn(name, layer)
        assert float(weights.abs().max()) == pytest.approx((6 / fans) ** 0.5, rel=0.01)
        assert float(weights.std()) == pytest.approx((2 / fans) ** 0.5, rel=0.02)
    with torch.device("meta"):
        net = create_model("inception_v3_released")
    net.aux = AuxiliaryHead(768, 20)
    torch.manual_seed(0)
    net.aux.apply(net.initialise)
    assert_truncated(net.aux.convs.conv2.conv.weight, 0.01)
    assert_truncated(net.aux.fc.weight, 0.001)
    assert float(net.aux.convs.conv1.conv.weight.detach().std()) == pytest.approx(
        (2 / 768) ** 0.5, rel=0.02
    )


@pytest.mark.parametrize(
    ("name", "scaled", "momentum"),
    [
        ("mobilenet_v1_released", True, 0.0003),
        ("mobilenet_v2_released", True, 0.003),
        ("mobilenet_v3_large_released", True, 0.003),
        ("efficientnet_b0", True, 0.01),
        ("inception_v3_released", False, 0.0003),
        ("inception_v4_released", False, 0.0003),
        ("inception_resnet_v2_slim", False, 0.0003),
        ("xception_released", True, 0.01),
    ],
)
def test_norms_of_the_releases(name, scaled, momentum):
    """Epsilon 0.001; momentum is 1 less TensorFlow's decay."""
    with torch.device("meta"):
        net = create_model(name)
    norms = [part for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, momentum)}
    assert {norm.weight is not None for norm in norms} == {scaled}
    assert all(norm.bias is not None for norm in norms)
