"""One network written in two ways is one; with one's weights both answer alike."""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from carrying import apart, carry, randomise

from convatlas.wiring import match, of, signature


class Of(nn.Module):
    """Layers by name, and a function of them and the image."""

    def __init__(self, run, **layers: nn.Module):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


def conv(a: int = 3, b: int = 8, k: int = 3, **options) -> nn.Conv2d:
    return nn.Conv2d(a, b, k, **{"padding": k // 2, "bias": False, **options})


def shuffled(x, groups: int):
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def response_norm(x, size=5, alpha=1e-4, beta=0.75, k=1.0):
    """As AlexNet's listings wrote it before torch had one."""
    mean = F.avg_pool3d(
        x.pow(2).unsqueeze(1), (size, 1, 1), 1, padding=((size - 1) // 2, 0, 0)
    ).squeeze(1)
    return x / (mean * alpha + k) ** beta


def filled(net, x):
    y = net.a(x)
    z = torch.zeros(x.shape[0], 16, *x.shape[2:], dtype=x.dtype)
    z[:, :8] = y
    z[:, 8:] = net.b(y)
    return z


def option_a(net, x):
    return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 3)) + net.a(x)


def option_a_with_zeros(net, x):
    y = F.avg_pool2d(x, 1, 2)
    zeros = torch.zeros(y.shape[0], 2, *y.shape[2:], dtype=y.dtype)
    more = y.new_zeros(y.shape[0], 3, *y.shape[2:])
    return net.a(x) + torch.cat([zeros, y, more], 1)


CLOTHES = {
    "activation": (
        lambda: nn.Sequential(conv(), nn.ReLU(inplace=True)),
        lambda: Of(lambda net, x: F.relu(net.a(x)), a=conv()),
    ),
    "activation as a clamp": (
        lambda: nn.Sequential(conv(), nn.ReLU()),
        lambda: Of(lambda net, x: net.a(x).clamp(min=0), a=conv()),
    ),
    "activation as a maximum": (
        lambda: nn.Sequential(conv(), nn.ReLU()),
        lambda: Of(lambda net, x: torch.maximum(net.a(x), torch.tensor(0.0)), a=conv()),
    ),
    "relu6": (
        lambda: nn.Sequential(conv(), nn.ReLU6()),
        lambda: Of(lambda net, x: torch.clamp(F.relu(net.a(x)), max=6), a=conv()),
    ),
    "swish": (
        lambda: nn.Sequential(conv(), nn.SiLU()),
        lambda: Of(lambda net, x: (y := net.a(x)) * torch.sigmoid(y), a=conv()),
    ),
    "h-swish": (
        lambda: nn.Sequential(conv(), nn.Hardswish()),
        lambda: Of(lambda net, x: (y := net.a(x)) * F.relu6(y + 3) / 6, a=conv()),
    ),
    "h-swish, divided first": (
        lambda: nn.Sequential(conv(), nn.Hardswish()),
        lambda: Of(lambda net, x: (y := net.a(x)) * (F.relu6(y + 3.0) / 6.0), a=conv()),
    ),
    "h-sigmoid": (
        lambda: nn.Sequential(conv(), nn.Hardsigmoid()),
        lambda: Of(lambda net, x: (net.a(x) / 6 + 0.5).clamp(0, 1), a=conv()),
    ),
    "mish": (
        lambda: nn.Sequential(conv(), nn.Mish()),
        lambda: Of(lambda net, x: (y := net.a(x)) * torch.tanh(F.softplus(y)), a=conv()),
    ),
    "mean over all places": (
        lambda: nn.Sequential(
            conv(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(8, 5)
        ),
        lambda: Of(lambda net, x: net.fc(net.a(x).mean((2, 3))), a=conv(), fc=nn.Linear(8, 5)),
    ),
    "mean over all places by a pool": (
        lambda: nn.Sequential(
            conv(), nn.AvgPool2d(8), nn.Conv2d(8, 5, 1), nn.Flatten(), nn.Identity()
        ),
        lambda: Of(
            lambda net, x: net.fc(net.a(x).view(len(x), 8, -1).mean(2)),
            a=conv(),
            fc=nn.Linear(8, 5),
        ),
    ),
    "linear layer as a convolution": (
        lambda: nn.Sequential(conv(), nn.ReLU(), nn.Flatten(), nn.Linear(512, 5)),
        lambda: Of(
            lambda net, x: net.fc(F.relu(net.a(x))).squeeze(3).squeeze(2),
            a=conv(),
            fc=nn.Conv2d(8, 5, 8),
        ),
    ),
    "flattened before the activation": (
        lambda: nn.Sequential(conv(), nn.ReLU(), nn.Flatten(), nn.Linear(512, 5)),
        lambda: nn.Sequential(conv(), nn.Flatten(), nn.ReLU(), nn.Linear(512, 5)),
    ),
    "padding before the convolution": (
        lambda: nn.Sequential(conv(3, 8, 5), nn.BatchNorm2d(8)),
        lambda: nn.Sequential(nn.ZeroPad2d(2), conv(3, 8, 5, padding=0), nn.BatchNorm2d(8)),
    ),
    "padding around one pixel": (
        lambda: nn.Sequential(nn.AvgPool2d(8), conv(3, 8, 3), nn.MaxPool2d(3, 1, 1)),
        lambda: nn.Sequential(
            nn.AvgPool2d(8),
            nn.ZeroPad2d(1),
            conv(3, 8, 3, padding=0),
            nn.ConstantPad2d(1, float("-inf")),
            nn.MaxPool2d(3, 1),
        ),
    ),
    "padding on two sides": (
        lambda: Of(
            lambda net, x: net.a(F.pad(x, (0, 1, 0, 1))), a=conv(3, 8, 3, padding=0, stride=2)
        ),
        lambda: Of(
            lambda net, x: net.a(F.pad(F.pad(x, (0, 1)), (0, 0, 0, 1))),
            a=conv(3, 8, 3, padding=0, stride=2),
        ),
    ),
    "borders of a maximum": (
        lambda: nn.Sequential(conv(), nn.MaxPool2d(3, 2, 1)),
        lambda: Of(
            lambda net, x: F.max_pool2d(F.pad(net.a(x), (1, 1, 1, 1), value=float("-inf")), 3, 2),
            a=conv(),
        ),
    ),
    "a sum in the other order": (
        lambda: Of(lambda net, x: F.relu(net.b(y := net.a(x)) + y), a=conv(), b=conv(8, 8)),
        lambda: Of(lambda net, x: F.relu((y := net.a(x)) + net.b(y)), b=conv(8, 8), a=conv()),
    ),
    "a sum of four": (
        lambda: Of(
            lambda net, x: (net.a(x) + net.b(x)) + (net.c(x) + net.d(x)),
            **{name: conv() for name in "abcd"},
        ),
        lambda: Of(
            lambda net, x: net.d(x) + (net.c(x) + (net.b(x) + net.a(x))),
            **{name: conv() for name in "abcd"},
        ),
    ),
    "sums of what looks alike": (
        lambda: Of(
            lambda net, x: F.relu((y := net.a(x)) + (z := net.b(x))) + (net.c(y) + net.d(z)),
            a=conv(),
            b=conv(),
            c=conv(8, 8),
            d=conv(8, 8),
        ),
        lambda: Of(
            lambda net, x: (net.d(z := net.b(x)) + net.c(y := net.a(x))) + F.relu(z + y),
            d=conv(8, 8),
            b=conv(),
            c=conv(8, 8),
            a=conv(),
        ),
    ),
    "a sum in place": (
        lambda: Of(lambda net, x: net.b(y := net.a(x)) + y, a=conv(), b=conv(8, 8)),
        lambda: Of(
            lambda net, x: (y := net.a(x)).add_(net.b(y)).view_as(y), a=conv(), b=conv(8, 8)
        ),
    ),
    "a gate": (
        lambda: Of(
            lambda net, x: (y := net.a(x)) * net.g(y.mean((2, 3), keepdim=True)).sigmoid(),
            a=conv(),
            g=nn.Conv2d(8, 8, 1),
        ),
        lambda: Of(
            lambda net, x: (
                net.g(F.adaptive_avg_pool2d(y := net.a(x), 1).flatten(1))
                .sigmoid()
                .view(len(x), 8, 1, 1)
                .expand_as(y)
                * y
            ),
            a=conv(),
            g=nn.Linear(8, 8),
        ),
    ),
    "concats inside concats": (
        lambda: Of(
            lambda net, x: torch.cat([net.a(x), net.b(x), net.c(x)], 1),
            **{name: conv() for name in "abc"},
        ),
        lambda: Of(
            lambda net, x: torch.cat([net.a(x), torch.cat([net.b(x), net.c(x)], -3)], dim=1),
            **{name: conv() for name in "abc"},
        ),
    ),
    "a concat that is filled in parts": (
        lambda: Of(lambda net, x: torch.cat([y := net.a(x), net.b(y)], 1), a=conv(), b=conv(8, 8)),
        lambda: Of(filled, a=conv(), b=conv(8, 8)),
    ),
    "a part of a concat": (
        lambda: Of(lambda net, x: net.c(net.b(net.a(x))), a=conv(), b=conv(8, 8), c=conv(8, 4)),
        lambda: Of(
            lambda net, x: net.c(torch.cat([y := net.a(x), net.b(y)], 1).split(8, 1)[1]),
            a=conv(),
            b=conv(8, 8),
            c=conv(8, 4),
        ),
    ),
    "channel shuffle": (
        lambda: Of(lambda net, x: net.b(shuffled(net.a(x), 4)), a=conv(), b=conv(8, 8)),
        lambda: Of(
            lambda net, x: net.b(net.s(net.a(x))), a=conv(), b=conv(8, 8), s=nn.ChannelShuffle(4)
        ),
    ),
    "channel shuffle by an index": (
        lambda: Of(lambda net, x: net.b(shuffled(net.a(x), 2)), a=conv(), b=conv(8, 8)),
        lambda: Of(
            lambda net, x: net.b(net.a(x)[:, torch.tensor([0, 4, 1, 5, 2, 6, 3, 7])]),
            a=conv(),
            b=conv(8, 8),
        ),
    ),
    "channel shuffle by a stack": (
        lambda: Of(
            lambda net, x: net.c(shuffled(torch.cat([net.a(x), net.b(x)], 1), 2)),
            a=conv(),
            b=conv(),
            c=conv(16, 4),
        ),
        lambda: Of(
            lambda net, x: net.c(torch.stack([net.a(x), net.b(x)], 2).flatten(1, 2)),
            a=conv(),
            b=conv(),
            c=conv(16, 4),
        ),
    ),
    "halves": (
        lambda: Of(lambda net, x: net.b(net.a(x).chunk(2, 1)[1]), a=conv(), b=conv(4, 8)),
        lambda: Of(lambda net, x: net.b(net.a(x)[:, 4:]), a=conv(), b=conv(4, 8)),
    ),
    "shortcut without weights": (
        lambda: Of(option_a, a=conv(3, 8, 3, stride=2)),
        lambda: Of(option_a_with_zeros, a=conv(3, 8, 3, stride=2)),
    ),
    "local response norm": (
        lambda: nn.Sequential(conv(), nn.LocalResponseNorm(5, 2e-4, 0.7, 2.0)),
        lambda: Of(lambda net, x: response_norm(net.a(x), 5, 2e-4, 0.7, 2.0), a=conv()),
    ),
    "channels last": (
        lambda: Of(
            lambda net, x: net.d(F.gelu(net.c(net.norm(net.a(x).permute(0, 2, 3, 1))))).permute(
                0, 3, 1, 2
            ),
            a=conv(),
            norm=nn.LayerNorm(8),
            c=nn.Linear(8, 32),
            d=nn.Linear(32, 8),
        ),
        lambda: Of(
            lambda net, x: net.d(
                F.gelu(net.c(net.norm(net.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)))
            ),
            a=conv(),
            norm=nn.LayerNorm(8),
            c=nn.Conv2d(8, 32, 1),
            d=nn.Conv2d(32, 8, 1),
        ),
    ),
    "scaled channels": (
        lambda: Of(lambda net, x: net.a(x) * net.scale[:, None, None], a=conv(), scale=scale(8)),
        lambda: Of(lambda net, x: net.scale * net.a(x), a=conv(), scale=scale(1, 8, 1, 1)),
    ),
    "each image's own norm": (
        lambda: nn.Sequential(conv(), nn.InstanceNorm2d(8, affine=True)),
        lambda: Of(
            lambda net, x: F.instance_norm(net.a(x), weight=net.norm.weight, bias=net.norm.bias),
            a=conv(),
            norm=nn.BatchNorm2d(8),
        ),
    ),
    "a layer that runs twice": (
        lambda: Of(lambda net, x: net.b(net.b(net.a(x))), a=conv(), b=conv(8, 8)),
        lambda: Of(
            lambda net, x: F.conv2d(net.c(net.a(x)), net.c.weight, padding=1),
            a=conv(),
            c=conv(8, 8),
        ),
    ),
    "a layer that runs twice on one input": (
        lambda: Of(lambda net, x: torch.cat([y := net.a(x), F.relu(y)], 1), a=conv()),
        lambda: Of(lambda net, x: torch.cat([net.a(x), F.relu(net.a(x))], 1), a=conv()),
    ),
    "what nobody reads": (
        lambda: nn.Sequential(conv(), nn.ReLU()),
        lambda: Of(lambda net, x: (net.b(y := net.a(x)), F.relu(y))[1], a=conv(), b=conv(8, 9)),
    ),
}


def scale(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape))


@pytest.mark.parametrize("name", CLOTHES)
def test_other_clothes(name):
    a, b = (randomise(make(), seed) for seed, make in enumerate(CLOTHES[name]))
    left, right = of(a, (3, 8, 8)), of(b, (3, 8, 8))
    found = match(left, right)
    assert found, f"\n{lines(left)}\n\n{lines(right)}"
    assert signature(left) == signature(right)
    carry(found, a, b)
    torch.manual_seed(0)
    assert apart(a, b, torch.randn(2, 3, 8, 8, dtype=torch.float64)) <= 1e-10


def lines(graph) -> str:
    return "\n".join(
        f"{place} {node.op} {dict(node.own)} {node.reads} {node.output}"
        for place, node in enumerate(graph.nodes)
    )
