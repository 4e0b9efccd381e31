"""Other people's modules: scripted, exported, wrapped, compiled, quantised."""

import pytest
import torch
import torch.nn as nn
from anybodys import CONV, REAL, X

from convatlas.anatomy import summary


def small() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 2, 3, stride=2, groups=2), nn.Flatten(), nn.Linear(18, 5)),
    ).eval()


LAYERS = [
    ("0", "Conv2d", (3, 3), (1, 1), 108, 6912, 3),
    ("1", "BatchNorm2d", None, None, 8, 0, 3),
    ("3", "Conv2d", (3, 3), (2, 2), 38, 9 * 2 * 18, 5),
    ("5", "Linear", None, None, 95, 90, 9),
]


def layers(counted) -> list[tuple]:
    return [
        (row.name, row.kind, row.kernel, row.stride, row.params, row.macs, row.receptive_field)
        for row in counted.rows
        if row.params
    ]


def test_a_plain_network_is_the_measure_of_those_in_other_clothes():
    assert layers(summary(small(), (3, 8, 8))) == LAYERS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dress", [torch.jit.script, lambda net: torch.jit.trace(net, X)])
def test_a_scripted_network_has_its_layers(dress):
    counted = summary(dress(small()), (3, 8, 8))
    assert layers(counted) == LAYERS
    assert (counted.params, counted.macs, counted.layers) == (249, 7326, 3)
    assert counted.notes == (f"{REAL}a scripted module cannot be moved to the meta device",)
    assert counted.network == "Sequential"


def test_an_exported_network_has_its_layers():
    exported = torch.export.export(small(), (X,))
    for counted in (summary(exported), summary(exported.module(), (3, 8, 8))):
        assert layers(counted) == LAYERS
        assert (counted.params, counted.macs, counted.layers) == (249, 7326, 3)
        assert len(counted.rows) == 4


def test_a_parallel_network_is_the_one_inside():
    net = small()
    assert summary(nn.DataParallel(net), (3, 8, 8)) == summary(net, (3, 8, 8))


@pytest.mark.full
def test_a_compiled_network_is_the_one_inside():
    net = small()
    assert summary(torch.compile(net), (3, 8, 8)) == summary(net, (3, 8, 8))


@pytest.mark.filterwarnings("ignore")
def test_a_quantised_layer_counts_its_products():
    net = torch.ao.quantization.quantize_dynamic(small(), {nn.Linear})
    counted = summary(net, (3, 8, 8))
    assert (counted.params, counted.macs) == (154, 7326)
    assert counted.notes[1] == "90 quantised weights are packed away, and not among the parameters"


@pytest.mark.filterwarnings("ignore")
def test_a_network_that_works_on_whole_numbers_counts():
    ao = torch.ao.quantization
    net = nn.Sequential(ao.QuantStub(), nn.Conv2d(3, 4, 3, padding=1), ao.DeQuantStub()).eval()
    net.qconfig = ao.get_default_qconfig("fbgemm")
    ao.prepare(net, inplace=True)
    net(X)
    counted = summary(ao.convert(net), (3, 8, 8))
    assert (counted.params, counted.macs, counted.layers) == (0, CONV[1], 1)
    assert "108 quantised weights are packed away, and not among the parameters" in counted.notes
