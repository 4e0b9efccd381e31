"""What the suffixes of names mean. A name without one is the network that the paper prints."""

import re
from collections.abc import Iterable

SUFFIXES = {
    r"_tutorial(_32|_max|_padding1)?": ("_tutorial", "the widely copied teaching form"),
    r"_cifar": ("_cifar", "the paper's own networks for images of 32x32 pixels"),
    r"(?<!tutorial)_32": (
        "_32",
        "the widths for ImageNet after a first layer for images of 32x32 pixels",
    ),
    r"_v15": ("_v15", "stride in the 3x3 convolution of a bottleneck instead of the first 1x1"),
    r"_bn(?=_32|$)": ("_bn", "batch norm added"),
    r"_lrn": ("_lrn", "with local response normalisation"),
    r"_owt": ("_owt", "the later form in one tower, One Weird Trick"),
    r"_torchvision": ("_torchvision", "torchvision's network, where it is another one"),
    r"_released": ("_released", "the authors' code, where it is another network than the paper's"),
    r"_caffe": ("_caffe", "the widely used copy for Caffe"),
    r"_separable": ("_separable", "the first convolution in two steps, depthwise and 1x1"),
    r"_option_a": ("_option_a", "shortcuts without parameters: strided, and padded with zeros"),
    r"(?<=resnet50)_c": ("_c", "ResNet-C: three 3x3 convolutions for the first 7x7"),
    r"(?<=resnet\d\d|esnet\d\d\d)_d": (
        "_d",
        "ResNet-D: three 3x3 convolutions first, and an average pool on strided shortcuts",
    ),
    r"_option_c": ("_option_c", "every shortcut a 1x1 convolution"),
    r"_constant_scaling": ("_constant_scaling", "shortcuts times 0.5"),
    r"_frozen_gating": ("_frozen_gating", "shortcuts and branches times 0.5"),
    r"_exclusive_gating": (
        "_exclusive_gating",
        "a gate that lets through the more of the branch the less of the shortcut",
    ),
    r"_shortcut_gating": ("_shortcut_gating", "a gate on the shortcuts only"),
    r"_conv_shortcut": ("_conv_shortcut", "1x1 convolutions for all shortcuts"),
    r"_dropout_shortcut": ("_dropout_shortcut", "dropout of one half on the shortcuts"),
    r"_one_layer": ("_one_layer", "units of a single layer"),
    r"_bn_after_addition": ("_bn_after_addition", "the unit's last batch norm after the sum"),
    r"_relu_before_addition": ("_relu_before_addition", "the unit's last ReLU before the sum"),
    r"_relu_preactivation": ("_relu_preactivation", "ReLUs before the convolutions, not after"),
    r"_no_shuffle": ("_no_shuffle", "without the shuffle of channels"),
    r"_sigmoid": ("_sigmoid", "sigmoids for ReLUs"),
    r"_dropout(?!_shortcut)": ("_dropout", "with dropout, as trained without augmentation"),
    r"_checkpointed": (
        "_checkpointed",
        "the same network, computed again in training to save memory",
    ),
    r"_x\d_\d+": ("_x…", "width multiplier, as in x0_75 for 0.75"),
    r"_d\d": ("_d…", "depth multiplier, as in d4: four times the units"),
    r"_compound": ("_compound", "deeper, wider and for larger images together"),
    r"_g\d": ("_g…", "number of groups"),
    r"_k\d+": ("_k…", "growth rate"),
    r"_reduced_tail": ("_reduced_tail", "the last layers half as wide"),
    r"_minimalistic": ("_minimalistic", "plain parts only"),
    r"_v1b": (
        "_v1b",
        "a first layer of three 3x3 convolutions, and average pools on strided shortcuts",
    ),
    r"_fast": ("_fast", "the average pool before the 3x3 instead of after it"),
    r"_\ds\d+x\d+d": ("_…s…x…d", "radix, cardinality and width, as in 4s2x40d"),
    r"_shallow": ("_shallow", "without the five middle layers that keep 14x14"),
    r"_full_conv": ("_full_conv", "full 3x3 convolutions instead of depthwise separable ones"),
    r"_simple_bypass": ("_simple_bypass", "modules added to their inputs where the widths agree"),
    r"_complex_bypass": (
        "_complex_bypass",
        "modules added to their inputs, by a 1x1 convolution where the widths differ",
    ),
    r"(?<=se_resnet50)_r\d+": ("_r…", "how far a gate narrows, as in r16"),
    r"(?<=se_resnet50)_stage\d": ("_stage…", "gates in this stage only"),
    r"(?<=se_resnet50)_3x3": ("_3x3", "the gate right after the 3x3"),
    r"(?<=se_resnet50)_pre": ("_pre", "the gate before the branch"),
    r"(?<=se_resnet50)_post": ("_post", "the gate after the sum"),
    r"(?<=se_resnet50)_identity": ("_identity", "the gate on the identity branch"),
    r"(?<=se_resnet50)_no_squeeze": ("_no_squeeze", "gates that do not take the global average"),
}


def explained(names: list[str]) -> list[tuple[str, str]]:
    """(suffix, meaning) of each suffix that occurs in these names."""
    return [
        meaning
        for pattern, meaning in SUFFIXES.items()
        if any(re.search(pattern + r"(?=_|$)", name) for name in names)
    ]


def stem(name: str) -> str:
    """The name without its suffixes: what the forms of one network share."""
    for pattern in SUFFIXES:
        name = re.sub(pattern + r"(?=_|$)", "", name)
    return name


def forms(name: str, names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The other forms of a network among `names`, by what sets them apart from it."""
    found: dict[str, list[str]] = {}
    for other in names:
        if other != name and stem(other) == stem(name):
            found.setdefault(_apart(name, other), []).append(other)
    return list(found.items())


def _apart(name: str, other: str) -> str:
    """What the suffixes of `other` say that those of `name` do not."""
    own = _suffixes(name)
    new = [meaning for suffix, meaning in _suffixes(other).items() if suffix not in own]
    return "; ".join(new) or "as the paper prints it"


def _suffixes(name: str) -> dict[str, str]:
    """The suffixes as they stand in the name, and their meanings."""
    return {
        match[0]: meaning
        for pattern, (_, meaning) in SUFFIXES.items()
        if (match := re.search(pattern + r"(?=_|$)", name))
    }
