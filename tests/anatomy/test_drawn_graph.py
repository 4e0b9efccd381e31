"""Drawn graphs: rows of the layer table and the joins between them, wired as the pass runs."""

import gzip
import subprocess
import sys

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from skips import needs
from torchvision import models

from convatlas import registry
from convatlas.anatomy import Summary, network_graph, summary
from convatlas.anatomy.linking import Linked
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.index import HERE
from convatlas.shapes_only import shapes_only

SIZE = (4, 8, 8)
KNOWN_UNREAD = {"joining"}  # NASNet's reduction cells make it and concatenate other maps


class Net(nn.Module):
    """Two convolutions and whatever a function does with them."""

    def __init__(self, function):
        super().__init__()
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.same = nn.Identity()
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def wires(function) -> list[str]:
    """ "add of a, b": each box with what it reads, layers by name, the input as x."""
    graph = network_graph.of(Net(function), SIZE)

    def word(place: int) -> str:
        box = graph.boxes[place]
        return "x" if box.kind == "input" else box.name if box.row is not None else box.kind

    return [f"{word(i)} of {', '.join(map(word, b.reads))}" for i, b in enumerate(graph.boxes) if i]


def filled(net, x):
    whole = torch.zeros_like(x)
    whole[:, :2] = net.a(x)[:, :2]
    whole[:, 2:] = net.b(x)[:, 2:]
    return whole


def padded(net, x):
    whole = x.new_zeros(1, 8, 8, 8)
    whole[:, :4] = net.a(x)
    return whole


def shifted(net, x):
    y = net.a(x)
    y[:, :2] += 1
    return net.b(y)


def emptied(net, x):
    y = net.a(x)
    y[:, :2] = 0
    return y


def shuffled(net, x):
    return net.b(net.a(x).view(1, 2, 2, 8, 8).transpose(1, 2).reshape(1, 4, 8, 8))


def chunked(net, x):
    one, other = net.a(x).chunk(2, 1)
    return net.b(torch.cat([other, one], 1))


def in_place(net, x):
    y = net.a(x)
    z = net.relu(y)
    return y + net.b(z)


CASES = {
    "a chain": (lambda n, x: n.b(n.a(x)), ["a of x", "b of a", "output of b"]),
    "a shortcut": (lambda n, x: n.a(x) + x, ["a of x", "add of a, x", "output of add"]),
    "an identity": (
        lambda n, x: n.b(n.a(x)) + n.same(x),
        ["a of x", "b of a", "same of x", "add of b, same", "output of add"],
    ),
    "an identity that goes before": (
        lambda n, x: n.same(x) + n.a(x),
        ["same of x", "a of x", "add of same, a", "output of add"],
    ),
    "a gate": (
        lambda n, x: n.a(x) * n.b(x).mean((2, 3), keepdim=True).sigmoid(),
        [
            *("a of x", "b of x", "mean of b", "sigmoid of mean"),
            *("multiply of a, sigmoid", "output of multiply"),
        ],
    ),
    "one sum of three": (
        lambda n, x: n.a(x) + n.b(x) + x,
        ["a of x", "b of x", "add of a, b, x", "output of add"],
    ),
    "python's sum": (
        lambda n, x: sum([n.a(x), n.b(x)]),
        ["a of x", "b of x", "add of a, b", "output of add"],
    ),
    "twice the same": (lambda n, x: x + x, ["add of x, x", "output of add"]),
    "a concat": (
        lambda n, x: torch.cat([n.a(x), x], 1),
        ["a of x", "concat of a, x", "output of concat"],
    ),
    "parts": (
        chunked,
        [
            *("a of x", "split of a", "split of a", "concat of split, split", "b of concat"),
            "output of b",
        ],
    ),
    "a part of a part": (
        lambda n, x: n.a(x)[:, :, ::2][:, :, :, ::2],
        ["a of x", "crop of a", "output of crop"],
    ),
    "a shuffle": (shuffled, ["a of x", "shuffle of a", "b of shuffle", "output of b"]),
    "shapes alone": (
        lambda n, x: n.b(n.a(x).flatten(2).view(1, 4, 8, 8).permute(0, 1, 3, 2)),
        ["a of x", "b of a", "output of b"],
    ),
    "written part by part": (
        filled,
        [
            *("a of x", "split of a", "b of x", "split of b", "concat of split, split"),
            "output of concat",
        ],
    ),
    "zeros around": (padded, ["a of x", "pad of a", "output of pad"]),
    "padding": (lambda n, x: F.pad(n.a(x), (1, 1)), ["a of x", "pad of a", "output of pad"]),
    "a part that is changed": (
        shifted,
        [
            "a of x",
            "split of a",
            "shift of split",
            "write of a, shift",
            "b of write",
            "output of b",
        ],
    ),
    "a part that is emptied": (
        emptied,
        ["a of x", "split of a", "fill of split", "write of a, fill", "output of write"],
    ),
    "in place": (
        in_place,
        ["a of x", "relu of a", "b of relu", "add of relu, b", "output of add"],
    ),
    "one layer twice": (
        lambda n, x: n.a(x) - n.a(n.b(x)),
        ["a of x", "b of x", "a of b", "subtract of a, a", "output of subtract"],
    ),
    "two answers": (
        lambda n, x: {"one": n.a(x), "other": [n.b(x)]},
        ["a of x", "b of x", "output of a, b"],
    ),
    "what nobody reads": (
        lambda n, x: (x + 1, n.a(x))[1],
        ["a of x", "output of a"],
    ),
    "numbers": (
        lambda n, x: (n.a(x) * 2 + 0) * 1 + 3,
        ["a of x", "scale of a", "shift of scale", "output of shift"],
    ),
}


