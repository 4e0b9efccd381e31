"""Networks as they were released for Caffe: names of layers, typed from their prototxts, and
answers, against graphs in plain functions that read blue, green, red. Files are made by
caffe_files.py.
"""

import re
import warnings
from collections.abc import Iterator

import caffe
import pytest
import torch
import torch.nn.functional as F
from caffe_files import new, old
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

Shapes = dict[str, tuple[int, ...]]
CLASSES = 11
PARTS = ("weight", "bias")


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


# Names and shapes, from the prototxts


def conv(name: str, c: int, c_in: int, k: int = 1, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (c, c_in, k, k)} | ({f"{name}.bias": (c,)} if bias else {})


def dense(name: str, c: int, c_in: int) -> Shapes:
    return {f"{name}.weight": (c, c_in), f"{name}.bias": (c,)}


def norm(bn: str, scale: str, c: int) -> Shapes:
    return {f"{bn}.{part}": (c,) for part in ("running_mean", "running_var")} | {
        f"{scale}.{part}": (c,) for part in ("weight", "bias")
    }


def plain(sizes: str) -> Shapes:
    """ "conv1:96,3,11 ...": a convolution with three sizes, an inner product with two."""
    found = {}
    for name, numbers in re.findall(r"(\S+):(\S+)", sizes):
        c = tuple(map(int, numbers.split(",")))
        found |= conv(name, *c) if len(c) == 3 else dense(name, *c)
    return found


def vgg(counts: tuple[int, ...]) -> Shapes:
    found, c_in = {}, 3
    for block, (count, c) in enumerate(zip(counts, (64, 128, 256, 512, 512), strict=True), start=1):
        for i in range(1, count + 1):
            found |= conv(f"conv{block}_{i}", c, c_in, 3)
            c_in = c
    return found | plain("fc6:4096,25088 fc7:4096,4096 fc8:1000,4096")


def squeezenet(first: int, k: int) -> Shapes:
    found, c_in = conv("conv1", first, 3, k), first
    for i, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64), start=2):
        found |= conv(f"fire{i}/squeeze1x1", squeeze, c_in)
        found |= conv(f"fire{i}/expand1x1", 4 * squeeze, squeeze)
        found |= conv(f"fire{i}/expand3x3", 4 * squeeze, squeeze, 3)
        c_in = 8 * squeeze
    return found | conv("conv10", 1000, 512)


def resnet(depths: tuple[int, ...], bias: bool) -> Shapes:
    found = conv("conv1", 64, 3, 7, bias) | norm("bn_conv1", "scale_conv1", 64)
    c_in = 64
    for stage, (depth, c) in enumerate(zip(depths, (64, 128, 256, 512), strict=True), start=2):
        many = depth > 6 or (stage == 3 and depths[2] > 6)  # then res3a, res3b1, res3b2, ...
        for i in range(depth):
            unit = f"{stage}{f'b{i}' if many and i else 'abcdef'[i]}"
            sides = [("2a", c, c_in, 1), ("2b", c, c, 3), ("2c", 4 * c, c, 1)]
            for branch, out, c_of, k in sides + ([("1", 4 * c, c_in, 1)] if i == 0 else []):
                place = f"{unit}_branch{branch}"
                found |= conv(f"res{place}", out, c_of, k, bias=False)
                found |= norm(f"bn{place}", f"scale{place}", out)
            c_in = 4 * c
    return found | dense("fc1000", 1000, 2048)


def under(name: str, c: int, c_in: int, k: int = 1) -> Shapes:
    """SENet's and Shicai's way, where `name` holds an ending for each."""
    bn, scale = ("/bn", "/bn/scale") if name[-1] == "!" else ("/bn", "/scale")
    name = name.rstrip("!")
    return conv(name, c, c_in, k, bias=False) | norm(name + bn, name + scale, c)


