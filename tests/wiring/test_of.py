"""What a graph holds: names, counts, words for movements; which modules can be traced, and what is
said of those that cannot.
"""

from dataclasses import dataclass

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from test_clothes import Of, conv, shuffled

from convatlas import create_model, summary
from convatlas.wiring import Weight, match, of


def small() -> nn.Module:
    return nn.Sequential(conv(), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 5))


def ops(net: nn.Module, size=(3, 8, 8), **options) -> list[str]:
    return [node.op for node in of(net, size, **options).nodes]


def said(run) -> object:
    """Of the one movement in a network."""
    graph = of(Of(run, a=conv()), (3, 8, 8))
    (what,) = (node.own["what"] for node in graph.nodes if node.op == "rearrange")
    return what


def test_nodes_name_their_modules_weights_and_costs():
    graph = of(small(), (3, 8, 8))
    assert [node.op for node in graph.nodes] == ["input", "conv", "batch norm", "relu", "linear"]
    assert [node.name for node in graph.nodes] == ["", "0", "1", "2", "4"]
    assert [node.params for node in graph.nodes] == [0, 216, 16, 0, 2565]
    assert [node.macs for node in graph.nodes] == [0, 13824, 0, 0, 2560]
    assert [node.output for node in graph.nodes] == [(3, 8, 8), *[(8, 8, 8)] * 3, (5,)]
    assert graph.nodes[1].weights == (Weight("0.weight", (8, 3, 3, 3)),)
    assert [weight.name for weight in graph.nodes[2].weights] == [
        *("1.weight", "1.bias", "1.running_mean", "1.running_var")
    ]
    assert graph.readers == ((1,), (2,), (3,), (4,), ())


@pytest.mark.parametrize("name", ["resnet20_cifar", "mobilenet_v2_x0_35", "shufflenet_v2_x0_5"])
def test_costs_add_up_to_those_of_the_layer_table(name):
    net = create_model(name)
    graph = of(net)
    table = summary(net)
    assert sum(node.params for node in graph.nodes) == table.params
    assert sum(node.macs for node in graph.nodes) == sum(row.macs for row in table.rows)


def test_a_folded_norm_is_part_of_its_layer():
    folded = nn.Sequential(conv(bias=True), nn.ReLU(), nn.Flatten(), nn.Linear(512, 5))
    assert match(of(small(), (3, 8, 8)), of(folded, (3, 8, 8))) is None
    a, b = (of(net, (3, 8, 8), fold=True) for net in (small(), folded))
    assert match(a, b).weights["0.weight"] == "0.weight"
    assert ops(small(), fold=True) == ["input", "conv", "relu", "linear"]


def test_a_norm_is_not_folded_where_something_else_reads_the_layer():
    net = Of(lambda net, x: net.norm(y := net.a(x)) + y, a=conv(), norm=nn.BatchNorm2d(8))
    assert ops(net, fold=True) == ["input", "conv", "batch norm", "add"]


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (lambda net, x: shuffled(net.a(x), 4), "channel shuffle, 4 groups"),
        (lambda net, x: shuffled(net.a(x), 2)[:, :4], "channel shuffle, 2 groups, channels 0 to 3"),
        (lambda net, x: net.a(x)[:, 2:5], "channels 2 to 4"),
        (lambda net, x: net.a(x)[:, :, ::2, ::2], "every 2nd row, every 2nd column"),
        (lambda net, x: net.a(x).flip(3), "columns mirrored"),
        (lambda net, x: net.a(x).transpose(2, 3), "axes in the order 0, 2, 1"),
        (lambda net, x: net.a(x)[:, [3, 1, 2, 0, 4, 5, 6, 7]], "channels in another order"),
        (lambda net, x: net.a(x).flip(0), "elements across images"),
    ],
)
def test_words_for_a_movement(run, what):
    assert said(run) == what


def test_a_movement_and_its_inverse_are_none():
    net = Of(lambda net, x: shuffled(shuffled(net.a(x), 2), 4).flip(2).flip(2), a=conv())
    assert ops(net) == ["input", "conv"]


@dataclass
class Answer:
    logits: torch.Tensor


def test_modules_of_many_kinds():
    net = small().eval()
    x = torch.zeros(2, 3, 8, 8)
    expected = of(net, (3, 8, 8))
    for other in (
        torch.jit.script(net),
        torch.jit.trace(net, x),
        torch.fx.symbolic_trace(net),
        torch.export.export(net, (x,)),
        torch.export.export(net, (x[:1],)),
        nn.DataParallel(net),
        Of(lambda wrapper, x: Answer(wrapper.net(x)), net=net),
        Of(lambda wrapper, x: {"logits": [wrapper.net(x)]}, net=net),
    ):
        assert match(expected, of(other, (3, 8, 8))), type(other)