@pytest.mark.parametrize(("function", "expected"), CASES.values(), ids=CASES)
def test_boxes_are_wired_as_the_pass_runs(function, expected):
    assert wires(function) == expected


class Own(nn.Module):
    """Weights of its own beside parts that have theirs."""

    def __init__(self, inside: bool):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.inside = inside

    def forward(self, x):
        if self.inside:
            return self.conv(x * self.scale).relu()
        return (x * self.scale + 1).relu()


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (
            True,
            [
                ("", "Own", (0,), 1),
                ("conv", "Conv2d", (1,), 0),
                ("", "relu", (2,), None),
                ("", "output", (3,), None),
            ],
        ),
        (False, [("", "Own", (0,), 0), ("", "output", (1,), None)]),
    ],
    ids=["with a layer inside", "alone"],
)
def test_a_module_with_weights_of_its_own_is_a_box_where_it_reads_them(inside, expected):
    graph = network_graph.of(Own(inside), SIZE)
    assert [(b.name, b.kind, b.reads, b.row) for b in graph.boxes[1:]] == expected


def test_several_inputs_are_several_boxes():
    class Two(nn.Module):
        def forward(self, a, b):
            return a + b

    graph = network_graph.of(Two(), [SIZE, SIZE])
    assert [box.kind for box in graph.boxes] == ["input", "input", "Two", "output"]
    assert graph.boxes[2].reads == (0, 1)


def test_a_network_stays_as_it_was():
    net = Net(in_place)
    before = {name: t.clone() for name, t in net.state_dict().items()}
    first, again = network_graph.of(net, SIZE), network_graph.of(net, SIZE)
    assert first == again
    assert net.training and not net.a._forward_hooks
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())


def holds(net: nn.Module, size=None) -> tuple[NetworkGraph, Summary]:
    """What is true of every graph; returned with the network's own summary."""
    trace, table = Linked.of(net, size), summary(net, size)
    assert trace.rows == [*table.rows]
    graph = trace.graph
    boxes = graph.boxes
    rows = [box.row for box in boxes if box.row is not None]
    assert sorted(rows) == list(range(len(table.rows)))
    for place, box in enumerate(boxes):
        assert all(read < place for read in box.reads)
        assert (box.kind == "input") == (place == 0)
        assert bool(box.reads) == (place > 0)
        if box.row is not None:
            row = table.rows[box.row]
            assert (box.name, box.kind, box.output) == (row.name, row.kind, row.output)
    assert boxes[-1].kind == "output"
    unread = [b for b, readers in zip(boxes, graph.readers, strict=True) if not readers]
    assert all(box.row is not None or box is boxes[-1] for box in unread)
    assert [box for box in unread if box.row is not None and table.rows[box.row].params] == []
    return graph, table


