"""A network in other clothes: each layer written in another way, under another name."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Functional(nn.Module):
    """A layer's work by a function of the layer that was, and of what it reads."""

    def __init__(self, layer: nn.Module, run):
        super().__init__()
        self.worn = layer
        self.run = run

    def forward(self, x):
        return self.run(self.worn, x)

    def __getattr__(self, name: str):
        """What networks ask their layers for, such as a norm's count of batches."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("worn"), name)


def _conv(layer: nn.Conv2d, x):
    """Zeros first, then a convolution without padding."""
    h, w = layer.padding
    return F.conv2d(
        F.pad(x, (w, w, h, h)), layer.weight, layer.bias, layer.stride, 0, layer.dilation,
        layer.groups,
    )  # fmt: skip


def _linear(layer: nn.Linear, x):
    """A 1x1 convolution."""
    weight = layer.weight[:, :, None, None]
    return F.conv2d(x[:, :, None, None], weight, layer.bias).flatten(1)


def _max_pool(layer: nn.MaxPool2d, x):
    (h, w), (i, j) = _pair(layer.padding), _pair(layer.kernel_size)
    return F.max_pool2d(
        F.pad(x, (w, w, h, h), value=float("-inf")), (i, j), layer.stride, 0, layer.dilation,
        layer.ceil_mode,
    )  # fmt: skip


def _pair(value) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _norm(layer: nn.BatchNorm2d, x):
    return F.batch_norm(
        x.contiguous(), layer.running_mean, layer.running_var, layer.weight, layer.bias,
        eps=layer.eps,
    )  # fmt: skip


WAYS = {
    nn.ReLU: lambda layer, x: x.clamp(min=0),
    nn.ReLU6: lambda layer, x: F.relu(x).clamp(max=6),
    nn.SiLU: lambda layer, x: torch.sigmoid(x) * x,
    nn.Hardswish: lambda layer, x: x * F.relu6(x + 3) / 6,
    nn.Hardsigmoid: lambda layer, x: F.relu6(x + 3) / 6,
    nn.AdaptiveAvgPool2d: lambda layer, x: x.mean((2, 3), keepdim=True),
    nn.BatchNorm2d: _norm,
    nn.Conv2d: _conv,
    nn.Linear: _linear,
    nn.MaxPool2d: _max_pool,
}


def dressed(net: nn.Module) -> nn.Module:
    """The same network, its layers written in the ways above wherever their settings allow."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            way = WAYS.get(type(child))
            if way and _allowed(child) and not child._forward_pre_hooks:
                setattr(module, name, Functional(child, way))
    return net


def _allowed(layer: nn.Module) -> bool:
    if isinstance(layer, nn.Conv2d):
        return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        return layer.output_size in (1, (1, 1))
    if isinstance(layer, nn.BatchNorm2d):
        return layer.running_mean is not None
    return True
