"""The releases' graphs, written from their TensorFlow code in torch.nn.functional alone: nothing of
convatlas is imported. Variables are made where they are asked for, under the names of their scopes
and in TensorFlow's layout, as tf.get_variable makes them.

Maps are (N, C, H, W) here, (N, H, W, C) there.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 0.001


def padding(size: int, k: int, stride: int) -> tuple[int, int]:
    """SAME, by the formula of TensorFlow's documentation of tf.nn.convolution."""
    total = max(k - stride, 0) if size % stride == 0 else max(k - size % stride, 0)
    return total // 2, total - total // 2


def pad_same(x: Tensor, kernel: tuple[int, int], stride: int) -> Tensor:
    rows, columns = padding(x.shape[2], kernel[0], stride), padding(x.shape[3], kernel[1], stride)
    return F.pad(x, (*columns, *rows))


def avg_pool_same(x: Tensor) -> Tensor:
    """3x3, stride 1; a window's mean is over the pixels that are there."""
    there = F.pad(torch.ones_like(x[:1, :1]), (1, 1, 1, 1))
    nine = torch.ones(1, 1, 3, 3, dtype=x.dtype)
    sums = F.conv2d(F.pad(x, (1, 1, 1, 1)), nine.expand(x.shape[1], 1, 3, 3), groups=x.shape[1])
    return sums / F.conv2d(there, nine)