def test_a_lazy_module():
    lazy = nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 5))
    assert match(of(lazy, (3, 8, 8)), of(plain, (3, 8, 8)))


def test_what_python_decides_by_numbers_equals_nothing():
    net = Of(lambda net, x: net.a(x) if x.mean() > 0 else -net.a(x), a=conv())
    graph = of(net, (3, 8, 8))
    assert "numbers read" in [node.op for node in graph.nodes]
    assert match(graph, of(net, (3, 8, 8))) is None


def test_weights_that_no_checkpoint_holds_count_by_content():
    """A layer in a plain list: torch does not know it."""
    first, other = conv(), conv()
    nets = [Of(lambda net, x: net.layers[0](x)) for _ in range(3)]
    for net, layer in zip(nets, (first, first, other), strict=True):
        net.layers = [layer]
    graphs = [of(net, (3, 8, 8)) for net in nets]
    assert match(graphs[0], graphs[1])
    assert match(graphs[0], graphs[2]) is None


def test_a_network_is_left_as_it_was():
    net = small().train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    seen = []
    net[0].register_forward_hook(lambda *_: seen.append(1))
    of(net, (3, 8, 8))
    assert net.training
    assert seen == []
    assert len(net[0]._forward_hooks) == 1
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("net", "size", "message"),
    [
        (small(), None, "Sequential does not state an input size; give one"),
        (small(), 5, "input_size is 5, which is no size"),
        (small(), [(3, 8, 8), (3, 8, 8)], "input_size lists 2 sizes; a graph is of one image"),
        (small(), (1, 8, 8), "Sequential does not run on an input of 1x8x8 at 0"),
        (nn.Bilinear(3, 4, 5), (3,), "Bilinear does not run on an input of 3: .*input2"),
        (Of(lambda net, x: None), (3, 8, 8), "its answer, NoneType, holds no tensor"),
    ],
)
def test_what_cannot_be_traced(net, size, message):
    with pytest.raises(ValueError, match=message):
        of(net, size)


def test_a_hook_of_the_caller_counts_where_it_may_answer():
    watched, changed = small(), small()
    kept = []
    watched[0].register_forward_hook(lambda *_: kept.append(1))
    changed[0].register_forward_hook(lambda module, inputs, output: output * 2)
    assert ops(watched) == ops(small())
    assert ops(changed) == ["input", "conv", "forward hook", "batch norm", "relu", "linear"]


def test_names_of_several_answers_count():
    first, other, same = (
        of(Of(lambda net, x, names=names: dict(zip(names, (net.a(x), x), strict=True)), a=conv()),
           (3, 8, 8))
        for names in ("ab", "ba", "ab")
    )  # fmt: skip
    assert match(first, same)
    assert match(first, other) is None


def test_shared_weights_are_paid_for_once():
    net = Of(lambda net, x: net.b(net.b(net.a(x))), a=conv(), b=conv(8, 8))
    assert [node.params for node in of(net, (3, 8, 8)).nodes] == [0, 216, 576, 0]


def test_a_computed_weight_is_read_by_the_convolution():
    net = Of(
        lambda net, x: F.conv2d(x, net.a.weight - net.a.weight.mean((1, 2, 3), keepdim=True)),
        a=conv(),
    )
    graph = of(net, (3, 8, 8))
    last = graph.nodes[-1]
    assert last.op == "conv"
    assert [graph.nodes[read].op for read in last.reads] == ["input", "subtract"]
    assert sum(node.params for node in graph.nodes) == 216


def test_constants_that_are_made_where_the_image_is():
    """torch makes them without numbers there; and where all that is made is on no device."""

    def run(order):
        return lambda net, x: net.a(x)[:, torch.tensor(order, device=x.device)]

    a, b = ([0, 1, 2, 3], [3, 2, 1, 0])
    first, again, other = (of(Of(run(order), a=conv()), (3, 8, 8)) for order in (a, a, b))
    with torch.device("meta"):
        bare = of(Of(run(a), a=conv()), (3, 8, 8))
    assert match(first, again)
    assert match(first, bare)
    assert match(first, other) is None


def test_a_movement_is_named_after_the_module_that_moves():
    net = nn.Sequential(conv(), nn.ChannelShuffle(2), conv(8, 8))
    assert [node.name for node in of(net, (3, 8, 8)).nodes] == ["", "0", "1", "2"]
