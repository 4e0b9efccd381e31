"""The index of wirings: what a signature and a profile hold, and what not."""

import json

import pytest
import torch
from torch import nn

from convatlas import wiring
from convatlas.index import wirings
from convatlas.registry import create_model, entries
from convatlas.shapes_only import shapes_only


def graph(name: str, *counts: int) -> wiring.Graph:
    with shapes_only():
        net = create_model(name, *counts)
    return wiring.of(net, net.input_size)


@pytest.mark.parametrize("name", ["alexnet_owt", "squeezenet1_1", "lenet5_tutorial"])
def test_classes_and_channels_are_in_no_signature(name, few):
    other = graph(name, 7, 5)
    neutral = wirings.neutral(other)
    assert wiring.signature(neutral) == few[name].plain
    assert wiring.signature(other) != few[name].plain
    assert wirings.profile(neutral) == (few[name].exact, few[name].coarse)


def test_a_width_within_is(few):
    with shapes_only():
        net = create_model("lenet5_tutorial")
        net.fc1.fc = nn.Linear(400, 121)
        net.fc2.fc = nn.Linear(121, 84)
    other = wirings.neutral(wiring.of(net, net.input_size))
    assert wiring.signature(other) != few["lenet5_tutorial"].plain


@pytest.mark.parametrize("name", ["resnet20_cifar", "mobilenet_v3_small"])
def test_norms_are_folded_on_the_graph_as_in_a_pass(name):
    with shapes_only():
        net = create_model(name)
    again = wiring.of(net, net.input_size, fold=True)
    folded = wirings.folded(wiring.of(net, net.input_size))
    assert wiring.match(folded, again) is not None
    assert not any(node.op == "batch norm" for node in folded.nodes)


def test_a_profile_is_nearest_to_itself_and_hardly_knows_the_size(few):
    other = wirings.profile(wirings.neutral(wiring.of(create_model("resnet18"), (3, 96, 96))))
    scores = {name: wirings.likeness(other, (w.exact, w.coarse)) for name, w in few.items()}
    assert max(scores, key=scores.__getitem__) == "resnet18"
    assert scores["resnet18"] == 1.0
    assert scores["resnet18_32"] < 1.0


def test_what_is_written_is_read(few, tmp_path):
    file = tmp_path / "wirings.json"
    file.write_text(wirings.text(few, few))
    assert wirings.stored(file) == few
    assert list(wirings.stored(file)) == list(few)
    names = wirings.write(["lenet5"], file)  # one is renewed, the others are kept
    assert "resnet50" in names
    assert {*wirings.stored(file)} == {*few}
    assert json.loads(file.read_text())["words"] == sorted(json.loads(file.read_text())["words"])


def test_the_stored_index_is_what_is_measured(few):
    """Renewed by `python -m convatlas.index --wirings`."""
    stored = wirings.stored()
    assert {name: stored.get(name) for name in few} == few
    assert {*stored} == {*entries()}


def test_constants_count():
    class Scaled(nn.Module):
        def __init__(self, number: float):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.register_buffer("code", torch.tensor([number, 1.0, 2.0, 3.0]).view(1, 4, 1, 1))

        def forward(self, x):
            return self.conv(x) * self.code

    signatures = {
        wiring.signature(wirings.neutral(wiring.of(Scaled(number), (3, 8, 8))))
        for number in (5.0, 6.0, 5.0)
    }
    assert len(signatures) == 2
