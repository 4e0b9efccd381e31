"""Graphs of ONNX, read as data: the same network as the code that they came from, or a sentence."""

import struct

import pytest
import torch
import torch.nn.functional as F
from onnx_writer import LENET, LENET_HELD, field, model, node, tensor, value, whole, written
from torch import nn

from convatlas import wiring
from convatlas.errors import IdentifyError
from convatlas.identification.onnx_file import read
from convatlas.identification.onnx_module import Exported, OnnxNetwork
from convatlas.identification.running import opened
from convatlas.identification.subject import There
from convatlas.identification.target import parse
from convatlas.identification.verdict import judged


@pytest.mark.usefixtures("index")
def test_a_graph_is_the_network_of_its_code(tmp_path):
    """LeNet as an exporter may leave it: a matrix either way round, and a bias of its own."""
    path = written(tmp_path / "net.onnx", model(LENET, LENET_HELD, (1, 1, 28, 28)))
    with opened(parse(path)) as process:
        assert process.networks() == [""]
        verdict = judged(There(process, 0, "net.onnx"))
    assert (verdict.kind, verdict.network, verdict.size) == ("same", "lenet5_tutorial", (1, 28, 28))
    assert verdict.changes() == []


def test_steps_and_weights_have_the_names_of_the_file(tmp_path):
    path = written(tmp_path / "net.onnx", model(LENET, LENET_HELD, (1, 1, 28, 28)))
    graph, _ = Exported("", OnnxNetwork(path)).traced([])
    layers = [node for node in graph.nodes if node.weights]
    assert [layer.name for layer in layers] == ["c1", "c2", "f1", "f2", "f3"]
    assert [weight.name for weight in layers[3].weights] == ["f2.weight", "f2.bias"]


class Functions(nn.Module):
    """What one operator does, in torch's own words."""

    def __init__(self, function, *weights: tuple[int, ...]):
        super().__init__()
        self.function = function
        self.held = nn.ParameterList(nn.Parameter(torch.zeros(shape)) for shape in weights)

    def forward(self, x):
        return self.function(x, *self.held)


def scalar(name: str, number: float) -> bytes:
    return tensor(name, (), struct.pack("<f", number))


def shuffled(x):
    return x.reshape(-1, 2, 2, 32, 32).transpose(1, 2).reshape(-1, 4, 32, 32)


ONE = {  # operator -> (node, constants, the same in torch, its weights)
    "LRN": (
        node("LRN", "image", "answer", size=5, alpha=5e-4, beta=0.75, bias=2.0),
        [],
        lambda x: F.local_response_norm(x, 5, 5e-4, 0.75, 2.0),
        [],
    ),
    "SAME padding": (
        node(
            "Conv", "image w", "answer", kernel_shape=(3, 3), strides=(2, 2), auto_pad="SAME_UPPER"
        ),
        [tensor("w", (4, 3, 3, 3))],
        lambda x, w: F.conv2d(F.pad(x, (0, 1, 0, 1)), w, stride=2),
        [(4, 3, 3, 3)],
    ),
    "padding apart": (
        node("Pad", "image pads", "p")
        + node("Conv", "p w", "answer", kernel_shape=(3, 3), group=3),
        [whole("pads", 0, 0, 1, 0, 0, 0, 1, 2), tensor("w", (6, 1, 3, 3))],
        lambda x, w: F.conv2d(F.pad(x, (0, 2, 1, 1)), w, groups=3),
        [(6, 1, 3, 3)],
    ),
    "relu6": (
        node("Clip", "image low high", "answer"),
        [scalar("low", 0.0), scalar("high", 6.0)],
        lambda x: F.relu6(x),
        [],
    ),
    "swish": (
        node("Sigmoid", "image", "s") + node("Mul", "s image", "answer"),
        [],
        lambda x: F.silu(x),
        [],
    ),
    "channel shuffle": (
        node("Conv", "image w", "c", kernel_shape=(1, 1))
        + node("Reshape", "c one", "r")
        + node("Transpose", "r", "t", perm=(0, 2, 1, 3, 4))
        + node("Reshape", "t two", "u")
        + node("Conv", "u v", "answer", kernel_shape=(3, 3)),
        [
            *(tensor("w", (4, 3, 1, 1)), tensor("v", (5, 4, 3, 3))),
            *(whole("one", 1, 2, 2, 32, 32), whole("two", 1, 4, 32, 32)),
        ],
        lambda x, w, v: F.conv2d(shuffled(F.conv2d(x, w)), v),
        [(4, 3, 1, 1), (5, 4, 3, 3)],
    ),
    "a split, an uneven sum and a concat": (
        node("Split", "image parts", "a b", axis=1)
        + node("Sub", "b one", "d")
        + node("Concat", "d a", "answer", axis=1),
        [whole("parts", 1, 2), scalar("one", 1.0)],
        lambda x: torch.cat([x[:, 1:] - 1, x[:, :1]], 1),
        [],
    ),
    "a gate": (
        node("ReduceMean", "image", "m", axes=(2, 3), keepdims=1)
        + node("Conv", "m w", "g", kernel_shape=(1, 1))
        + node("HardSigmoid", "g", "h", alpha=1 / 6)
        + node("Mul", "image h", "answer"),
        [tensor("w", (3, 3, 1, 1))],
        lambda x, w: x * F.hardsigmoid(F.conv2d(x.mean((2, 3), keepdim=True), w)),
        [(3, 3, 1, 1)],
    ),
}


