"""Tan and others, MnasNet: Figure 7(a), (b) and (d), Tables 1 and 4; what they leave open as in the
authors' release (tensorflow/tpu, models/official/mnasnet).
"""

from functools import partial

import torch
import torch.nn.functional as F
from mobilenet_v2 import eights
from plain import conv, linear, mean, norm

EPS = 1e-3
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


def step(w, x, name, width, kernel, stride=1, groups=1):
    return norm(w, conv(w, x, f"{name}.conv", width, kernel, stride, groups), f"{name}.bn", EPS)


def gate(w, x, name, inner):
    s = x.mean((2, 3), keepdim=True)
    s = F.relu(conv(w, s, f"{name}.squeeze", inner, 1, bias=True))
    return x * torch.sigmoid(conv(w, s, f"{name}.excite", x.shape[1], 1, bias=True))


def layer(w, x, name, kernel, stride, expansion, width, se):
    """The gate's inner width is a quarter of what the layer reads, before the expansion."""
    y, inner = x, expansion * x.shape[1]
    if expansion > 1:
        y = F.relu(step(w, y, f"{name}.layers.expand", inner, 1))
    y = F.relu(step(w, y, f"{name}.layers.depthwise", inner, kernel, stride, inner))
    if se:
        y = gate(w, y, f"{name}.layers.se", x.shape[1] // 4)
    y = step(w, y, f"{name}.layers.project", width, 1)
    return x + y if stride == 1 and x.shape[1] == width else y


def mnasnet(w, x, table, alpha=1.0, stem=32):
    x = F.relu(step(w, x, "conv1", eights(stem * alpha), 3, 2))
    for row, (layers, kernel, stride, expansion, width, se) in enumerate(table, 1):
        for i in range(layers):
            form = (kernel, 1 if i else stride, expansion, eights(width * alpha), se)
            x = layer(w, x, f"block{row}.{i}", *form)
        x = w.stage(f"block{row}", x)
    return linear(w, mean(F.relu(step(w, x, "conv2", 1280, 1))), "fc")


NETWORKS = {
    **{
        f"mnasnet_a1_x{alpha}".replace(".", "_"): partial(mnasnet, table=A1, alpha=alpha)
        for alpha in (0.35, 0.5, 0.75, 1.4)
    },
}
