"""The counter against formulas written by hand, on networks drawn at random, and on the ways a
module can be shared.
"""

import copy

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.anatomy import summary
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def by_hand(net: nn.Module, size: tuple[int, ...]) -> tuple[int, int]:
    """Parameters and multiply-adds by the textbook formulas, from a real pass on the processor."""
    macs = 0

    def count(layer, args, out):
        nonlocal macs
        if isinstance(layer, nn.Conv2d):
            k_h, k_w = layer.kernel_size
            macs += (
                out.shape[2]
                * out.shape[3]
                * k_h
                * k_w
                * layer.in_channels
                // layer.groups
                * layer.out_channels
            )
        elif isinstance(layer, nn.Linear):
            macs += out.numel() // out.shape[-1] * layer.in_features * layer.out_features

    handles = [layer.register_forward_hook(count) for layer in net.modules()]
    with torch.no_grad():
        net.eval()(torch.zeros(1, *size))
    for handle in handles:
        handle.remove()
    return sum(p.numel() for p in {id(p): p for p in net.parameters()}.values()), macs


@st.composite
def networks(draw) -> tuple[nn.Module, tuple[int, int, int]]:
    c, side = draw(st.sampled_from([1, 2, 4, 6])), draw(st.integers(9, 17))
    size, layers = (c, side, side + draw(st.integers(0, 3))), []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "grouped", "depthwise", "twice"]))
        k, dilation = (
            (draw(st.sampled_from([1, 3, 5])), draw(st.sampled_from([1, 3]))),
            draw(st.integers(1, 2)),
        )
        padding = tuple(side // 2 * dilation for side in k)
        if kind == "twice":  # one module, called two times
            conv = nn.Conv2d(c, c, k, padding=padding, dilation=dilation, bias=draw(st.booleans()))
            layers += [conv, nn.ReLU(), conv]
            continue
        groups = {"conv": 1, "grouped": 2 if c % 2 == 0 else 1, "depthwise": c}[kind]
        wider = c * draw(st.integers(1, 3))
        layers += [
            nn.Conv2d(
                c,
                wider,
                k,
                draw(st.integers(1, 2)),
                padding,
                dilation,
                groups,
                bias=draw(st.booleans()),
            ),
            nn.BatchNorm2d(wider),
            nn.ReLU(inplace=True),
        ]
        c = wider
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, draw(st.integers(1, 5)))
    ), size


@settings(max_examples=60, deadline=None)
@given(networks())
def test_random_networks_count_as_the_formulas_say(drawn):
    net, size = drawn
    params, macs = by_hand(net, size)
    counted = summary(net, size)
    assert (counted.params, counted.macs, counted.flops) == (params, macs, 2 * macs)
    assert sum(row.params for row in counted.rows) == params
    assert counted.idle == 0


def test_a_row_tells_the_layer():
    wide = nn.Conv2d(4, 6, (1, 7), stride=(1, 2), padding=(0, 3), groups=2)
    conv, pool = summary(nn.Sequential(wide, nn.MaxPool2d(3, 2, ceil_mode=True)), (4, 10, 12)).rows
    assert conv.to_row() == [
        "0",
        "Conv2d",
        (1, 7),
        (1, 2),
        (0, 3),
        2,
        (6, 10, 6),
        6 * 2 * 7 + 6,
        True,
        60 * 6 * 14,
        7,
    ]
    assert (pool.kind, pool.kernel, pool.stride, pool.output, pool.macs) == (
        "MaxPool2d",
        (3, 3),
        (2, 2),
        (6, 5, 3),
        0,
    )


def test_a_module_called_twice_counts_parameters_once_and_work_twice():
    conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
    counted = summary(nn.Sequential(conv, conv), (3, 8, 8))
    assert [row.params for row in counted.rows] == [81, 0]
    assert [row.macs for row in counted.rows] == [64 * 81, 64 * 81]
    assert counted.params == 81


def test_a_parameter_of_two_modules_counts_once():
    first, second = nn.Linear(5, 5, bias=False), nn.Linear(5, 5, bias=False)
    second.weight = first.weight
    counted = summary(nn.Sequential(first, second), (5,))
    assert (counted.params, counted.macs) == (25, 50)