@pytest.mark.parametrize("kind", ONE)
def test_an_operator_does_what_torch_calls_so(kind, tmp_path):
    nodes, held, function, weights = ONE[kind]
    path = written(tmp_path / "net.onnx", model(nodes, held, (1, 3, 32, 32)))
    graph, _ = Exported("", OnnxNetwork(path)).traced([])
    same = wiring.of(Functions(function, *weights), (3, 32, 32))
    assert wiring.match(graph, same) is not None
    other = wiring.of(Functions(lambda x, *w: function(x, *w) * 2, *weights), (3, 32, 32))
    assert wiring.match(graph, other) is None


RELU = node("Relu", "image", "answer")
BAD = {
    "nothing": (b"", "is empty; export it again"),
    "text": (b"hello, world", "is no ONNX file, or damaged; export it again"),
    "half a file": (model(LENET, LENET_HELD)[:9000], "is no ONNX file, or damaged"),
    "no nodes": (model(b"", []), "is no ONNX file, or damaged"),
    "an operator that is not known": (
        model(node("NonMaxSuppression", "image", "b") + node("Relu", "b", "answer"), []),
        r"operators that are not known: NonMaxSuppression \(1\); read so far: 1 of 2 operations, "
        "0 weights; give the code that it was exported from",
    ),
    "an operator of somebody's own": (
        model(node("Relu", "image", "answer", domain="com.example"), []),
        r"not known: Relu of com.example \(1\)",
    ),
    "a use that is not known": (
        model(node("LRN", "image", "a", size=4) + node("Relu", "a", "answer"), []),
        "LRN is a local response norm over an even number of channels, which is not known; read so "
        "far: 0 of 2 operations",
    ),
    "two inputs": (
        model(RELU, [], inputs=("image", "mask")),
        r"reads 2 inputs \(image, mask\); only networks of one are known",
    ),
    "a loop": (
        model(node("Relu", "answer", "answer"), []),
        "runs on no size tried",
    ),
    "a giant constant": (
        model(
            node("ConstantOfShape", "shape", "c") + node("Add", "image c", "answer"),
            [whole("shape", 10**6, 10**6)],
        ),
        "a constant of more than a million numbers",
    ),
    "a shape that does not fit": (
        model(node("Reshape", "image shape", "answer"), [whole("shape", 1, 7)]),
        "runs on no size tried",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_is_a_sentence(kind, tmp_path):
    content, said = BAD[kind]
    path = written(tmp_path / "net.onnx", content)
    with pytest.raises(IdentifyError, match=said) as caught:
        Exported("", OnnxNetwork(path)).traced([(3, 32, 32)])
    assert "\n" not in str(caught.value)


def test_no_other_file_is_opened(tmp_path):
    """Of weights in another file the shapes are enough; a constant there is refused."""
    outside = field(13, field(1, "location") + field(2, "../../etc/passwd")) + field(14, 1)
    weight = field(1, 4) + field(1, 3) + field(1, 1) + field(1, 1) + field(2, 1) + field(8, "w")
    path = written(
        tmp_path / "net.onnx",
        model(node("Conv", "image w", "answer", kernel_shape=(1, 1)), [weight + outside]),
    )
    graph, _ = Exported("", OnnxNetwork(path)).traced([])
    assert graph.nodes[-1].weights[0].shape == (4, 3, 1, 1)
    number = field(2, 1) + field(8, "w")
    path = written(
        tmp_path / "net.onnx", model(node("Mul", "image w", "answer"), [number + outside])
    )
    with pytest.raises(IdentifyError, match="reads a constant that stands in another file"):
        OnnxNetwork(path)


@pytest.mark.parametrize("cut", range(40, len(model(LENET, LENET_HELD)), 61_007))
def test_a_file_cut_anywhere_is_refused_or_read(cut, tmp_path):
    path = written(tmp_path / "net.onnx", model(LENET, LENET_HELD)[:cut])
    with pytest.raises(IdentifyError):
        read(path)


def test_any_size_is_tried_where_the_file_states_none(tmp_path):
    path = written(tmp_path / "net.onnx", model(RELU, [], ("batch", 3, "height", "width")))
    assert OnnxNetwork(path).sizes()[0] == (3, 224, 224)
    assert value("x", 1) != value("x", "1")
