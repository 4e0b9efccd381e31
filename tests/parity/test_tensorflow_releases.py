"""Networks as their authors released them, against the release's graph written in plain functions
(tf_slim.py, tf_inceptions.py), whose variables load by the tables of names. In double precision, at
sides that are even and odd.
"""

import re

import pytest
import tf_inceptions
import tf_mnasnet
import tf_nasnet
import tf_slim
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas import create_model
from convatlas.weights.known import COUNTER
from convatlas.weights.names import Twin
from convatlas.weights.tensorflow import TWINS
from convatlas.weights.translating import to_ours

CLASSES = 11
SMALL, LARGE = (tf_slim.V3_SMALL, (576, 1024)), (tf_slim.V3_LARGE, (960, 1280))
INCEPTIONS = {  # and the auxiliary head's scopes; what it reads has so many channels
    "inception_v3": (tf_inceptions.inception_v3, ("Conv2d_2a_5x5", "Conv2d_2b_1x1"), 768),
    "inception_v4": (tf_inceptions.inception_v4, ("Conv2d_2a", "Aux_logits"), 1024),
    "inception_resnet_v2": (
        tf_inceptions.inception_resnet_v2,
        ("Conv2d_2a_5x5", "Logits"),
        1088,
    ),
}
NASNETS = {  # N, filters, those of the stem, whether a reduction's input is skipped, epsilon
    "nasnet_mobile": (tf_nasnet.imagenet_stem, 4, 44, 32, False, 0.001),
    "nasnet_large": (tf_nasnet.imagenet_stem, 6, 168, 96, True, 0.001),
    "nasnet_cifar": (tf_nasnet.cifar_stem, 6, 32, 96, False, 1e-5),
}
ROOTS = {
    "inception_v3": "InceptionV3",
    "inception_v4": "InceptionV4",
    "inception_resnet_v2": "InceptionResnetV2",
}
SCALES = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8), (1.6, 2.2), (1.8, 2.6))
SCALES = (*SCALES, (2.0, 3.1))


def v1(s: tf_slim.Scope, x: Tensor, name: str) -> Tensor:
    return tf_slim.mobilenet_v1(s, x, float(name.rpartition("_")[2]), CLASSES)


def v2(s: tf_slim.Scope, x: Tensor, name: str) -> Tensor:
    return tf_slim.mobilenet_v2(s, x, float(name.rpartition("_")[2]), CLASSES)


def v3(s: tf_slim.Scope, x: Tensor, name: str) -> Tensor:
    spec, convs = SMALL if "small" in name else LARGE
    width = float(name.rpartition("_")[2])
    return tf_slim.mobilenet_v3(s, x, spec, convs, width, "minimalistic" in name, CLASSES)


def b(s: tf_slim.Keras, x: Tensor, name: str) -> Tensor:
    return tf_slim.efficientnet(s, x, *SCALES[int(name[-1])], CLASSES)


def mnasnet(s: tf_slim.Keras, x: Tensor, name: str) -> Tensor:
    form, width = re.fullmatch(r"mnasnet-(.+)_(.+)", name).groups()
    return tf_mnasnet.mnasnet(s, x, form, float(width), CLASSES)


def reference(name: str) -> tuple[tf_slim.Scope, object]:
    if name.startswith("mobilenet_v1"):
        return tf_slim.Scope("MobilenetV1", tf_slim.relu6), v1
    if name.startswith("mobilenet_v2"):
        return tf_slim.Scope("MobilenetV2", tf_slim.relu6), v2
    if name.startswith("v3"):
        return tf_slim.Scope("MobilenetV3", F.relu), v3
    if name.startswith("mnasnet"):
        return tf_slim.Keras(name.partition("_")[0], F.relu), mnasnet
    return tf_slim.Keras(name, F.silu), b


def filled(twin: Twin, variables: dict[str, Tensor]) -> nn.Module:
    """Our network with these variables; it has none beside them, and they have no other place."""
    net = create_model(twin.ours, num_classes=CLASSES).double().eval()
    names = {key: n for key, n in twin.names(net.state_dict()).items() if not key.endswith(COUNTER)}
    assert sorted(names.values()) == sorted(variables)
    state = net.state_dict()
    for key, theirs in names.items():
        assert twin.shape(theirs, tuple(state[key].shape)) == tuple(variables[theirs].shape)
    state = {key: to_ours(twin, key, variables[theirs]) for key, theirs in names.items()}
    net.load_state_dict(state, strict=False)
    return net


