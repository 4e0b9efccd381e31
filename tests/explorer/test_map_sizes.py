"""Sizes of maps for any input: as the networks themselves make them."""

import json
from importlib import resources

import pytest

import convatlas
from convatlas import registry
from convatlas.anatomy import network_graph
from convatlas.explorer import sources, steps
from convatlas.shapes_only import shapes_only

LAYERS = resources.files("convatlas") / "index" / "layers"
SIZES = {  # other inputs that the network reads
    "resnet50": (97, 225, 320),
    "resnet18_option_a": (97, 225),
    "googlenet": (193, 250),
    "inception_v3": (221, 331),
    "mobilenet_v2": (97, 225),
    "mobilenet_v2_released": (97, 225),
    "densenet121": (97, 225),
    "dpn92": (97, 225),
    "efficientnet_b0": (97, 225),
    "squeezenet1_0": (193, 250),
    "squeezenet1_1": (193, 250),
    "shufflenet_v2": (97, 225),
    "xception": (193, 250),
    "nin_cifar10": (40, 47),
}


def way(name: str) -> tuple[steps.Steps, list[list]]:
    rows = json.loads((LAYERS / f"{name}.json").read_text())["rows"]
    up = sources.rounded_up(registry.stored_facts()[name]["family"])
    return steps.steps(network_graph.stored(name), rows, up), rows


@pytest.mark.parametrize("name", list(registry.stored_facts()))
def test_the_printed_size_gives_the_table(name):
    found, rows = way(name)
    heights = found.sizes(registry.stored_facts()[name]["input_size"][1])
    wrong = [
        row[0]
        for row, step in zip(rows, found.of_row, strict=True)
        if step != steps.NOWHERE and heights[step] != row[6][1]
    ]
    assert wrong == []


@pytest.mark.parametrize("name", SIZES)
def test_other_sizes_are_what_the_network_makes(name):
    found, rows = way(name)
    with shapes_only():
        net = convatlas.create_model(name)
    for size in SIZES[name]:
        heights = found.sizes(size)
        channels = registry.stored_facts()[name]["input_size"][0]
        measured = convatlas.summary(net, (channels, size, size)).rows
        wrong = [
            (layer.name, heights[step], layer.output)
            for layer, row, step in zip(measured, rows, found.of_row, strict=True)
            if step != steps.NOWHERE and heights[step] != layer.output[1]
        ]
        assert wrong == [], size


@pytest.mark.parametrize(
    ("rounding", "height", "size"), [("floor", 7, 3), ("ceil", 8, 4), ("same", 7, 4)]
)
def test_roundings(rounding, height, size):
    assert steps.Step(0, 3, 2, 0, rounding).size(height) == size


def test_what_binds_the_size():
    assert steps.whole_maps(network_graph.stored("vgg16"))[:1] == ["fc6.fc"]
    assert steps.whole_maps(network_graph.stored("resnet50")) == []
