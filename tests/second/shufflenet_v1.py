"""Zhang and others, ShuffleNet: Table 1, Figures 1 and 2, Sec. 3.3."""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv_norm, linear, mean

STAGE_2 = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # Table 1, by number of groups; then doubled
UNITS = (4, 8, 4)
# 24 filters in Conv1 at 1x; the authors' code has these at its scales, and 8 groups need eights
CONV_1 = {0.25: 12, 0.5: 12, 1: 24, 1.5: 24, 2: 48}
CONV_1_OF_8 = {0.25: 8, 0.5: 16}


def shuffle(x, groups):
    """(g, n) transposed and flattened."""
    n, channels, h, w = x.shape
    return x.view(n, groups, channels // groups, h, w).transpose(1, 2).reshape(x.shape)


def branch(w, x, name, width, out, stride, groups, first_groups):
    """GConv, shuffle, DWConv without ReLU, GConv."""
    x = F.relu(conv_norm(w, x, f"{name}.gconv1", width, 1, groups=first_groups))
    x = conv_norm(w, shuffle(x, groups), f"{name}.dwconv", width, 3, stride, groups=width)
    return conv_norm(w, x, f"{name}.gconv2", out, 1, groups=groups)


def unit(w, x, name, out, groups, first_groups):
    """Figure 2(b)."""
    y = branch(w, x, f"{name}.branch", out // 4, out, 1, groups, first_groups)
    return F.relu(x + y)


def strided(w, x, name, out, groups, first_groups):
    """Figure 2(c): the average pool counts the border's zeros."""
    new = out - x.shape[1]
    y = branch(w, x, f"{name}.branch", out // 4, new, 2, groups, first_groups)
    return F.relu(cat(F.avg_pool2d(x, 3, 2, padding=1), y))


def shufflenet(w, x, groups, scale, first):
    x = F.relu(conv_norm(w, x, "Conv1.conv", first, 3, stride=2))
    x = F.max_pool2d(x, 3, 2, padding=1)
    for stage, units in enumerate(UNITS):
        out = round(scale * STAGE_2[groups]) * 2**stage
        for i in range(units):
            # the first pointwise layer of Stage 2 is not grouped
            first_groups = 1 if stage == i == 0 else groups
            kind = unit if i else strided
            x = kind(w, x, f"Stage{stage + 2}.{i}", out, groups, first_groups)
        w.stage(f"Stage{stage + 2}", x)
    return linear(w, mean(x), "FC", bias=False)


def form(groups, scale):
    first = CONV_1_OF_8.get(scale, CONV_1[scale]) if groups == 8 else CONV_1[scale]
    return partial(shufflenet, groups=groups, scale=scale, first=first)


SCALES = {"_x0_25": 0.25, "_x0_5": 0.5, "": 1, "_x1_5": 1.5, "_x2_0": 2}
NETWORKS = {
    f"shufflenet_v1_g{groups}{ending}": form(groups, scale)
    for ending, scale in SCALES.items()
    for groups in (STAGE_2 if scale in (1, 2) else (1, 3, 8))
}
