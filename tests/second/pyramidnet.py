"""Han, Kim and Kim, Deep Pyramidal Residual Networks: Figure 6(d) and its bottleneck, Tables 4 and
5; what the paper leaves open as in the authors' three releases.
"""

from functools import partial

import torch.nn.functional as F
from plain import conv, linear, max_pool, mean, norm
from preresnet import UNITS


def widened(x, width, stride):
    """Means of 2x2 where maps are halved, the last row and column alone where their number is
    odd; zeros for the channels that are new.
    """
    if stride == 2:
        x = F.avg_pool2d(x, 2, 2, ceil_mode=True)
    return F.pad(x, (0, 0, 0, 0, 0, width - x.shape[1]))


def basic(w, x, name, width, stride):
    """Batch norm first and last, one ReLU between the two 3x3."""
    y = conv(w, norm(w, x, f"{name}.branch.bn1"), f"{name}.branch.conv1", width, 3, stride)
    y = F.relu(norm(w, y, f"{name}.branch.bn2"))
    y = norm(w, conv(w, y, f"{name}.branch.conv2", width, 3), f"{name}.branch.bn3")
    return widened(x, width, stride) + y


def bottleneck(w, x, name, width, stride):
    """The 3x3 strides; the unit ends four times as wide as it is inside."""
    y = conv(w, norm(w, x, f"{name}.branch.bn1"), f"{name}.branch.conv1", width, 1)
    y = F.relu(norm(w, y, f"{name}.branch.bn2"))
    y = conv(w, y, f"{name}.branch.conv2", width, 3, stride)
    y = F.relu(norm(w, y, f"{name}.branch.bn3"))
    y = norm(w, conv(w, y, f"{name}.branch.conv3", 4 * width, 1), f"{name}.branch.bn4")
    return widened(x, 4 * width, stride) + y


def pyramid(w, x, unit, units, first, alpha):
    """The k-th of N units is first + k alpha / N wide, cut off as the equation prints; what is
    cut off is not lost to the next, or widths would not end at the printed first + alpha.
    """
    k, total = 0, sum(units)
    for i, count in enumerate(units, 2):
        for j in range(count):
            k += 1
            width = first + k * alpha // total
            x = unit(w, x, f"conv{i}.{j}", width, 2 if i > 2 and not j else 1)
        x = w.stage(f"conv{i}", x)
    return linear(w, mean(F.relu(norm(w, x, "activation.bn"))), "fc")


def cifar(w, x, depth, alpha, unit):
    """No ReLU before the first unit."""
    n = (depth - 2) // (6 if unit is basic else 9)
    x = norm(w, conv(w, x, "conv1.conv", 16, 3), "conv1.bn")
    return pyramid(w, x, unit, (n, n, n), 16, alpha)


def imagenet(w, x, depth, alpha):
    x = F.relu(norm(w, conv(w, x, "conv1.conv", 64, 7, stride=2), "conv1.bn"))
    x = max_pool(x, 3, 2, padding=1)
    return pyramid(w, x, bottleneck, UNITS[depth], 64, alpha)


BASIC = ((110, 48), (110, 84), (110, 270))
BOTTLENECK = ((164, 270), (200, 240), (236, 220), (272, 200))
IMAGENET = ((200, 300), (200, 450))
NETWORKS = {
    **{f"pyramidnet{n}_a{a}_cifar": partial(cifar, depth=n, alpha=a, unit=basic) for n, a in BASIC},
    **{
        f"pyramidnet{n}_a{a}_cifar": partial(cifar, depth=n, alpha=a, unit=bottleneck)
        for n, a in BOTTLENECK
    },
    **{f"pyramidnet{n}_a{a}": partial(imagenet, depth=n, alpha=a) for n, a in IMAGENET},
}
SLOW = tuple(name for name in NETWORKS if not name.startswith("pyramidnet110_a48"))
