"""What the releases made with TensorFlow do otherwise than PyTorch's networks: padding, batch norm
and first weights.
"""

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers.modules import seq

EPSILON = 0.001  # of slim.batch_norm, unless a network says otherwise


class Same(nn.Module):
    """TensorFlow's padding for a kernel k at stride s: as little as gives ceil(H/s) rows, the odd
    one at the end.
    """

    def __init__(self, k: int, s: int):
        super().__init__()
        self.k = k
        self.s = s

    def forward(self, x: Tensor) -> Tensor:
        # ceil(n / s) outputs; the last one's window begins at (n - 1) // s * s
        rows, columns = (max((n - 1) // self.s * self.s + self.k - n, 0) for n in x.shape[2:])
        top = rows // 2
        left = columns // 2
        return F.pad(x, (left, columns - left, top, rows - top))


def conv_same(
    c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1, *, momentum: float
) -> nn.Sequential:
    """Convolution without bias, padded as TensorFlow does, and its batch norm; `momentum` is
    torch's, 1 less TensorFlow's decay.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride), rounded up
    """
    strides = stride > 1  # else TensorFlow's padding is k // 2 on all sides
    pad = {"pad": Same(k, stride)} if strides else {}
    padding = 0 if strides else k // 2
    return seq(
        **pad,
        conv=nn.Conv2d(c_in, c_out, k, stride, padding, groups=groups, bias=False),
        bn=nn.BatchNorm2d(c_out, eps=EPSILON, momentum=momentum),
    )


class ShiftNorm(nn.BatchNorm2d):
    """Batch norm that shifts but does not scale: slim.batch_norm's default, for in front of a ReLU
    the next layer can do that.  (N, c, H, W) -> the same shape
    """

    def __init__(self, c: int, momentum: float):
        super().__init__(c, eps=EPSILON, momentum=momentum)
        self.register_parameter("weight", None)

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        nn.init.zeros_(self.bias)


def without_scales(net: nn.Module, momentum: float) -> None:
    """Each batch norm of the network, in place, becomes one that does not scale."""
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, ShiftNorm(child.num_features, momentum))


def truncated_normal(weight: Tensor, std: float) -> None:
    """What lies beyond two deviations is drawn anew: tf.truncated_normal."""
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def variance_scaling(weight: Tensor) -> None:
    """slim.variance_scaling_initializer(): He's for the inputs of a filter, truncated. 1.3 makes
    up for the variance that the truncation takes.
    """
    truncated_normal(weight, (1.3 * 2 / weight[0].numel()) ** 0.5)


def slim_init(layer: nn.Module) -> None:
    """The MobileNets of TF-slim: truncated normal with deviation 0.09, biases zero."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        truncated_normal(layer.weight, 0.09)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def tpu_init(layer: nn.Module) -> None:
    """MnasNet and EfficientNet (tensorflow/tpu): normal by fan-out, in which a depthwise kernel's
    inputs fan out to its window alone; the last layer uniform; biases zero.
    """
    if isinstance(layer, nn.Conv2d):
        fan_out = layer.weight[0, 0].numel() * layer.out_channels // layer.groups
        nn.init.normal_(layer.weight, std=(2 / fan_out) ** 0.5)
    elif isinstance(layer, nn.Linear):
        bound = layer.out_features**-0.5
        nn.init.uniform_(layer.weight, -bound, bound)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
