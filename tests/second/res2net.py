"""Gao and others, Res2Net: Figure 2(b), Eq. (1), Tables 3 and 4; the first unit of a stage as
released.
"""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv_norm
from resnet import UNITS, head, projection, stages, stem


def hierarchy(w, x, name, first, stride, scale, groups):
    """Subsets of channels, the last passed by; each 3x3 reads what the one before it gave, but not
    in the first unit of a stage, which strides and pools.
    """
    *subsets, passed = x.chunk(scale, 1)
    out, before = [], 0
    for i, subset in enumerate(subsets, 2):
        y = subset if first else subset + before
        before = F.relu(conv_norm(w, y, f"{name}.k{i}", y.shape[1], 3, stride, groups))
        out.append(before)
    return cat(*out, F.avg_pool2d(passed, 3, stride, padding=1) if first else passed)


def unit(w, x, name, width, stride, of_64, scale=4, groups=1):
    """`of_64`: channels of a group in each subset where ResNet's 3x3 would have 64."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", scale * groups * of_64 * width // 64, 1))
    first = name.endswith(".0")
    y = hierarchy(w, y, f"{name}.branch.splits", first, stride, scale, groups)
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def res2net50_18w4s(w, x):
    return head(w, stages(w, stem(w, x), partial(unit, of_64=18), UNITS[50]))


def res2next29(w, x, c, width, scale):
    """ResNeXt-29 with such units (Table 4)."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 3))
    form = partial(unit, of_64=width, scale=scale, groups=c)
    return head(w, stages(w, x, form, (3, 3, 3), 64, "stage{}", 1))


TABLE_4 = ((6, 24, 4), (8, 25, 4), (6, 24, 6))
NETWORKS = {
    "res2net50_18w4s": res2net50_18w4s,
    **{
        f"res2next29_{c}c{width}w{scale}s_cifar": partial(res2next29, c=c, width=width, scale=scale)
        for c, width, scale in TABLE_4
    },
}
SLOW = ("res2next29_8c25w4s_cifar", "res2next29_6c24w6s_cifar")
