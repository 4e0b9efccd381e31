"""The first weights, as the papers (or, where they are silent, their authors' code) draw them."""

import pytest
import torch
import torch.nn as nn

from convatlas.layers import AuxiliaryHead
from convatlas.registry import create_model


def layers(name: str) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    net = create_model(name)
    return {
        path: part for path, part in net.named_modules() if isinstance(part, nn.Conv2d | nn.Linear)
    }


def test_alexnet_s_are_those_of_sec_5():
    """N(0, 0.01); biases 1 in the second, fourth and fifth convolution and the hidden fully
    connected layers, else 0.
    """
    found = layers("alexnet")
    for layer in found.values():
        assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
    for path, layer in found.items():
        value = float(path.partition(".")[0] in ("conv2", "conv4", "conv5", "fc6", "fc7"))
        assert torch.equal(layer.bias, torch.full_like(layer.bias, value)), path


def test_googlenet_s_biases_are_a_fifth_in_convolutions_and_zero_in_classifiers():
    for layer in layers("googlenet").values():
        value = 0.2 if isinstance(layer, nn.Conv2d) else 0.0
        assert torch.equal(layer.bias, torch.full_like(layer.bias, value))


def test_inception_v3_s_are_truncated_at_two_deviations_of_a_tenth():
    """Smaller in the last two layers of the auxiliary head."""
    found = layers("inception_v3")
    for path, deviation in (("aux.convs.conv2.conv", 0.01), ("aux.fc", 0.001)):
        assert_truncated(found.pop(path).weight, deviation)
    weights = torch.cat([layer.weight.detach().flatten() for layer in found.values()])
    assert_truncated(weights, 0.1)


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
    for the inputs; classifiers of v4 and all of Inception-ResNet-v2: Glorot's, uniform.
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


def test_squeezenet_s_last_convolution_is_narrow():
    *others, last = layers("squeezenet1_0").values()
    assert float(last.weight.detach().std()) == pytest.approx(0.01, rel=0.02)
    for layer in others:
        bound = (3 / layer.weight[0].numel()) ** 0.5
        assert float(layer.weight.detach().abs().max()) == pytest.approx(bound, rel=0.02)
        assert not layer.bias.any()


@pytest.mark.parametrize("name", ["resnet34", "resnet50"])
def test_resnet_s_are_he_s_by_fan_out(name):
    for layer in layers(name).values():
        if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 30_000:
            fan_out = layer.out_channels * layer.kernel_size[0] ** 2
            assert float(layer.weight.detach().std()) == pytest.approx(
                (2 / fan_out) ** 0.5, rel=0.03
            )


@pytest.mark.parametrize("name", ["shufflenet_v1_g3", "shufflenet_v2"])
def test_shufflenet_s_are_one_over_the_inputs_but_for_the_first(name):
    first, *others = [layer for layer in layers(name).values() if isinstance(layer, nn.Conv2d)]
    assert float(first.weight.detach().std()) == pytest.approx(0.01, rel=0.1)
    for layer in others:
        if layer.weight.numel() > 10_000:
            deviation = 1 / layer.weight.shape[1]
            assert float(layer.weight.detach().std()) == pytest.approx(deviation, rel=0.05)


def test_mobilenet_v3_s_fully_connected_layers_are_narrow():
    for layer in layers("mobilenet_v3_large").values():
        if isinstance(layer, nn.Linear):
            assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
