"""Zhang and others, ShuffleNet: Table 1, Figures 1 and 2, Sec. 3.3; Table 3, without the shuffle;
with gates, and in 50 layers.
"""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv_norm, linear, mean
from senet import gate

STAGE_2 = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # Table 1, by number of groups; then doubled
UNITS = (4, 8, 4)
# 24 filters in Conv1 at 1x; the authors' code has these at its scales, and 8 groups need eights
CONV_1 = {0.25: 12, 0.5: 12, 1: 24, 1.5: 24, 2: 48}
CONV_1_OF_8 = {0.25: 8, 0.5: 16}


def shuffle(x, groups):
    """(g, n) transposed and flattened."""
    n, channels, h, w = x.shape
    return x.view(n, groups, channels // groups, h, w).transpose(1, 2).reshape(x.shape)


def ungated(w, x, name):
    return x


def branch(w, x, name, widths, stride, groups, first_groups, mixed, gate):
    """GConv, shuffle, DWConv without ReLU, GConv; `widths`, inside and at the end."""
    width, out = widths
    x = F.relu(conv_norm(w, x, f"{name}.gconv1", width, 1, groups=first_groups))
    if mixed:
        x = shuffle(x, groups)
    x = conv_norm(w, x, f"{name}.dwconv", width, 3, stride, groups=width)
    return gate(w, conv_norm(w, x, f"{name}.gconv2", out, 1, groups=groups), f"{name}.se")


def unit(w, x, name, out, inner, **form):
    """Figure 2(b)."""
    return F.relu(x + branch(w, x, f"{name}.branch", (inner, out), 1, **form))


def strided(w, x, name, out, inner, **form):
    """Figure 2(c): the average pool counts the border's zeros."""
    y = branch(w, x, f"{name}.branch", (inner, out - x.shape[1]), 2, **form)
    return F.relu(cat(F.avg_pool2d(x, 3, 2, padding=1), y))


def shufflenet(w, x, groups, scale=1, mixed=True, gate=ungated):
    first = CONV_1_OF_8.get(scale, CONV_1[scale]) if groups == 8 else CONV_1[scale]
    x = F.relu(conv_norm(w, x, "Conv1.conv", first, 3, stride=2))
    x = F.max_pool2d(x, 3, 2, padding=1)
    form = {"groups": groups, "mixed": mixed, "gate": gate}
    for stage, units in enumerate(UNITS):
        out = round(scale * STAGE_2[groups]) * 2**stage
        for i in range(units):
            name, first = f"Stage{stage + 2}.{i}", 1 if stage == i == 0 else groups
            # the first pointwise layer of Stage 2 is not grouped
            x = (unit if i else strided)(w, x, name, out, out // 4, first_groups=first, **form)
        x = w.stage(f"Stage{stage + 2}", x)
    return linear(w, mean(x), "FC", bias=False)


def shufflenet_v1_50(w, x):
    """The appendix of ShuffleNet V2: 3 groups, ResNet-50's stages, half of the channels inside."""
    x = F.relu(conv_norm(w, x, "conv1_x.conv", 64, 3, stride=2))
    x = F.max_pool2d(x, 3, 2, padding=1)
    form = {"groups": 3, "mixed": True, "gate": ungated}
    for stage, (out, units) in enumerate(((360, 3), (720, 4), (1440, 6), (2880, 3)), 2):
        for i in range(units):
            name = f"conv{stage}_x.{i}"
            if stage == 2 and i == 0:  # 64 channels to 360, with nothing beside
                y = branch(w, x, f"{name}.branch", (180, 360), 1, first_groups=1, **form)
                x = F.relu(y)
            else:
                x = (unit if i or stage == 2 else strided)(
                    w, x, name, out, out // 2, first_groups=3, **form
                )
        x = w.stage(f"conv{stage}_x", x)
    return linear(w, mean(x), "fc")


SCALES = {"_x0_25": 0.25, "_x0_5": 0.5, "": 1, "_x1_5": 1.5, "_x2_0": 2}
NETWORKS = {
    **{
        f"shufflenet_v1_g{groups}{ending}": partial(shufflenet, groups=groups, scale=scale)
        for ending, scale in SCALES.items()
        for groups in (STAGE_2 if scale in (1, 2) else (1, 3, 8))
    },
    **{  # Table 3
        f"shufflenet_v1_g{groups}{ending}_no_shuffle": partial(
            shufflenet, groups=groups, scale=scale, mixed=False
        )
        for ending, scale in SCALES.items()
        for groups in (3, 8)
        if scale <= 1
    },
    "shufflenet_v1_50": shufflenet_v1_50,
    "se_shufflenet_v1_g3": partial(shufflenet, groups=3, gate=gate),
    "se_shufflenet_v1_g3_x2_0": partial(shufflenet, groups=3, scale=2, gate=gate),
}
