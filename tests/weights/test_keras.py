"""Keras's files in all their forms, written by keras_writer.py.

keras_applications.json was measured once with Keras 3.15.1 and tf_keras 2.21.0, which are not
installed for tests: names and shapes of the models of keras.applications, and for one of each kind
the largest difference of its logits from ours, with random weights in single precision, over the
largest logit.
"""

import hashlib
import json
import warnings
from pathlib import Path

import h5py
import keras_writer
import numpy as np
import pytest
import torch
from torch import Tensor

from convatlas.conversion import convert
from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.verification import blueprint
from convatlas.weights import load_weights
from convatlas.weights.keras_networks import CAFFES, TWINS
from convatlas.weights.known import COUNTER
from convatlas.weights.reading import read
from convatlas.weights.translating import taken, to_ours, translated

MEASURED = json.loads(Path(__file__).with_name("keras_applications.json").read_bytes())
NAME, THEIRS = "mobilenet_v1_released_x0_25", "MobileNet_0.25"
pytestmark = pytest.mark.filterwarnings("ignore:.*standardised")


DEEPER = ("EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6")


@pytest.mark.parametrize(
    "theirs", [pytest.param(n, marks=pytest.mark.full) if n in DEEPER else n for n in MEASURED]
)
def test_names_and_shapes_are_keras_s(theirs):
    twin = TWINS[theirs]
    ours = {
        key: tuple(tensor.shape)
        for key, tensor in blueprint(twin.ours).state_dict().items()
        if not key.endswith(COUNTER)
    }
    text = "\n".join(f"{n} {'x'.join(map(str, s))}" for n, s in sorted(twin.shapes(ours).items()))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == MEASURED[theirs]["names"]


