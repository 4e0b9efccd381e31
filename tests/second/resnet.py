"""He and others, Deep Residual Learning for Image Recognition: Table 1, Figure 5 and Sec. 4.2."""

from functools import partial

import torch.nn.functional as F
from plain import conv_norm, linear, mean

UNITS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def stem(w, x):
    """7x7, 64, stride 2; 3x3 max pool, stride 2: 112 and 56 for 224."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 7, stride=2))
    return F.max_pool2d(x, 3, 2, padding=1)


def projection(w, x, name, width, stride):
    """Option B: 1x1 convolutions where, and only where, the shape changes."""
    if stride == 1 and x.shape[1] == width:
        return x
    return conv_norm(w, x, f"{name}.shortcut", width, 1, stride)


def always(w, x, name, width, stride):
    """Option C: 1x1 convolutions on every shortcut."""
    return conv_norm(w, x, f"{name}.shortcut", width, 1, stride)


def zeros(w, x, name, width, stride):
    """Option A: every second pixel, and zeros for the channels that are new."""
    x = x[:, :, ::stride, ::stride]
    return F.pad(x, (0, 0, 0, 0, 0, width - x.shape[1]))


def building_block(w, x, name, width, stride, shortcut=projection):
    """Figure 5, left: two 3x3 layers."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 3, stride))
    y = conv_norm(w, y, f"{name}.branch.conv2", width, 3)
    return F.relu(y + shortcut(w, x, name, width, stride))


def plain(w, x, name, width, stride):
    """The same two layers with nothing beside them (Figure 3, middle)."""
    x = F.relu(conv_norm(w, x, f"{name}.conv1", width, 3, stride))
    return F.relu(conv_norm(w, x, f"{name}.conv2", width, 3))


def bottleneck(w, x, name, width, stride, shortcut=projection):
    """Figure 5, right: 1x1, 3x3, 1x1; the first one strides."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 1, stride))
    y = F.relu(conv_norm(w, y, f"{name}.branch.conv2", width, 3))
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + shortcut(w, x, name, 4 * width, stride))


def stages(w, x, unit, units, first=64, name="conv{}_x", start=2):
    """Widths double and maps are halved by the first unit of each stage but the first."""
    for stage, count in enumerate(units):
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            x = unit(w, x, f"{name.format(start + stage)}.{i}", first * 2**stage, stride)
        x = w.stage(name.format(start + stage), x)
    return x


def head(w, x):
    return linear(w, mean(x), "fc")


def resnet(w, x, layers, unit):
    return head(w, stages(w, stem(w, x), unit, UNITS[layers]))


def resnet_32(w, x):
    """The ResNet-18 of many repositories for 32x32: a 3x3 of stride 1 first, and no pool."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 3))
    return head(w, stages(w, x, building_block, UNITS[18]))


def cifar_stages(w, x, unit, n):
    return stages(w, x, unit, (n, n, n), first=16, name="stage{}", start=1)


def resnet_cifar(w, x, layers, unit):
    """Sec. 4.2: 6n + 2 layers; 2n of them on each of 32, 16 and 8, with 16, 32 and 64 filters."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 16, 3))
    return head(w, cifar_stages(w, x, unit, (layers - 2) // 6))


block_a = partial(building_block, shortcut=zeros)
CIFAR = (20, 32, 44, 56, 110)
NETWORKS = {
    **{f"plain{n}": partial(resnet, layers=n, unit=plain) for n in (18, 34)},
    **{f"plain{n}_cifar": partial(resnet_cifar, layers=n, unit=plain) for n in CIFAR},
    "resnet34_option_c": partial(resnet, layers=34, unit=partial(building_block, shortcut=always)),
    **{f"resnet{n}_option_a": partial(resnet, layers=n, unit=block_a) for n in (18, 34)},
    **{f"resnet{n}": partial(resnet, layers=n, unit=bottleneck) for n in (50, 101, 152)},
    **{f"resnet{n}_cifar": partial(resnet_cifar, layers=n, unit=block_a) for n in (*CIFAR, 1202)},
    "resnet18_32": resnet_32,
}
SLOW = ("resnet34_option_a", "resnet101", "resnet152", "resnet1202_cifar")
STEPWISE = ("plain110_cifar",)
