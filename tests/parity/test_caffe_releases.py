"""Networks as they were released for Caffe: names of layers, those of caffe_names.py, and answers,
against graphs in plain functions that read blue, green, red. Files are made by caffe_files.py.
"""

import warnings
from collections.abc import Iterator

import caffe
import pytest
import torch
import torch.nn.functional as F
from caffe_files import new, old
from caffe_names import MOBILENET, PARTS, RELEASED
from torch import Tensor

from convatlas import create_model
from convatlas.conversion import convert
from convatlas.errors import WeightsError
from convatlas.verification import blueprint
from convatlas.weights import load_weights
from convatlas.weights.caffe import TWINS
from convatlas.weights.known import COUNTER
from convatlas.weights.reading import read
from convatlas.weights.translating import taken, translated

CLASSES = 11


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


DEEP = ("ResNet-1", "SE-ResNet-1", "SE-ResNeXt", "SENet", "DenseNet_16", "DenseNet_2")


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(name, marks=pytest.mark.full) if name.startswith(DEEP) else name
        for name in RELEASED
    ],
)
def test_names_and_shapes_are_those_of_the_prototxt(theirs):
    twin = TWINS[theirs]
    ours = {key: tensor.shape for key, tensor in blueprint(twin.ours).state_dict().items()}
    held = {name: s for name, s in twin.shapes(ours).items() if not name.endswith(COUNTER)}
    assert held == RELEASED[theirs]


def test_every_table_has_its_list():
    assert TWINS.keys() == RELEASED.keys()


# Answers


def layers(blobs: dict[str, Tensor]) -> Iterator[tuple[str, str, str, list[Tensor]]]:
    """A file's layers, from the blobs that a graph of caffe.py made."""
    names = dict.fromkeys(name.rpartition("/")[0] for name in blobs)
    for name in names:
        weight, bias = blobs[f"{name}/w"], blobs[f"{name}/b"]
        yield name, "Convolution" if weight.dim() == 4 else "InnerProduct", "", [weight, bias]


def loaded(path, name: str, said: str = "red, green and blue standardised"):
    net = create_model(name, num_classes=CLASSES).double().eval()
    with pytest.warns(UserWarning, match=said):
        load_weights(net, path)
    return net


