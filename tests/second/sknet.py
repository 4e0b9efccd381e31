"""Li and others, Selective Kernel Networks: Table 1, Figure 1, Eqs. (1) to (5)."""

from functools import partial

import torch
import torch.nn.functional as F
from plain import conv, conv_norm, norm
from resnet import UNITS, head, projection, stages, stem

DEPTHS = {26: (2, 2, 2, 2), 101: UNITS[101]}
GROUPS = 32


def selective_kernel(w, x, name, stride):
    """3x3, and 3x3 of dilation 2 for a 5x5; d of Eq. (4) with r = 16, 32 or more."""
    c = x.shape[1]
    u3 = F.relu(conv_norm(w, x, f"{name}.k3", c, 3, stride, GROUPS))
    u5 = F.relu(conv_norm(w, x, f"{name}.k5", c, 3, stride, GROUPS, dilation=2))
    s = (u3 + u5).mean((2, 3), keepdim=True)
    z = conv(w, s, f"{name}.fuse.w", max(c // 16, 32), 1)
    z = F.relu(norm(w, z, f"{name}.fuse.bn"))
    a, b = conv(w, z, f"{name}.select", 2 * c, 1).chunk(2, 1)
    a, b = torch.stack((a, b)).softmax(0)
    return a * u3 + b * u5


def unit(w, x, name, width, stride):
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", 2 * width, 1))
    y = selective_kernel(w, y, f"{name}.branch.sk", stride)
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def sknet(w, x, layers):
    return head(w, stages(w, stem(w, x), unit, DEPTHS[layers]))


NETWORKS = {f"sknet{n}": partial(sknet, layers=n) for n in DEPTHS}
SLOW = ("sknet101",)
