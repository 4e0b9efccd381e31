"""What the suffixes of names mean. A name without one is the network that the paper prints."""

import re

SUFFIXES = {
    r"_tutorial(_32)?": ("_tutorial", "the widely copied teaching form"),
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
    r"_dropout": ("_dropout", "with dropout, as trained without augmentation"),
    r"_checkpointed": (
        "_checkpointed",
        "the same network, computed again in training to save memory",
    ),
    r"_x\d_\d+": ("_x…", "width multiplier, as in x0_75 for 0.75"),
    r"_g\d": ("_g…", "number of groups"),
    r"_k\d+": ("_k…", "growth rate"),
    r"_reduced_tail": ("_reduced_tail", "the last layers half as wide"),
    r"_minimalistic": ("_minimalistic", "plain parts only"),
    r"_v1b": (
        "_v1b",
        "a first layer of three 3x3 convolutions, and average pools on strided shortcuts",
    ),
    r"_fast": ("_fast", "the average pool before the 3x3 instead of after it"),
}


def explained(names: list[str]) -> list[tuple[str, str]]:
    """(suffix, meaning) of each suffix that occurs in these names."""
    return [
        meaning
        for pattern, meaning in SUFFIXES.items()
        if any(re.search(pattern + r"(?=_|$)", name) for name in names)
    ]
