"""What tutorials call EfficientNet."""

from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from listing import (
    ACTIVATION,
    NORMALISATION,
    TRAINING,
    TUTORIAL_0,
    Difference,
    Listing,
    Source,
    changed,
    dropout,
    gone,
    new,
)
from pieces import Gated, Plus, conv_norm, strides
from torch import Tensor

# expansion, channels, blocks, kernel, stride
TABLE = (
    *((1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2)),
    *((6, 112, 3, 5, 1), (6, 192, 4, 5, 2), (6, 320, 1, 3, 1)),
)


class Swish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x.sigmoid()


class Same(nn.Conv2d):
    """Pads as TensorFlow: for the size of its input, the odd row below."""

    def forward(self, x: Tensor) -> Tensor:
        (h, w), (k, _), (s, _) = x.shape[2:], self.kernel_size, self.stride
        rows = max((-(-h // s) - 1) * s + k - h, 0)
        columns = max((-(-w // s) - 1) * s + k - w, 0)
        left, top = columns // 2, rows // 2
        return super().forward(F.pad(x, (left, columns - left, top, rows - top)))


class DropPath(nn.Module):
    """Drops a whole branch, in training."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        kept = x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(1 - self.p)
        return x / (1 - self.p) * kept


class AlwaysDropped(nn.Module):
    """The slip: the function drops in evaluation too, unless it is told."""

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout2d(x, 0.2)


class Doubled(nn.Module):
    def __init__(self, branch: nn.Module):
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        out = self.branch(x)
        return out + out


def gate(c: int, squeezed: int) -> nn.Module:
    layers = (nn.Conv2d(c, squeezed, 1), Swish(), nn.Conv2d(squeezed, c, 1), nn.Sigmoid())
    return Gated(nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), *layers))


def branch(
    c_in: int, c_out: int, t: int, k: int, stride: int, squeezed: int, *, widens: bool, depthwise
) -> nn.Sequential:
    c = t * c_in
    expand = [conv_norm(c_in, c, 1), Swish()] if widens else []
    return nn.Sequential(
        *expand,
        *(depthwise(c, k, stride), Swish(), gate(c, squeezed), conv_norm(c, c_out, 1)),
    )


def symmetric(c: int, k: int, stride: int) -> nn.Sequential:
    return conv_norm(c, c, k, stride, groups=c)


class Idle(nn.Module):
    """Layers that are built and never called."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return x


def small_images() -> nn.Sequential:
    """No convolution behind the last block. The first block has a 1x1 that it does not call."""
    body = nn.Sequential(Idle(conv_norm(32, 32, 1)))
    c = 32
    done = 0
    for t, width, blocks, k, step in TABLE:
        for stride in strides(step, blocks):
            layers = branch(
                c, width, t, k, stride, c // 4, widens=t > 1, depthwise=symmetric
            ).append(DropPath(0.2 * done / 16))
            body.append(Plus(layers) if stride == 1 and c == width else layers)
            c = width
            done += 1
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(320, 10))
    return nn.Sequential(conv_norm(3, 32, 3), Swish(), body, *head)


def first_edition() -> nn.Sequential:
    """Squeezes a quarter of the expanded channels, adds a projected input where channels change,
    and where it strides its output to itself.
    """
    body = nn.Sequential()
    c = 32
    for t, width, blocks, k, step in TABLE:
        for stride in strides(step, blocks):
            layers = branch(
                c, width, t, k, stride, t * c // 4, widens=True, depthwise=symmetric
            ).append(AlwaysDropped())
            shortcut = nn.Identity() if c == width else conv_norm(c, width, 1)
            body.append(Plus(layers, shortcut) if stride == 1 else Doubled(layers))
            c = width
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(320, 10))
    return nn.Sequential(conv_norm(3, 32, 3), Swish(), body, *head)


def same(c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    layer = Same(c_in, c_out, k, stride, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.01))


def published(drops: bool) -> nn.Sequential:
    """`drops`: whole branches, in training."""
    body = nn.Sequential()
    c = 32
    done = 0
    for t, width, blocks, k, step in TABLE:
        for stride in strides(step, blocks):
            wide = t * c
            layers = nn.Sequential(
                *([same(c, wide, 1), Swish()] if t > 1 else []),
                *(same(wide, wide, k, stride, wide), Swish()),
                *(gate(wide, c // 4), same(wide, width, 1)),
                DropPath(0.2 * done / 16 if drops else 0.0),
            )
            body.append(Plus(layers) if stride == 1 and c == width else layers)
            c = width
            done += 1
    return nn.Sequential(
        *(same(3, 32, 3, 2), Swish(), body, same(320, 1280, 1), Swish()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 1000)),
    )


def drop_path(here: float | None, times: int) -> Difference:
    return Difference(TRAINING, "drop path", "p", here, "0.0125 to 0.1875", times)


CIFAR = "kuangliu/pytorch-cifar"
SQUEEZED = ((4, 1), (6, 2), (10, 2), (20, 3), (28, 3), (48, 4))  # channels, gates
LISTINGS = (
    Listing(
        "efficientnet_b0_of_the_post",
        partial(published, False),
        TUTORIAL_0,
        (3, 224, 224),
        params=5_288_548,
        atlas="efficientnet_b0",
        differences=(drop_path(None, 9),),
        remark="keeps all branches in training, where the release drops some",
    ),
    Listing(
        "efficientnet_b0_lukemelas",
        partial(published, True),
        Source(
            "lukemelas/EfficientNet-PyTorch",
            "efficientnet_pytorch/model.py",
            "020d4e67d9d9f139f60ce6f0ac751506fc4f0300",
        ),
        (3, 224, 224),
        params=5_288_548,
        atlas="efficientnet_b0",
    ),
    Listing(
        "efficientnet_b0_pytorch_cifar",
        small_images,
        Source(CIFAR, "models/efficientnet.py", "882d877b8c816d85663a918015b9bacc07574fe2"),
        (3, 32, 32),
        params=3_599_686,
        atlas="efficientnet_b0_torchvision",
        differences=(
            changed("conv", "stride", 1, 2),
            gone("conv", 1),
            gone("batch norm", 1, NORMALISATION),
            gone("swish", 1, ACTIVATION),
            Difference(TRAINING, "idle layer", "", (), None),
        ),
        remark="no convolution behind its last block; the idle layer's 1,088 parameters are never "
        "read",
    ),
    Listing(
        "efficientnet_b0_first_edition",
        first_edition,
        Source(CIFAR, "models/efficientnet.py", "12420c5f4366b50d9b2fde2f0f68ad886f4bcd09"),
        (3, 32, 32),
        params=6_806_794,
        atlas="efficientnet_b0_torchvision",
        differences=(
            changed("conv", "stride", 1, 2),
            new("conv", 1),
            new("batch norm", 1, NORMALISATION),
            new("swish", 1, ACTIVATION),
            *(changed("linear", "channels", 6 * c, c, n) for c, n in SQUEEZED),
            new("conv", 3),
            new("batch norm", 3, NORMALISATION),
            new("add", 3),
            new("multiply number", 4),
            new("dropout", 16),
            gone("conv", 1),
            gone("batch norm", 1, NORMALISATION),
            gone("swish", 1, ACTIVATION),
            dropout(None, 0.2),
            drop_path(None, 9),
        ),
        remark="adds what it strides to itself, and drops channels in evaluation too",
    ),
)
