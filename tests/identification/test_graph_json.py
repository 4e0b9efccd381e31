"""Graphs out of the other process: whole or refused."""

import copy
import json

import pytest
import torch.nn as nn

from convatlas import wiring
from convatlas.errors import IdentifyError
from convatlas.identification.graph_json import dumped, loaded
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


@pytest.mark.parametrize("name", ["lenet5_tutorial", "shufflenet_v2", "mobilenet_v3_small"])
def test_a_graph_comes_back_as_it_went(name):
    with shapes_only():
        net = create_model(name)
    graph = wiring.of(net, net.input_size)
    back = loaded(json.loads(json.dumps(dumped(graph))))
    assert back == graph
    assert wiring.match(back, graph) is not None


SMALL = dumped(wiring.of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), (1, 8, 8)))


def changed(change) -> object:
    value = json.loads(json.dumps(copy.deepcopy(SMALL)))
    change(value)
    return value


DEEP: list = []
for _ in range(50):
    DEEP = [DEEP]
BAD = {
    "no graph": lambda v: v.clear(),
    "nodes of another kind": lambda v: v.update(nodes={}),
    "a node with too little": lambda v: v["nodes"][0].pop(),
    "a node that reads itself": lambda v: v["nodes"][1].__setitem__(2, [1]),
    "a node that reads a later one": lambda v: v["nodes"][1].__setitem__(2, [2]),
    "a negative place": lambda v: v["nodes"][1].__setitem__(2, [-1]),
    "an output that is not there": lambda v: v.update(outputs=[3]),
    "a place that is no number": lambda v: v.update(outputs=[True]),
    "a fraction": lambda v: v.update(size=[1, 8.5, 8]),
    "an endless number": lambda v: v.update(size=[1, 2**80, 8]),
    "a name of a megabyte": lambda v: v["nodes"][1].__setitem__(5, "x" * 10**6),
    "a setting of a kind that has no place": lambda v: v["nodes"][1][1].update(kernel={"a": 1}),
    "a setting without an end": lambda v: v["nodes"][1][1].update(kernel=DEEP),
    "many nodes": lambda v: v.update(nodes=v["nodes"] * 20_000),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_none_is_refused(kind):
    with pytest.raises(IdentifyError, match="what came back is no graph"):
        loaded(changed(BAD[kind]))


@pytest.mark.parametrize("value", [None, 3, "x", [], {"nodes": None}])
def test_another_value_is_refused(value):
    with pytest.raises(IdentifyError, match="what came back is no graph"):
        loaded(value)
