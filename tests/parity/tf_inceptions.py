"""Inception-v3, -v4 and Inception-ResNet-v2, written from TF-slim's code upon tf_slim.Scope. Each
returns what the auxiliary head reads, and the logits.
"""

import torch
import torch.nn.functional as F
from tf_slim import Scope, avg_pool_same, identity
from torch import Tensor

Branch = tuple[tuple[str, int], ...]  # (scope, filters), where the scope ends in the kernel
NAMES = ("weights", "biases")


def kernel(scope: str) -> tuple[int, int]:
    """Conv2d_0b_1x7 -> (1, 7)"""
    height, width = scope.rpartition("_")[2].split("x")
    return int(height), int(width)


def branch(s: Scope, x: Tensor, scope: str, *layers: tuple[str, int]) -> Tensor:
    """SAME with stride 1, but for the layers 1a, which are VALID with stride 2."""
    for name, c in layers:
        strides = name.startswith("1a")
        size = (3, 3) if strides else kernel(name)  # Mixed_6a of v3 calls its 3x3 a 1x1
        stride = 2 if strides else 1
        x = s.conv2d(x, c, size, f"{scope}/Conv2d_{name}", stride, valid=strides)
    return x


def pool_branch(s: Scope, x: Tensor, scope: str, c: int) -> Tensor:
    return s.conv2d(avg_pool_same(x), c, 1, f"{scope}/Branch_3/Conv2d_0b_1x1")


def max_pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=2)


def concat(*branches: Tensor) -> Tensor:
    return torch.cat(branches, 1)


def stem(s: Scope, x: Tensor) -> Tensor:
    x = s.conv2d(x, 32, 3, "Conv2d_1a_3x3", stride=2, valid=True)
    x = s.conv2d(x, 32, 3, "Conv2d_2a_3x3", valid=True)
    return s.conv2d(x, 64, 3, "Conv2d_2b_3x3")


def stem_of_v3(s: Scope, x: Tensor) -> Tensor:
    x = max_pool(stem(s, x))
    x = s.conv2d(x, 80, 1, "Conv2d_3b_1x1", valid=True)
    return max_pool(s.conv2d(x, 192, 3, "Conv2d_4a_3x3", valid=True))


def auxiliary(s: Scope, x: Tensor, scopes: tuple[str, str], classes: int) -> Tensor:
    """Of maps of 17x17. `scopes`: of the 5x5 and of the classifier."""
    x = F.avg_pool2d(x, 5, stride=3)
    x = s.conv2d(x, 128, 1, "AuxLogits/Conv2d_1b_1x1")
    x = s.conv2d(x, 768, 5, f"AuxLogits/{scopes[0]}", valid=True)
    if scopes[1].endswith("1x1"):
        x = s.conv2d(x, classes, 1, f"AuxLogits/{scopes[1]}", norm=False, activation=identity)
        return x[:, :, 0, 0]
    return s.dense(x.flatten(1), classes, f"AuxLogits/{scopes[1]}", NAMES)


