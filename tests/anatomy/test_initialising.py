"""How fresh weights were drawn, told of two networks whose graphs are one; and what else a network
has beside its graph.
"""

import json

import pytest
import torch
import torch.nn as nn

from convatlas import wiring
from convatlas.anatomy import diff
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.habits import Habits
from convatlas.anatomy.initialising import draws
from convatlas.anatomy.steps import Walk

SIZE = (16, 8, 8)


def net(draw=None, bias=None) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(16, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU()]
    made = nn.Sequential(*layers, nn.Dropout(0.5), nn.Conv2d(64, 32, 3), nn.Flatten())
    for layer in made:
        if isinstance(layer, nn.Conv2d):
            (draw or (lambda weight: weight))(layer.weight)
            (bias or (lambda weight: weight))(layer.bias)
    return made


def told(a: nn.Module, b: nn.Module) -> list[tuple]:
    found = diff(a, b, SIZE)
    assert found.same
    return [
        (change.group, change.what, change.a, change.b, change.times)
        for block in found.blocks
        for change in block.changes
    ]


def he(weight):
    return nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (he, "normal, variance 2 / fan out"),
        (lambda w: nn.init.normal_(w, std=0.01), "normal, deviation 0.01"),
        (
            lambda w: nn.init.trunc_normal_(w, std=0.05, a=-0.1, b=0.1),
            "truncated normal, deviation 0.044",
        ),
        (nn.init.zeros_, "0"),
    ],
)
def test_another_draw_is_told_by_its_kind_and_scale(draw, words):
    uniform = "uniform, variance 0.33 / fan in"  # torch's own
    assert told(net(), net(draw)) == [
        ("initialisation", "first weights of conv", uniform, words, 2)
    ]


def test_constants_of_biases():
    ones = net(bias=nn.init.ones_)
    assert told(net(bias=nn.init.zeros_), ones) == [
        ("initialisation", "first weights of conv, bias", "0", "1", 2)
    ]


def test_other_numbers_of_one_draw_are_no_difference():
    a, b = net(he), net(he)
    torch.manual_seed(1)
    for layer in b:
        if isinstance(layer, nn.Conv2d):
            he(layer.weight)
    assert told(a, b) == []


def test_nothing_is_said_of_trained_weights_or_of_none():
    trained = net(he)
    trained[1].running_mean += 0.1
    assert draws(trained) == {}
    assert told(net(), trained) == []
    assert told(net(), net(he).to("meta")) == []


def test_habits_survive_json():
    made = net(he)
    graph = wiring.of(made, SIZE)
    habits = Habits.of(made, graph)
    assert [(drop.name, drop.kind, drop.own) for drop in habits.drops] == [
        ("3", "dropout", {"p": 0.5})
    ]
    assert habits.momentum == {"1": 0.1}
    back = Habits.from_record(json.loads(json.dumps(habits.to_record())))
    assert back == habits
    assert not compare(Walk(graph, habits), Walk(graph, back))
