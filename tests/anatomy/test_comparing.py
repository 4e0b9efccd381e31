"""diff on small networks in which one thing was changed: it is seen, with its cost, and nothing
else is.
"""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from changed_networks import SIZE, Net, Unit, assert_adds_up, changed, middle, told

from convatlas.anatomy import diff


def test_networks_that_are_the_same_have_no_difference():
    found = diff(Net(Unit(), Unit()), Net(Unit(), Unit()), SIZE)
    assert not found
    assert found.blocks == ()


@pytest.mark.parametrize(
    ("other", "what", "a", "b"),
    [
        ({"k": 5}, "conv", "3x3", "5x5"),
        ({"groups": 2}, "3x3 conv", "1 group", "2 groups"),
        ({"groups": 8}, "3x3 conv", "1 group", "depthwise"),
        ({"activation": lambda self: nn.SiLU()}, "activation", "relu", "swish"),
        ({"norm": lambda self: nn.GroupNorm(2, 8)}, "norm", "batch norm", "group norm"),
        (
            {"norm": lambda self: nn.BatchNorm2d(8, eps=1e-3)},
            "batch norm",
            "eps 1e-05",
            "eps 0.001",
        ),
        (
            {"norm": lambda self: nn.BatchNorm2d(8, momentum=0.01)},
            "batch norm",
            "in training momentum 0.1",
            "in training momentum 0.01",
        ),
        ({"norm": lambda self: nn.BatchNorm2d(8, affine=False)}, "batch norm", "scale", "no scale"),
    ],
)
def test_one_setting_of_one_layer(other, what, a, b):
    inside = {"conv": "", "norm": "bn", "activation": "act"}[what.split()[-1]]
    assert middle(Unit(), changed(**other)) == [("body.1", "body.1", inside, what, a, b, 1)]


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (
            nn.LeakyReLU(0.1),
            nn.LeakyReLU(0.2),
            ("leaky relu", "slope 0.1", "slope 0.2"),
        ),
        (nn.Dropout(0.5), nn.Dropout(0.2), ("dropout", "p 0.5", "p 0.2")),
        (
            nn.AvgPool2d(3, 2, 1),
            nn.AvgPool2d(3, 2, 1, count_include_pad=False),
            ("3x3 average pool", "padding counted", "padding not counted"),
        ),
        (
            nn.MaxPool2d(3, 2, 1),
            nn.AvgPool2d(3, 2, 1),
            ("pool", "3x3 max pool /2", "3x3 average pool /2"),
        ),
        (nn.SiLU(), nn.Tanh(), ("activation", "swish", "tanh")),
        (nn.ELU(), nn.ELU(0.1), ("elu", "alpha 1", "alpha 0.1")),
        (nn.Softplus(), nn.Softplus(2), ("softplus", "beta 1", "beta 2")),
        (
            nn.LocalResponseNorm(5, 1e-4),
            nn.LocalResponseNorm(5, 5e-4),
            ("local response norm", "alpha 0.0001", "alpha 0.0005"),
        ),
        (
            nn.BatchNorm2d(8),
            nn.InstanceNorm2d(8, affine=True),
            ("norm", "batch norm", "instance norm"),
        ),
        (
            nn.ChannelShuffle(2),
            nn.ChannelShuffle(4),
            ("channel shuffle", "2 groups", "4 groups"),
        ),
        (
            nn.ZeroPad2d(1),
            nn.ZeroPad2d((0, 2, 0, 2)),
            ("3x3 conv", "padding 2", "padding top 1 bottom 3 left 1 right 3"),
        ),
    ],
)
def test_what_a_layer_without_weights_says_of_itself(a, b, words):
    assert [change[3:6] for change in middle(a, b)] == [words]


def test_rounding_counts_where_it_does_something():
    up = nn.MaxPool2d(3, 2, ceil_mode=True)
    assert middle(up, nn.MaxPool2d(3, 2))[0][3:6] == ("3x3 max pool", "rounds up", "rounds down")
    assert middle(nn.MaxPool2d(2, 2, ceil_mode=True), nn.MaxPool2d(2, 2)) == []


class Bypass(Unit):
    def forward(self, x):
        return super().forward(x) + x


class Scaled(Unit):
    def forward(self, x):
        return 0.5 * super().forward(x)


class Gated(Unit):
    def forward(self, x):
        x = super().forward(x)
        return x * F.sigmoid(x.mean((2, 3), keepdim=True))


class Mirrored(Unit):
    def forward(self, x):
        return super().forward(x.flip(3))


@pytest.mark.parametrize(
    ("unit", "steps"),
    [
        (Bypass, ["add"]),
        (Scaled, ["scale 0.5"]),
        (Gated, ["global average", "sigmoid", "multiply"]),
        (Mirrored, ["columns mirrored"]),
    ],
)
def test_what_a_container_does_in_its_forward(unit, steps):
    assert middle(Unit(), unit()) == [("body.1", "body.1", "", "", "-", step, 1) for step in steps]
    assert middle(unit(), Unit()) == [("body.1", "body.1", "", "", step, "-", 1) for step in steps]


