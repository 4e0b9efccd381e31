"""The first weights, as the papers (or, where they are silent, their authors' code) draw them."""

import pytest
import torch
import torch.nn as nn

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
    weights = torch.cat(
        [layer.weight.detach().flatten() for layer in layers("inception_v3").values()]
    )
    assert float(weights.abs().max()) <= 0.2 + 1e-7
    assert float(weights.std()) == pytest.approx(0.088, rel=0.01)


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
