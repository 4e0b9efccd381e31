"""Ioffe and Szegedy, Batch Normalization: Figure 5; with gates, Hu and others,
Squeeze-and-Excitation Networks: Figure 2.
"""

from functools import partial

import torch
import torch.nn.functional as F
from plain import cat, conv, conv_norm, linear, max_pool, mean, weight

FIGURE_5 = {  # #1x1, #3x3 reduce, #3x3, double #3x3 reduce, double #3x3, pool, its projection
    "3a": (64, 64, 64, 64, 96, "avg", 32),
    "3b": (64, 64, 96, 64, 96, "avg", 64),
    "3c": (0, 128, 160, 64, 96, "max", 0),  # stride 2, the pool passes through
    "4a": (224, 64, 96, 96, 128, "avg", 128),
    "4b": (192, 96, 128, 96, 128, "avg", 128),
    "4c": (160, 128, 160, 128, 160, "avg", 128),
    "4d": (96, 128, 192, 160, 192, "avg", 128),
    "4e": (0, 128, 192, 192, 256, "max", 0),
    "5a": (352, 192, 320, 160, 224, "avg", 128),
    "5b": (352, 192, 320, 192, 224, "max", 128),
}


def halved(x):
    """3x3, stride 2, padded like the convolutions beside it."""
    return max_pool(x, 3, 2, padding=1)


def halved_by_caffe(x):
    """Windows begin at the first pixel, and reach over the last: a pool that rounds up. Where the
    map is odd there is one window more than Caffe has, to match the convolutions.
    """
    return max_pool(F.pad(x, (0, 2, 0, 2), value=-torch.inf), 3, 2)


def inception(w, x, name, box, half, one, reduce3, three, reduce_double, double, pool, proj):
    stride = 1 if proj else 2
    a = [box(w, x, f"{name}.1x1", one, 1)] if one else []
    b = box(w, x, f"{name}.3x3.reduce", reduce3, 1)
    b = box(w, b, f"{name}.3x3.conv", three, 3, stride)
    c = box(w, x, f"{name}.double_3x3.reduce", reduce_double, 1)
    c = box(w, c, f"{name}.double_3x3.conv1", double, 3)
    c = box(w, c, f"{name}.double_3x3.conv2", double, 3, stride)
    if not proj:
        return cat(*a, b, c, half(x))
    d = F.avg_pool2d(x, 3, 1, padding=1) if pool == "avg" else max_pool(x, 3, 1, padding=1)
    return cat(*a, b, c, box(w, d, f"{name}.pool.proj", proj, 1))


def plain_box(w, x, name, width, kernel, stride=1, bias=False):
    return F.relu(conv_norm(w, x, f"{name}.conv", width, kernel, stride, bias=bias))


def sigmoid_box(w, x, name, width, kernel, stride=1):
    """Sec. 4.2.2: the sigmoid instead of ReLU."""
    return torch.sigmoid(conv_norm(w, x, f"{name}.conv", width, kernel, stride))


def full(w, x, box):
    return box(w, x, "conv1", 64, 7, 2)


def separable(w, x, box):
    """The asterisk: separable, with depth multiplier 8."""
    x = conv(w, x, "conv1.depthwise", 24, 7, stride=2, groups=3)
    return F.relu(conv_norm(w, x, "conv1.pointwise", 64, 1))


def gate(w, x, name):
    """Mean, a sixteenth of the channels with ReLU, and a sigmoid for each channel."""
    c = x.shape[1]
    a = F.linear(mean(x), weight(w, f"{name}.w1.weight", c // 16, c), w[f"{name}.w1.bias"])
    b = F.linear(F.relu(a), weight(w, f"{name}.w2.weight", c, c // 16), w[f"{name}.w2.bias"])
    return x * torch.sigmoid(b)[:, :, None, None]


def bn_inception(w, x, first=full, box=plain_box, half=halved, gated=False):
    x = max_pool(first(w, x, box), 3, 2, up=True)
    x = box(w, x, "conv2.reduce", 64, 1)
    x = box(w, x, "conv2.conv", 192, 3)
    x = max_pool(x, 3, 2, up=True)
    for n, row in FIGURE_5.items():
        name = f"inception_{n}"
        x = inception(w, x, f"{name}.inception" if gated else name, box, half, *row)
        x = w.stage(name, gate(w, x, f"{name}.se") if gated else x)
    return linear(w, mean(x), "fc")


NETWORKS = {
    "bn_inception": bn_inception,
    "bn_inception_separable": partial(bn_inception, first=separable),
    "bn_inception_caffe": partial(
        bn_inception, box=partial(plain_box, bias=True), half=halved_by_caffe
    ),
    "bn_inception_sigmoid": partial(bn_inception, box=sigmoid_box),
    "se_bn_inception": partial(bn_inception, gated=True),
    "se_bn_inception_released": partial(bn_inception, gated=True, half=halved_by_caffe),
}