@pytest.mark.parametrize("name", ["lenet5", "resnet20_cifar", "shufflenet_v2_x0_5", "sknet26"])
def test_a_graph_measured_now_has_the_rows_of_the_table(name):
    with shapes_only():
        net = registry.create_model(name)
    graph, table = holds(net)
    record = graph.to_record()
    assert "rows" not in record
    assert NetworkGraph.from_record(name, record, [row.to_row() for row in table.rows]) == graph


TORCHVISION = ("resnet50", "googlenet", "densenet121", "efficientnet_b0", "shufflenet_v2_x1_0")
TIMM = ("resnet26d", "mobilenetv3_small_100", "nasnetalarge", "vit_tiny_patch16_224", "res2net50d")


def others() -> list:
    timm = needs("timm is not installed", "timm")
    return [
        *(f"torchvision {name}" for name in TORCHVISION),
        *(pytest.param(f"timm {name}", marks=timm) for name in TIMM),
    ]


def made_by(library: str, name: str) -> nn.Module:
    if library == "torchvision":
        learnt = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
        return models.get_model(name, weights=None, **learnt)
    import timm

    return timm.create_model(name)


@pytest.mark.parametrize("which", others())
def test_other_peoples_networks_are_drawn(which):
    library, name = which.split()
    with torch.device("meta"):
        net = made_by(library, name)
    holds(net, (3, 224, 224))


@pytest.mark.parametrize("way", ["exported", "scripted", "fx"])
def test_programs_are_drawn_by_the_weights_they_read(way):
    net = models.resnet18(weights=None).eval()
    expected = [box.reads for box in network_graph.of(net, (3, 64, 64)).boxes]
    if way == "exported":
        net = torch.export.export(net, (torch.zeros(1, 3, 64, 64),))
    else:
        net = torch.jit.script(net) if way == "scripted" else torch.fx.symbolic_trace(net)
    graph, _ = holds(net, None if way == "exported" else (3, 64, 64))
    assert [box.reads for box in graph.boxes] == expected


class Mixed(nn.Module):
    """What is no image: a sequence, attention, a layer of unknown size."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.recurrent = nn.LSTM(4, 5, batch_first=True)
        self.last = nn.LazyLinear(7)

    def forward(self, x):
        words = self.conv(x).relu().flatten(2).transpose(1, 2)
        words = words + self.attention(words, words, words)[0]
        return self.last(self.recurrent(words)[0][:, -1])


def test_a_module_that_runs_none_of_its_parts_is_one_box():
    graph, _ = holds(Mixed(), (3, 8, 8))
    assert [(box.kind, box.reads) for box in graph.boxes[2:-1]] == [
        *(("relu", (1,)), ("MultiheadAttention", (2,)), ("add", (2, 3)), ("LSTM", (4,))),
        *(("split", (5,)), ("Linear", (6,))),
    ]


@pytest.mark.parametrize("name", registry.stored_facts())
def test_every_stored_graph_has_all_rows_between_input_and_output(name):
    boxes, rows = network_graph.stored(name).boxes, registry.describe(name)["layers"]["rows"]
    assert [box.row for box in boxes if box.row is not None] == [*range(len(rows))]
    ahead, behind = {0}, {len(boxes) - 1}
    for place, box in enumerate(boxes):
        ahead |= {place} if {*box.reads} & ahead else set()
    for place in reversed(range(len(boxes))):
        behind |= {*boxes[place].reads} if place in behind else set()
    apart = [box.name for place, box in enumerate(boxes) if place not in ahead & behind]
    assert {name.rpartition(".")[2] for name in apart} <= KNOWN_UNREAD


def test_all_stored_graphs_are_small():
    files = (HERE / "graphs").glob("*.json")
    assert sum(len(gzip.compress(file.read_bytes(), mtime=0)) for file in files) <= 250_000


def test_a_network_that_is_not_stored_is_told():
    with pytest.raises(ValueError, match=r"holds no graph of lenet6; `python -m conv"):
        network_graph.stored("lenet6")


def test_a_stored_graph_needs_no_torch():
    code = (
        "import sys; from convatlas.anatomy import network_graph; "
        "graph = network_graph.stored('lenet5'); assert graph.boxes[1].name == 'C1.layer'; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
