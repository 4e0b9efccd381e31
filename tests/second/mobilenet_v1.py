"""Howard and others, MobileNets: Table 1, Sec. 3.3, and the two networks of Sec. 4.1."""

from functools import partial

import torch.nn.functional as F
from plain import conv_norm, linear, mean

# Table 1 from its second row on: stride of the depthwise layer, filters of the pointwise one. The
# last row prints s2, but 7x7 before and behind it.
TABLE_1 = (
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    *((1, 512),) * 5,
    (2, 1024),
    (1, 1024),
)
SHALLOW = (*range(6), 11, 12)  # without the five layers of 14x14x512


def separable(w, x, name, width, stride):
    """Figure 3, right."""
    x = F.relu(conv_norm(w, x, f"{name}.dw", x.shape[1], 3, stride, groups=x.shape[1]))
    return F.relu(conv_norm(w, x, f"{name}.pw", width, 1))


def full(w, x, name, width, stride):
    """Figure 3, left."""
    return F.relu(conv_norm(w, x, f"{name}.conv", width, 3, stride))


def mobilenet(w, x, alpha=1.0, layer=separable, rows=range(13)):
    x = F.relu(conv_norm(w, x, "conv1.conv", round(alpha * 32), 3, stride=2))
    for row in rows:
        stride, width = TABLE_1[row]
        x = w.stage(f"conv{row + 2}", layer(w, x, f"conv{row + 2}", round(alpha * width), stride))
    return linear(w, mean(x), "fc")


NETWORKS = {
    "mobilenet_v1": mobilenet,
    "mobilenet_v1_x0_75": partial(mobilenet, alpha=0.75),
    "mobilenet_v1_x0_5": partial(mobilenet, alpha=0.5),
    "mobilenet_v1_x0_25": partial(mobilenet, alpha=0.25),
    "mobilenet_v1_shallow": partial(mobilenet, rows=SHALLOW),
    "mobilenet_v1_full_conv": partial(mobilenet, layer=full),
}