def relative(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


EXPENSIVE = {f"efficientnet-b{n}" for n in range(2, 8)}
EXPENSIVE |= {f"mnasnet-a1_{width}" for width in ("1.4", "0.75", "0.5")}
PLAIN = [name for name in TWINS if name not in INCEPTIONS | NASNETS]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.full) if n in EXPENSIVE else n for n in PLAIN],
)
@torch.no_grad()
def test_mobilenets_and_efficientnets(name):
    scope, graph = reference(name)
    images = torch.Generator().manual_seed(1)
    odd = torch.randn(2, 3, 75, 64, generator=images, dtype=torch.float64)
    even = torch.randn(2, 3, 96, 49, generator=images, dtype=torch.float64)
    expected = [graph(scope, x, name) for x in (odd, even)]
    net = filled(TWINS[name], scope.variables)
    for x, theirs in zip((odd, even), expected, strict=True):
        assert theirs.std(0).min() > 0
        assert relative(net(x), theirs) <= 1e-10


@pytest.mark.parametrize("name", INCEPTIONS)
@torch.no_grad()
def test_inceptions(name):
    graph, head, c = INCEPTIONS[name]
    scope = tf_slim.Scope(ROOTS[name], F.relu, gamma=False)
    images = torch.Generator().manual_seed(1)
    x = torch.randn(1, 3, 107, 110, generator=images, dtype=torch.float64)
    maps = torch.randn(2, c, 17, 17, generator=images, dtype=torch.float64)
    read, logits = graph(scope, x, CLASSES)
    auxiliary = tf_inceptions.auxiliary(scope, maps, head, CLASSES)
    net = filled(TWINS[name], scope.variables)
    assert relative(net(x), logits) <= 1e-10
    assert relative(net.aux(maps), auxiliary) <= 1e-10
    seen = []
    net.aux.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    (main, whole), (_, share) = net.training_outputs(x)
    assert relative(main, logits) <= 1e-10
    assert (whole, share) == (1.0, 0.4)
    assert relative(seen[0], read) <= 1e-10


@pytest.mark.parametrize(
    "name", ["nasnet_mobile", pytest.param("nasnet_large", marks=pytest.mark.full), "nasnet_cifar"]
)
@torch.no_grad()
def test_nasnets(name):
    stem, n, filters, width, skip, epsilon = NASNETS[name]
    scope = tf_nasnet.NASNetScope(epsilon)
    images = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 75, 60, generator=images, dtype=torch.float64)
    if name == "nasnet_cifar":
        x = x[:, :, :25, :24]
    side = {"nasnet_large": 21}.get(name, 14)  # 5x5 means, stride 3: 6x6; 4x4 of 14 and of 16
    maps = torch.randn(2, 12 * filters, side, side, generator=images, dtype=torch.float64)
    read, logits = tf_nasnet.nasnet(
        scope, stem(scope, x, filters, width), n, filters, skip, CLASSES
    )
    auxiliary = tf_nasnet.auxiliary(scope, maps, n, CLASSES)
    net = filled(TWINS[name], scope.variables)
    assert logits.std(0).min() > 0
    assert relative(net(x), logits) <= 1e-10
    assert relative(net.aux(maps), auxiliary) <= 1e-10
    assert relative(net.maps(x)[0], read) <= 1e-10


@pytest.mark.parametrize(
    ("name", "base", "size"),
    [
        # inception_v3_test.py and mobilenet_v1_test.py, testModelHasExpectedNumberOfParameters; the
        # latter makes its norms without scales
        ("inception_v3", r"InceptionV3/(?!Logits|AuxLogits)", 21_802_784),
        ("mobilenet_v1_1.0", r"MobilenetV1/(?!Logits)(?!.*/gamma$)", 3_217_920),
    ],
)
def test_the_release_counts_as_many_numbers(name, base, size):
    twin = TWINS[name]
    with torch.device("meta"):
        state = create_model(twin.ours).state_dict()
    held = {theirs: state[key].numel() for key, theirs in twin.names(state).items()}
    counted = {theirs: n for theirs, n in held.items() if not theirs.endswith(COUNTER)}
    assert sum(n for theirs, n in counted.items() if re.match(base, theirs)) == size