def test_functions_and_layers_that_do_the_same_agree_and_reshapes_are_no_step():
    class Functional(Unit):
        def forward(self, x):
            x = x.flatten(2).unflatten(2, (16, 16)).contiguous()[:, :, :]
            return F.relu(
                F.batch_norm(
                    self.conv(x),
                    self.bn.running_mean,
                    self.bn.running_var,
                    self.bn.weight,
                    self.bn.bias,
                    self.training,
                ),
                inplace=True,
            )

    assert middle(Unit(), Functional()) == []


def test_an_exchanged_order():
    class ActivatedFirst(Unit):
        def forward(self, x):
            return self.bn(self.act(self.conv(x)))

    (change,) = middle(Unit(), ActivatedFirst())
    assert change[3:6] in {
        ("order of batch norm", "after 3x3 conv 8", "after relu"),
        ("order of relu", "after batch norm", "after 3x3 conv 8"),
    }


def test_other_channels_cost_where_they_are_made_and_where_they_are_read():
    a, b = Net(Unit(), Unit()), Net(changed(width=16), type("Unit", (Unit,), {})(16))
    found = diff(a, b, SIZE)
    assert_adds_up(found)
    changes = [
        (block.where[0], c.what, c.a, c.b, c.params)
        for block in found.blocks
        for c in block.changes
    ]
    assert changes == [
        ("body.0", "3x3 conv + norm", "8 channels", "16 channels", 8 * 8 * 9 + 16),
        ("body.1", "3x3 conv", "reads 8", "reads 16", 8 * 8 * 9),
    ]


def test_what_follows_from_a_larger_map_has_a_line_too():
    found = diff(Net(Unit()), Net(nn.AvgPool2d(2), Unit()), SIZE)
    assert_adds_up(found)
    assert ("3x3 conv", "16x16 maps", "8x8 maps") in [
        (c.what, c.a, c.b) for block in found.blocks for c in block.changes
    ]


def test_what_a_layer_of_ones_own_does_counts_not_its_class_or_attributes():
    class Twice(nn.Module):
        def __init__(self, factor: float, word: str = ""):
            super().__init__()
            self.factor = factor
            self.word = word

        def forward(self, x):
            return (x * self.factor).tanh()

    class Once(Twice):
        def forward(self, x):
            return (x * self.factor).sigmoid()

    assert middle(Twice(2.0), Twice(2.0, "otherwise")) == []
    assert [change[3:6] for change in middle(Twice(2.0), Twice(3.0))] == [("scale", "by 2", "by 3")]
    assert [change[3:6] for change in middle(Twice(2.0), Once(2.0))] == [
        ("activation", "tanh", "sigmoid")
    ]


def test_a_head_that_only_trains():
    a, b = Net(Unit()), Net(Unit())
    b.aux = nn.Linear(8, 10)
    b.loss_scale = nn.Parameter(torch.ones(1))
    assert told(a, b) == [("", "loss_scale, aux", "", "", "-", "only in training", 2)]


def test_a_larger_image():
    class Reads(Net):
        def __init__(self, side: int):
            super().__init__(Unit())
            self.input_size = (3, side, side)

    found = diff(Reads(16), Reads(32))
    assert_adds_up(found)
    assert [
        (block.where[1], c.what, c.a, c.b, c.macs) for block in found.blocks for c in block.changes
    ] == [("input", "image", "3x16x16", "3x32x32", 768 * 9 * 8 * (3 + 8))]
    assert diff(Net(Unit()), Reads(16)).a.input_size == (3, 16, 16)  # the other one states it
    assert diff(Reads(16), Net(Unit())).same
    with pytest.raises(
        ValueError, match="neither Net nor Net states an input size; give one: diff"
    ):
        diff(Net(Unit()), Net(Unit()))


def test_what_a_gate_holds_is_not_taken_for_the_activation_before_it():
    class Plain(Unit):
        def forward(self, x):
            return self.bn(self.conv(x)).relu()

    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = nn.ReLU()

        def forward(self, x):
            return x * F.hardsigmoid(self.act(x.mean((2, 3), keepdim=True)))

    class Rich(Unit):
        def __init__(self):
            super().__init__()
            self.gate = Gate()

        def forward(self, x):
            return self.gate(F.silu(self.bn(self.conv(x))))

    assert [change[2:6] for change in middle(Rich(), Plain())] == [
        ("", "activation", "swish", "relu"),
        ("gate", "", "global average, relu, h-sigmoid, multiply", "-"),
    ]


def test_print_tells_them():
    assert str(diff(Net(Unit(), Unit()), Net(changed(k=1), Unit()), SIZE)).splitlines() == [
        "Net -> Net: -512 parameters, -131,072 MACs",
        "body.0: conv: 3x3 -> 1x1 (-512 parameters, -131,072 MACs)",
    ]


def test_neither_network_is_touched():
    a, b = Net(Unit()), Net(Bypass())
    before = {name: value.clone() for name, value in a.state_dict().items()}
    diff(a, b, SIZE)
    assert a.training and b.training and not a.body[0]._forward_hooks
    assert all(torch.equal(value, before[name]) for name, value in a.state_dict().items())
