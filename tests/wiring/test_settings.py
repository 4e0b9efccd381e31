"""Networks that can answer differently with equal weights are two: one for each kind of setting and
of edge.
"""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from carrying import randomise
from test_clothes import Of, conv, shuffled

from convatlas.wiring import match, of, signature


def after(layer) -> nn.Module:
    return nn.Sequential(conv(), layer)


def within(run, **layers) -> nn.Module:
    return Of(run, a=conv(), b=conv(8, 8), c=conv(8, 8), **layers)


def norm(**options) -> nn.Module:
    return after(nn.BatchNorm2d(8, **options))


def frozen(value: float) -> nn.Module:
    net = within(lambda net, x: net.a(x) + net.mean)
    net.register_buffer("mean", torch.linspace(0, value, 8).view(8, 1, 1))
    return net


def tied(one: bool) -> nn.Module:
    net = within(lambda net, x: net.c(net.b(net.a(x))))
    if one:
        net.c = net.b
    return net


PAIRS = {
    "alpha of a local response norm": (
        lambda: after(nn.LocalResponseNorm(5, 1e-4)),
        lambda: after(nn.LocalResponseNorm(5, 5e-4)),
    ),
    "beta of a local response norm": (
        lambda: after(nn.LocalResponseNorm(5, 1e-4, 0.75)),
        lambda: after(nn.LocalResponseNorm(5, 1e-4, 0.5)),
    ),
    "k of a local response norm": (
        lambda: after(nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)),
        lambda: after(nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)),
    ),
    "size of a local response norm": (
        lambda: after(nn.LocalResponseNorm(3, 1e-4)),
        lambda: after(nn.LocalResponseNorm(5, 1e-4)),
    ),
    "alpha of an ELU": (lambda: after(nn.ELU(1.0)), lambda: after(nn.ELU(0.1))),
    "ELU and SELU": (lambda: after(nn.ELU()), lambda: after(nn.SELU())),
    "beta of a softplus": (lambda: after(nn.Softplus(1)), lambda: after(nn.Softplus(2))),
    "slope": (lambda: after(nn.LeakyReLU(0.1)), lambda: after(nn.LeakyReLU(0.01))),
    "kind of GELU": (lambda: after(nn.GELU()), lambda: after(nn.GELU("tanh"))),
    "end of a clamp": (lambda: after(nn.ReLU6()), lambda: after(nn.Hardtanh(0, 5))),
    "h-swish and swish": (lambda: after(nn.Hardswish()), lambda: after(nn.SiLU())),
    "batch norm and instance norm": (
        lambda: after(nn.BatchNorm2d(8, affine=False)),
        lambda: after(nn.InstanceNorm2d(8)),
    ),
    "statistics of the batch": (
        lambda: norm(affine=False),
        lambda: norm(affine=False, track_running_stats=False),
    ),
    "statistics of the batch and of each image": (
        lambda: norm(affine=False, track_running_stats=False),
        lambda: after(nn.InstanceNorm2d(8)),
    ),
    "eps": (lambda: norm(eps=1e-5), lambda: norm(eps=1e-3)),
    "groups of a norm": (lambda: after(nn.GroupNorm(2, 8)), lambda: after(nn.GroupNorm(4, 8))),
    "parallel and chained": (
        lambda: within(lambda net, x: (y := net.a(x)) + net.b(y) + net.c(y)),
        lambda: within(lambda net, x: (y := net.a(x)) + net.b(y) + net.c(net.b(y))),
    ),
    "which of two alike is read": (
        lambda: Of(
            lambda net, x: net.c(y := net.a(x)) + net.d(z := net.b(x)) + y * z + torch.exp(y),
            a=conv(),
            b=conv(),
            c=conv(8, 8),
            d=conv(8, 8),
        ),
        lambda: Of(
            lambda net, x: net.c(y := net.a(x)) + net.d(net.b(x)) + y * net.b(x) + torch.exp(y + y),
            a=conv(),
            b=conv(),
            c=conv(8, 8),
            d=conv(8, 8),
        ),
    ),
    "crossed weights": (
        lambda: Of(
            lambda net, x: torch.exp(net.b(net.a(x))) + torch.sin(net.c(net.d(x))),
            a=conv(),
            b=conv(8, 8),
            c=conv(8, 8),
            d=conv(),
        ),
        lambda: Of(
            lambda net, x: torch.exp(net.b(net.a(x))) + torch.sin(net.b(net.d(x))),
            a=conv(),
            b=conv(8, 8),
            d=conv(),
        ),
    ),
    "a - b and b - a": (
        lambda: within(lambda net, x: net.b(y := net.a(x)) - y),
        lambda: within(lambda net, x: (y := net.a(x)) - net.b(y)),
    ),
    "a / b and b / a": (
        lambda: within(lambda net, x: torch.exp(net.b(y := net.a(x))) / torch.exp(y)),
        lambda: within(lambda net, x: torch.exp(y := net.a(x)) / torch.exp(net.b(y))),
    ),
    "1 - a and a - 1": (
        lambda: within(lambda net, x: 1 - net.a(x)),
        lambda: within(lambda net, x: net.a(x) - 1),
    ),
    "groups of a shuffle": (
        lambda: within(lambda net, x: net.b(shuffled(net.a(x), 2))),
        lambda: within(lambda net, x: net.b(shuffled(net.a(x), 4))),
    ),
    "shuffle of two groups and of half the channels": (
        lambda: within(lambda net, x: net.b(shuffled(F.pad(net.a(x), (0,) * 5 + (4,)), 3)[:, :8])),
        lambda: within(lambda net, x: net.b(shuffled(F.pad(net.a(x), (0,) * 5 + (4,)), 4)[:, :8])),
    ),
    "order of a concat": (
        lambda: within(lambda net, x: torch.cat([y := net.a(x), net.b(y)], 1)),
        lambda: within(lambda net, x: torch.cat([net.b(y := net.a(x)), y], 1)),
    ),
    "axis of a concat": (
        lambda: within(lambda net, x: torch.cat([y := net.a(x), net.b(y)], 2)),
        lambda: within(lambda net, x: torch.cat([y := net.a(x), net.b(y)], 3)),
    ),
    "concat and sum": (
        lambda: within(lambda net, x: torch.cat([y := net.a(x), net.b(y)], 1)[:, :8]),
        lambda: within(lambda net, x: (y := net.a(x)) + net.b(y)),
    ),
    "which half": (
        lambda: within(lambda net, x: net.a(x)[:, :4]),
        lambda: within(lambda net, x: net.a(x)[:, 4:]),
    ),
    "which branch is the gate": (
        lambda: within(lambda net, x: net.b(y := net.a(x)) * net.c(y).sigmoid()),
        lambda: within(lambda net, x: net.b(y := net.a(x)) * net.c(net.b(y)).sigmoid()),
    ),
    "one gate a channel or a place": (
        lambda: within(lambda net, x: (y := net.a(x)) * net.b(y)[:, :, :1, :1]),
        lambda: within(lambda net, x: (y := net.a(x)) * net.b(y)[:, :1, :, :1]),
    ),
    "bias": (lambda: conv(), lambda: conv(bias=True)),
    "groups": (lambda: conv(8, 8), lambda: conv(8, 8, groups=2)),
    "dilation": (lambda: conv(), lambda: conv(dilation=2, padding=2)),
    "stride": (lambda: conv(), lambda: conv(stride=2)),
    "side of the padding": (
        lambda: within(lambda net, x: net.b(F.pad(net.a(x), (1, 0, 1, 0)))),
        lambda: within(lambda net, x: net.b(F.pad(net.a(x), (0, 1, 0, 1)))),
    ),
    "what is padded with": (
        lambda: nn.Sequential(nn.ZeroPad2d(1), conv(padding=0)),
        lambda: nn.Sequential(nn.ReflectionPad2d(1), conv(padding=0)),
    ),
    "what a maximum is padded with": (
        lambda: after(nn.MaxPool2d(3, 2, 1)),
        lambda: after(nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, 2))),
    ),
    "maximum and mean": (lambda: after(nn.MaxPool2d(2)), lambda: after(nn.AvgPool2d(2))),
    "ceil_mode": (
        lambda: after(nn.MaxPool2d(3, 2)),
        lambda: after(nn.MaxPool2d(3, 2, ceil_mode=True)),
    ),
    "what a mean is divided by": (
        lambda: after(nn.AvgPool2d(3, 1, 1)),
        lambda: after(nn.AvgPool2d(3, 1, 1, count_include_pad=False)),
    ),
    "a divisor of its own": (
        lambda: after(nn.AvgPool2d(3, 1, 1)),
        lambda: after(nn.AvgPool2d(3, 1, 1, divisor_override=2)),
    ),
    "constants": (lambda: frozen(1.0), lambda: frozen(2.0)),
    "a number": (
        lambda: within(lambda net, x: net.a(x) * 0.3),
        lambda: within(lambda net, x: net.a(x) * 0.2),
    ),
    "shared weights": (lambda: tied(True), lambda: tied(False)),
    "where the activation is": (
        lambda: within(lambda net, x: F.relu(net.b(y := net.a(x)) + y)),
        lambda: within(lambda net, x: F.relu(net.b(y := net.a(x))) + y),
    ),
    "one draw of random numbers and two": (
        lambda: within(lambda net, x: net.a(x) * (y := torch.rand(8, 1, 1)) + y),
        lambda: within(lambda net, x: net.a(x) * torch.rand(8, 1, 1) + torch.rand(8, 1, 1)),
    ),
    "an operation that is not known": (
        lambda: within(lambda net, x: torch.lerp(y := net.a(x), net.b(y), 0.3)),
        lambda: within(lambda net, x: torch.lerp(y := net.a(x), net.b(y), 0.4)),
    ),
    "edges of an operation that is not known": (
        lambda: within(lambda net, x: torch.atan2(y := net.a(x), net.b(y))),
        lambda: within(lambda net, x: torch.atan2(net.b(y := net.a(x)), y)),
    ),
    "an answer more": (
        lambda: within(lambda net, x: net.a(x)),
        lambda: within(lambda net, x: (net.a(x), net.b(net.a(x)))),
    ),
    "shape of the answer": (
        lambda: within(lambda net, x: net.a(x).mean((2, 3))),
        lambda: within(lambda net, x: net.a(x).mean((2, 3), keepdim=True)),
    ),
    "across images": (
        lambda: within(lambda net, x: net.a(x)),
        lambda: within(lambda net, x: net.a(x).flip(0)),
    ),
    "axes turned": (
        lambda: within(lambda net, x: net.b(net.a(x).transpose(2, 3))),
        lambda: within(lambda net, x: net.b(net.a(x))),
    ),
    "nearest and between": (
        lambda: after(nn.Upsample(scale_factor=2)),
        lambda: after(nn.Upsample(scale_factor=2, mode="bilinear")),
    ),
    "corners": (
        lambda: after(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)),
        lambda: after(nn.Upsample(scale_factor=2, mode="bilinear")),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_networks(name):
    first, second = PAIRS[name]
    size = (8, 8, 8) if name == "groups" else (3, 8, 8)
    a, b = of(randomise(first()), size), of(randomise(second()), size)
    assert match(a, b) is None
    assert match(b, a) is None


@pytest.mark.parametrize("name", PAIRS)
def test_each_is_itself(name):
    size = (8, 8, 8) if name == "groups" else (3, 8, 8)
    for make in PAIRS[name]:
        a, b = of(randomise(make()), size), of(randomise(make(), 1), size)
        assert match(a, b)
        assert signature(a) == signature(b)
