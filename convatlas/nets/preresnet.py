"""Identity Mappings in Deep Residual Networks (He, Zhang, Ren, Sun; ECCV 2016): the ImageNet
networks.

Figure 4(e), full pre-activation: x + F(x), where F is BN, ReLU, convolution, as often as the unit
has layers. Stages and bottlenecks are ResNet's, on 224x224 input; [k, c] is a k x k convolution to
c channels.

    layer    output   50-layer                     101    152    200
    conv1    112x112  [7, 64], stride 2; then BN, ReLU
    conv2_x  56x56    3x3 max pool, stride 2 for all, then
                      [1,64][3,64][1,256] x3       x3     x3     x3
    conv3_x  28x28    [1,128][3,128][1,512] x4     x4     x8     x24
    conv4_x  14x14    [1,256][3,256][1,1024] x6    x23    x36    x36
    conv5_x  7x7      [1,512][3,512][1,2048] x3    x3     x3     x3; then BN, ReLU
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Identity Mappings in Deep Residual Networks",
    authors="He, Zhang, Ren, Sun", year=2016, venue="ECCV", arxiv="1603.05027v3",
    code="github.com/KaimingHe/resnet-1k-layers",
    silent="Which layer of a bottleneck strides: the first 1x1, as in ResNet and in the authors' "
           "code (for CIFAR); the ResNet-200 of Table 5's last row, trained with fb.resnet.torch, "
           "strides in the 3x3. The pool comes after the activation of conv1, as in "
           "fb.resnet.torch. Table 5 has 152 and 200 layers; 50 and 101 are the same units at "
           "ResNet's other depths.",
    page="preresnet", bare="preresnet200")


class IdentityUnit(nn.Module):
    """x_{l+1} = x_l + F(f(x_l)), Eq. (9).  (N, c, H, W) -> (N, c, H, W)"""

    def __init__(self, activation: nn.Module, branch: nn.Module):
        super().__init__()
        self.activation = activation
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(self.activation(x))


class ShortcutUnit(nn.Module):
    """Increases dimensions: "these projection shortcuts are also with pre-activation" (appendix).

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, activation: nn.Module, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.activation = activation
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(x)
        return self.shortcut(x) + self.branch(x)


def conv(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, k, stride, padding=k // 2, bias=False)


def activation(c: int) -> nn.Sequential:
    return seq(bn=nn.BatchNorm2d(c), relu=nn.ReLU())


def bottleneck(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """A 1x1, a 3x3 and a 1x1 layer; `before` is the activation of the first. Returns the unit and
    its channels.
    """
    branch = seq(
        conv1=conv(c_in, width, 1, stride),
        activation2=activation(width), conv2=conv(width, width, 3),
        activation3=activation(width), conv3=conv(width, 4 * width, 1))
    if c_in == 4 * width and stride == 1:
        return IdentityUnit(before, branch), 4 * width
    return ShortcutUnit(before, branch, conv(c_in, 4 * width, 1, stride)), 4 * width


# (before, c_in, width, stride) -> (unit, c_out)
Unit = Callable[[nn.Module, int, int, int], tuple[nn.Module, int]]


class Stage(nn.Sequential):
    """`depth` units, of which the first strides; `before`, if given, is its activation.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, unit: Unit, depth: int, c_in: int, width: int, stride: int,
                 before: nn.Module | None = None):
        super().__init__()
        first, c = unit(before or activation(c_in), c_in, width, stride)
        self.append(first)
        for _ in range(depth - 1):
            self.append(unit(activation(c), c, width, 1)[0])
        self.c_out = c


class PreResNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    cam_path = "activation"
    initialise = staticmethod(he_init)                # appendix: "initialized as in [23]"

    def __init__(self, depths: tuple[int, int, int, int], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 64, 7, stride=2)
        self.activation1 = activation(64)   # "we adopt the first activation right after conv1"
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = Stage(bottleneck, depths[0], 64, width=64, stride=1, before=nn.Identity())
        self.conv3_x = Stage(bottleneck, depths[1], 256, width=128, stride=2)
        self.conv4_x = Stage(bottleneck, depths[2], 512, width=256, stride=2)
        self.conv5_x = Stage(bottleneck, depths[3], 1024, width=512, stride=2)
        self.activation = activation(2048)  # "an extra activation right after" the last addition
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.activation1(self.conv1(x))           # (N, 64, 112, 112)
        x = self.pool1(x)                             # (N, 64, 56, 56)
        x = self.conv2_x(x)                           # (N, 256, 56, 56)
        x = self.conv3_x(x)                           # (N, 512, 28, 28)
        x = self.conv4_x(x)                           # (N, 1024, 14, 14)
        x = self.conv5_x(x)                           # (N, 2048, 7, 7)
        x = self.activation(x)                        # (N, 2048, 7, 7)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {
    "preresnet50": partial(PreResNet, (3, 4, 6, 3)),
    "preresnet101": partial(PreResNet, (3, 4, 23, 3)),
    "preresnet152": partial(PreResNet, (3, 8, 36, 3)),
    "preresnet200": partial(PreResNet, (3, 24, 36, 3)),
}
