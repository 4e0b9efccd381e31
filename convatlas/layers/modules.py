"""Layers, an initialisation and a rounding rule that more than one paper uses."""

from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


def seq(**layers: nn.Module) -> nn.Sequential:
    """nn.Sequential that keeps the paper's names: seq(conv1=..., relu1=...)."""
    return nn.Sequential(OrderedDict(layers))


class ConvBN(nn.Sequential):
    """Bias-free convolution, then batch norm; odd kernels, same padding.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1):
        assert k % 2 == 1, "an even kernel writes its padding out in its own network file"
        super().__init__(
            OrderedDict(
                conv=nn.Conv2d(c_in, c_out, k, stride, padding=k // 2, groups=groups, bias=False),
                bn=nn.BatchNorm2d(c_out),
            )
        )


class ConvBNKeras(ConvBN):
    """ConvBN with Keras's constants, as in MobileNetV3 and EfficientNet: epsilon 0.001, decay 0.99.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1):
        super().__init__(c_in, c_out, k, stride, groups)
        self.bn.eps = 0.001
        self.bn.momentum = 0.01  # torch's is the share of the new batch: 1 - decay


def biased_conv(c_in: int, c_out: int, k: int) -> nn.Sequential:
    """Convolution with a bias, batch norm, ReLU: what became of networks that were printed without
    batch norm.  (N, c_in, H, W) -> (N, c_out, H, W)
    """
    return seq(
        conv=nn.Conv2d(c_in, c_out, k, padding=k // 2), bn=nn.BatchNorm2d(c_out), relu=nn.ReLU()
    )


def inception_conv(
    c_in: int,
    c_out: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
) -> nn.Sequential:
    """Convolution, batch norm, ReLU of Inception-v3 and -v4; a kernel (1, 7) is 1 high and 7 wide.

    No bias, epsilon 0.001 and no padding unless it is given, as in TF-slim.  (N, c_in, H, W) ->
    (N, c_out, H', W')
    """
    return seq(
        conv=nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False),
        bn=nn.BatchNorm2d(c_out, eps=1e-3),
        relu=nn.ReLU(),
    )


class LocalResponseNorm(nn.LocalResponseNorm):
    """AlexNet's Sec. 3.3 and constants: b = a / (2 + 1e-4 * sum of a^2 over 5 channels)^0.75.

    torch divides alpha by the window, the paper does not; hence 5e-4 here.
    """

    def __init__(self):
        super().__init__(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class FilterConcat(nn.Module):
    """GoogLeNet (arXiv:1409.4842), Figure 2: branches that read the same maps, concatenated.

    (N, c, H, W) -> (N, the sum of the branches' channels, H', W'), in the order of the branches
    """

    def __init__(self, **branches: nn.Module):
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class AuxiliaryHead(nn.Module):
    """Inception-v3 (arXiv:1512.00567), Figure 8, with batch norm (Sec. 4), as TF-slim has it in
    Inception-v4 and Inception-ResNet-v2 too.  (N, c, 17, 17) -> (N, num_classes)
    """

    def __init__(self, c: int, num_classes: int):
        super().__init__()
        self.convs = seq(conv1=inception_conv(c, 128, 1), conv2=inception_conv(128, 768, 5))
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) >= 5:
            x = F.avg_pool2d(x, 5, stride=3)  # (N, c, 5, 5) of 17x17
        if min(x.shape[2:]) < 5:  # images smaller than 299
            x = F.adaptive_avg_pool2d(x, 5)
        x = self.convs(x).mean((2, 3))  # (N, 768, 1, 1), (N, 768)
        return self.fc(x)  # (N, num_classes)


class ChannelShuffle(nn.Module):
    """ShuffleNet (arXiv:1707.01083), Figure 1(c): channel i of group g moves to place
    i * groups + g.

    (N, c, H, W) -> the same shape
    """

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


class Residual(nn.Module):
    """ResNet (arXiv:1512.03385), Eqs. (1) and (2): relu(F(x) + shortcut(x)).

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride), as both paths do
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x) + self.shortcut(x))


class Sum(nn.Module):
    """branch(x) + shortcut(x), with no ReLU after it (Xception; "Identity Mappings", Figure 4(c)).

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride), as both paths do
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


class ZeroPadding(nn.Module):
    """ResNet's shortcut of option (A): every stride-th pixel, zeros after the old channels.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride), without parameters
    """

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.new_channels = c_out - c_in
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


