"""A network's ONNX graph in whole numbers of 8 bits, as ONNX Runtime and OpenVINO read it: static
QuantizeLinear/DequantizeLinear pairs, weights signed and per channel, activations unsigned with the
extremes of the calibration pictures; and how far each layer is from what it was.
"""

import contextlib
import logging
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from convatlas.deploy.engines import needed
from convatlas.deploy.record import KEY
from convatlas.deploy.writers import network_graph, record_of, with_pictures
from convatlas.model_file import Saved

# Not Softmax: probabilities in steps of 1/255 would say 0 of every class but the first few.
COMPUTING = (
    *("Conv", "Gemm", "MatMul", "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool"),
)
# these hand on the whole numbers that they are given
MOVING = (
    *("Split", "Slice", "Gather", "Pad", "MaxPool", "Relu", "Clip"),
    *("Transpose", "Reshape", "Squeeze", "Unsqueeze"),
)


@dataclass(frozen=True)
class LayerError:
    """How far one layer, alone in int8, is from itself in float, given the same input."""

    layer: str  # as the network calls it, where it has weights; else as the graph does
    node: str
    error: float  # root mean square over the pictures by that of the layer, mean of its channels


def network_of(saved: Saved) -> onnx.ModelProto:
    return network_graph(saved)


def write(saved: Saved, int8: onnx.ModelProto, path: Path) -> None:
    """The network behind the graph that makes its input of pictures, in one file."""
    whole = with_pictures(saved, int8)
    onnx.helper.set_model_props(whole, {KEY: record_of(saved).to_json()})
    path.write_bytes(whole.SerializeToString())


class _Reader:
    """Calibration inputs as ONNX Runtime asks for them."""

    def __init__(self, inputs: Sequence[np.ndarray]):
        self.left = iter(inputs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self.left, None)
        return None if batch is None else {"images": batch}


def quantised(
    network: onnx.ModelProto, inputs: Sequence[np.ndarray], in_float: Collection[str] = ()
) -> onnx.ModelProto:
    """A network that reads `images` with its layers in int8, but for the nodes named.

    `inputs` are batches (N, C, H, W) as the network reads them. Raises ExportError where ONNX
    Runtime is missing.
    """
    needed("onnxruntime", "onnx", "--int8")
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    own = onnx.ModelProto()
    own.CopyFrom(network)  # which is altered on the way
    with tempfile.TemporaryDirectory(prefix="convatlas-") as folder, _quiet():
        place = Path(folder) / "int8.onnx"
        quantize_static(
            own,
            place,
            _Reader(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*COMPUTING, *MOVING],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(in_float),
            calibrate_method=CalibrationMethod.MinMax,
            # the last layer answers: two classes closer than a step would be a draw
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"]},
        )
        model = onnx.load(place)
    del model.metadata_props[:]
    return model


@contextlib.contextmanager
def _quiet():
    """Without the advice to fold what the exporter has folded already."""
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def layer_errors(
    network: onnx.ModelProto, int8: onnx.ModelProto, inputs: Sequence[np.ndarray]
) -> list[LayerError]:
    """Of every layer in int8, the worst first.

    Each layer is run alone: on the float network's own values, so that no layer answers for one
    before it. Each channel counts alike, so that one channel far above the others, which takes all
    steps of the scale for itself, shows. The graph itself sums the squares of each channel: what
    all layers give, twice, would be too much to hold.
    """
    ort = needed("onnxruntime", "onnx", "--int8")
    model, layers = _each_alone(network, int8)
    if not layers:
        return []
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    sums = summed(session.run(None, {"images": batch}) for batch in inputs)
    errors = [
        LayerError(_called(node, network), node.name, relative(off, whole))
        for node, off, whole in zip(layers, sums[::2], sums[1::2], strict=True)
    ]
    return sorted(errors, key=lambda one: -one.error)


