"""Where the cost goes: held against counts made with other means, and against small networks whose
figures can be worked out by hand.
"""

from collections import Counter
from math import prod

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas import registry
from convatlas.anatomy import network_graph, summary
from convatlas.anatomy.cost import Cost, cost_of
from convatlas.anatomy.liveness import peak
from convatlas.anatomy.network_graph import Box, NetworkGraph
from convatlas.anatomy.spending import hands_on, spent
from convatlas.costing import cost
from convatlas.shapes_only import shapes_only

FAMILIES = (
    *("mobilenet_v1", "mobilenet_v3_large", "shufflenet_v1_g3", "resnext50_32x4d", "googlenet"),
    *("vgg11", "alexnet", "densenet121", "squeezenet1_0", "resnet50", "efficientnet_b0"),
    "lenet_caffe",  # reads a single channel, in one group
)


def counted(name: str) -> dict[str, Counter]:
    """Multiply-adds and parameters by kind of layer, by hooks on the modules themselves."""
    with shapes_only():
        net = registry.create_model(name).eval()
    found = {"macs": Counter(), "params": Counter()}

    def hook(module, args, output):
        kind = "other"
        if isinstance(module, nn.Conv2d):
            groups, channels = module.groups, args[0].shape[1]
            kind = "x".join(map(str, module.kernel_size))
            kind = ("depthwise " if groups == channels > 1 else "grouped " * (groups > 1)) + kind
            found["macs"][kind] += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            kind = "fully connected"
            found["macs"][kind] += module.weight.numel() * output.numel() // output.shape[-1]
        elif "Norm" in type(module).__name__:
            kind = "normalisation"
        found["params"][kind] += sum(p.numel() for p in module.parameters())

    for module in net.modules():
        if not next(module.children(), None):
            module.register_forward_hook(hook)
    net(torch.empty(1, *net.input_size, device="meta"))
    return {what: Counter({k: n for k, n in each.items() if n}) for what, each in found.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_shares_equal_an_independent_count(name):
    expected, found = counted(name), cost(name)
    for what in ("macs", "params"):
        shares = {share.name: getattr(share, what) for share in found.kinds}
        assert {kind: n for kind, n in shares.items() if n} == expected[what]


def test_every_network_adds_up():
    for name, facts in registry.stored_facts().items():
        found = cost(name)
        for shares in (found.kinds, found.stages):
            assert sum(share.macs for share in shares) == facts["macs"], name
            assert sum(share.params for share in shares) == facts["params"] - facts["idle"], name
            assert sum(share.values for share in shares) == found.total.values, name
            assert sum(share.moved for share in shares) == found.total.moved, name
        least = max(prod(box.output) for box in found.boxes)
        assert found.peak.values >= found.peak_in_place.values >= least, name


def test_table_2_of_mobilenets():
    found = cost("mobilenet_v1")
    printed = {"1x1": "94.86", "depthwise 3x3": "3.06", "fully connected": "0.18"}
    assert {kind: f"{100 * found.share(kind):.2f}" for kind in printed} == printed


def held_at(graph: NetworkGraph, time: int) -> int:
    """By the definition: every map that was written by then and is read then or later."""

    def readers(place: int) -> list[int]:
        found = []
        for reader in graph.readers[place]:
            found += [reader, *(readers(reader) if hands_on(graph.boxes[reader]) else ())]
        return found

    return sum(
        prod(box.output)
        for place, box in enumerate(graph.boxes)
        if place <= time and not (hands_on(box) and box.reads)
        if place == time or max(readers(place), default=place) >= time
    )


@pytest.mark.parametrize("name", ["lenet5", "googlenet", "resnet20_cifar", "shufflenet_v1_g3"])
def test_the_peak_is_what_the_definition_says(name):
    graph = network_graph.stored(name)
    found = cost(name).peak
    assert found.values == max(held_at(graph, time) for time in range(len(graph.boxes)))


class Residual(nn.Module):
    input_size = (4, 8, 8)

    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(4, 16, 1)
        self.narrow = nn.Conv2d(16, 4, 3, padding=1, groups=4)

    def forward(self, x):
        return x + self.narrow(F.relu(self.wide(x)))


def measured(net: nn.Module, size: tuple[int, ...]) -> Cost:
    return cost_of("net", network_graph.of(net, size), summary(net, size).rows)


def test_a_residual_unit_worked_out_by_hand():
    found = measured(Residual(), (4, 8, 8))
    x, wide = 4 * 64, 16 * 64
    kinds = {share.name: share for share in found.kinds}
    assert {name: share.macs for name, share in kinds.items()} == {
        **{"1x1": 64 * 4 * 16, "grouped 3x3": 64 * 9 * 4 * 4},
        **{"activation": 0, "join": 0},
    }
    assert found.peak.values == x + 2 * wide  # the shortcut, and relu's two maps
    assert found.peak_in_place.values == 2 * x + wide  # narrow reads wide, and the shortcut waits
    assert kinds["1x1"].moved == x + wide + 4 * 16 + 16
    assert kinds["join"].moved == 3 * x


def test_what_hands_on_writes_nothing():
    size = (4, 8, 8)
    plain = measured(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()), size)
    passed = measured(
        nn.Sequential(nn.Conv2d(4, 4, 1), nn.Dropout(), nn.Identity(), nn.ReLU()), size
    )
    assert plain.total.values == passed.total.values == 2 * 4 * 64
    assert plain.total.moved == passed.total.moved
    assert plain.peak.values == passed.peak.values


def test_a_map_that_is_read_again_is_not_written_over():
    boxes = (
        Box("", "input", (), (1, 2, 2)),
        Box("a", "relu", (0,), (1, 2, 2)),
        Box("b", "relu", (1,), (1, 2, 2)),
        Box("c", "add", (1, 2), (1, 2, 2)),
        Box("", "output", (3,), (1, 2, 2)),
    )
    graph = NetworkGraph("net", (1, 2, 2), boxes)
    taken = spent(graph, ())
    assert peak(graph, taken).values == 12  # a, b and their sum
    assert peak(graph, taken, in_place=True).values == 8


def test_a_table_of_connections_is_no_depthwise_convolution():
    """LeNet-1989's layers keep theirs in the groups of one convolution."""
    kinds = {box.name: box.kind for box in cost("lenet1989_zip").boxes if box.macs}
    assert (kinds["H1.layer"], kinds["H2.layer"]) == ("5x5", "5x5")
