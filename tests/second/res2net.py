"""Gao and others, Res2Net: Figure 2(b), Eq. (1), Table 3; the first unit of a stage as released."""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv_norm
from resnet import UNITS, head, projection, stages, stem


def hierarchy(w, x, name, first, stride):
    """Subsets of channels, the last passed by; each 3x3 reads what the one before it gave, but not
    in the first unit of a stage, which strides and pools.
    """
    *subsets, passed = x.chunk(4, 1)
    out, before = [], 0
    for i, subset in enumerate(subsets, 2):
        y = subset if first else subset + before
        before = F.relu(conv_norm(w, y, f"{name}.k{i}", y.shape[1], 3, stride))
        out.append(before)
    return cat(*out, F.avg_pool2d(passed, 3, stride, padding=1) if first else passed)


def unit(w, x, name, width, stride, of_64):
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", 4 * of_64 * width // 64, 1))
    y = hierarchy(w, y, f"{name}.branch.splits", name.endswith(".0"), stride)
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def res2net50_18w4s(w, x):
    return head(w, stages(w, stem(w, x), partial(unit, of_64=18), UNITS[50]))


NETWORKS = {"res2net50_18w4s": res2net50_18w4s}
