"""Keras's files in all their forms, and what such files may do to a reader. They are written by
keras_writer.py. keras_applications.json was measured once with Keras 3.15.1 and tf_keras 2.21.0,
which are not installed for tests: names and shapes of the models of keras.applications, and for one
of each kind the largest difference of its logits from ours, with random weights in single
precision, over the largest logit.
"""

import hashlib
import json
import sys
import warnings
import zipfile
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
    "theirs", [pytest.param(n, marks=pytest.mark.full) if n in DEEPER else n for n in TWINS]
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
    assert {name for name in MEASURED if name.startswith(kinds)} == MEASURED.keys() == TWINS.keys()


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


# What such files may do to a reader


def refused(path: Path, said: str) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def external(file, folder):
    h5py.File(folder / "other.h5", "w")["w"] = np.ones(3)
    file["a/a/kernel:0"] = h5py.ExternalLink(str(folder / "other.h5"), "w")


def soft(file, folder):
    file["a/a/kernel:0"] = h5py.SoftLink("/b/b/kernel:0")


def circle(file, folder):
    file["b/b/again"] = file["b"]


def elsewhere(file, folder):
    (folder / "numbers").write_bytes(bytes(4_000))
    where = [(str(folder / "numbers"), 0, 4_000)]
    file.create_dataset("a/a/kernel:0", (1_000,), "<f4", external=where)


def virtual(file, folder):
    h5py.File(folder / "other.h5", "w")["w"] = np.ones(3)
    layout = h5py.VirtualLayout((3,), "<f8")
    layout[:] = h5py.VirtualSource(folder / "other.h5", "w", (3,))
    file.create_virtual_dataset("a/a/kernel:0", layout)


def bomb(file, folder):
    file.create_dataset("a/a/kernel:0", (1 << 30,), "<f4", chunks=(1 << 20,), compression="gzip")


def never_written(file, folder):
    file.create_dataset("a/a/kernel:0", (1 << 40,), "<f4")


def big_endian(file, folder):
    file["a/a/kernel:0"] = np.ones(3, ">f4")


def compound(file, folder):
    file["a/a/kernel:0"] = np.zeros(3, [("re", "<f4"), ("im", "<f4")])


def long_name(file, folder):
    file["a/" + "n" * 2_000] = np.ones(3)


def deep(file, folder):
    file["/".join(["a"] * 50)] = np.ones(3)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (external, "holds 'a/a/kernel:0' as a link, which may lead out of the file"),
        (soft, "holds 'a/a/kernel:0' as a link"),
        (circle, "holds the group 'b/b/again' in two places"),
        (elsewhere, "keeps the numbers of 'a/a/kernel:0' in other files"),
        (virtual, "keeps the numbers of 'a/a/kernel:0' in other files"),
        (bomb, "holds 'a/a/kernel:0' in chunks or compressed; write it plain: h5repack"),
        (never_written, r"holds 'a/a/kernel:0', \(1099511627776,\), outside the file"),
        (big_endian, "holds 'a/a/kernel:0' as numbers of kind '>f4'"),
        (compound, r"holds 'a/a/kernel:0' as numbers of kind '\|V8'"),
        (long_name, "holds more than a network's layers at 'a/nnn"),
        (deep, "holds more than a network's layers at 'a/a/a"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_not_in_the_file_itself_is_refused(tmp_path, plant, said):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["b/b/kernel:0"] = np.ones(3, "<f4")
        plant(file, tmp_path)
    refused(path, said)


def test_texts_and_empty_arrays_do_no_harm(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["b/b/kernel:0"] = np.ones(3, "<f4")
        file["b/b/words:0"] = "text"
        file["b/b/none:0"] = np.ones((0, 3), "<f4")
    tensors = read(tmp_path / "a.h5").tensors
    assert {name: tuple(t.shape) for name, t in tensors.items()} == {
        "b/kernel": (3,),
        "b/none": (0, 3),
    }


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["b/b/kernel:0"] = np.ones((2, 3), "<f4")
        file["b/b/bias:0"] = np.ones(3, "<f4")
    content = path.read_bytes()
    for length in range(1, len(content), 29):
        path.write_bytes(content[:length])
        refused(path, "damaged|no checkpoint|outside the file")


def test_code_in_a_model_is_never_run(tmp_path, mobilenet):
    mark = tmp_path / "mark"
    code = {"class_name": "__lambda__", "config": {"value": f"__import__('os').mkdir('{mark}')"}}
    path = keras_writer.archive(tmp_path / "a.keras", mobilenet, compile_config={"loss": [code]})
    refused(path, "holds a Lambda layer, which is code")
    layer = {"class_name": "Lambda", "config": {"name": "a", "function": code}}
    inner = {"class_name": "Functional", "config": {"layers": [layer]}}
    path = keras_writer.archive(tmp_path / "b.keras", mobilenet, config={"layers": [inner]})
    refused(path, "holds a Lambda layer, which is code")
    assert not mark.exists()


def rewritten(path: Path, held: dict, **changes) -> Path:
    """The same archive with other contents; `compress_type` is that of all."""
    kind = changes.pop("compress_type", zipfile.ZIP_STORED)
    keras_writer.archive(path, held)
    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in (contents | changes).items():
            file.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"assets": bytes(1 << 24), "compress_type": zipfile.ZIP_DEFLATED}, "unpacks to more than"),
        ({"config.json": b"{}" + np.random.bytes(999).hex().encode()}, "damaged"),
        ({"config.json": b"[" * 100_000}, "damaged"),
        ({"config.json": b" " * 17_000_000}, "describes itself in 17,000,000 bytes"),
        ({"config.json": json.dumps({"config": {"layers": [7]}})}, "damaged"),
        ({"model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(200)}, "damaged"),
        ({"model.weights.h5": b"no"}, "damaged"),
    ],
    ids=["a bomb", "no JSON", "deep JSON", "long JSON", "no layers", "no HDF5", "cut short"],
)
def test_a_hostile_archive_is_refused(tmp_path, changes, said):
    held = {"conv1/kernel": np.ones((1, 1, 2, 2), "<f4")}
    refused(rewritten(tmp_path / "a.keras", held, **changes), said)


def test_a_compressed_archive_and_a_flipped_byte_are_refused(tmp_path):
    held = {"conv1/kernel": np.frombuffer(np.random.bytes(40_000), "u1").reshape(1, 1, 200, 200)}
    path = keras_writer.archive(tmp_path / "a.keras", held)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(path, "the checksum of model.weights.h5 differs")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", np.random.bytes(999).hex())
        file.writestr("model.weights.h5", np.random.bytes(9_999))
        file.writestr("padding", np.random.bytes(99), zipfile.ZIP_STORED)
    refused(path, "is compressed|unpacks to more")


def test_layers_that_are_only_counted_are_refused(tmp_path):
    keras_writer.numbered(tmp_path / "a.h5", {"a/kernel": np.ones((2, 2))}, named=False)
    refused(tmp_path / "a.h5", "counts its layers without naming them.*save the model as .keras")


def test_without_h5py_its_name_is_said(tmp_path, monkeypatch):
    keras_writer.legacy(tmp_path / "a.h5", {"a/kernel": np.ones((2, 2))})
    monkeypatch.setitem(sys.modules, "h5py", None)
    refused(tmp_path / "a.h5", r"h5py reads; pip install h5py \(the extra convatlas\[keras\]\)")
