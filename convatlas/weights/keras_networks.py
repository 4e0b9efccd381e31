"""Keras's names: the models of keras.applications (github.com/keras-team/keras, src/applications)
whose graph is one of ours, as weights/keras.py spells their layers and variables.

Kernels lie as height, width, input, output. Layers without a name of their own are numbered in the
order in which the source makes them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from convatlas.weights.efficientnets import FACTORS, units
from convatlas.weights.names import (
    HWC1,
    HWIO,
    IO,
    Convolved,
    Layout,
    Pixels,
    Reordered,
    Rule,
    Rules,
    Table,
    Twin,
    counted,
    moved,
)
from convatlas.weights.tensorflow import (
    BLOCK8,
    BLOCK35,
    REDUCTION_A,
    RESNET_5B,
    RESNET_REDUCTION_B,
    UNITS,
    V3_A,
    V3_B,
    V3_REDUCTION_A,
    V3_REDUCTION_B,
    numbered,
    residual,
)

# What preprocess_input of each model makes of pixels
ONE_TO_ONE = Pixels(0.5, 0.5)
CAFFES = Pixels((123.68 / 255, 116.779 / 255, 103.939 / 255), 1 / 255)
BLUE_FIRST = (2, 1, 0)  # Caffe's order of channels, turned round so that ours is red, green, blue
EPSILONS = ((r"\.running_var$", 1.001e-5 - 1e-5),)  # of ResNets and DenseNets there, less ours

NORM: Rules = (
    (r"(bn|bn_conv1|batch_normalization_\d+)\.weight$", r"\1/gamma"),
    (r"(bn|bn_conv1|batch_normalization_\d+)\.bias$", r"\1/beta"),
    (r"\.running_mean$", "/moving_mean"),
    (r"\.running_var$", "/moving_variance"),
    (r"\.num", "/num"),
)
ENDS: Rules = (
    (r"^fc\.", "predictions."),
    *NORM,
    (r"\.weight$", "/kernel"),
    (r"\.bias$", "/bias"),
)
LAYOUTS = (
    Layout(r"(depthwise|conv_dw_\d+|dwconv)/kernel$|/depthwise_kernel$", HWC1),
    Layout(r"kernel$", HWIO),
    Layout(r"kernel$", IO),
)


def keras(ours: str, rules: Rules, pixels: Pixels | None = ONE_TO_ONE) -> Twin:
    return Twin(ours, (*rules, *ENDS), layouts=LAYOUTS, axes=(-1, -2), pixels=pixels)


VGG: Rules = (
    (r"^conv(\d)\.conv\d_(\d)\.conv\.", r"block\1_conv\2."),
    *moved({"fc6": "fc1", "fc7": "fc2"}, r"\.fc"),
    (r"^fc8\.", "predictions."),
)
MAP = 7  # rows and columns that VGG flattens, the channels last there
FLATTENED = tuple(place * 512 + channel for channel in range(512) for place in range(MAP * MAP))


def vgg(layers: int) -> Twin:
    reordered = (
        Reordered(r"^conv1\.conv1_1\.conv\.weight$", 1, BLUE_FIRST),
        Reordered(r"^fc6\.fc\.weight$", 1, FLATTENED),
    )
    return replace(keras(f"vgg{layers}", VGG, CAFFES), reordered=reordered)


RESNET: Rules = (
    (r"^conv1\.conv\.(conv|bn)\.", r"conv1_\1."),
    (r"^conv(\d)_x\.(\d+)\.", counted("conv{}_block{}_", 0)),
    (r"^(conv\d_block)(\d+)_", lambda match: f"{match[1]}{int(match[2]) + 1}_"),
    (r"_branch\.conv(\d)\.(conv|bn)\.", r"_\1_\2."),
    (r"_shortcut\.(conv|bn)\.", r"_0_\1."),
)


def resnet(layers: int) -> Twin:
    """Its convolutions have biases, though a norm follows each."""
    return replace(
        keras(f"resnet{layers}", RESNET, CAFFES),
        reordered=(Reordered(r"^conv1\.conv\.conv\.weight$", 1, BLUE_FIRST),),
        biases=((r"_bn/moving_mean$", "_conv/bias"),),
        shifted=EPSILONS,
    )


DENSENET: Rules = (
    (r"^convolution\.conv\.(conv|bn)\.", r"conv1_\1."),
    (r"^dense_block(\d)\.layer(\d+)\.conv1\.bn\.", counted("conv{}_block{}_0_bn.", 1)),
    (r"^dense_block(\d)\.layer(\d+)\.conv1\.conv\.", counted("conv{}_block{}_1_conv.", 1)),
    (r"^dense_block(\d)\.layer(\d+)\.conv2\.bn\.", counted("conv{}_block{}_1_bn.", 1)),
    (r"^dense_block(\d)\.layer(\d+)\.conv2\.conv\.", counted("conv{}_block{}_2_conv.", 1)),
    (r"^transition(\d)\.conv\.(conv|bn)\.", counted("pool{}_{}.", 1)),
    (r"^activation\.", ""),
)


def unnamed(layers: Iterable[str]) -> Rule:
    """Convolutions with their norms, in the order in which they get their numbers."""
    numbers = {layer: number for number, layer in enumerate(layers)}
    classes = {"conv": "conv2d", "bn": "batch_normalization"}

    def replacement(match: re.Match) -> str:
        if match[1] not in numbers:
            return match[0]
        return f"{classes[match[2]]}_{numbers[match[1]]}."

    return r"^(.+)\.(conv|bn)\.(?=\w+$)", replacement


def among(module: str, layers: Iterable[str]) -> Iterator[str]:
    return (f"{module}.{layer}" for layer in layers)


def inception_v3() -> Iterator[str]:
    """mixed0 to mixed10."""
    yield from ("conv_1a", "conv_2a", "conv_2b", "conv_3b", "conv_4a")
    for name in "bcd":
        yield from among(f"mixed_5{name}", V3_A)
    yield from among("mixed_6a", V3_REDUCTION_A)
    for name in "bcde":
        yield from among(f"mixed_6{name}", V3_B)
    yield from among("mixed_7a", V3_REDUCTION_B)
    for name in "bc":
        yield from among(f"mixed_7{name}", MIXED_7)


MIXED_7 = (
    "1x1.conv1",
    *("3x3.stack.conv1", "3x3.split.1x3", "3x3.split.3x1"),
    *("double_3x3.stack.conv1", "double_3x3.stack.conv2"),
    *("double_3x3.split.1x3", "double_3x3.split.3x1"),
    "pool.conv1",
)
BLOCK17 = residual("0b_1x7", "0c_7x1")


def inception_resnet_v2() -> Iterator[str]:
    """The last 1x1 of a residual branch has a name and no norm."""
    yield from among("conv_2b", ("conv1", "conv2", "conv3"))
    yield from among("conv_4a", ("conv1", "conv2"))
    yield from among("mixed_5b", RESNET_5B)
    yield from repeated("repeat.{}", 10, BLOCK35)
    yield from among("mixed_6a", REDUCTION_A)
    yield from repeated("repeat_1.{}", 20, BLOCK17)
    yield from among("mixed_7a", RESNET_REDUCTION_B)
    yield from repeated("repeat_2.{}", 9, BLOCK8)
    yield from repeated("block8", 1, BLOCK8)


def repeated(template: str, times: int, block: Mapping[str, str]) -> Iterator[str]:
    for i in range(times):
        yield from among(template.format(i), (layer for layer in block if layer != "linear"))


INCEPTION_RESNET_V2: Rules = (
    (r"^repeat\.(\d+)\.linear\.", counted("block35_{}_conv.", 1)),
    (r"^repeat_1\.(\d+)\.linear\.", counted("block17_{}_conv.", 1)),
    (r"^repeat_2\.(\d+)\.linear\.", counted("block8_{}_conv.", 1)),
    (r"^block8\.linear\.", "block8_10_conv."),
    (r"^conv_7b\.conv1\.conv\.", "conv_7b."),
    (r"^conv_7b\.conv1\.bn\.", "conv_7b_bn."),
)


def inception(ours: str, layers: Iterable[str], rules: Rules = ()) -> Twin:
    """No auxiliary head there."""
    return replace(keras(ours, (*rules, unnamed(layers))), absent=r"^aux\.")


SHORTCUTS = (*(f"entry_flow.block{i}.shortcut" for i in (1, 2, 3)), "exit_flow.block.shortcut")
XCEPTION: Rules = (
    unnamed(SHORTCUTS),
    (r"^entry_flow\.conv(\d)\.conv\.", r"block1_conv\1."),
    (r"^entry_flow\.conv(\d)\.bn\.", r"block1_conv\1_bn."),
    (r"^entry_flow\.block(\d)\.branch\.convs\.", counted("block{}_", 1)),
    (r"^middle_flow\.(\d)\.branch\.", counted("block{}_", 5)),
    (r"^exit_flow\.block\.branch\.convs\.", "block13_"),
    (r"^exit_flow\.", "block14_"),
    (r"(_sepconv\d)\.depthwise\.weight$", r"\1/depthwise_kernel"),
    (r"(_sepconv\d)\.pointwise\.conv\.weight$", r"\1/pointwise_kernel"),
    (r"(_sepconv\d)\.pointwise\.bn\.", r"\1_bn."),
)

MOBILENET_V1: Rules = (
    (r"^conv1\.conv\.conv\.", "conv1."),
    (r"^conv1\.conv\.bn\.", "conv1_bn."),
    (r"^conv(\d+)\.(dw|pw)\.conv\.", lambda match: f"conv_{match[2]}_{int(match[1]) - 1}."),
    (r"^conv(\d+)\.(dw|pw)\.bn\.", lambda match: f"conv_{match[2]}_{int(match[1]) - 1}_bn."),
    (r"^fc\.", "conv_preds."),
)
MOBILENET_V2: Rules = (
    (r"^conv1\.conv\.conv\.", "conv1."),
    (r"^conv1\.conv\.bn\.", "bn_conv1."),
    *(
        (rf"^bottleneck{i}\.(\d)\.layers\.", counted("block_{}_", sum(UNITS[: i - 1])))
        for i in range(1, len(UNITS) + 1)
    ),
    (r"^block_0_", "expanded_conv_"),
    (r"^conv9\.conv\.", "conv_1."),
)
MOBILENET_V3: Rules = (
    (r"^conv1\.conv\.", "conv."),
    (r"^bneck(\d+)\.layers\.", numbered("expanded_conv{}_", -1)),
    (r"_se\.squeeze\.", "_squeeze_excite_conv."),
    (r"_se\.excite\.", "_squeeze_excite_conv_1."),
    (r"^conv2\.conv\.", "conv_1."),
    (r"^nbn\.fc\.", "conv_2."),
    (r"^fc\.", "logits."),
)
UNNAMED_CONV: Rules = ((r"\.conv\.weight$", ".weight"), (r"\.bn\.", "_bn."))


def mobilenet(ours: str, rules: Rules, *pixels: str) -> Twin:
    """Linear layers on one pixel are convolutions there, but MobileNetV2's."""
    convolved = tuple(Convolved(rf"^{name}/kernel$", 1) for name in pixels)
    return replace(keras(ours, (*rules, *UNNAMED_CONV)), convolved=convolved)


