"""Xie and others, Aggregated Residual Transformations: Tables 1 and 2, Figure 3(c), Sec. 5.3."""

from functools import partial

import torch.nn.functional as F
from plain import conv_norm
from resnet import UNITS, head, projection, stages, stem


def bottleneck(w, x, name, width, stride, out, groups):
    """1x1, a 3x3 in `groups` groups, 1x1; `out` of a stage's 64: the 3x3 strides (Sec. 4)."""
    inner, outer = groups * out * width // 64, 4 * width
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", inner, 1))
    y = F.relu(conv_norm(w, y, f"{name}.branch.conv2", inner, 3, stride, groups))
    y = conv_norm(w, y, f"{name}.branch.conv3", outer, 1)
    return F.relu(y + projection(w, x, name, outer, stride))


def resnext(w, x, layers, groups, d):
    return head(w, stages(w, stem(w, x), partial(bottleneck, groups=groups, out=d), UNITS[layers]))


def resnext29(w, x, groups):
    """[1x1, 64C; 3x3, 64C, in C groups; 1x1, 256], three a stage, all widths doubled twice."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 3))
    unit = partial(bottleneck, groups=groups, out=64)
    return head(w, stages(w, x, unit, (3, 3, 3), 64, "stage{}", 1))


FORMS = (*((n, c, d) for n in (50, 101) for c, d in ((2, 40), (4, 24), (8, 14))), (101, 2, 64))
NETWORKS = {
    **{f"resnext{n}_{c}x{d}d": partial(resnext, layers=n, groups=c, d=d) for n, c, d in FORMS},
    **{f"resnext29_{c}x64d_cifar": partial(resnext29, groups=c) for c in (8, 16)},
}
SLOW = (
    *(f"resnext{n}_{c}x{d}d" for n, c, d in FORMS if (n, c) != (50, 2)),
    "resnext29_16x64d_cifar",
)