class SqueezeExcite(nn.Module):
    """SENet (arXiv:1709.01507), Eqs. (2) to (4): s = sigmoid(W2 relu(W1 GAP(u))) rescales u.

    (N, c, H, W) -> the same shape
    """

    def __init__(self, c: int, r: int = 16):
        super().__init__()
        self.w1 = nn.Linear(c, c // r)
        self.w2 = nn.Linear(c // r, c)

    def forward(self, u: Tensor) -> Tensor:
        z = u.mean((2, 3))  # (N, c), Eq. (2): squeeze
        s = self.w2(self.w1(z).relu()).sigmoid()  # (N, c), Eq. (3): excite
        return u * s[:, :, None, None]  # Eq. (4): scale


class SqueezeExciteConv(nn.Module):
    """SENet's gate as networks of few operations have it: 1x1 convolutions with biases, to
    `squeezed` channels and back.  (N, c, H, W) -> the same shape
    """

    def __init__(self, c: int, squeezed: int):
        super().__init__()
        self.squeeze = nn.Conv2d(c, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, c, 1)
        self.relu = nn.ReLU()
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        s = x.mean((2, 3), keepdim=True)  # (N, c, 1, 1)
        s = self.relu(self.squeeze(s))  # (N, squeezed, 1, 1)
        return x * self.gate(self.excite(s))


class ChannelNorm(nn.LayerNorm):
    """Layer norm (arXiv:1607.06450) over the channels of each pixel.  (N, c, H, W) -> the same
    shape
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """CaiT (arXiv:2103.17239), Eq. (12): a factor for each channel at the end of a branch, at first
    so small that the branch hardly counts.  (N, c, H, W) -> the same shape
    """

    def __init__(self, c: int, first: float):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(c))
        nn.init.constant_(self.weight, first)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None]


class StochasticDepth(nn.Module):
    """In training, zeroes an image with probability p, and else scales it by 1 / (1 - p)
    (arXiv:1603.09382, in the scaled form of EfficientNet's and ConvNeXt's code).
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * F.dropout(x.new_ones(x.shape[0], 1, 1, 1), self.p)


def fully_connected(c_in: int, c_out: int) -> nn.Sequential:
    """AlexNet's and VGG's layer, with ReLU and dropout of one half.  (N, c_in) -> (N, c_out)"""
    return seq(fc=nn.Linear(c_in, c_out), relu=nn.ReLU(), dropout=nn.Dropout(0.5))


def deep_stem(in_channels: int, c: int) -> nn.Sequential:
    """Three 3x3 convolutions for ResNet's 7x7 (SENet-154, ResNeSt, Res2Net v1b).

    (N, in_channels, H, W) -> (N, 2c, H/2, W/2)
    """
    return seq(
        conv1=ConvBN(in_channels, c, 3, stride=2),
        relu1=nn.ReLU(),
        conv2=ConvBN(c, c, 3),
        relu2=nn.ReLU(),
        conv3=ConvBN(c, 2 * c, 3),
        relu3=nn.ReLU(),
    )


def averaged_projection(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """ResNet-D's shortcut (arXiv:1812.01187), of ResNeSt and Res2Net v1b: an average pool strides,
    so that the 1x1 convolution sees every pixel.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride), rounded up
    """
    return seq(
        pool=nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
        projection=ConvBN(c_in, c_out, 1),
    )


def he_init(layer: nn.Module) -> None:
    """He et al. 2015 (arXiv:1502.01852), Sec. 2.2, backward case (fan-out), on convolutions."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def shufflenet_init(layer: nn.Module, first: nn.Conv2d) -> None:
    """Initial weights of one layer of either ShuffleNet, as their authors' code draws them.

    `first` is the network's first convolution, which that code treats apart.
    """
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, std=0.01 if layer is first else 1 / layer.weight.shape[1])
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.constant_(layer.bias, 0.0001)


def make_divisible(channels: float, by: int = 8) -> int:
    """Nearest multiple of `by`, never more than 10 % below; from the MobileNet authors' code."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded if rounded >= 0.9 * channels else rounded + by


def padded_pool() -> nn.MaxPool2d:
    """(N, C, H, W) -> (N, C, H/2, W/2), rounded up"""
    return nn.MaxPool2d(3, stride=2, padding=1)
