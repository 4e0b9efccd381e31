"""Huang and others, Densely Connected Convolutional Networks: Table 1 and Sec. 3; the same networks
computed again to save memory (Pleiss and others), and Dive into Deep Learning's.
"""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv, linear, max_pool, mean, norm


def composite(w, x, name, width, kernel, bias=False):
    """Sec. 3, H: batch norm, ReLU, convolution."""
    x = F.relu(norm(w, x, f"{name}.bn"))
    return conv(w, x, f"{name}.conv", width, kernel, bias=bias)


def layer(w, x, name, k):
    return composite(w, x, f"{name}.conv", k, 3)


def bottleneck(w, x, name, k):
    """The B of DenseNet-B: 4k maps by a 1x1 first."""
    x = composite(w, x, f"{name}.conv1", 4 * k, 1)
    return composite(w, x, f"{name}.conv2", k, 3)


def with_bias(w, x, name, k):
    return composite(w, x, f"{name}.conv", k, 3, bias=True)


def blocks(w, x, layers, k, unit, compression, bias=False):
    """Each layer reads all that came before it in its block; between blocks 1x1 and 2x2 mean."""
    for n, count in enumerate(layers, 1):
        for i in range(1, count + 1):
            x = cat(x, unit(w, x, f"dense_block{n}.layer{i}", k))
        w.stage(f"dense_block{n}", x)
        if n < len(layers):
            width = int(compression * x.shape[1])
            x = composite(w, x, f"transition{n}.conv", width, 1, bias)
            x = w.stage(f"transition{n}", F.avg_pool2d(x, 2))
    x = F.relu(norm(w, x, "activation.bn"))
    return linear(w, mean(x), "fc")


def imagenet(w, x, layers, k=32):
    """Table 1, which starts with 2k maps."""
    x = conv(w, x, "convolution.conv.conv", 2 * k, 7, stride=2)
    x = F.relu(norm(w, x, "convolution.conv.bn"))
    x = w.stage("pooling", max_pool(x, 3, 2, padding=1))
    return blocks(w, x, layers, k, bottleneck, compression=0.5)


def cifar(w, x, depth, k):
    """Three blocks; 3n + 4 layers, starting with 16 maps."""
    x = conv(w, x, "convolution", 16, 3)
    return blocks(w, x, 3 * [(depth - 4) // 3], k, layer, compression=1)


def cifar_bc(w, x, depth, k):
    """Three blocks; 2 x 3n + 4 layers, starting with 2k maps, halved between blocks."""
    x = conv(w, x, "convolution", 2 * k, 3)
    return blocks(w, x, 3 * [(depth - 4) // 6], k, bottleneck, compression=0.5)


def tutorial(w, x):
    """Four blocks of four layers, k = 32, without bottlenecks; biases; a pool without padding."""
    x = conv(w, x, "convolution.conv", 64, 7, stride=2, bias=True)
    x = F.relu(norm(w, x, "convolution.bn"))
    x = w.stage("pooling", max_pool(x, 3, 2))
    return blocks(w, x, (4, 4, 4, 4), 32, with_bias, compression=0.5, bias=True)


D121 = (6, 12, 24, 16)
D201 = (6, 12, 48, 32)
D264 = (6, 12, 64, 48)
NETWORKS = {
    "densenet264": partial(imagenet, layers=D264),
    "densenet121_checkpointed": partial(imagenet, layers=D121),
    "densenet201_checkpointed": partial(imagenet, layers=D201),
    "densenet264_k48_checkpointed": partial(imagenet, layers=D264, k=48),
    "densenet40_k12_cifar": partial(cifar, depth=40, k=12),
    "densenet40_k12_cifar_dropout": partial(cifar, depth=40, k=12),
    "densenet100_k12_cifar": partial(cifar, depth=100, k=12),
    "densenet100_k24_cifar": partial(cifar, depth=100, k=24),
    "densenet_bc100_k12_cifar": partial(cifar_bc, depth=100, k=12),
    "densenet_bc100_k12_cifar_dropout": partial(cifar_bc, depth=100, k=12),
    "densenet_bc100_k12_cifar_checkpointed": partial(cifar_bc, depth=100, k=12),
    "densenet_bc250_k24_cifar": partial(cifar_bc, depth=250, k=24),
    "densenet_bc190_k40_cifar": partial(cifar_bc, depth=190, k=40),
    "densenet_bc190_k40_cifar_checkpointed": partial(cifar_bc, depth=190, k=40),
    "wide_densenet_bc40_k36_cifar": partial(cifar_bc, depth=40, k=36),
    "wide_densenet_bc40_k48_cifar": partial(cifar_bc, depth=40, k=48),
    "wide_densenet_bc40_k60_cifar": partial(cifar_bc, depth=40, k=60),
    "densenet_tutorial": tutorial,
}
SLOW = (
    "densenet100_k24_cifar",
    "densenet264_k48_checkpointed",
    "densenet_bc190_k40_cifar",
    "densenet_bc190_k40_cifar_checkpointed",
)