class Scope:
    """Makes variables and keeps them by name."""

    epsilon = EPSILON
    gain = 2.0  # of a kernel, so that ReLUs keep the size of the signal

    def __init__(self, root: str, activation: Callable[[Tensor], Tensor], gamma: bool = True):
        self.variables: dict[str, Tensor] = {}
        self.root = root
        self.activation = activation
        self.gamma = gamma
        self.generator = torch.Generator().manual_seed(sum(map(ord, root)))

    def variable(self, name: str, shape: tuple[int, ...], mean: float = 0.0, std: float = 0.1):
        """Made the first time, found again the next."""
        path = f"{self.root}/{name}" if self.root else name
        if path not in self.variables:
            drawn = torch.randn(shape, generator=self.generator, dtype=torch.float64)
            self.variables[path] = mean + std * drawn.clamp(-2, 2)
        assert self.variables[path].shape == shape, path
        return self.variables[path]

    def norm(self, x: Tensor, scope: str) -> Tensor:
        shape = (x.shape[1],)
        scale = self.variable(f"{scope}/gamma", shape, 1.0, 0.2) if self.gamma else 1.0
        shift = self.variable(f"{scope}/beta", shape)
        mean = self.variable(f"{scope}/moving_mean", shape)
        variance = self.variable(f"{scope}/moving_variance", shape, 1.0, 0.2)
        by = (variance + self.epsilon) ** -0.5 * scale
        return (x - mean[:, None, None]) * by[:, None, None] + shift[:, None, None]

    def kernel(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """(height, width, input, output) -> (output, input, height, width)"""
        fan_in = shape[0] * shape[1] * shape[2]
        return self.variable(name, shape, std=(self.gain / fan_in) ** 0.5).permute(3, 2, 0, 1)

    def conv2d(
        self,
        x: Tensor,
        c: int,
        kernel: int | tuple[int, int],
        scope: str,
        stride: int = 1,
        valid: bool = False,
        norm: bool = True,
        activation: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """slim.conv2d: without a norm it has biases."""
        k = (kernel, kernel) if isinstance(kernel, int) else kernel
        x = x if valid else pad_same(x, k, stride)
        x = F.conv2d(x, self.kernel(f"{scope}/weights", (*k, x.shape[1], c)), stride=stride)
        if norm:
            x = self.norm(x, f"{scope}/BatchNorm")
        else:
            x = x + self.variable(f"{scope}/biases", (c,))[:, None, None]
        return (activation or self.activation)(x)

    def depthwise(
        self,
        x: Tensor,
        k: int,
        scope: str,
        stride: int = 1,
        activation: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """slim.separable_conv2d with num_outputs=None."""
        c = x.shape[1]
        w = self.variable(f"{scope}/depthwise_weights", (k, k, c, 1), std=(2 / k**2) ** 0.5)
        x = F.conv2d(pad_same(x, (k, k), stride), w.permute(2, 3, 0, 1), stride=stride, groups=c)
        return (activation or self.activation)(self.norm(x, f"{scope}/BatchNorm"))

    def dense(self, x: Tensor, c: int, scope: str, names: tuple[str, str]) -> Tensor:
        weights, biases = names
        w = self.variable(f"{scope}/{weights}", (x.shape[1], c), std=x.shape[1] ** -0.5)
        return x @ w + self.variable(f"{scope}/{biases}", (c,))

    def logits(self, x: Tensor, classes: int) -> Tensor:
        """A 1x1 convolution of the mean of the maps."""
        x = x.mean((2, 3), keepdim=True)
        x = self.conv2d(x, classes, 1, "Logits/Conv2d_1c_1x1", norm=False, activation=identity)
        return x[:, :, 0, 0]


def identity(x: Tensor) -> Tensor:
    return x


def relu6(x: Tensor) -> Tensor:
    return x.clamp(0, 6)


def hard_swish(x: Tensor) -> Tensor:
    return x * relu6(x + 3) / 6


def make_divisible(v: float, divisor: int = 8) -> int:
    new = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return new + divisor if new < 0.9 * v else new


CONV_DEFS = (
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512),) * 5,
    *((2, 1024), (1, 1024)),
)


def mobilenet_v1(s: Scope, x: Tensor, multiplier: float, classes: int) -> Tensor:
    """mobilenet_v1.py"""

    def depth(d: int) -> int:
        return max(int(d * multiplier), 8)

    x = s.conv2d(x, depth(32), 3, "Conv2d_0", stride=2)
    for i, (stride, d) in enumerate(CONV_DEFS, start=1):
        x = s.depthwise(x, 3, f"Conv2d_{i}_depthwise", stride)
        x = s.conv2d(x, depth(d), 1, f"Conv2d_{i}_pointwise")
    return s.logits(x, classes)


V2_SPEC = (  # num_outputs, stride
    *((16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1)),
    *((64, 2), (64, 1), (64, 1), (64, 1), (96, 1), (96, 1), (96, 1)),
    *((160, 2), (160, 1), (160, 1), (320, 1)),
)


def expanded_conv(s: Scope, x: Tensor, i: int, inner: int, c: int, k: int, stride: int, act, se):
    """conv_blocks.py"""
    scope = f"expanded_conv_{i}" if i else "expanded_conv"
    net = x
    if inner > x.shape[1]:
        net = s.conv2d(net, inner, 1, f"{scope}/expand", activation=act)
    net = s.depthwise(net, k, f"{scope}/depthwise", stride, activation=act)
    if se:
        net = squeeze_excite(s, net, f"{scope}/squeeze_excite")
    net = s.conv2d(net, c, 1, f"{scope}/project", activation=identity)
    return net + x if stride == 1 and net.shape[1] == x.shape[1] else net


def squeeze_excite(s: Scope, x: Tensor, scope: str) -> Tensor:
    c = x.shape[1]
    squeezed = x.mean((2, 3), keepdim=True)
    squeezed = s.conv2d(
        squeezed, make_divisible(c / 4), 1, f"{scope}/Conv", norm=False, activation=F.relu
    )

    def gate(y: Tensor) -> Tensor:
        return relu6(y + 3) * 0.16667

    return x * s.conv2d(squeezed, c, 1, f"{scope}/Conv_1", norm=False, activation=gate)


def mobilenet_v2(s: Scope, x: Tensor, multiplier: float, classes: int) -> Tensor:
    """mobilenet_v2.py; below 1 the last layer keeps its width (finegrain_classification_mode)."""
    x = s.conv2d(x, make_divisible(32 * multiplier), 3, "Conv", stride=2)
    for i, (c, stride) in enumerate(V2_SPEC):
        inner = x.shape[1] if i == 0 else make_divisible(6 * x.shape[1])
        c = make_divisible(c * multiplier)
        x = expanded_conv(s, x, i, inner, c, 3, stride, relu6, se=False)
    last = 1280 / multiplier if multiplier < 1 else 1280
    x = s.conv2d(x, make_divisible(last * multiplier), 1, "Conv_1")
    return s.logits(x, classes)


# ef, n, k, s, hard swish, squeeze and excite
V3_LARGE = (
    *((1, 16, 3, 1, 0, 0), (4, 24, 3, 2, 0, 0), (3, 24, 3, 1, 0, 0)),
    *((3, 40, 5, 2, 0, 1), (3, 40, 5, 1, 0, 1), (3, 40, 5, 1, 0, 1)),
    *((6, 80, 3, 2, 1, 0), (2.5, 80, 3, 1, 1, 0), (184 / 80, 80, 3, 1, 1, 0)),
    *((184 / 80, 80, 3, 1, 1, 0), (6, 112, 3, 1, 1, 1), (6, 112, 3, 1, 1, 1)),
    *((6, 160, 5, 2, 1, 1), (6, 160, 5, 1, 1, 1), (6, 160, 5, 1, 1, 1)),
)
V3_SMALL = (
    *((1, 16, 3, 2, 0, 1), (72 / 16, 24, 3, 2, 0, 0), (88 / 24, 24, 3, 1, 0, 0)),
    *((4, 40, 5, 2, 1, 1), (6, 40, 5, 1, 1, 1), (6, 40, 5, 1, 1, 1)),
    *((3, 48, 5, 1, 1, 1), (3, 48, 5, 1, 1, 1), (6, 96, 5, 2, 1, 1)),
    *((6, 96, 5, 1, 1, 1), (6, 96, 5, 1, 1, 1)),
)


def mobilenet_v3(
    s: Scope,
    x: Tensor,
    spec,
    convs: tuple[int, int],
    multiplier: float,
    minimal: bool,
    classes: int,
) -> Tensor:
    """mobilenet_v3.py; the last layer but one keeps its width (finegrain_classification_mode)."""
    act = F.relu if minimal else hard_swish
    x = s.conv2d(x, make_divisible(16 * multiplier), 3, "Conv", stride=2, activation=act)
    for i, (ef, n, k, stride, swish, se) in enumerate(spec):
        inner = make_divisible(ef * x.shape[1])
        c = make_divisible(n * multiplier)
        inside = hard_swish if swish and not minimal else F.relu
        k = 3 if minimal else k
        x = expanded_conv(s, x, i, inner, c, k, stride, inside, bool(se) and not minimal)
    x = s.conv2d(x, make_divisible(convs[0] * multiplier), 1, "Conv_1", activation=act)
    x = x.mean((2, 3), keepdim=True)
    x = s.conv2d(x, convs[1], 1, "Conv_2", norm=False, activation=act)
    return s.logits(x, classes)


BLOCKS = (  # repeats, kernel, stride, expansion, input, output
    *((1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80)),
    *((3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320)),
)


class Keras(Scope):
    """The layers of tf.layers, which number themselves within a scope."""

    gain = 0.5  # else the sums of 55 units grow, and their gates magnify every rounding

    def conv(self, x: Tensor, c: int, k: int, scope: str, stride: int = 1) -> Tensor:
        w = self.kernel(f"{scope}/kernel", (k, k, x.shape[1], c))
        return F.conv2d(pad_same(x, (k, k), stride), w, stride=stride)

    def biased(self, x: Tensor, c: int, scope: str) -> Tensor:
        return self.conv(x, c, 1, scope) + self.variable(f"{scope}/bias", (c,))[:, None, None]


def mb_conv(s: Keras, x: Tensor, scope: str, k: int, stride: int, ratio: int, c: int) -> Tensor:
    """efficientnet_model.py, MBConvBlock"""
    made = iter(("", "_1", "_2"))
    convs = iter(("", "_1"))
    net, inner = x, ratio * x.shape[1]

    def norm(y: Tensor) -> Tensor:
        return s.norm(y, f"{scope}/tpu_batch_normalization{next(made)}")

    if ratio != 1:
        net = F.silu(norm(s.conv(net, inner, 1, f"{scope}/conv2d{next(convs)}")))
    shape = (k, k, inner, 1)
    w = s.variable(f"{scope}/depthwise_conv2d/depthwise_kernel", shape, std=(2 / k**2) ** 0.5)
    net = F.conv2d(
        pad_same(net, (k, k), stride), w.permute(2, 3, 0, 1), stride=stride, groups=inner
    )
    net = F.silu(norm(net))
    squeezed = net.mean((2, 3), keepdim=True)
    squeezed = F.silu(s.biased(squeezed, max(1, int(x.shape[1] * 0.25)), f"{scope}/se/conv2d"))
    net = net * torch.sigmoid(s.biased(squeezed, inner, f"{scope}/se/conv2d_1"))
    net = norm(s.conv(net, c, 1, f"{scope}/conv2d{next(convs)}"))
    return net + x if stride == 1 and c == x.shape[1] else net


def efficientnet(s: Keras, x: Tensor, width: float, depth: float, classes: int) -> Tensor:
    """efficientnet_model.py, Model"""
    x = s.conv(x, make_divisible(32 * width), 3, "stem/conv2d", stride=2)
    x = F.silu(s.norm(x, "stem/tpu_batch_normalization"))
    i = 0
    for repeats, k, stride, ratio, _, c in BLOCKS:
        for n in range(math.ceil(repeats * depth)):
            c_out, step = make_divisible(c * width), stride if n == 0 else 1
            x = mb_conv(s, x, f"blocks_{i}", k, step, ratio, c_out)
            i += 1
    x = s.conv(x, make_divisible(1280 * width), 1, "head/conv2d")
    x = F.silu(s.norm(x, "head/tpu_batch_normalization"))
    return s.dense(x.mean((2, 3)), classes, "head/dense", ("kernel", "bias"))