class OwnWork(nn.Module):
    """A container that multiplies, owns a parameter, and never calls one of its children."""

    def __init__(self):
        super().__init__()
        self.scale, self.inner = nn.Parameter(torch.ones(4)), nn.Linear(4, 4, bias=False)
        self.borrowed, self.auxiliary = nn.Linear(4, 6), nn.Linear(4, 100)

    def forward(self, x):
        return F.linear(self.inner(x) * self.scale, self.borrowed.weight)


def test_work_of_a_container_has_its_own_row():
    counted = summary(nn.Sequential(OwnWork()), (4,))
    assert [(row.name, row.kind, row.params, row.macs) for row in counted.rows] == [
        ("0.inner", "Linear", 16, 16),
        ("0", "OwnWork", 4 + 24, 24),
    ]
    assert (counted.idle, counted.params) == (6 + 500, 16 + 4 + 30 + 500)


class Depth(nn.Module):
    def __init__(self, projected: bool):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1)
        )
        self.shortcut = nn.Conv2d(3, 3, 1) if projected else nn.Identity()

    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


@pytest.mark.parametrize("projected", [False, True])
def test_layers_are_those_of_the_longest_path(projected):
    counted = summary(
        nn.Sequential(Depth(projected), Depth(projected), nn.Flatten(), nn.Linear(48, 2)), (3, 4, 4)
    )
    assert counted.layers == 7
    assert counted.parts["1"].layers == 3


def test_connections_count_products_and_biases():
    class Subsampling(nn.Module):
        def __init__(self):
            super().__init__()
            self.coefficient, self.bias = (
                nn.Parameter(torch.ones(2, 1, 1)),
                nn.Parameter(torch.zeros(2, 1, 1)),
            )

        def forward(self, x):
            return F.avg_pool2d(x, 2) * self.coefficient + self.bias

    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), Subsampling(), nn.AvgPool2d(2), nn.Linear(2, 3)
    )
    conv, norm, pool, plain, linear = summary(net, (1, 10, 10)).rows
    assert (conv.connections, norm.connections, pool.connections) == (2 * 64 * 10, 0, 2 * 16 * 5)
    assert (plain.connections, linear.connections) == (0, 2 * 2 * 3 * 2 + 2 * 2 * 3)
    assert summary(net, (1, 10, 10)).layers == 3


def test_the_callers_network_is_left_alone():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    seen = []
    net[0].register_forward_hook(lambda *args: seen.append(args))
    net[0].note = torch.ones(3)  # a plain tensor attribute
    before, hooks = copy.deepcopy(net.state_dict()), len(net[0]._forward_hooks)
    summary(net, (3, 8, 8))
    assert net.training
    assert not seen
    assert [len(layer._forward_hooks) for layer in net] == [hooks, 0, 0]
    assert all(p.device.type == "cpu" for p in [*net.parameters(), net[0].note])
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_no_storage_is_copied():
    with shapes_only():
        huge = nn.Linear(10**6, 10**6)  # 4 TB
    assert summary(huge, (10**6,)).params == 10**12 + 10**6


def test_half_precision_and_meta_networks_count_too():
    net = nn.Sequential(nn.Conv2d(3, 4, 3)).half()
    assert summary(net, (3, 5, 5)).macs == summary(net.to("meta"), (3, 5, 5)).macs == 9 * 27 * 4


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "se_resnet50", "convnext_tiny"])
def test_inference_mode_changes_no_number(name):
    expected = summary(create_model(name))
    with torch.inference_mode():
        assert summary(create_model(name)) == expected


def test_the_table_prints():
    text = str(summary(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.Flatten()), (3, 9, 9)))
    assert text.splitlines() == [
        "Sequential, input 3x9x9",
        "layer  kind     kernel  output  params   MACs  receptive field",
        "0      Conv2d   3x3 /2  8x4x4      224  3,456                3",
        "1      Flatten          128          0      0                3",
        "224 parameters; 3,456 MACs (6,912 FLOPs); 1 layers deep",
    ]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, "give one: summary(net, input_size=(C, H, W))"),
        ((3, 2, 2), "Sequential does not run on an input of 3x2x2 at 0"),
        ((4, 8, 8), "Sequential does not run on an input of 4x8x8 at 0"),
    ],
)
def test_an_input_that_does_not_fit_is_one_sentence(size, words):
    with pytest.raises(ValueError, match=r".") as error:
        summary(nn.Sequential(nn.Conv2d(3, 4, 3)), size)
    assert words in str(error.value)
