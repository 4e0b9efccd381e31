"""Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks:
Sec. 3.3 to 3.5; and the copy of its widths in Dive into Deep Learning.
"""

import torch.nn.functional as F
from plain import across_channels, conv, hidden, linear, max_pool

SEC_3_5 = (  # kernels, size, GPUs that see only their own half
    (256, 5, 2),
    (384, 3, 1),
    (384, 3, 2),
    (256, 3, 2),
)


def alexnet(w, x):
    """Windows of conv1 that begin in the image reach over its border, onto zeros."""
    x = F.pad(x, (0, 3, 0, 3))
    x = F.relu(conv(w, x, "conv1.conv", 96, 11, stride=4, bias=True, padding=0))
    x = max_pool(across_channels(x, 5, 1e-4, 0.75, 2), 3, 2)
    w.stage("pool1", x)
    for n, (kernels, size, gpus) in enumerate(SEC_3_5, 2):
        x = F.relu(conv(w, x, f"conv{n}.conv", kernels, size, groups=gpus, bias=True))
        if n == 2:
            x = across_channels(x, 5, 1e-4, 0.75, 2)
        if n in (2, 5):
            x = w.stage(f"pool{n}", max_pool(x, 3, 2))
    x = F.relu(hidden(w, x, "fc6.fc", 4096))
    x = F.relu(hidden(w, x, "fc7.fc", 4096))
    return linear(w, x, "fc8")


def tutorial(w, x):
    """One tower, no normalisation, conv1 padded by 2."""
    x = F.relu(conv(w, x, "conv1.conv", 96, 11, stride=4, bias=True, padding=2))
    x = w.stage("pool1", max_pool(x, 3, 2))
    for n, (kernels, size, _) in enumerate(SEC_3_5, 2):
        x = F.relu(conv(w, x, f"conv{n}.conv", kernels, size, bias=True))
        if n in (2, 5):
            x = w.stage(f"pool{n}", max_pool(x, 3, 2))
    x = F.relu(hidden(w, x, "fc6.fc", 4096))
    x = F.relu(hidden(w, x, "fc7.fc", 4096))
    return linear(w, x, "fc8")


NETWORKS = {"alexnet": alexnet, "alexnet_tutorial": tutorial}
