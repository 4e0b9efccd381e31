"""Caffe's layers and two of its networks in torch.nn.functional: nothing of convatlas is imported.

Weights are made where they are asked for, by the names of Caffe's layers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


class Net:
    def __init__(self):
        self.blobs: dict[str, Tensor] = {}
        self.generator = torch.Generator().manual_seed(0)

    def blob(self, name: str, *shape: int, mean: float = 0.0, std: float = 0.1) -> Tensor:
        if name not in self.blobs:
            drawn = torch.randn(shape, generator=self.generator, dtype=torch.float64)
            self.blobs[name] = mean + std * drawn.clamp(-2, 2)
        return self.blobs[name]

    def conv(self, x: Tensor, name: str, c: int, k: int = 1, stride: int = 1) -> Tensor:
        w = self.blob(f"{name}/w", c, x.shape[1], k, k, std=(2 / (x.shape[1] * k * k)) ** 0.5)
        return F.conv2d(x, w, self.blob(f"{name}/b", c), stride, k // 2)

    def relu(self, x: Tensor, name: str, c: int, k: int = 1, stride: int = 1) -> Tensor:
        return self.conv(x, name, c, k, stride).clamp(min=0)

    def normed(self, x: Tensor, name: str, c: int, k: int = 1, stride: int = 1) -> Tensor:
        """A convolution with a bias, BatchNorm and its Scale, ReLU."""
        x = self.conv(x, name, c, k, stride)
        mean, variance = self.blob(f"{name}/mean", c), self.blob(f"{name}/var", c, mean=1.0)
        gamma, beta = self.blob(f"{name}/gamma", c, mean=1.0), self.blob(f"{name}/beta", c)
        x = (x - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
        return (x * gamma[:, None, None] + beta[:, None, None]).clamp(min=0)

    def inner_product(self, x: Tensor, name: str, c: int) -> Tensor:
        x = x.flatten(1)
        w = self.blob(f"{name}/w", c, x.shape[1], std=x.shape[1] ** -0.5)
        return x @ w.T + self.blob(f"{name}/b", c)


def max_pool(x: Tensor, k: int = 3, stride: int = 2, pad: int = 0) -> Tensor:
    """Caffe rounds the size up, window by window of what is there."""
    return F.max_pool2d(x, k, stride, pad, ceil_mode=True)


def lrn(x: Tensor, k: float, alpha: float) -> Tensor:
    """Across five channels, the sum of squares times alpha."""
    squares = F.pad(x.square(), (0, 0, 0, 0, 2, 2))
    sums = sum(squares[:, i : i + x.shape[1]] for i in range(5))
    return x / (k + alpha * sums) ** 0.75


# models/bvlc_googlenet/deploy.prototxt: 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pool
GOOGLENET = (
    ("3a", 64, 96, 128, 16, 32, 32),
    ("3b", 128, 128, 192, 32, 96, 64),
    ("4a", 192, 96, 208, 16, 48, 64),
    ("4b", 160, 112, 224, 24, 64, 64),
    ("4c", 128, 128, 256, 24, 64, 64),
    ("4d", 112, 144, 288, 32, 64, 64),
    ("4e", 256, 160, 320, 32, 128, 128),
    ("5a", 256, 160, 320, 32, 128, 128),
    ("5b", 384, 192, 384, 48, 128, 128),
)


def googlenet(net: Net, x: Tensor, classes: int) -> Tensor:
    """With Caffe's LRN: alpha 0.0001 over 5 channels is divided by 5, and k is 1."""
    x = lrn(max_pool(net.relu(x, "conv1/7x7_s2", 64, 7, 2)), 1.0, 0.0001 / 5)
    x = net.relu(net.relu(x, "conv2/3x3_reduce", 64), "conv2/3x3", 192, 3)
    x = max_pool(lrn(x, 1.0, 0.0001 / 5))
    for name, one, reduce3, three, reduce5, five, proj in GOOGLENET:
        m = f"inception_{name}"
        branches = (
            net.relu(x, f"{m}/1x1", one),
            net.relu(net.relu(x, f"{m}/3x3_reduce", reduce3), f"{m}/3x3", three, 3),
            net.relu(net.relu(x, f"{m}/5x5_reduce", reduce5), f"{m}/5x5", five, 5),
            net.relu(max_pool(x, 3, 1, 1), f"{m}/pool_proj", proj),
        )
        x = torch.cat(branches, 1)
        if name in ("3b", "4e"):
            x = max_pool(x)
    return net.inner_product(x.mean((2, 3)), "loss3/classifier", classes)


BN_INCEPTION = (  # 1x1, 3x3 reduced, 3x3, double reduced, double, pool; 0: halved, none
    ("3a", 64, 64, 64, 64, 96, 32),
    ("3b", 64, 64, 96, 64, 96, 64),
    ("3c", 0, 128, 160, 64, 96, 0),
    ("4a", 224, 64, 96, 96, 128, 128),
    ("4b", 192, 96, 128, 96, 128, 128),
    ("4c", 160, 128, 160, 128, 160, 128),
    ("4d", 96, 128, 192, 160, 192, 128),
    ("4e", 0, 128, 192, 192, 256, 0),
    ("5a", 352, 192, 320, 160, 224, 128),
    ("5b", 352, 192, 320, 192, 224, 128),
)


def bn_inception(net: Net, x: Tensor, classes: int) -> Tensor:
    """As github.com/yjxiong/tensorflow-model-zoo.torch and Cadene keep it: the pools of 3c and 4e
    are not padded.
    """
    x = max_pool(net.normed(x, "conv1", 64, 7, 2))
    x = max_pool(net.normed(net.normed(x, "conv2_reduce", 64), "conv2", 192, 3))
    for name, one, reduce, three, reduce2, double, proj in BN_INCEPTION:
        stride = 1 if one else 2
        first = [net.normed(x, f"{name}/1x1", one)] if one else []
        single = net.normed(
            net.normed(x, f"{name}/reduce", reduce), f"{name}/3x3", three, 3, stride
        )
        second = net.normed(net.normed(x, f"{name}/reduce2", reduce2), f"{name}/a", double, 3)
        second = net.normed(second, f"{name}/b", double, 3, stride)
        if not one:
            x = torch.cat((single, second, max_pool(x)), 1)
            continue
        average = F.avg_pool2d(x, 3, 1, 1, count_include_pad=True)
        pooled = max_pool(x, 3, 1, 1) if name == "5b" else average
        x = torch.cat((*first, single, second, net.normed(pooled, f"{name}/proj", proj)), 1)
    return net.inner_product(x.mean((2, 3)), "fc", classes)
