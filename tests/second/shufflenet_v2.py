"""Ma and others, ShuffleNet V2: Table 5, Figure 3(c) and (d), and the appendix's large networks."""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv_norm, linear, mean
from shufflenet_v1 import shuffle

TABLE_5 = {  # Stage2, Stage3, Stage4, Conv5
    "_x0_5": (48, 96, 192, 1024),
    "": (116, 232, 464, 1024),
    "_x1_5": (176, 352, 704, 1024),
    "_x2_0": (244, 488, 976, 2048),
}


def main(w, x, name, inner, out, stride):
    """1x1, depthwise 3x3 without ReLU, 1x1."""
    x = F.relu(conv_norm(w, x, f"{name}.main.conv1", inner, 1))
    x = conv_norm(w, x, f"{name}.main.dwconv", inner, 3, stride, groups=inner)
    return F.relu(conv_norm(w, x, f"{name}.main.conv2", out, 1))


def unit(w, x, name):
    """Figure 3(c): one half passes by, the other is worked on."""
    half = x.shape[1] // 2
    passed, worked = x[:, :half], x[:, half:]
    return shuffle(cat(passed, main(w, worked, name, half, half, 1)), 2)


def unsplit(w, x, name, out, stride):
    """Figure 3(d): the left branch keeps its channels, as in the authors' code."""
    c = x.shape[1]
    left = conv_norm(w, x, f"{name}.shortcut.dwconv", c, 3, stride, groups=c)
    left = F.relu(conv_norm(w, left, f"{name}.shortcut.conv", c, 1))
    return shuffle(cat(left, main(w, x, name, out // 2, out - c, stride)), 2)


def stage(w, x, name, out, units, stride):
    x = unsplit(w, x, f"{name}.0", out, stride)
    for i in range(1, units):
        x = unit(w, x, f"{name}.{i}")
    return w.stage(name, x)


def shufflenet_v2(w, x, widths):
    x = F.relu(conv_norm(w, x, "Conv1.conv", 24, 3, stride=2))
    x = F.max_pool2d(x, 3, 2, padding=1)
    for i, units in enumerate((4, 8, 4)):
        x = stage(w, x, f"Stage{i + 2}", widths[i], units, 2)
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


NETWORKS = {
    **{
        f"shufflenet_v2{ending}": partial(shufflenet_v2, widths=widths)
        for ending, widths in TABLE_5.items()
    },
    "shufflenet_v2_50": shufflenet_v2_50,
}
