"""Zeiler and Fergus, Visualizing and Understanding Convolutional Networks: Figure 3, Sec. 3, and
the last rows of Table 3. 110, 55, 26, 13, 13 and 6 are cuda-convnet's sizes, which it rounds up.
"""

from functools import partial

import torch.nn.functional as F
from plain import across_channels, conv, hidden, linear, max_pool

MIDDLE = (384, 384, 256)  # maps of layers 3, 4 and 5


def strided(w, x, name, width, kernel):
    """Unpadded; windows that begin in the image reach over its border, onto zeros."""
    right, below = ((kernel - side) % 2 for side in (x.shape[3], x.shape[2]))
    x = F.pad(x, (0, right, 0, below))
    return F.relu(conv(w, x, name, width, kernel, stride=2, bias=True, padding=0))


def contrast(x):
    """Krizhevsky's normalisation, to which the paper refers."""
    return across_channels(x, 5, 1e-4, 0.75, 2)


def pooled(x):
    return max_pool(x, 3, 2, up=True)


def top(w, x, units):
    for n in (6, 7):
        x = F.relu(hidden(w, x, f"fc{n}.fc", units))
    return linear(w, x, "fc8")


def zfnet(w, x, middle=MIDDLE, units=4096):
    x = contrast(pooled(w.stage("conv1", strided(w, x, "conv1.conv", 96, 7))))
    x = contrast(pooled(w.stage("conv2", strided(w, x, "conv2.conv", 256, 5))))
    for n, width in enumerate(middle, 3):
        x = w.stage(f"conv{n}", F.relu(conv(w, x, f"conv{n}.conv", width, 3, bias=True)))
    return top(w, w.stage("pool5", pooled(x)), units)


LARGE = (512, 1024, 512)
NETWORKS = {
    "zfnet": zfnet,
    "zfnet_fc2048": partial(zfnet, units=2048),
    "zfnet_fc8192": partial(zfnet, units=8192),
    "zfnet_512_1024_512": partial(zfnet, middle=LARGE),
    "zfnet_512_1024_512_fc8192": partial(zfnet, middle=LARGE, units=8192),
}
SLOW = tuple(name for name in NETWORKS if name != "zfnet_fc2048")