def efficientnet(n: int, factor: float) -> Twin:
    """Units are lettered. The layer in front that standardises pixels has numbers, too."""
    rules: Rules = (
        (r"^stage1\.conv\.(conv|bn)\.", r"stem_\1."),
        (r"^stage9\.conv\.(conv|bn)\.", r"top_\1."),
        *(
            (
                rf"^stage{stage}\.{unit}\.layers\.",
                f"block{stage - 1}{chr(ord('a') + unit)}_",
            )
            for stage, depth in units(factor).items()
            for unit in range(depth)
        ),
        (r"_(expand|project)\.(conv|bn)\.", r"_\1_\2."),
        (r"_depthwise\.conv\.", "_dwconv."),
        (r"_depthwise\.bn\.", "_bn."),
        (r"_se\.squeeze\.", "_se_reduce."),
        (r"_se\.excite\.", "_se_expand."),
    )
    twin = keras(f"efficientnet_b{n}", rules, None)
    return replace(twin, surplus=STANDARDISED)


STANDARDISED = r"^normalization_\d+/"

# Keras's names of models, with the width where it is an argument
TWINS: Table = {
    "VGG16": vgg(16),
    "VGG19": vgg(19),
    **{f"ResNet{n}": resnet(n) for n in (50, 101, 152)},
    **{
        f"DenseNet{n}": replace(keras(f"densenet{n}", DENSENET, None), shifted=EPSILONS)
        for n in (121, 169, 201)
    },
    "InceptionV3": inception("inception_v3_released", inception_v3()),
    "InceptionResNetV2": inception(
        "inception_resnet_v2_slim", inception_resnet_v2(), INCEPTION_RESNET_V2
    ),
    "Xception": keras("xception_released", XCEPTION),
    **{
        f"MobileNet_{width}": mobilenet(f"mobilenet_v1_released{x}", MOBILENET_V1, "conv_preds")
        for width, x in (("1.0", ""), ("0.75", "_x0_75"), ("0.5", "_x0_5"), ("0.25", "_x0_25"))
    },
    **{
        f"MobileNetV2_{width}": mobilenet(f"mobilenet_v2_released{x}", MOBILENET_V2)
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
        f"MobileNetV3{size.title()}{theirs}": mobilenet(
            f"mobilenet_v3_{size}_released{ours}", MOBILENET_V3, "conv_2", "logits"
        )
        for size in ("large", "small")
        for theirs, ours in (
            ("_1.0", ""),
            ("_0.75", "_x0_75"),
            ("_1.0_minimalistic", "_minimalistic"),
        )
    },
    **{f"EfficientNetB{n}": efficientnet(n, factor) for n, factor in enumerate(FACTORS)},
}
