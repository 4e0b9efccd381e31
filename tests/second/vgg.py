"""Simonyan and Zisserman, Very Deep Convolutional Networks: Table 1; with batch norm as torchvision
and pytorch-cifar add it.
"""

from functools import partial

import torch.nn.functional as F
from plain import across_channels, conv, hidden, linear, max_pool, norm

WIDTHS = (64, 128, 256, 512, 512)
A = ((3,), (3,), (3, 3), (3, 3), (3, 3))  # Table 1: kernel sizes, pools between
C = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))
D = ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
E = ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3))


def convolutions(w, x, column, lrn=False, bn=False):
    for n, (width, kernels) in enumerate(zip(WIDTHS, column, strict=True), 1):
        for i, kernel in enumerate(kernels, 1):
            name = f"conv{n}.conv{n}_{i}"
            x = conv(w, x, f"{name}.conv", width, kernel, bias=True)
            x = F.relu(norm(w, x, f"{name}.bn") if bn else x)
            if lrn and n == i == 1:
                x = across_channels(x, 5, 1e-4, 0.75, 2)
        x = w.stage(f"pool{n}", max_pool(x, 2, 2))
    return x


def vgg(w, x, column, **options):
    x = convolutions(w, x, column, **options)
    x = F.relu(hidden(w, x, "fc6.fc", 4096))
    x = F.relu(hidden(w, x, "fc7.fc", 4096))
    return linear(w, x, "fc8")


def small(w, x, column):
    """pytorch-cifar: a single fully connected layer."""
    return linear(w, convolutions(w, x, column, bn=True).flatten(1), "fc")


NETWORKS = {
    "vgg11_lrn": partial(vgg, column=A, lrn=True),
    "vgg16_c": partial(vgg, column=C),
    "vgg16_c_bn": partial(vgg, column=C, bn=True),
    "vgg16_bn_32": partial(small, column=D),
    "vgg19_bn_32": partial(small, column=E),
}
SLOW = ("vgg16_c", "vgg16_c_bn")
