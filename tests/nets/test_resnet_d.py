"""The tweaks of ResNet-B, -C and -D: no pixel is skipped any more."""

import pytest
import torch.nn as nn

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def strided_1x1(name: str) -> list[str]:
    """1x1 convolutions that skip three pixels of four."""
    with shapes_only():
        net = create_model(name)
    return [
        path
        for path, m in net.named_modules()
        if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1) and m.stride == (2, 2)
    ]


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("resnet50", ["branch.conv1", "shortcut"] * 3),
        ("resnet50_v15", ["shortcut"] * 3),
        ("resnet50_c", ["shortcut"] * 3),
        ("resnet50_d", []),
    ],
)
def test_which_1x1_convolutions_ignore_pixels(name, paths):
    """Sec. 4.2: in both paths, in path B, in none."""
    found = [path.split(".", 2)[2].removesuffix(".conv") for path in strided_1x1(name)]
    assert found == paths
