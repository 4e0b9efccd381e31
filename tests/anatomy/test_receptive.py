"""Receptive fields against the truth: which pixels, when lit alone, move the middle unit of the
output.
"""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.anatomy import summary
from convatlas.layers import ChannelNorm
from convatlas.verification import measure

SIDE = 96


class Call(nn.Module):
    """Any function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Parallel(nn.Module):
    def __init__(self, join, *branches):
        super().__init__()
        self.join, self.branches = join, nn.ModuleList(branches)

    def forward(self, x):
        return self.join([branch(x) for branch in self.branches])


def together(maps):
    return torch.cat(maps, dim=1).sum(1, keepdim=True)


def conv(k, stride=1, dilation=1, padding=None):
    """One map to one map with every weight 1, so that nothing a unit sees can cancel."""
    padding = (k - 1) // 2 * dilation if padding is None else padding
    layer = nn.Conv2d(1, 1, k, stride, padding, dilation, bias=False)
    nn.init.ones_(layer.weight)
    return layer


def widened() -> nn.Module:
    """Three maps of one, so unlike that a norm over them keeps what a pixel holds."""
    layer = nn.Conv2d(1, 3, 1)
    nn.init.constant_(layer.weight, 1.0)
    layer.weight.data[1:] *= torch.tensor([2.0, -3.0])[:, None, None, None]
    nn.init.zeros_(layer.bias)
    return layer


def narrowed() -> nn.Module:
    layer = nn.Conv2d(3, 1, 1, bias=False)
    layer.weight.data = torch.tensor([1.0, 2.0, 5.0]).view(1, 3, 1, 1)
    return layer


def extent(net: nn.Module, axis: int) -> int:
    """Light one line of pixels at a time; the outermost lines that reach the middle unit."""
    lines = torch.zeros(SIDE, 1, SIDE, SIDE, dtype=torch.float64)
    for i in range(SIDE):
        lines.select(2 + axis, i)[i] = 1
    with torch.no_grad():
        out = net.double().eval()(lines)
    seen = out[:, 0, out.shape[2] // 2, out.shape[3] // 2].nonzero().flatten().tolist()
    assert {0, SIDE - 1}.isdisjoint(seen), "the image is too small to show the whole field"
    return seen[-1] - seen[0] + 1


def same(net: nn.Module) -> None:
    field = max(extent(net, axis) for axis in (0, 1))
    assert summary(net, (1, SIDE, SIDE)).parts[""].receptive_field == field


EXAMPLES = {
    "plain": [conv(5), nn.ReLU(), conv(3, 2), nn.MaxPool2d(3, 2, 1), conv(3)],
    "dilated": [conv(3, dilation=2), conv(3, 2, dilation=3), conv(3)],
    "one side longer": [
        nn.Sequential(nn.ZeroPad2d((3, 3, 0, 0)), nn.MaxPool2d((1, 7), 1)),
        conv(3),
    ],
    "residual": [
        conv(3, 2),
        Parallel(sum, nn.Sequential(conv(3), conv(3)), nn.Identity()),
        conv(3),
    ],
    "strided residual": [
        Parallel(sum, nn.Sequential(conv(3, 2), conv(3)), Call(lambda x: x[:, :, ::2, ::2])),
        conv(3),
    ],
    "branches": [
        Parallel(together, conv(1), conv(3), conv(5), nn.MaxPool2d(3, 1, 1)),
        nn.AvgPool2d(2),
        conv(3),
    ],
    "branches that look to different sides": [
        Parallel(
            sum,
            nn.Sequential(nn.ZeroPad2d((4, 0, 4, 0)), conv(5, padding=0)),
            nn.Sequential(nn.ZeroPad2d((0, 4, 0, 4)), conv(5, padding=0)),
        )
    ],
    "cropped": [
        Call(lambda x: x[:, :, 3:-2, 1:]),
        conv(3, 2),
        Call(lambda x: F.pad(x, (-1, 0, 0, -2))),
        conv(3),
    ],
    "channels shuffled": [
        conv(3, 2),
        Call(lambda x: x.repeat(1, 4, 1, 1).unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2)),
        Call(lambda x: x.split(2, 1)[1][:, [1, 0]].mean(1, keepdim=True)),
        conv(3),
    ],
    "normalised across channels": [conv(3), nn.LocalResponseNorm(3), conv(3, 2), conv(3)],
    "layer norm of channels": [conv(3), widened(), ChannelNorm(3), narrowed(), conv(3, 2), conv(3)],
    "adaptive pool that divides": [conv(3), nn.AdaptiveAvgPool2d(SIDE // 4), conv(3)],
}


@pytest.mark.parametrize("layers", EXAMPLES.values(), ids=EXAMPLES)
def test_field_is_the_true_extent(layers):
    same(nn.Sequential(*layers))


@st.composite
def stacks(draw) -> nn.Module:
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        k = draw(st.sampled_from([1, 2, 3, 5]))
        layer = draw(
            st.sampled_from(
                [
                    lambda k: conv(k, draw(st.integers(1, 2)), draw(st.integers(1, 2))),
                    lambda k: nn.MaxPool2d(k, draw(st.integers(1, 2)), k // 2),
                    lambda k: nn.AvgPool2d(k, draw(st.integers(1, 2)), k // 2),
                    lambda k: Parallel(
                        sum, nn.Sequential(conv(3), conv(3, dilation=2)), nn.Identity()
                    ),
                    lambda k: Parallel(together, conv(1, 2), conv(3, 2), nn.MaxPool2d(3, 2, 1)),
                    lambda k: Call(lambda x: x[:, :, ::2, ::2]),
                ]
            )
        )(k)
        layers.append(layer)
    return nn.Sequential(*layers)


def test_a_norm_sees_what_it_is_of():
    """Over the last dimension of maps as they are, and over channels, also where they are as many
    as columns.
    """
    assert summary(nn.LayerNorm(8), (4, 8, 8)).parts[""].receptive_field == 8
    assert summary(ChannelNorm(8), (8, 8, 8)).parts[""].receptive_field == 1
    assert summary(ChannelNorm(4), (4, 8, 8)).parts[""].receptive_field == 1


@settings(max_examples=60, deadline=None)
@given(stacks())
def test_field_of_random_stacks(net):
    same(net)


@pytest.mark.parametrize(
    "last",
    [
        nn.AdaptiveAvgPool2d(1),
        Call(lambda x: x.mean((2, 3))),
        Call(lambda x: x.amax((-2, -1), keepdim=True)),
        nn.Sequential(nn.Flatten(), nn.Linear(144, 2)),
        Call(lambda x: x.flatten(2).softmax(2)),
        Call(lambda x: x * x.mean((2, 3), keepdim=True)),
        nn.GroupNorm(1, 1),
    ],
    ids=range(7),
)
def test_global_operations_see_the_whole_map(last):
    net = nn.Sequential(conv(3, 2), last)
    assert summary(net, (1, 24, 24)).parts[""].receptive_field == 3 + 11 * 2


def test_a_gate_lets_every_later_layer_see_no_more_than_everything():
    gated = Parallel(lambda maps: maps[0] * maps[1], nn.Identity(), nn.AdaptiveAvgPool2d(1))
    assert (
        summary(nn.Sequential(conv(3), gated, conv(3), conv(3)), (1, 9, 9))
        .parts[""]
        .receptive_field
        == 3 + 8
    )


def test_what_is_no_image_has_no_field():
    assert summary(nn.Linear(3, 2), (3,)).rows[0].receptive_field is None


@pytest.mark.parametrize(
    ("network", "part", "field"),
    [
        ("lenet5", "C5", 32),
        ("alexnet", "pool5", 195),
        ("vgg16", "conv5", 196),
        ("vgg16", "pool5", 212),
        ("resnet50", "conv5_x", 483),
        ("resnet50_v15", "conv5_x", 427),
    ],
)
def test_known_fields(network, part, field):
    assert measure(network).parts[part].receptive_field == field
