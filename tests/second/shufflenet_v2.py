"""Ma and others, ShuffleNet V2: Table 5, Figure 3(c) and (d), and the appendix's large networks."""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv_norm, linear, mean
from senet import gate
from shufflenet_v1 import shuffle, ungated

TABLE_5 = {  # Stage2, Stage3, Stage4, Conv5
    "_x0_5": (48, 96, 192, 1024),
    "": (116, 232, 464, 1024),
    "_x1_5": (176, 352, 704, 1024),
    "_x2_0": (244, 488, 976, 2048),
}


def worked(w, x, name, inner, out, stride, gate):
    """1x1, depthwise 3x3 without ReLU, 1x1, whose ReLU is still to come."""
    x = F.relu(conv_norm(w, x, f"{name}.conv1", inner, 1))
    x = conv_norm(w, x, f"{name}.dwconv", inner, 3, stride, groups=inner)
    return gate(w, conv_norm(w, x, f"{name}.conv2", out, 1), f"{name}.se")


def unit(w, x, name, gate):
    """Figure 3(c): one half passes by, the other is worked on."""
    half = x.shape[1] // 2
    y = worked(w, x[:, half:], f"{name}.main", half, half, 1, gate)
    return shuffle(cat(x[:, :half], F.relu(y)), 2)


def residual_unit(w, x, name, gate):
    """Appendix: the half that is worked on has a path around it."""
    half = x.shape[1] // 2
    y = worked(w, x[:, half:], f"{name}.main.branch", half, half, 1, gate)
    return shuffle(cat(x[:, :half], F.relu(x[:, half:] + y)), 2)


def unsplit(w, x, name, out, stride, gate):
    """Figure 3(d): the left branch keeps its channels, as in the authors' code."""
    c = x.shape[1]
    left = conv_norm(w, x, f"{name}.shortcut.dwconv", c, 3, stride, groups=c)
    left = F.relu(conv_norm(w, left, f"{name}.shortcut.conv", c, 1))
    right = F.relu(worked(w, x, f"{name}.main", out // 2, out - c, stride, gate))
    return shuffle(cat(left, right), 2)


def stage(w, x, name, out, units, stride, gate=ungated, unit=unit):
    x = unsplit(w, x, f"{name}.0", out, stride, gate)
    for i in range(1, units):
        x = unit(w, x, f"{name}.{i}", gate)
    return w.stage(name, x)


def shufflenet_v2(w, x, widths, gate=ungated):
    x = F.relu(conv_norm(w, x, "Conv1.conv", 24, 3, stride=2))
    x = F.max_pool2d(x, 3, 2, padding=1)
    for i, units in enumerate((4, 8, 4)):
        x = stage(w, x, f"Stage{i + 2}", widths[i], units, 2, gate)
    x = F.relu(conv_norm(w, x, "Conv5.conv", widths[3], 1))
    return linear(w, mean(x), "FC", bias=False)


def shufflenet_v2_50(w, x):
    """Appendix: ResNet-50's stages; 64 to 244 channels at stride 1 by an unsplit unit too."""
    x = F.relu(conv_norm(w, x, "conv1_x.conv", 64, 3, stride=2))
    x = F.max_pool2d(x, 3, 2, padding=1)
    for i, (out, units) in enumerate(((244, 3), (488, 4), (976, 6), (1952, 3))):
        x = stage(w, x, f"conv{i + 2}_x", out, units, 2 if i else 1)
    x = F.relu(conv_norm(w, x, "conv6.conv", 2048, 1))
    return linear(w, mean(x), "fc")


def se_shufflenet_v2_164(w, x):
    """Appendix: three convolutions first, gates, and residual paths."""
    for i, (width, stride) in enumerate(((64, 2), (64, 1), (128, 1)), 1):
        x = F.relu(conv_norm(w, x, f"conv1_x.conv{i}", width, 3, stride))
    x = F.max_pool2d(x, 3, 2, padding=1)
    for i, (out, units) in enumerate(((340, 10), (680, 10), (1360, 23), (2720, 10))):
        x = stage(w, x, f"conv{i + 2}_x", out, units, 2 if i else 1, as_wide, residual_unit)
    x = F.relu(conv_norm(w, x, "conv6.conv", 2048, 1))
    return linear(w, mean(x), "fc")


as_wide = partial(gate, ratio=1)
NETWORKS = {
    **{
        f"shufflenet_v2{ending}": partial(shufflenet_v2, widths=widths)
        for ending, widths in TABLE_5.items()
    },
    "shufflenet_v2_50": shufflenet_v2_50,
    "se_shufflenet_v2_x2_0": partial(shufflenet_v2, widths=TABLE_5["_x2_0"], gate=as_wide),
    "se_shufflenet_v2_164": se_shufflenet_v2_164,
}
