"""Tan and others, MnasNet: Figure 7(a), (b) and (d), Sec. 6.2; its release (tensorflow/tpu,
models/official/mnasnet), with SAME padding and an epsilon of 0.001, and the ports of it to PyTorch.
"""

from functools import partial

import torch
import torch.nn.functional as F
from mobilenet_v2 import eights
from nasnet import same
from plain import conv, linear, mean, norm

A1 = (  # layers, kernel, stride, expansion, filters, squeeze and excite
    (1, 3, 1, 1, 16, False),
    (2, 3, 2, 6, 24, False),
    (3, 5, 2, 3, 40, True),
    (4, 3, 2, 6, 80, False),
    (2, 3, 1, 6, 112, True),
    (3, 5, 2, 6, 160, True),
    (1, 3, 1, 6, 320, False),
)
B1 = (
    (1, 3, 1, 1, 16, False),
    (3, 3, 2, 3, 24, False),
    (3, 5, 2, 3, 40, False),
    (3, 5, 2, 6, 80, False),
    (2, 3, 1, 6, 96, False),
    (4, 5, 2, 6, 192, False),
    (1, 3, 1, 6, 320, False),
)
SMALL = (
    (1, 3, 1, 1, 8, False),
    (1, 3, 2, 3, 16, False),
    (2, 3, 2, 6, 16, False),
    (4, 5, 2, 6, 32, True),
    (3, 3, 1, 6, 32, True),
    (3, 5, 2, 6, 88, True),
    (1, 3, 1, 6, 144, False),
)


def ported(w, x, name, width, kernel, stride=1, groups=1):
    return norm(w, conv(w, x, f"{name}.conv", width, kernel, stride, groups), f"{name}.bn")


def released(w, x, name, width, kernel, stride=1, groups=1):
    x = conv(w, same(x, kernel, stride), f"{name}.conv", width, kernel, stride, groups, padding=0)
    return norm(w, x, f"{name}.bn", 1e-3)


def gate(w, x, name, inner):
    s = x.mean((2, 3), keepdim=True)
    s = F.relu(conv(w, s, f"{name}.squeeze", inner, 1, bias=True))
    return x * torch.sigmoid(conv(w, s, f"{name}.excite", x.shape[1], 1, bias=True))


def layer(w, x, name, step, declared, kernel, stride, expansion, width, se):
    """The gate's inner width is a quarter of what the layer reads, before the expansion. A layer
    has a shortcut where the release declares as many inputs as outputs: the first of the small
    network reads 8, but is declared to read 16.
    """
    y, inner = x, expansion * x.shape[1]
    if expansion > 1:
        y = F.relu(step(w, y, f"{name}.layers.expand", inner, 1))
    y = F.relu(step(w, y, f"{name}.layers.depthwise", inner, kernel, stride, inner))
    if se:
        y = gate(w, y, f"{name}.layers.se", x.shape[1] // 4)
    y = step(w, y, f"{name}.layers.project", width, 1)
    return x + y if stride == 1 and declared == width else y


def mnasnet(w, x, table, step, alpha=1.0, stem=32):
    x = w.stage("conv1", F.relu(step(w, x, "conv1.conv", eights(stem * alpha), 3, 2)))
    for row, (layers, kernel, stride, expansion, width, se) in enumerate(table, 1):
        for i in range(layers):
            form = (kernel, 1 if i else stride, expansion, eights(width * alpha), se)
            declared = x.shape[1] if row > 1 else 16 if table is SMALL else stem
            x = layer(w, x, f"block{row}.{i}", step, declared, *form)
        x = w.stage(f"block{row}", x)
    x = w.stage("conv2", F.relu(step(w, x, "conv2.conv", 1280, 1)))
    return linear(w, mean(x), "fc")


WIDTHS = {"": 1.0, "_x0_35": 0.35, "_x0_5": 0.5, "_x0_75": 0.75, "_x1_4": 1.4}
NETWORKS = {
    **{
        f"mnasnet_a1{ending}": partial(mnasnet, table=A1, step=ported, alpha=alpha)
        for ending, alpha in WIDTHS.items()
    },
    **{
        f"mnasnet_a1_released{ending}": partial(mnasnet, table=A1, step=released, alpha=alpha)
        for ending, alpha in WIDTHS.items()
    },
    "mnasnet_b1_released": partial(mnasnet, table=B1, step=released),
    "mnasnet_small": partial(mnasnet, table=SMALL, step=ported, stem=8),
    "mnasnet_small_released": partial(mnasnet, table=SMALL, step=released, stem=8),
}
SLOW = tuple(
    name for name in NETWORKS if name not in ("mnasnet_a1_x0_35", "mnasnet_small_released")
)
