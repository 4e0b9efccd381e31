"""Models of keras.applications, written from their Keras code in torch.nn.functional alone: nothing
of convatlas is imported. Variables are made where they are asked for, under "layer/variable" and in
Keras's layout. Layers that have no name there are counted.
"""

import torch
import torch.nn.functional as F
from tf_slim import pad_same
from torch import Tensor


class Model:
    """Makes variables and keeps them by name."""

    def __init__(self, epsilon: float):
        self.epsilon = epsilon
        self.variables: dict[str, Tensor] = {}
        self.unnamed = 0
        self.generator = torch.Generator().manual_seed(7)

    def variable(self, name: str, shape: tuple[int, ...], mean: float = 0.0, std: float = 0.1):
        if name not in self.variables:
            drawn = torch.randn(shape, generator=self.generator, dtype=torch.float64)
            self.variables[name] = mean + std * drawn.clamp(-2, 2)
        return self.variables[name]

    def conv(self, x: Tensor, c: int, k: int, name: str, stride: int = 1, bias: bool = False):
        """Not padded."""
        std = (2 / (k * k * x.shape[1])) ** 0.5
        w = self.variable(f"{name}/kernel", (k, k, x.shape[1], c), std=std).permute(3, 2, 0, 1)
        return F.conv2d(x, w, self.variable(f"{name}/bias", (c,)) if bias else None, stride)

    def norm(self, x: Tensor, name: str) -> Tensor:
        shape = (x.shape[1],)
        scale = self.variable(f"{name}/gamma", shape, 1.0, 0.2)
        shift = self.variable(f"{name}/beta", shape)
        mean = self.variable(f"{name}/moving_mean", shape)
        variance = self.variable(f"{name}/moving_variance", shape, 1.0, 0.2)
        x = (x - mean[:, None, None]) / (variance[:, None, None] + self.epsilon).sqrt()
        return x * scale[:, None, None] + shift[:, None, None]

    def separable(self, x: Tensor, c: int, name: str) -> Tensor:
        """SeparableConv2D, 3x3, padded as SAME, and its norm."""
        w = self.variable(f"{name}/depthwise_kernel", (3, 3, x.shape[1], 1), std=0.3)
        x = F.conv2d(pad_same(x, (3, 3), 1), w.permute(2, 3, 0, 1), groups=x.shape[1])
        std = (2 / x.shape[1]) ** 0.5
        w = self.variable(f"{name}/pointwise_kernel", (1, 1, x.shape[1], c), std=std)
        return self.norm(F.conv2d(x, w.permute(3, 2, 0, 1)), f"{name}_bn")

    def shortcut(self, x: Tensor, c: int) -> Tensor:
        """A strided 1x1 and its norm, neither of which has a name."""
        number = self.unnamed
        self.unnamed += 1
        x = self.conv(x, c, 1, f"conv2d_{number}", 2)
        return self.norm(x, f"batch_normalization_{number}")

    def dense(self, x: Tensor, c: int) -> Tensor:
        w = self.variable("predictions/kernel", (x.shape[1], c), std=x.shape[1] ** -0.5)
        return x @ w + self.variable("predictions/bias", (c,))


def max_pool_same(x: Tensor) -> Tensor:
    """3x3, stride 2; what is added is never the largest."""
    lowest = x.min()
    return F.max_pool2d(pad_same(x - lowest, (3, 3), 2), 3, 2) + lowest


def xception(m: Model, x: Tensor, classes: int) -> Tensor:
    m.unnamed = 0
    x = F.relu(m.norm(m.conv(x, 32, 3, "block1_conv1", 2), "block1_conv1_bn"))
    x = F.relu(m.norm(m.conv(x, 64, 3, "block1_conv2"), "block1_conv2_bn"))
    for block, (first, second) in {2: (128, 128), 3: (256, 256), 4: (728, 728)}.items():
        residual = m.shortcut(x, second)
        x = m.separable(x if block == 2 else F.relu(x), first, f"block{block}_sepconv1")
        x = m.separable(F.relu(x), second, f"block{block}_sepconv2")
        x = max_pool_same(x) + residual
    for block in range(5, 13):
        residual = x
        for i in (1, 2, 3):
            x = m.separable(F.relu(x), 728, f"block{block}_sepconv{i}")
        x = x + residual
    residual = m.shortcut(x, 1024)
    x = m.separable(F.relu(x), 728, "block13_sepconv1")
    x = m.separable(F.relu(x), 1024, "block13_sepconv2")
    x = max_pool_same(x) + residual
    x = F.relu(m.separable(x, 1536, "block14_sepconv1"))
    x = F.relu(m.separable(x, 2048, "block14_sepconv2"))
    return m.dense(x.mean((2, 3)), classes)


def unit(m: Model, x: Tensor, width: int, name: str, stride: int, projected: bool) -> Tensor:
    """residual_block_v1: its convolutions have biases, and the first one strides."""
    shortcut = x
    if projected:
        shortcut = m.norm(m.conv(x, 4 * width, 1, f"{name}_0_conv", stride, True), f"{name}_0_bn")
    x = F.relu(m.norm(m.conv(x, width, 1, f"{name}_1_conv", stride, True), f"{name}_1_bn"))
    x = pad_same(x, (3, 3), 1)
    x = F.relu(m.norm(m.conv(x, width, 3, f"{name}_2_conv", 1, True), f"{name}_2_bn"))
    x = m.norm(m.conv(x, 4 * width, 1, f"{name}_3_conv", 1, True), f"{name}_3_bn")
    return F.relu(shortcut + x)


def resnet50(m: Model, x: Tensor, classes: int) -> Tensor:
    x = m.conv(F.pad(x, (3, 3, 3, 3)), 64, 7, "conv1_conv", 2, True)
    x = F.relu(m.norm(x, "conv1_bn"))
    x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)
    for stage, (width, units) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=2):
        for i in range(1, units + 1):
            stride = 2 if i == 1 and stage > 2 else 1
            x = unit(m, x, width, f"conv{stage}_block{i}", stride, i == 1)
    return m.dense(x.mean((2, 3)), classes)