def inception_v3(s: Scope, x: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    x = stem_of_v3(s, x)
    for name, c in (("5b", 32), ("5c", 64), ("5d", 64)):
        m = f"Mixed_{name}"
        odd = name == "5c"
        b1 = s.conv2d(x, 48, 1, f"{m}/Branch_1/Conv2d_{'0b' if odd else '0a'}_1x1")
        b1 = s.conv2d(b1, 64, 5, f"{m}/Branch_1/{'Conv_1_0c_5x5' if odd else 'Conv2d_0b_5x5'}")
        x = concat(
            branch(s, x, f"{m}/Branch_0", ("0a_1x1", 64)),
            b1,
            branch(s, x, f"{m}/Branch_2", ("0a_1x1", 64), ("0b_3x3", 96), ("0c_3x3", 96)),
            pool_branch(s, x, m, c),
        )
    x = concat(
        branch(s, x, "Mixed_6a/Branch_0", ("1a_1x1", 384)),
        branch(s, x, "Mixed_6a/Branch_1", ("0a_1x1", 64), ("0b_3x3", 96), ("1a_1x1", 96)),
        max_pool(x),
    )
    for name, w in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        m = f"Mixed_{name}"
        seven = (("0a_1x1", w), ("0b_7x1", w), ("0c_1x7", w), ("0d_7x1", w), ("0e_1x7", 192))
        x = concat(
            branch(s, x, f"{m}/Branch_0", ("0a_1x1", 192)),
            branch(s, x, f"{m}/Branch_1", ("0a_1x1", w), ("0b_1x7", w), ("0c_7x1", 192)),
            branch(s, x, f"{m}/Branch_2", *seven),
            pool_branch(s, x, m, 192),
        )
    out_6e = x
    seven = (("0a_1x1", 192), ("0b_1x7", 192), ("0c_7x1", 192), ("1a_3x3", 192))
    x = concat(
        branch(s, x, "Mixed_7a/Branch_0", ("0a_1x1", 192), ("1a_3x3", 320)),
        branch(s, x, "Mixed_7a/Branch_1", *seven),
        max_pool(x),
    )
    for m, second in (("Mixed_7b", "0b_3x1"), ("Mixed_7c", "0c_3x1")):
        b1 = branch(s, x, f"{m}/Branch_1", ("0a_1x1", 384))
        b2 = branch(s, x, f"{m}/Branch_2", ("0a_1x1", 448), ("0b_3x3", 384))
        x = concat(
            branch(s, x, f"{m}/Branch_0", ("0a_1x1", 320)),
            branch(s, b1, f"{m}/Branch_1", ("0b_1x3", 384)),
            branch(s, b1, f"{m}/Branch_1", (second, 384)),
            branch(s, b2, f"{m}/Branch_2", ("0c_1x3", 384)),
            branch(s, b2, f"{m}/Branch_2", ("0d_3x1", 384)),
            pool_branch(s, x, m, 192),
        )
    return out_6e, s.logits(x, classes)


def inception_v4(s: Scope, x: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    x = stem(s, x)
    x = concat(
        max_pool(x), s.conv2d(x, 96, 3, "Mixed_3a/Branch_1/Conv2d_0a_3x3", stride=2, valid=True)
    )
    b0 = branch(s, x, "Mixed_4a/Branch_0", ("0a_1x1", 64))
    b1 = branch(s, x, "Mixed_4a/Branch_1", ("0a_1x1", 64), ("0b_1x7", 64), ("0c_7x1", 64))
    x = concat(  # here 1a is VALID with stride 1
        s.conv2d(b0, 96, 3, "Mixed_4a/Branch_0/Conv2d_1a_3x3", valid=True),
        s.conv2d(b1, 96, 3, "Mixed_4a/Branch_1/Conv2d_1a_3x3", valid=True),
    )
    x = concat(branch(s, x, "Mixed_5a/Branch_0", ("1a_3x3", 192)), max_pool(x))
    for m in ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_5e"):
        x = concat(
            branch(s, x, f"{m}/Branch_0", ("0a_1x1", 96)),
            branch(s, x, f"{m}/Branch_1", ("0a_1x1", 64), ("0b_3x3", 96)),
            branch(s, x, f"{m}/Branch_2", ("0a_1x1", 64), ("0b_3x3", 96), ("0c_3x3", 96)),
            pool_branch(s, x, m, 96),
        )
    x = concat(
        branch(s, x, "Mixed_6a/Branch_0", ("1a_3x3", 384)),
        branch(s, x, "Mixed_6a/Branch_1", ("0a_1x1", 192), ("0b_3x3", 224), ("1a_3x3", 256)),
        max_pool(x),
    )
    seven = (("0a_1x1", 192), ("0b_7x1", 192), ("0c_1x7", 224), ("0d_7x1", 224), ("0e_1x7", 256))
    for letter in "bcdefgh":
        m = f"Mixed_6{letter}"
        x = concat(
            branch(s, x, f"{m}/Branch_0", ("0a_1x1", 384)),
            branch(s, x, f"{m}/Branch_1", ("0a_1x1", 192), ("0b_1x7", 224), ("0c_7x1", 256)),
            branch(s, x, f"{m}/Branch_2", *seven),
            pool_branch(s, x, m, 128),
        )
    out_6h = x
    seven = (("0a_1x1", 256), ("0b_1x7", 256), ("0c_7x1", 320), ("1a_3x3", 320))
    x = concat(
        branch(s, x, "Mixed_7a/Branch_0", ("0a_1x1", 192), ("1a_3x3", 192)),
        branch(s, x, "Mixed_7a/Branch_1", *seven),
        max_pool(x),
    )
    for m in ("Mixed_7b", "Mixed_7c", "Mixed_7d"):
        b1 = branch(s, x, f"{m}/Branch_1", ("0a_1x1", 384))
        b2 = branch(s, x, f"{m}/Branch_2", ("0a_1x1", 384), ("0b_3x1", 448), ("0c_1x3", 512))
        x = concat(
            branch(s, x, f"{m}/Branch_0", ("0a_1x1", 256)),
            branch(s, b1, f"{m}/Branch_1", ("0b_1x3", 256)),
            branch(s, b1, f"{m}/Branch_1", ("0c_3x1", 256)),
            branch(s, b2, f"{m}/Branch_2", ("0d_1x3", 256)),
            branch(s, b2, f"{m}/Branch_2", ("0e_3x1", 256)),
            pool_branch(s, x, m, 256),
        )
    return out_6h, s.dense(x.mean((2, 3)), classes, "Logits/Logits", NAMES)


def block(s: Scope, x: Tensor, scope: str, scale: float, last: bool, *branches: Branch) -> Tensor:
    """block35, block17 and block8; the very last has no activation."""
    mixed = concat(
        s.conv2d(x, branches[0][0][1], 1, f"{scope}/Branch_0/Conv2d_1x1"),
        *(branch(s, x, f"{scope}/Branch_{i}", *layers) for i, layers in enumerate(branches) if i),
    )
    up = s.conv2d(mixed, x.shape[1], 1, f"{scope}/Conv2d_1x1", norm=False, activation=identity)
    net = x + scale * up
    return net if last else F.relu(net)


def inception_resnet_v2(s: Scope, x: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    x = stem_of_v3(s, x)
    m = "Mixed_5b"
    x = concat(
        s.conv2d(x, 96, 1, f"{m}/Branch_0/Conv2d_1x1"),
        branch(s, x, f"{m}/Branch_1", ("0a_1x1", 48), ("0b_5x5", 64)),
        branch(s, x, f"{m}/Branch_2", ("0a_1x1", 64), ("0b_3x3", 96), ("0c_3x3", 96)),
        pool_branch(s, x, m, 64),
    )
    short, long = (("0a_1x1", 32), ("0b_3x3", 32)), (("0a_1x1", 32), ("0b_3x3", 48), ("0c_3x3", 64))
    for i in range(1, 11):
        x = block(s, x, f"Repeat/block35_{i}", 0.17, False, (("", 32),), short, long)
    x = concat(
        branch(s, x, "Mixed_6a/Branch_0", ("1a_3x3", 384)),
        branch(s, x, "Mixed_6a/Branch_1", ("0a_1x1", 256), ("0b_3x3", 256), ("1a_3x3", 384)),
        max_pool(x),
    )
    seven = (("0a_1x1", 128), ("0b_1x7", 160), ("0c_7x1", 192))
    for i in range(1, 21):
        x = block(s, x, f"Repeat_1/block17_{i}", 0.10, False, (("", 192),), seven)
    before = x
    m = "Mixed_7a"
    x = concat(
        branch(s, x, f"{m}/Branch_0", ("0a_1x1", 256), ("1a_3x3", 384)),
        branch(s, x, f"{m}/Branch_1", ("0a_1x1", 256), ("1a_3x3", 288)),
        branch(s, x, f"{m}/Branch_2", ("0a_1x1", 256), ("0b_3x3", 288), ("1a_3x3", 320)),
        max_pool(x),
    )
    three = (("0a_1x1", 192), ("0b_1x3", 224), ("0c_3x1", 256))
    for i in range(1, 10):
        x = block(s, x, f"Repeat_2/block8_{i}", 0.20, False, (("", 192),), three)
    x = block(s, x, "Block8", 1.0, True, (("", 192),), three)
    x = s.conv2d(x, 1536, 1, "Conv2d_7b_1x1")
    return before, s.dense(x.mean((2, 3)), classes, "Logits/Logits", NAMES)