def test_every_kind_of_graph_was_measured():
    """All but deeper and wider ones."""
    differences = {name: row["difference"] for name, row in MEASURED.items() if "difference" in row}
    assert max(differences.values()) < 1e-5
    kinds = ("VGG", "ResNet", "DenseNet", "InceptionV3", "InceptionResNetV2", "Xception")
    kinds += ("MobileNet_", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small", "EfficientNet")
    assert all(any(name.startswith(kind) for name in differences) for kind in kinds)
    assert {name for name in MEASURED if name.startswith(kinds)} == MEASURED.keys()
    assert TWINS.keys() - MEASURED.keys() == {"Xception_2017"}


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    torch.manual_seed(0)
    net = create_model(NAME, num_classes=12)
    for key, tensor in net.state_dict().items():
        if not key.endswith(COUNTER):
            tensor.add_(0.1 * torch.rand(tensor.shape))
    return net.eval()


@pytest.fixture(scope="module")
def mobilenet(net) -> dict[str, np.ndarray]:
    held = translated(TWINS[THEIRS], net.state_dict())
    return {name: tensor.numpy() for name, tensor in held.items() if not name.endswith(COUNTER)}


FORMS = {
    "weights of Keras 2": lambda path, held: keras_writer.legacy(path, held),
    "a model of Keras 2": lambda path, held: keras_writer.legacy(path, held, whole=True),
    "weights of Keras 3 in the old form": lambda path, held: keras_writer.legacy(
        path, held, spelling="{}"
    ),
    "Keras 1": keras_writer.first_years,
    "weights of Keras 3": lambda path, held: keras_writer.numbered(path, held) and path,
    "a model of Keras 3": keras_writer.archive,
    "a model whose weights have no names": lambda path, held: keras_writer.archive(
        path, held, named=False
    ),
    "inside a model": lambda path, held: keras_writer.legacy(path, held, inside="mobilenet"),
    "inside a model of Keras 3": lambda path, held: (
        keras_writer.numbered(path, held, inside="mobilenet") and path
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_whatever_wrote_them_they_load_bit_for_bit(form, tmp_path, net, mobilenet):
    path = FORMS[form](tmp_path / "a.keras", mobilenet)
    other = create_model(NAME, num_classes=12, weights=path).eval()
    certificate = other.certificate
    assert (certificate.kind, certificate.tensors) == (f"keras's {THEIRS}", 137)
    assert (certificate.fresh, certificate.unread) == ((), ())
    assert (certificate.standardised, certificate.background) == ((0.5, 0.5), False)
    assert certificate.where == ("mobilenet.*" if "inside" in form else "")
    state = other.state_dict()
    for key, tensor in net.state_dict().items():
        assert key.endswith(COUNTER) or torch.equal(state[key], tensor)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(other(x), net(x))


def test_depthwise_kernels_by_their_name_of_keras_2(tmp_path, mobilenet):
    renamed = {
        name.replace("/kernel", "/depthwise_kernel") if "_dw_" in name else name: array
        for name, array in mobilenet.items()
    }
    keras_writer.legacy(tmp_path / "a.h5", renamed)
    assert read(tmp_path / "a.h5").tensors.keys() == mobilenet.keys()


def test_layers_without_a_name_are_counted_from_the_first(tmp_path):
    """A second model's begin where the first one's end; each model in a file has its own first."""
    one, vector = np.ones((1, 1, 2, 2), "<f4"), np.ones(2, "<f4")
    held = {"conv2d_94/kernel": one, "conv2d_104/kernel": one, "batch_normalization_7/beta": vector}
    held |= {"conv2d_4_bn/beta": vector, "dense/bias": vector, "dense_1/bias": vector}
    keras_writer.legacy(tmp_path / "a.h5", held)
    assert set(read(tmp_path / "a.h5").tensors) == {
        *("conv2d_0/kernel", "conv2d_10/kernel", "batch_normalization_0/beta"),
        *("conv2d_4_bn/beta", "dense_0/bias", "dense_1/bias"),
    }


@pytest.mark.parametrize(
    ("theirs", "path", "shape"),
    [
        ("convolution2d_1/convolution2d_1_W", "entry_flow.conv1.conv.weight", (3, 3, 3, 32)),
        (
            "convolution2d_3/convolution2d_3_W",
            "entry_flow.block1.shortcut.conv.weight",
            (1, 1, 64, 128),
        ),
        (
            "convolution2d_6/convolution2d_6_W",
            "exit_flow.block.shortcut.conv.weight",
            (1, 1, 728, 1024),
        ),
        (
            "separableconvolution2d_4/separableconvolution2d_4_depthwise_kernel",
            "entry_flow.block2.branch.convs.sepconv2.depthwise.weight",
            (3, 3, 256, 1),
        ),
        (
            "separableconvolution2d_7/separableconvolution2d_7_pointwise_kernel",
            "middle_flow.0.branch.sepconv1.pointwise.conv.weight",
            (1, 1, 728, 728),
        ),
        (
            "separableconvolution2d_33/separableconvolution2d_33_pointwise_kernel",
            "exit_flow.sepconv1.pointwise.conv.weight",
            (1, 1, 1024, 1536),
        ),
        (
            "batchnormalization_6/batchnormalization_6_gamma",
            "entry_flow.block2.shortcut.bn.weight",
            (256,),
        ),
        (
            "batchnormalization_12/batchnormalization_12_running_mean",
            "middle_flow.0.branch.sepconv1.pointwise.bn.running_mean",
            (728,),
        ),
        (
            "batchnormalization_35/batchnormalization_35_beta",
            "middle_flow.7.branch.sepconv3.pointwise.bn.bias",
            (728,),
        ),
        (
            "batchnormalization_37/batchnormalization_37_running_std",
            "exit_flow.block.branch.convs.sepconv1.pointwise.bn.running_var",
            (728,),
        ),
        (
            "batchnormalization_40/batchnormalization_40_gamma",
            "exit_flow.sepconv2.pointwise.bn.weight",
            (2048,),
        ),
        ("dense_2/dense_2_W", "fc.weight", (2048, 1000)),
    ],
)
def test_the_published_xception_has_no_names_at_all(tmp_path, theirs, path, shape):
    """Keras 1 counted its layers from 1; which is which can be seen in code that reads the file."""
    kind = theirs.partition("_")[0]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[f"{theirs}:0"] = np.ones(shape, "<f4")
        if not theirs.startswith("dense"):
            file[f"{kind}_1/first"] = np.ones(1)
        if "depthwise" in theirs:
            file[theirs.replace("depthwise", "pointwise")] = np.ones(1)
    twin = TWINS["Xception_2017"]
    ours = tuple(blueprint(twin.ours).state_dict()[path].shape)
    assert twin.shape(twin.name(path), ours) == shape
    assert twin.name(path) in read(tmp_path / "a.h5").tensors


def test_a_wrong_tensor_is_refused_by_name(tmp_path, mobilenet):
    held = dict(mobilenet)
    held["conv_pw_5/kernel"] = held["conv_pw_5/kernel"].transpose(0, 1, 3, 2)[..., :-1]
    path = keras_writer.archive(tmp_path / "a.keras", held)
    with pytest.raises(WeightsError, match=r"all but conv_pw_5/kernel \(1x1x64x63 instead of 1x1x"):
        create_model(NAME, num_classes=12, weights=path)
    path = keras_writer.archive(tmp_path / "b.keras", mobilenet)
    with pytest.raises(WeightsError, match=r"holds keras's MobileNet_0\.25"):
        create_model("mobilenet_v1_x0_25", num_classes=12, weights=path)


def test_convert_keeps_how_pixels_are_standardised(tmp_path, net, mobilenet):
    path = keras_writer.legacy(tmp_path / "a.h5", mobilenet)
    assert convert(path, NAME, tmp_path / "a.safetensors").standardised == (0.5, 0.5)
    with pytest.warns(UserWarning, match="mean 0.5 and std 0.5"):
        again = load_weights(create_model(NAME, num_classes=12), tmp_path / "a.safetensors")
    assert again.difference <= 1e-8


def test_vggs_flatten_rows_first_and_read_blue_first():
    twin = TWINS["VGG16"]
    draws = torch.Generator().manual_seed(0)
    maps = torch.randn(7, 7, 512, generator=draws)
    dense = torch.randn(7 * 7 * 512, 3, generator=draws)
    ours = to_ours(twin, "fc6.fc.weight", dense) @ maps.permute(2, 0, 1).flatten()
    torch.testing.assert_close(ours, maps.flatten() @ dense, rtol=1e-3, atol=1e-3)
    kernel = torch.randn(3, 3, 3, 4, generator=draws)
    turned = to_ours(twin, "conv1.conv1_1.conv.weight", kernel)
    assert torch.equal(turned[1, 0], kernel[:, :, 2, 1])
    assert torch.equal(turned[1, 2], kernel[:, :, 0, 1])
    grey = to_ours(twin, "conv1.conv1_1.conv.weight", kernel[:, :, :1])
    assert torch.equal(grey[1, 0], kernel[:, :, 0, 1])
    assert twin.pixels == CAFFES
    mean, std = CAFFES
    assert [round(value / std, 3) for value in mean] == [123.68, 116.779, 103.939]


def normed(x: Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> Tensor:
    return (x - mean) / (variance + epsilon).sqrt()


@pytest.mark.parametrize(
    ("theirs", "layer", "ours", "bias"),
    [
        ("ResNet101", "conv3_block2_1", "conv3_x.1.branch.conv1.bn", True),
        ("DenseNet169", "conv4_block5_1", "dense_block3.layer5.conv2.bn", False),
    ],
)
def test_norms_of_another_epsilon_answer_alike(theirs, layer, ours, bias):
    draws = torch.Generator().manual_seed(0)
    x, mean, shift = torch.randn(3, 5, generator=draws, dtype=torch.float64)
    variance = torch.rand(5, generator=draws, dtype=torch.float64) * 1e-4
    held = {f"{layer}_bn/moving_mean": mean, f"{layer}_bn/moving_variance": variance}
    held |= {f"{layer}_conv/bias": shift} if bias else {}
    expected = normed(x + shift if bias else x, mean, variance, 1.001e-5)
    moved = [taken(TWINS[theirs], f"{ours}.running_{kind}", held) for kind in ("mean", "var")]
    torch.testing.assert_close(normed(x, *moved, 1e-5), expected, rtol=1e-12, atol=1e-12)
    assert (normed(x, mean, variance, 1e-5) - expected).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("mean", "variance", "expected"), [(0.0, 1.0, (0.0, 1.0)), (0.485, 0.229, None)]
)
def test_efficientnets_say_how_their_pixels_were_standardised(tmp_path, mean, variance, expected):
    """The layer in front has numbers where ImageNet's weights were asked for."""
    twin = TWINS["EfficientNetB0"]
    state = create_model("efficientnet_b0", num_classes=7).state_dict()
    held = {n: t.numpy() for n, t in translated(twin, state).items() if not n.endswith(COUNTER)}
    held["normalization/mean"] = np.full(3, mean, "<f4")
    held["normalization/variance"] = np.full(3, variance, "<f4")
    held["normalization/count"] = np.array(0)
    path = keras_writer.legacy(tmp_path / "a.h5", held)
    with warnings.catch_warnings(action="ignore"):
        net = create_model("efficientnet_b0", num_classes=7, weights=path)
    assert net.certificate.standardised == expected
    assert ("as they are" in str(net.certificate)) == bool(expected)
