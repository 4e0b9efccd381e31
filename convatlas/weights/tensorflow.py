"""Variables of TensorFlow's checkpoints that the networks' authors published: TF-slim's
(github.com/tensorflow/models, research/slim/nets), EfficientNet's and MnasNet's
(github.com/tensorflow/tpu).

Kernels lie as height, width, input, output there. Slim's networks tell 1001 classes apart, the
first of which is the background, and its Inceptions have no gamma.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from convatlas.weights import mnasnets, nasnets
from convatlas.weights.efficientnets import FACTORS, through, units
from convatlas.weights.names import HWC1, HWIO, IO, Convolved, Layout, Rules, Table, Twin, counted

NORM: Rules = (
    (r"\.bn\.weight$", "/BatchNorm/gamma"),
    (r"\.bn\.bias$", "/BatchNorm/beta"),
    (r"\.bn\.running_mean$", "/BatchNorm/moving_mean"),
    (r"\.bn\.running_var$", "/BatchNorm/moving_variance"),
    (r"\.bn\.num", "/BatchNorm/num"),
)
SLIM: Rules = (
    (r"depthwise\.conv\.weight$", "depthwise/depthwise_weights"),
    *NORM,
    (r"(\.conv)?\.weight$", "/weights"),
    (r"\.bias$", "/biases"),
)
LAYOUTS = (
    Layout(r"/depthwise_(weights|kernel)$", HWC1),
    Layout(r"/(pointwise_)?(weights|kernel)$", HWIO),
    Layout(r"/(weights|kernel)$", IO),
)
# One-pixel maps there, vectors here
ONE_PIXEL = (Convolved(r"^(MobilenetV3/Conv_2|.*/Conv2d_(1c|2b)_1x1)/weights$", 1),)


def slim(ours: str, root: str, rules: Rules, convolved: tuple[Convolved, ...] = ()) -> Twin:
    """A network of TF-slim; `rules` lead from our modules to scopes under `root`."""
    under: Rules = ((r"^", f"{root}/"),)
    return Twin(ours, (*rules, *SLIM, *under), convolved, layouts=LAYOUTS, axes=(-1, -2))


def scopes(places: Mapping[str, str], prefix: str = "") -> Rules:
    """A rule for each module: its place here, after a pattern, and its scope there."""
    return tuple(
        (rf"^{prefix}{re.escape(ours)}\.(?=conv\.|bn\.|weight|bias)", f"{theirs}.")
        for ours, theirs in places.items()
    )


def numbered(template: str, first: int) -> Callable[[re.Match], str]:
    """expanded_conv, expanded_conv_1, ...: the first group counts from `first`; 0 has no number."""

    def replacement(match: re.Match) -> str:
        number = int(match[1]) + first
        return template.format(f"_{number}" if number else "")

    return replacement


MOBILENET_V1: Rules = (
    (r"^conv1\.conv\.", "Conv2d_0."),
    (r"^conv(\d+)\.dw\.", counted("Conv2d_{}_depthwise.", -1)),
    (r"^conv(\d+)\.pw\.", counted("Conv2d_{}_pointwise.", -1)),
    (r"^fc\.", "Logits/Conv2d_1c_1x1."),
)
UNITS = (1, 2, 3, 4, 3, 3, 1)  # of MobileNetV2's bottlenecks
MOBILENET_V2: Rules = (
    (r"^conv1\.conv\.", "Conv."),
    *(
        (rf"^bottleneck{i}\.(\d)\.layers\.", numbered("expanded_conv{}/", sum(UNITS[: i - 1])))
        for i in range(1, len(UNITS) + 1)
    ),
    (r"^conv9\.conv\.", "Conv_1."),
    (r"^fc\.", "Logits/Conv2d_1c_1x1."),
)
MOBILENET_V3: Rules = (
    (r"^conv1\.conv\.", "Conv."),
    (r"^bneck(\d+)\.layers\.", numbered("expanded_conv{}/", -1)),
    (r"/se\.squeeze\.", "/squeeze_excite/Conv."),
    (r"/se\.excite\.", "/squeeze_excite/Conv_1."),
    (r"^conv2\.conv\.", "Conv_1."),
    (r"^nbn\.fc\.", "Conv_2."),
    (r"^fc\.", "Logits/Conv2d_1c_1x1."),
)


def branch(number: int, ours: str, *kernels: str) -> dict[str, str]:
    """The layers of one branch, conv1 to convN here; there a, b, c ... and their kernels."""
    return {
        f"{ours}.conv{i}": f"Branch_{number}/Conv2d_{kernel}"
        for i, kernel in enumerate(kernels, start=1)
    }


def module(ours: str, scope: str, places: Mapping[str, str]) -> Rules:
    """The layers of one module: their places in it, and their scopes in its own."""
    return scopes({f"{ours}.{place}": f"{scope}/{inner}" for place, inner in places.items()})


def modules(ours: str, scope: str, names: Iterable, places: Mapping[str, str]) -> Rules:
    """Modules of the same layers, which count from 0 here and have names there."""
    return tuple(
        rule
        for i, name in enumerate(names)
        for rule in module(ours.format(i=i, name=name), scope.format(name=name), places)
    )


DOUBLE_7X7 = ("0a_1x1", "0b_7x1", "0c_1x7", "0d_7x1", "0e_1x7")
V3_POOL = {"pool.conv1": "Branch_3/Conv2d_0b_1x1"}
V3_A = (
    branch(0, "1x1", "0a_1x1")
    | branch(1, "5x5", "0a_1x1", "0b_5x5")
    | branch(2, "double_3x3", "0a_1x1", "0b_3x3", "0c_3x3")
    | V3_POOL
)
# Two layers of 5c are misnamed there, as are two kernels of 6a
V3_5C = {"5x5.conv1": "Branch_1/Conv2d_0b_1x1", "5x5.conv2": "Branch_1/Conv_1_0c_5x5"}
V3_REDUCTION_A = branch(0, "3x3", "1a_1x1") | branch(1, "double_3x3", "0a_1x1", "0b_3x3", "1a_1x1")
V3_B = (
    branch(0, "1x1", "0a_1x1")
    | branch(1, "7x7", "0a_1x1", "0b_1x7", "0c_7x1")
    | branch(2, "double_7x7", *DOUBLE_7X7)
    | V3_POOL
)
V3_REDUCTION_B = branch(0, "3x3", "0a_1x1", "1a_3x3") | branch(
    1, "7x7", "0a_1x1", "0b_1x7", "0c_7x1", "1a_3x3"
)
V3_C = (
    branch(0, "1x1", "0a_1x1")
    | branch(1, "3x3.stack", "0a_1x1")
    | {"3x3.split.1x3": "Branch_1/Conv2d_0b_1x3"}
    | branch(2, "double_3x3.stack", "0a_1x1", "0b_3x3")
    | {"double_3x3.split.1x3": "Branch_2/Conv2d_0c_1x3"}
    | {"double_3x3.split.3x1": "Branch_2/Conv2d_0d_3x1"}
    | V3_POOL
)
INCEPTION_V3: Rules = (
    *scopes({f"conv_{name}": f"Conv2d_{name}_3x3" for name in ("1a", "2a", "2b", "4a")}),
    *scopes({"conv_3b": "Conv2d_3b_1x1"}),
    *modules("mixed_5{name}", "Mixed_5{name}", "bd", V3_A),
    *module("mixed_5c", "Mixed_5c", V3_A | V3_5C),
    *module("mixed_6a", "Mixed_6a", V3_REDUCTION_A),
    *modules("mixed_6{name}", "Mixed_6{name}", "bcde", V3_B),
    *module("mixed_7a", "Mixed_7a", V3_REDUCTION_B),
    *module("mixed_7b", "Mixed_7b", V3_C | {"3x3.split.3x1": "Branch_1/Conv2d_0b_3x1"}),
    *module("mixed_7c", "Mixed_7c", V3_C | {"3x3.split.3x1": "Branch_1/Conv2d_0c_3x1"}),
    *scopes(
        {
            "aux.convs.conv1": "AuxLogits/Conv2d_1b_1x1",
            "aux.convs.conv2": "AuxLogits/Conv2d_2a_5x5",
            "aux.fc": "AuxLogits/Conv2d_2b_1x1",
            "fc": "Logits/Conv2d_1c_1x1",
        }
    ),
)

V4_POOL = {"branch4.convs.conv1": "Branch_3/Conv2d_0b_1x1"}
V4_A = (
    branch(0, "branch1", "0a_1x1")
    | branch(1, "branch2", "0a_1x1", "0b_3x3")
    | branch(2, "branch3", "0a_1x1", "0b_3x3", "0c_3x3")
    | V4_POOL
)
V4_B = (
    branch(0, "branch1", "0a_1x1")
    | branch(1, "branch2", "0a_1x1", "0b_1x7", "0c_7x1")
    | branch(2, "branch3", *DOUBLE_7X7)
    | V4_POOL
)
V4_C = (
    branch(0, "branch1", "0a_1x1")
    | branch(1, "branch2.convs", "0a_1x1")
    | branch(1, "branch2.fork.branch1", "0b_1x3")
    | branch(1, "branch2.fork.branch2", "0c_3x1")
    | branch(2, "branch3.convs", "0a_1x1", "0b_3x1", "0c_1x3")
    | branch(2, "branch3.fork.branch1", "0d_1x3")
    | branch(2, "branch3.fork.branch2", "0e_3x1")
    | V4_POOL
)
REDUCTION_A = branch(0, "branch1", "1a_3x3") | branch(1, "branch2", "0a_1x1", "0b_3x3", "1a_3x3")
V4_REDUCTION_B = branch(0, "branch1", "0a_1x1", "1a_3x3") | branch(
    1, "branch2", "0a_1x1", "0b_1x7", "0c_7x1", "1a_3x3"
)
STEM_3 = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3")
INCEPTION_V4: Rules = (
    *scopes({f"stem.convs.conv{i}": scope for i, scope in enumerate(STEM_3, start=1)}),
    *module("stem.concat1", "Mixed_3a", branch(1, "branch2", "0a_3x3")),
    *module(
        "stem.concat2",
        "Mixed_4a",
        branch(0, "branch1", "0a_1x1", "1a_3x3")
        | branch(1, "branch2", "0a_1x1", "0b_1x7", "0c_7x1", "1a_3x3"),
    ),
    *module("stem.concat3", "Mixed_5a", branch(0, "branch1", "1a_3x3")),
    *modules("inception_a.{i}", "Mixed_5{name}", "bcde", V4_A),
    *module("reduction_a", "Mixed_6a", REDUCTION_A),
    *modules("inception_b.{i}", "Mixed_6{name}", "bcdefgh", V4_B),
    *module("reduction_b", "Mixed_7a", V4_REDUCTION_B),
    *modules("inception_c.{i}", "Mixed_7{name}", "bcd", V4_C),
    *scopes(
        {
            "aux.convs.conv1": "AuxLogits/Conv2d_1b_1x1",
            "aux.convs.conv2": "AuxLogits/Conv2d_2a",
            "aux.fc": "AuxLogits/Aux_logits",
            "fc": "Logits/Logits",
        }
    ),
)


def residual(*kernels: str) -> dict[str, str]:
    """A unit of Inception-ResNet-v2 with two branches."""
    return (
        branch(0, "branches.branch1", "1x1")
        | branch(1, "branches.branch2", "0a_1x1", *kernels)
        | {"linear": "Conv2d_1x1"}
    )


BLOCK35 = residual("0b_3x3") | branch(2, "branches.branch3", "0a_1x1", "0b_3x3", "0c_3x3")
BLOCK8 = residual("0b_1x3", "0c_3x1")
RESNET_5B = (
    branch(0, "branch1", "1x1")
    | branch(1, "branch2", "0a_1x1", "0b_5x5")
    | branch(2, "branch3", "0a_1x1", "0b_3x3", "0c_3x3")
    | V4_POOL
)
RESNET_REDUCTION_B = (
    branch(0, "branch1", "0a_1x1", "1a_3x3")
    | branch(1, "branch2", "0a_1x1", "1a_3x3")
    | branch(2, "branch3", "0a_1x1", "0b_3x3", "1a_3x3")
)
INCEPTION_RESNET_V2: Rules = (
    *scopes({f"conv_2b.conv{i}": scope for i, scope in enumerate(STEM_3, start=1)}),
    *scopes({"conv_4a.conv1": "Conv2d_3b_1x1", "conv_4a.conv2": "Conv2d_4a_3x3"}),
    *module("mixed_5b", "Mixed_5b", RESNET_5B),
    *modules("repeat.{i}", "Repeat/block35_{name}", range(1, 11), BLOCK35),
    *module("mixed_6a", "Mixed_6a", REDUCTION_A),
    *modules("repeat_1.{i}", "Repeat_1/block17_{name}", range(1, 21), residual("0b_1x7", "0c_7x1")),
    *module("mixed_7a", "Mixed_7a", RESNET_REDUCTION_B),
    *modules("repeat_2.{i}", "Repeat_2/block8_{name}", range(1, 10), BLOCK8),
    *module("block8", "Block8", BLOCK8),
    *scopes(
        {
            "conv_7b.conv1": "Conv2d_7b_1x1",
            "aux.convs.conv1": "AuxLogits/Conv2d_1b_1x1",
            "aux.convs.conv2": "AuxLogits/Conv2d_2a_5x5",
            "aux.fc": "AuxLogits/Logits",
            "fc": "Logits/Logits",
        }
    ),
)

TPU = "tpu_batch_normalization"


def efficientnet(n: int, factor: float) -> Twin:
    """Layers are numbered where they are made, so that a block without expansion counts less."""
    first, others = rf"^(blocks_[0-{units(factor)[2] - 1}]", r"^(blocks_\d+"
    rules: Rules = (
        (r"^stage1\.conv\.", "stem/"),
        (r"^stage9\.conv\.", "head/"),
        *through(factor, "blocks_{}/"),
        (rf"{first}/)project\.conv\.", r"\1conv2d."),
        (rf"{first}/)depthwise\.bn\.", rf"\1{TPU}."),
        (rf"{first}/)project\.bn\.", rf"\1{TPU}_1."),
        (rf"{others}/)expand\.conv\.", r"\1conv2d."),
        (rf"{others}/)expand\.bn\.", rf"\1{TPU}."),
        (rf"{others}/)depthwise\.conv\.weight", r"\1depthwise_conv2d/depthwise_kernel"),
        (rf"{others}/)depthwise\.bn\.", rf"\1{TPU}_1."),
        (rf"{others}/)project\.conv\.", r"\1conv2d_1."),
        (rf"{others}/)project\.bn\.", rf"\1{TPU}_2."),
        (r"/se\.squeeze\.", "/se/conv2d."),
        (r"/se\.excite\.", "/se/conv2d_1."),
        (r"^(stem|head)/conv\.", r"\1/conv2d."),
        (r"^(stem|head)/bn\.", rf"\1/{TPU}."),
        (r"^fc\.", "head/dense."),
        (rf"({TPU}(?:_\d)?)\.weight$", r"\1/gamma"),
        (rf"({TPU}(?:_\d)?)\.bias$", r"\1/beta"),
        (r"\.running_mean$", "/moving_mean"),
        (r"\.running_var$", "/moving_variance"),
        (r"\.weight$", "/kernel"),
        (r"\.bias$", "/bias"),
        (r"\.num", "/num"),
        (r"^", f"efficientnet-b{n}/"),
    )
    return Twin(f"efficientnet_b{n}", rules, layouts=LAYOUTS, axes=(-1, -2))


def nasnet(ours: str, rules: Rules) -> Twin:
    return Twin(ours, rules, layouts=LAYOUTS, axes=(-1, -2))


def mnasnet(ours: str, name: str, blocks: mnasnets.Blocks) -> Twin:
    return Twin(ours, mnasnets.rules(name, blocks), layouts=LAYOUTS, axes=(-1, -2))


def mobilenet(ours: str, root: str, rules: Rules) -> Twin:
    return slim(ours, root, rules, ONE_PIXEL)


# slim's own names of checkpoints: version, width
TWINS: Table = {
    **{
        f"mobilenet_v1_{width}": mobilenet(f"mobilenet_v1_released{x}", "MobilenetV1", MOBILENET_V1)
        for width, x in (("1.0", ""), ("0.75", "_x0_75"), ("0.5", "_x0_5"), ("0.25", "_x0_25"))
    },
    **{
        f"mobilenet_v2_{width}": mobilenet(f"mobilenet_v2_released{x}", "MobilenetV2", MOBILENET_V2)
        for width, x in (
            ("1.4", "_x1_4"),
            ("1.3", "_x1_3"),
            ("1.0", ""),
            ("0.75", "_x0_75"),
            ("0.5", "_x0_5"),
            ("0.35", "_x0_35"),
        )
    },
    **{
        f"v3-{size}{theirs}": mobilenet(
            f"mobilenet_v3_{size}_released{ours}", "MobilenetV3", MOBILENET_V3
        )
        for size in ("large", "small")
        for theirs, ours in (
            ("_1.0", ""),
            ("_0.75", "_x0_75"),
            ("-minimalistic_1.0", "_minimalistic"),
        )
    },
    "inception_v3": slim("inception_v3_released", "InceptionV3", INCEPTION_V3, ONE_PIXEL),
    "inception_v4": slim("inception_v4_released", "InceptionV4", INCEPTION_V4),
    "inception_resnet_v2": slim(
        "inception_resnet_v2_slim", "InceptionResnetV2", INCEPTION_RESNET_V2
    ),
    "nasnet_mobile": nasnet("nasnet_a_4_1056", nasnets.slim(4)),
    "nasnet_large": nasnet("nasnet_a_6_4032", nasnets.slim(6)),
    "nasnet_cifar": nasnet("nasnet_a_6_768_cifar", nasnets.slim(6, "l1_stem_3x3", "l1_stem_bn")),
    **{  # one name of the network for all widths, in the release's files
        f"mnasnet-a1_{width}": mnasnet(f"mnasnet_a1_released{x}", "mnasnet-a1", mnasnets.A1)
        for width, x in (
            ("1.4", "_x1_4"),
            ("1.0", ""),
            ("0.75", "_x0_75"),
            ("0.5", "_x0_5"),
            ("0.35", "_x0_35"),
        )
    },
    "mnasnet-b1_1.0": mnasnet("mnasnet_b1_released", "mnasnet-b1", mnasnets.B1),
    "mnasnet-small_1.0": mnasnet("mnasnet_small_released", "mnasnet-small", mnasnets.SMALL),
    **{f"efficientnet-b{n}": efficientnet(n, factor) for n, factor in enumerate(FACTORS)},
}