def summed(runs: Iterable[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Of each output, over the runs."""
    return [np.sum(found, 0, np.float64) for found in zip(*runs, strict=True)]


def relative(off: np.ndarray, whole: np.ndarray) -> float:
    """A channel that is always zero counts only where it no longer is."""
    alive = (whole > 0) | (off > 0)
    if not alive.any():
        return 0.0
    share = off[alive] / np.maximum(whole[alive], np.finfo(np.float32).tiny)
    return float(np.sqrt(share).clip(max=1).mean())


def _each_alone(
    network: onnx.ModelProto, int8: onnx.ModelProto
) -> tuple[onnx.ModelProto, list[onnx.NodeProto]]:
    """The float network with each layer of the other beside it, reading the float values; and the
    layers. For each the model gives two sums of squares by channel: of what the layer is off by,
    and of what it should give.
    """
    model = onnx.ModelProto()
    model.CopyFrom(network)
    graph = model.graph
    floats = {name for node in graph.node for name in node.output}
    known = floats | {one.name for one in graph.input}
    for stored in int8.graph.initializer:
        graph.initializer.add().CopyFrom(stored)
        graph.initializer[-1].name = f"int8/{stored.name}"
    del graph.output[:]
    layers = [*_layers(int8)]
    for node in layers:
        chain = [*_before(node, int8), node, *_after(node, int8)]
        last = chain[-1].output[0]
        target = node.output[0] if node.output[0] in floats else last
        made = {name for one in chain for name in one.output}
        for one in chain:
            graph.node.add().CopyFrom(_renamed(one, node.name, made, known))
        off = f"{node.name}/off"
        graph.node.append(onnx.helper.make_node("Sub", [f"{node.name}/{last}", target], [off]))
        for values, by_channel in ((off, off), (target, f"{node.name}/whole")):
            graph.node.extend(_squares(values, by_channel))
            graph.output.add().name = f"{by_channel}/squares"
    for text in {(one.domain, one.version) for one in int8.opset_import} - {
        (one.domain, one.version) for one in model.opset_import
    }:
        model.opset_import.add(domain=text[0], version=text[1])
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, -1]), "by channel"))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 2]), "but the channel"))
    return model, layers


def _squares(values: str, name: str) -> list[onnx.NodeProto]:
    """Their sums, by the second axis."""
    node = onnx.helper.make_node
    planes = f"{name}/planes"
    return [
        node("Reshape", [values, "by channel"], [planes]),
        node("ReduceSumSquare", [planes, "but the channel"], [f"{name}/squares"], keepdims=0),
    ]


def _layers(int8: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """The nodes that compute with dequantised values."""
    dequantised = {node.output[0] for node in int8.graph.node if node.op_type == "DequantizeLinear"}
    for node in int8.graph.node:
        if node.op_type in COMPUTING and dequantised & {*node.input}:
            yield node


def _before(node: onnx.NodeProto, int8: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The pairs that make what a node reads."""
    maker = {name: one for one in int8.graph.node for name in one.output}
    chain: list[onnx.NodeProto] = []
    for name in dict.fromkeys(node.input):
        dequantise = maker.get(name)
        if dequantise is None or dequantise.op_type != "DequantizeLinear":
            continue
        quantise = maker.get(dequantise.input[0])
        chain += [one for one in (quantise, dequantise) if one is not None]
    return chain


def _after(node: onnx.NodeProto, int8: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The pair behind a node, where its result is quantised."""
    quantise = _reader(node.output[0], "QuantizeLinear", int8)
    if quantise is None:
        return []
    dequantise = _reader(quantise.output[0], "DequantizeLinear", int8)
    return [quantise] if dequantise is None else [quantise, dequantise]


def _reader(name: str, operator: str, model: onnx.ModelProto) -> onnx.NodeProto | None:
    readers = (one for one in model.graph.node if one.op_type == operator)
    return next((one for one in readers if one.input[0] == name), None)


def _renamed(node: onnx.NodeProto, layer: str, made: set[str], known: set[str]) -> onnx.NodeProto:
    """A copy that reads what its own chain makes, else the float network's values, else int8's
    constants.
    """
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.name = f"{layer}/{node.name}"
    for i, name in enumerate(node.input):
        if name in made:
            copy.input[i] = f"{layer}/{name}"
        elif name and name not in known:
            copy.input[i] = f"int8/{name}"
    for i, name in enumerate(node.output):
        copy.output[i] = f"{layer}/{name}"
    return copy


def _called(node: onnx.NodeProto, network: onnx.ModelProto) -> str:
    own = next(one for one in network.graph.node if one.name == node.name)
    weights = [name for name in own.input if name.endswith(".weight")]
    return weights[0].removeprefix("net.").removesuffix(".weight") if weights else node.name
