"""Lin, Chen and Yan, Network in Network: Figure 2, with the widths of the authors' files mnist_def,
cifar-10_def and the one for ImageNet in Caffe's Model Zoo; and Dive into Deep Learning's.
"""

from functools import partial

import torch.nn.functional as F
from plain import conv, max_pool, mean

# Kernel, stride, padding and the widths of the three layers
MNIST = ((5, 1, 2, 96, 64, 48), (5, 1, 2, 128, 96, 48), (5, 1, 2, 128, 96))
CIFAR = ((5, 1, 2, 192, 160, 96), (5, 1, 2, 192, 192, 192), (3, 1, 1, 192, 192))
IMAGENET = (
    (11, 4, 0, 96, 96, 96),
    (5, 1, 2, 256, 256, 256),
    (3, 1, 1, 384, 384, 384),
    (3, 1, 1, 1024, 1024),
)


def nin(w, x, blocks, up):
    """The last layer of all is as wide as there are classes, and has a ReLU like the others."""
    for n, (kernel, stride, padding, *widths) in enumerate(blocks, 1):
        name, last = f"mlpconv{n}", n == len(blocks)
        widths += [len(w[f"{name}.cccp2.bias"])] if last else []
        x = conv(w, x, f"{name}.conv", widths[0], kernel, stride, bias=True, padding=padding)
        x = F.relu(x)
        for i in (1, 2):
            x = F.relu(conv(w, x, f"{name}.cccp{i}", widths[i], 1, bias=True))
        if not last:
            x = w.stage(f"pool{n}", max_pool(x, 3, 2, up=up))
    return mean(x)


def tutorial(w, x):
    """The last block is as wide as there are classes throughout; pools round down."""
    classes = len(w["mlpconv4.conv.bias"])
    return nin(w, x, (*IMAGENET[:3], (3, 1, 1, classes, classes)), up=False)


NETWORKS = {
    "nin_mnist": partial(nin, blocks=MNIST, up=True),
    "nin_cifar10": partial(nin, blocks=CIFAR, up=True),
    "nin_imagenet": partial(nin, blocks=IMAGENET, up=True),
    "nin_tutorial": tutorial,
}
