"""TensorFlow Lite's models: folded norms, half precision, borders, and files that lie. They are
written by tflite_writer.py.
"""

import re
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import tflite_writer as tfl
import torch
from torch import Tensor, nn

from convatlas.conversion import convert
from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights import load_weights
from convatlas.weights.reading import read
from convatlas.weights.tflite_networks import TWINS

NAME, CLASSES = "mobilenet_v1_released_x0_25", 1001
pytestmark = pytest.mark.filterwarnings("ignore:.*standardised")


@pytest.fixture
def net(randomised) -> nn.Module:
    torch.manual_seed(0)
    net = create_model(NAME, num_classes=CLASSES)
    randomised(net, torch.randn(2, 3, 64, 64))
    return net.eval()


def folded(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    by = bn.weight.double() / (bn.running_var.double() + bn.eps).sqrt()
    filters = conv.weight.double() * by[:, None, None, None]
    return filters.detach().float(), (bn.bias - bn.running_mean * by).detach().float()


def layers(net: nn.Module) -> list[tuple[int, np.ndarray, np.ndarray, int]]:
    """Kind, filters, biases and stride of each layer as it runs."""
    found = []
    for i in range(1, 15):
        parts = (
            [net.conv1.conv]
            if i == 1
            else [*(net.get_submodule(f"conv{i}.{p}") for p in ("dw", "pw"))]
        )
        for part in parts:
            filters, bias = folded(part.conv, part.bn)
            deep = part.conv.groups > 1
            turned = filters.permute(1, 2, 3, 0) if deep else filters.permute(0, 2, 3, 1)
            found.append(
                (
                    tfl.DEPTHWISE if deep else tfl.CONV,
                    turned.numpy(),
                    bias.numpy(),
                    part.conv.stride[0],
                )
            )
    last = net.fc.weight.detach()[:, None, None, :]
    return [*found, (tfl.CONV, last.numpy(), net.fc.bias.detach().numpy(), 1)]


def written(path: Path, found: list, half=False, activation=tfl.RELU6, padded=None) -> Path:
    """`padded`: what an operator of its own adds before each strided layer."""
    model = tfl.Model(224)
    for i, (code, filters, bias, stride) in enumerate(found):
        last = i == len(found) - 1
        if padded and stride > 1:
            model.pad(padded)
        padding = tfl.VALID if (padded and stride > 1) or last else tfl.SAME
        model.layer(code, filters, bias, stride, 0 if last else activation, padding, half)
    path.write_bytes(model.content())
    return path


def test_its_answer_is_that_of_the_network_whose_norms_were_folded(net, tmp_path):
    found = layers(net)
    other = create_model(NAME, num_classes=CLASSES)
    certificate = load_weights(other, written(tmp_path / "a.tflite", found))
    assert (certificate.kind, certificate.tensors) == ("tflite's mobilenet_v1_0.25", 56)
    assert (certificate.standardised, certificate.background) == ((0.5, 0.5), True)
    assert certificate.folded
    assert "train it with its norms frozen" in str(certificate)
    x = torch.randn(2, 3, 96, 75)
    with torch.no_grad():
        expected, answer = net(x), other.eval()(x)
    assert (answer - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert torch.equal(
        other.conv5.pw.conv.weight, torch.from_numpy(found[8][1]).permute(0, 3, 1, 2)
    )
    assert torch.equal(
        other.conv5.dw.conv.weight, torch.from_numpy(found[7][1]).permute(3, 0, 1, 2)
    )
    assert torch.equal(other.conv5.dw.bn.bias, torch.from_numpy(found[7][2]))
    norms = [m for m in other.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {float(m.running_var[0]) for m in norms} == {float(torch.tensor(0.999))}


@pytest.mark.parametrize("options", [{"half": True}, {"padded": (0, 1, 0, 1)}], ids=str)
def test_half_precision_and_borders_as_keras_writes_them_are_the_same_network(
    net, tmp_path, options
):
    found = layers(net)
    path = written(tmp_path / "a.tflite", found, **options)
    other = create_model(NAME, num_classes=CLASSES, weights=path)
    wanted = torch.from_numpy(found[2][1])
    wanted = wanted.half().float() if "half" in options else wanted
    assert torch.equal(other.conv2.pw.conv.weight, wanted.permute(0, 3, 1, 2))
    assert not other.certificate.rounded


def test_convert_writes_what_answers_as_recorded(net, tmp_path):
    path = written(tmp_path / "a.tflite", layers(net))
    assert convert(path, NAME, tmp_path / "a.safetensors").background
    with warnings.catch_warnings(action="ignore"):
        again = create_model(NAME, num_classes=CLASSES, weights=tmp_path / "a.safetensors")
    assert again.certificate.difference <= 1e-8


def shorter(found):
    code, filters, bias, stride = found[6]
    return [*found[:6], (code, filters[..., :-1], bias, stride), *found[7:]]


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (shorter, {}, r"all but conv2d_6_relu6/filter \(32x1x1x31 instead of 32x1x1x32\)"),
        (lambda found: [*found[:8], *found[9:]], {}, "fits no network of the atlas"),
        (list, {"activation": tfl.RELU}, "its first tensor is conv2d_0_relu/filter"),
        (list, {"padded": (1, 1, 1, 1)}, r"conv2d_0_relu6/filter \(missing\)"),
    ],
    ids=["a filter that is cut", "a layer less", "ReLU for ReLU6", "padded as PyTorch does"],
)
def test_another_network_is_refused(net, tmp_path, change, options, said):
    path = written(tmp_path / "a.tflite", change(layers(net)), **options)
    with pytest.raises(WeightsError, match=said):
        create_model(NAME, num_classes=CLASSES, weights=path)


def small() -> tfl.Model:
    model = tfl.Model(8)
    filters, bias = np.ones((2, 3, 3, 3), "<f4"), np.ones(2, "<f4")
    model.layer(tfl.CONV, filters, bias, 2, tfl.RELU6)
    model.layer(tfl.DEPTHWISE, np.ones((1, 3, 3, 2), "<f4"), bias, 1, tfl.RELU, tfl.VALID)
    model.pad((2, 1, 2, 1))
    model.layer(tfl.CONV, np.ones((2, 3, 3, 2), "<f4"), bias, 1, 0, tfl.VALID)
    model.layer(tfl.FULLY, np.ones((5, 2), "<f4"), np.ones(5, "<f4"))
    return model


def test_names_say_what_a_layer_does(tmp_path):
    (tmp_path / "a.tflite").write_bytes(small().content())
    assert {k: tuple(v.shape) for k, v in read(tmp_path / "a.tflite").tensors.items()} == {
        "conv2d_0_relu6/filter": (2, 3, 3, 3),
        "conv2d_0_relu6/bias": (2,),
        "depthwise_conv2d_1_relu_padded_0_0_0_0/filter": (1, 3, 3, 2),
        "depthwise_conv2d_1_relu_padded_0_0_0_0/bias": (2,),
        "conv2d_2_padded_2_1_2_1/filter": (2, 3, 3, 2),
        "conv2d_2_padded_2_1_2_1/bias": (2,),
        "fully_connected_3/filter": (5, 2),
        "fully_connected_3/bias": (5,),
    }


def test_quantised_weights_are_refused_in_a_sentence(tmp_path):
    model = tfl.Model(8)
    model.layer(tfl.CONV, np.ones((2, 3, 3, 3), "i1"), np.ones(2, "<i4"))
    (tmp_path / "a.tflite").write_bytes(model.content())
    with pytest.raises(WeightsError, match=r"holds conv2d_0/filter as int8: a quantised network"):
        read(tmp_path / "a.tflite")


def refused_or_read(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    try:
        read(path)
    except WeightsError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
        return "refused"
    return "read"


def tiny() -> bytes:
    model = tfl.Model(8)
    model.layer(tfl.CONV, np.ones((1, 1, 1, 3), "<f4"), np.ones(1, "<f4"))
    return model.content()


def test_every_beginning_of_a_file_is_refused(tmp_path):
    content = tiny()
    path = tmp_path / "a.tflite"
    whole = len(content.rstrip(b"\0"))
    assert {refused_or_read(path, content[:n]) for n in range(whole - 4)} == {"refused"}
    assert refused_or_read(path, content) == "read"


def test_places_that_lie_lead_nowhere(tmp_path):
    """Every number of four bytes in turn: nothing, far ahead, back, itself."""
    content = tiny()
    outcomes = set()
    for place in range(0, len(content) - 3, 4):
        for lie in (0, 0x7FFFFFF0, 0xFFFFFFFC, place):
            changed = content[:place] + struct.pack("<I", lie) + content[place + 4 :]
            outcomes.add(refused_or_read(tmp_path / "a.tflite", changed))
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: struct.pack("<I", 1 << 31), "damaged .a place outside the file"),
        (lambda root: struct.pack("<I", 4), "is damaged"),
        (lambda root: struct.pack("<I", 0), "damaged"),
    ],
)
def test_a_root_that_lies(tmp_path, change, said):
    content = small().content()
    (tmp_path / "a.tflite").write_bytes(change(content) + content[4:])
    with pytest.raises(WeightsError, match=said):
        read(tmp_path / "a.tflite")


def test_lists_of_millions_are_refused_before_they_are_walked(tmp_path):
    """20,001 operators that are all the same one."""
    model = small()
    model.operators = model.operators[:1] * 20_001
    (tmp_path / "a.tflite").write_bytes(model.content())
    with pytest.raises(WeightsError, match="lists 20,001 parts of one kind"):
        read(tmp_path / "a.tflite")


def test_the_tables_follow_the_networks():
    """As many layers as a network has convolutions and linear layers, in the order of these."""
    for theirs, twin in TWINS.items():
        with torch.device("meta"):
            net = create_model(twin.ours)
        names = twin.names(net.state_dict())
        held = [p for p, part in net.named_modules() if isinstance(part, nn.Conv2d | nn.Linear)]
        numbers = [int(re.search(r"(?:2d|connected)_(\d+)", names[f"{p}.weight"])[1]) for p in held]
        assert numbers == list(range(len(held))), theirs