def gate(name: str, c: int) -> Shapes:
    return conv(f"{name}_1x1_down", c // 16, c) | conv(f"{name}_1x1_up", c, c // 16)


def se_resnet(depths: tuple[int, ...], widths: tuple[int, int], groups: int = 1) -> Shapes:
    """`widths` of the first stage's first two layers."""
    if widths[0] == widths[1]:
        found, c_in = under("conv1/7x7_s2!", 64, 3, 7), 64
    else:  # SENet-154
        found = under("conv1_1/3x3_s2!", 64, 3, 3) | under("conv1_2/3x3!", 64, 64, 3)
        found, c_in = found | under("conv1_3/3x3!", 128, 64, 3), 128
    for stage, depth in enumerate(depths, start=2):
        first, second, c = (n << stage - 2 for n in (*widths, 256))
        for i in range(1, depth + 1):
            place = f"conv{stage}_{i}"
            found |= under(f"{place}_1x1_reduce!", first, c_in)
            found |= under(f"{place}_3x3!", second, first // groups, 3)
            found |= under(f"{place}_1x1_increase!", c, second) | gate(place, c)
            if i == 1:
                strided = widths[0] != widths[1] and stage > 2
                found |= under(f"{place}_1x1_proj!", c, c_in, 3 if strided else 1)
            c_in = c
    return found | dense("classifier", 1000, 2048)


def se_bn_inception() -> Shapes:
    found = under("conv1/7x7_s2!", 64, 3, 7) | under("conv2/3x3_reduce!", 64, 64)
    found |= under("conv2/3x3!", 192, 64, 3)
    c_in = 192
    for name, one, reduce, three, reduce2, double, proj in caffe.BN_INCEPTION:
        place = f"inception_{name}"
        found |= under(f"{place}/1x1!", one, c_in) if one else {}
        found |= under(f"{place}/3x3_reduce!", reduce, c_in)
        found |= under(f"{place}/3x3!", three, reduce, 3)
        found |= under(f"{place}/double3x3_reduce!", reduce2, c_in)
        found |= under(f"{place}/double3x3a!", double, reduce2, 3)
        found |= under(f"{place}/double3x3b!", double, double, 3)
        found |= under(f"{place}/pool_proj!", proj, c_in) if proj else {}
        c_in = one + three + double + (proj or c_in)
        found |= gate(place, c_in)
    return found | dense("classifier", 1000, 1024)


def densenet(first: int, k: int, depths: tuple[int, ...]) -> Shapes:
    found, c = under("conv1", first, 3, 7), first
    for block, depth in enumerate(depths, start=2):
        for i in range(1, depth + 1):
            place = f"conv{block}_{i}"
            for layer, c_in, out, side in (("x1", c, 4 * k, 1), ("x2", 4 * k, k, 3)):
                found |= norm(f"{place}/{layer}/bn", f"{place}/{layer}/scale", c_in)
                found |= conv(f"{place}/{layer}", out, c_in, side, bias=False)
            c += k
        found |= norm(f"conv{block}_blk/bn", f"conv{block}_blk/scale", c)
        if block < 5:
            found |= conv(f"conv{block}_blk", c // 2, c, bias=False)
            c //= 2
    return found | conv("fc6", 1000, c)


MOBILENET = (  # name, width, stride
    *(("2_1", 64, 1), ("2_2", 128, 2), ("3_1", 128, 1), ("3_2", 256, 2), ("4_1", 256, 1)),
    *(
        ("4_2", 512, 2),
        *((f"5_{i}", 512, 1) for i in range(1, 6)),
        ("5_6", 1024, 2),
        ("6", 1024, 1),
    ),
)


def mobilenet() -> Shapes:
    found, c_in = under("conv1", 32, 3, 3), 32
    for name, c, _ in MOBILENET:
        found |= under(f"conv{name}/dw", c_in, 1, 3) | under(f"conv{name}/sep", c, c_in)
        c_in = c
    return found | conv("fc7", 1000, 1024)


def googlenet() -> Shapes:
    found = plain("conv1/7x7_s2:64,3,7 conv2/3x3_reduce:64,64,1 conv2/3x3:192,64,3")
    c_in = 192
    for name, one, reduce3, three, reduce5, five, proj in caffe.GOOGLENET:
        p = f"inception_{name}"
        found |= conv(f"{p}/1x1", one, c_in) | conv(f"{p}/pool_proj", proj, c_in)
        found |= conv(f"{p}/3x3_reduce", reduce3, c_in) | conv(f"{p}/3x3", three, reduce3, 3)
        found |= conv(f"{p}/5x5_reduce", reduce5, c_in) | conv(f"{p}/5x5", five, reduce5, 5)
        c_in = one + three + five + proj
    for head, c in (("loss1", 512), ("loss2", 528)):
        found |= plain(f"{head}/conv:128,{c},1 {head}/fc:1024,2048 {head}/classifier:1000,1024")
    return found | dense("loss3/classifier", 1000, 1024)


NIN = (
    "conv1:96,3,11 cccp1:96,96,1 cccp2:96,96,1 conv2:256,96,5 cccp3:256,256,1 cccp4:256,256,1 "
    "conv3:384,256,3 cccp5:384,384,1 cccp6:384,384,1 conv4-1024:1024,384,3 cccp7-1024:1024,1024,1 "
    "cccp8-1024:1000,1024,1"
)
CIFAR_NIN = (
    "conv1:192,3,5 cccp1:160,192,1 cccp2:96,160,1 conv2:192,96,5 cccp3:192,192,1 cccp4:192,192,1 "
    "conv3:192,192,3 cccp5:192,192,1 cccp6:10,192,1"
)
ALEXNET = (
    "conv1:96,3,11 conv2:256,48,5 conv3:384,256,3 conv4:384,192,3 conv5:256,192,3 fc6:4096,9216 "
    "fc7:4096,4096 fc8:1000,4096"
)
RELEASED = {
    "LeNet": plain("conv1:20,1,5 conv2:50,20,5 ip1:500,800 ip2:10,500"),
    "bvlc_alexnet": plain(ALEXNET),
    "bvlc_googlenet": googlenet(),
    "VGG_ILSVRC_16_layers": vgg((2, 2, 3, 3, 3)),
    "VGG_ILSVRC_19_layers": vgg((2, 2, 4, 4, 4)),
    "nin_imagenet": plain(NIN),
    "cifar10_nin": plain(CIFAR_NIN),
    "squeezenet_v1.0": squeezenet(96, 7),
    "squeezenet_v1.1": squeezenet(64, 3),
    "ResNet-50": resnet((3, 4, 6, 3), bias=True),
    "ResNet-101": resnet((3, 4, 23, 3), bias=False),
    "ResNet-152": resnet((3, 8, 36, 3), bias=False),
    "SE-ResNet-50": se_resnet((3, 4, 6, 3), (64, 64)),
    "SE-ResNet-101": se_resnet((3, 4, 23, 3), (64, 64)),
    "SE-ResNet-152": se_resnet((3, 8, 36, 3), (64, 64)),
    "SE-ResNeXt-50": se_resnet((3, 4, 6, 3), (128, 128), 32),
    "SE-ResNeXt-101": se_resnet((3, 4, 23, 3), (128, 128), 32),
    "SENet-154": se_resnet((3, 8, 36, 3), (128, 256), 64),
    "SE-BN-Inception": se_bn_inception(),
    "DenseNet_121": densenet(64, 32, (6, 12, 24, 16)),
    "DenseNet_161": densenet(96, 48, (6, 12, 36, 24)),
    "DenseNet_169": densenet(64, 32, (6, 12, 32, 32)),
    "DenseNet_201": densenet(64, 32, (6, 12, 48, 32)),
    "mobilenet": mobilenet(),
}
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