@torch.no_grad()
def test_googlenet_answers_as_caffes_though_its_normalisation_is_another(tmp_path):
    theirs = caffe.Net()
    x = torch.randn(2, 3, 64, 79, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = caffe.googlenet(theirs, x.flip(1), CLASSES)
    path = tmp_path / "bvlc_googlenet.caffemodel"
    path.write_bytes(old(list(layers(theirs.blobs))))
    net = loaded(path, "googlenet")
    assert relative(net(x), expected) <= 1e-10
    assert net.certificate.kind == "caffe's bvlc_googlenet"
    assert all(name.startswith("aux") for name in net.certificate.fresh)
    mean, std = net.certificate.standardised
    pixels = torch.rand(3, 1, 1, dtype=torch.float64)
    less = (pixels * 255).flatten() - torch.tensor([123.0, 117.0, 104.0])
    torch.testing.assert_close((pixels.flatten() - torch.tensor(mean)) / std, less)


@torch.no_grad()
def test_the_first_layers_of_alexnet_answer_as_caffes():
    theirs, twin = caffe.Net(), TWINS["bvlc_alexnet"]
    x = torch.randn(1, 3, 227, 227, generator=torch.Generator().manual_seed(1)).double()

    def grouped(x: Tensor, name: str, c: int, k: int, groups: int, **sizes) -> Tensor:
        w = theirs.blob(f"{name}.weight", c, x.shape[1] // groups, k, k, std=0.05)
        return F.conv2d(x, w, theirs.blob(f"{name}.bias", c), groups=groups, **sizes).clamp(min=0)

    there = grouped(50 * x.flip(1), "conv1", 96, 11, 1, stride=4)
    there = caffe.max_pool(caffe.lrn(there, 1.0, 1e-4 / 5))
    there = grouped(there, "conv2", 256, 5, 2, padding=2)
    there = caffe.max_pool(caffe.lrn(there, 1.0, 1e-4 / 5))
    there = grouped(there, "conv3", 384, 3, 1, padding=1)
    with torch.device("meta"):
        net = create_model("alexnet").double()
    names = [f"{conv}.conv.{part}" for conv in ("conv1", "conv2", "conv3") for part in PARTS]
    held = {key: taken(twin, key, theirs.blobs) for key in names}
    net.load_state_dict(held, strict=False, assign=True)
    here = net.pool1(net.norm1(net.conv1(50 * x)))
    here = net.conv3(net.pool2(net.norm2(net.conv2(here))))
    assert relative(here, there) <= 1e-10
    again = translated(twin, held)
    for name, tensor in theirs.blobs.items():
        torch.testing.assert_close(again[name], tensor)


class MobileNet:
    """Shicai's, whose BatchNorms keep sums of 999.98 steps."""

    def __init__(self):
        self.net, self.layers, self.steps = caffe.Net(), [], 999.98236

    def unit(self, x: Tensor, name: str, c: int, k: int = 1, stride: int = 1, groups: int = 1):
        c_in = x.shape[1] // groups
        w = self.net.blob(name, c, c_in, k, k, std=(2 / (c_in * k * k)) ** 0.5)
        x = F.conv2d(x, w, None, stride, k // 2, groups=groups)
        mean, gamma, beta = (self.net.blob(f"{name}{i}", c) for i in range(3))
        var = self.net.blob(f"{name}/var", c, mean=1.0).abs()
        steps = torch.tensor([self.steps], dtype=torch.float64)
        self.layers += [
            (name, "Convolution", "", [w]),
            (f"{name}/bn", "BatchNorm", name, [mean * self.steps, var * self.steps, steps]),
            (f"{name}/scale", "Scale", f"{name}/bn", [1 + gamma, beta]),
        ]
        x = (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
        return (x * (1 + gamma)[:, None, None] + beta[:, None, None]).clamp(min=0)

    def __call__(self, x: Tensor) -> Tensor:
        x = self.unit(x, "conv1", 32, 3, 2)
        for name, c, stride in MOBILENET:
            x = self.unit(x, f"conv{name}/dw", x.shape[1], 3, stride, groups=x.shape[1])
            x = self.unit(x, f"conv{name}/sep", c)
        w, b = self.net.blob("fc7", CLASSES, 1024, 1, 1), self.net.blob("fc7b", CLASSES)
        self.layers.append(("fc7", "Convolution", "", [w, b]))
        return F.conv2d(x.mean((2, 3), keepdim=True), w, b).flatten(1)


@torch.no_grad()
def test_mobilenet_answers_as_caffes_and_pixels_travel(tmp_path):
    theirs = MobileNet()
    x = torch.randn(2, 3, 40, 33, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = theirs(x.flip(1))
    path = tmp_path / "mobilenet.caffemodel"
    path.write_bytes(new(theirs.layers))
    net = loaded(path, "mobilenet_v1", "means 0.48502, 0.45796, 0.40761 and std 0.23068")
    assert relative(net(x), expected) <= 1e-10
    assert net.certificate.standardised.mean == (123.68 / 255, 116.78 / 255, 103.94 / 255)
    written = convert(path, "mobilenet_v1", tmp_path / "ours.safetensors")
    assert written.standardised == net.certificate.standardised
    again = loaded(tmp_path / "ours.safetensors", "mobilenet_v1")
    assert again.certificate.standardised == net.certificate.standardised
    with warnings.catch_warnings(action="ignore"):
        grey = create_model("mobilenet_v1", num_classes=3, in_channels=1, weights=path)
    assert grey.certificate.adapted == ("conv1.conv.conv.weight",)
    assert grey.certificate.fresh == ("fc.weight", "fc.bias")
    name, kind, bottom, blobs = theirs.layers[4]
    theirs.layers[4] = (name, kind, bottom, [blobs[0][:-1], *blobs[1:]])
    path.write_bytes(new(theirs.layers))
    with pytest.raises(WeightsError, match=r"conv2_1/dw/bn.running_mean \(31 instead of 32\)"):
        create_model("mobilenet_v1", num_classes=CLASSES, weights=path)


def test_norms_merged_into_convolutions_are_told(tmp_path):
    merged = {
        name: torch.zeros(shape)
        for name, shape in RELEASED["mobilenet"].items()
        if len(shape) > 1 or name == "fc7.bias"
    }
    held = [
        (name.rpartition(".")[0], "Convolution", "", [weight, torch.zeros(len(weight))])
        for name, weight in merged.items()
        if name != "fc7.bias"
    ]
    path = tmp_path / "mobilenet_merged.caffemodel"
    path.write_bytes(new(held))
    with pytest.raises(
        WeightsError, match="its norms were folded into its convolutions, which can"
    ):
        create_model("mobilenet_v1", weights=path)


def test_a_bias_before_the_first_norm_of_resnet50_moves_its_mean():
    twin, dice = TWINS["ResNet-50"], torch.Generator().manual_seed(0)
    mean, bias = torch.randn(64, generator=dice), torch.randn(64, generator=dice)
    held = {"bn_conv1.running_mean": mean, "conv1.bias": bias}
    assert torch.equal(taken(twin, "conv1.conv.bn.running_mean", held), mean - bias)


# What holds the numbers


def lenet(dtype: torch.dtype = torch.float32) -> list[tuple[str, str, str, list[Tensor]]]:
    net = caffe.Net()
    sizes = {"conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "ip1": (500, 800), "ip2": (10, 500)}
    return [
        (name, "Convolution" if len(shape) == 4 else "InnerProduct", "data", blobs)
        for name, shape in sizes.items()
        for blobs in [[net.blob(name, *shape).to(dtype), net.blob(f"{name}b", shape[0]).to(dtype)]]
    ]


@pytest.mark.parametrize("form", ["packed", "pieces", "one by one", "doubles"])
@pytest.mark.parametrize("written", [new, old])
def test_lenet_loads_bit_for_bit_whatever_holds_its_numbers(written, form, tmp_path):
    held = lenet(torch.float64 if form == "doubles" else torch.float32)
    path = tmp_path / "lenet_iter_10000.caffemodel"
    path.write_bytes(written(held, form))
    with pytest.warns(UserWarning, match=r"mean 0 and std 1\.0039 in every channel"):
        net = create_model("lenet_caffe", weights=path)
    state = net.state_dict()
    for (_, _, _, blobs), key in zip(held, ("conv1", "conv2", "ip1.ip", "ip2"), strict=True):
        for tensor, part in zip(blobs, PARTS, strict=True):
            assert torch.equal(state[f"{key}.{part}"], tensor.float())
    assert net.certificate.tensors == 8


def test_a_planted_blob_a_missing_one_and_one_too_many_are_refused(tmp_path):
    path = tmp_path / "a.caffemodel"
    name, kind, bottom, blobs = lenet()[2]
    turned = [*lenet()[:2], (name, kind, bottom, [blobs[0].T, blobs[1]]), lenet()[3]]
    for held, said in (
        (turned, r"ip1\.weight \(800x500 instead of 500x800\)"),
        (lenet()[:3], "holds all of caffe's LeNet but ip2.weight, ip2.bias"),
        (
            [*lenet(), ("ip3", "InnerProduct", "", blobs)],
            "holds all of caffe's LeNet, and beside it ip3.weight",
        ),
        ([*lenet(), lenet()[0]], "holds 'conv1' twice"),
    ):
        path.write_bytes(new(held))
        with pytest.raises(WeightsError, match=said):
            create_model("lenet_caffe", weights=path)


def test_caffenet_is_not_taken_for_alexnet(tmp_path):
    one = torch.ones(1)
    held = [("conv1", "Convolution", "data", [one]), ("pool1", "Pooling", "conv1", [])]
    held += [("norm1", "LRN", "pool1", []), ("fc6", "InnerProduct", "norm1", [one])]
    for written in (new, old):
        path = tmp_path / "bvlc_reference_caffenet.caffemodel"
        path.write_bytes(written(held))
        with pytest.raises(WeightsError, match="holds a CaffeNet, which pools before"):
            read(path)
    swapped = [held[0], ("norm1", "LRN", "conv1", []), ("pool1", "Pooling", "norm1", []), held[3]]
    path.write_bytes(new(swapped))
    assert read(path).tensors.keys() == {"conv1.weight", "fc6.weight"}


def test_a_norm_that_was_never_moved_and_layers_without_a_name_of_their_own(tmp_path):
    path = tmp_path / "a.caffemodel"
    two = torch.ones(2)
    path.write_bytes(
        new([("bn", "BatchNorm", "", [two, two, torch.zeros(1)]), ("prelu", "PReLU", "", [two])])
    )
    tensors = read(path).tensors
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        "bn.running_mean": [0.0, 0.0],
        "bn.running_var": [0.0, 0.0],
        "prelu.blob0": [1.0, 1.0],
    }
