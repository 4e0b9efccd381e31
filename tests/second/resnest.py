"""Zhang and others, ResNeSt: Figures 1 and 2, Eqs. (1) to (4), and the release's ablations, whose
average pool stands before the 3x3.
"""

from functools import partial

import torch
import torch.nn.functional as F
from plain import cat, conv, conv_norm, norm
from resnet import UNITS, head, stages


def split_attention(w, x, name, width, radix, cardinality):
    """Splits of each cardinal group, weighed channel by channel by what their sum averages to."""
    y = F.relu(conv_norm(w, x, f"{name}.conv", radix * width, 3, groups=radix * cardinality))
    splits = y.chunk(radix, 1)
    gap = sum(splits).mean((2, 3), keepdim=True)
    inner = max(radix * width // 4, 32)
    z = conv(w, gap, f"{name}.fc1", inner, 1, groups=cardinality, bias=True)
    z = F.relu(norm(w, z, f"{name}.bn1"))
    z = conv(w, z, f"{name}.fc2", radix * width, 1, groups=cardinality, bias=True)
    if radix == 1:
        return y * torch.sigmoid(z)
    groups = z.chunk(cardinality, 1)  # each: its first split's channels, its second's, ...
    weights = [torch.softmax(torch.stack(group.chunk(radix, 1)), 0) for group in groups]
    return sum(split * cat(*(g[r] for g in weights)) for r, split in enumerate(splits))


def shortcut(w, x, name, width, stride):
    if stride == 1 and x.shape[1] == width:
        return x
    if stride > 1:
        x = F.avg_pool2d(x, stride, ceil_mode=True, count_include_pad=False)
    return conv_norm(w, x, f"{name}.shortcut.projection", width, 1)


def unit(w, x, name, width, stride, radix, cardinality, d):
    inner = width * d // 64 * cardinality
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", inner, 1))
    if stride > 1:
        y = F.avg_pool2d(y, 3, stride, padding=1)
    y = split_attention(w, y, f"{name}.branch.splat", inner, radix, cardinality)
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + shortcut(w, x, name, 4 * width, stride))


def resnest_fast(w, x, layers, radix, cardinality, d):
    for i, (width, stride) in enumerate(((32, 2), (32, 1), (64, 1)), 1):
        x = F.relu(conv_norm(w, x, f"conv1.conv{i}", width, 3, stride))
    x = F.max_pool2d(x, 3, 2, padding=1)
    form = partial(unit, radix=radix, cardinality=cardinality, d=d)
    return head(w, stages(w, x, form, UNITS[layers]))


FORMS = ((1, 1, 64), (2, 1, 64), (4, 1, 64), (1, 2, 40), (2, 2, 40), (4, 2, 40), (1, 4, 24))
NETWORKS = {
    **{
        f"resnest50_fast_{r}s{c}x{d}d": partial(
            resnest_fast, layers=50, radix=r, cardinality=c, d=d
        )
        for r, c, d in FORMS
    },
    "resnest101_fast": partial(resnest_fast, layers=101, radix=2, cardinality=1, d=64),
}
SLOW = (
    *(f"resnest50_fast_{form}" for form in ("2s1x64d", "4s1x64d", "1s2x40d", "4s2x40d")),
    "resnest101_fast",
)
