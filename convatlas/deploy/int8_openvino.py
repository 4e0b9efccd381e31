"""A network's OpenVINO graph in whole numbers of 8 bits, by nncf: weights signed and per channel,
activations with the extremes of the calibration pictures; and how far each layer is from what it
was.
"""

import contextlib
import io
import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from convatlas.deploy.engines import needed
from convatlas.deploy.int8 import LayerError, relative, summed
from convatlas.deploy.openvino_cpu import compiled
from convatlas.deploy.openvino_graph import openvino_model
from convatlas.deploy.record import KEY
from convatlas.deploy.writers import network_graph, record_of
from convatlas.model_file import Saved

EXTRA = "nncf"
QUANTISE, WEIGHTS = "FakeQuantize", "/fq_weights_"
COMPUTING = (
    *("Convolution", "GroupConvolution", "MatMul", "Add", "Multiply", "Concat", "AvgPool"),
    "ReduceMean",
)
# these hand on the values that they are given
MOVING = (
    *("MaxPool", "Relu", "Clamp", "Pad", "Reshape", "Transpose", "Squeeze", "Unsqueeze"),
    *("Split", "VariadicSplit", "Slice", "StridedSlice", "Gather", "ShuffleChannels"),
)


def network_of(saved: Saved):
    """A model that reads `images`."""
    ov = needed("openvino", EXTRA, "--int8 --to openvino")
    return openvino_model(ov, network_graph(saved).SerializeToString())


def quantised(network, inputs: Sequence[np.ndarray], in_float: Collection[str] = ()):
    """The model with its layers in int8, but for the nodes named.

    `inputs` are batches (N, C, H, W) as the network reads them. Raises ExportError where nncf is
    missing.
    """
    nncf = needed("nncf", EXTRA, "--int8 --to openvino")
    with _quiet():
        return nncf.quantize(
            network,
            nncf.Dataset(inputs),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(inputs),
            ignored_scope=nncf.IgnoredScope(names=list(in_float), validate=False),
        )


@contextlib.contextmanager
def _quiet():
    """Without bars of progress, and advice on how to install what is not used."""
    log = logging.getLogger("nncf")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        log.setLevel(level)


def layer_errors(network, int8, inputs: Sequence[np.ndarray]) -> list[LayerError]:
    """Of every layer in int8, the worst first.

    Each layer is run alone: on the float network's own values, so that no layer answers for one
    before it. Each channel counts alike, as in ONNX files.
    """
    ov = needed("openvino", EXTRA, "--int8 --to openvino")
    floats = network.clone()
    layers = _each_alone(floats, int8.clone())
    if not layers:
        return []
    results = [
        squares
        for _, wanted, given in layers
        for squares in (_squares(ov.opset15.subtract(given, wanted).output(0)), _squares(wanted))
    ]
    model = ov.Model(results, floats.get_parameters())
    alone = compiled(ov, model, {"INFERENCE_PRECISION_HINT": "f32"})
    sums = summed(alone(batch).to_tuple() for batch in inputs)
    errors = [
        LayerError(_called(node), node.get_friendly_name(), relative(off, whole))
        for (node, _, _), off, whole in zip(layers, sums[::2], sums[1::2], strict=True)
    ]
    return sorted(errors, key=lambda one: -one.error)


def _squares(values):
    """Their sums by the second axis, made in the graph: all that layers give is a lot to hold."""
    from openvino import opset15

    axes = [axis for axis in range(values.get_partial_shape().rank.get_length()) if axis != 1]
    return opset15.reduce_sum(opset15.multiply(values, values), np.array(axes), False).output(0)


def _each_alone(floats, int8) -> list[tuple]:
    """The layers: of each its node in the float network, what that gives, and what the same node in
    int8 gives once it reads the float network's values.
    """
    values = {node.get_friendly_name(): node for node in floats.get_ordered_ops()}
    layers = []
    for node in int8.get_ordered_ops():
        own = values.get(node.get_friendly_name())
        if own is None or node.get_type_name() not in COMPUTING:
            continue
        reads = [_before(one) for one in node.inputs()]
        if not any(is_int8 for _, is_int8 in reads):
            continue
        for read, _ in reads:
            source = read.get_source_output()
            value = values.get(source.get_node().get_friendly_name())
            if value is not None and value.get_type_name() != "Constant":
                read.replace_source_output(value.output(source.get_index()))
        layers.append((own, own.output(0), node.output(0)))
    return layers


def _before(one) -> tuple:
    """Where a layer's input leaves float, and whether it does: at a pair of quantiser and its
    inverse, perhaps behind what only hands values on.
    """
    read = one
    while True:
        node = read.get_source_output().get_node()
        if node.get_type_name() == QUANTISE:
            return node.input(0), True
        if node.get_type_name() not in MOVING:
            return one, WEIGHTS in node.get_friendly_name()
        read = node.input(0)


def _called(node) -> str:
    """The layer as the network calls it, where it has weights; else as the graph does."""
    sources = (one.get_source_output().get_node().get_friendly_name() for one in node.inputs())
    weights = [name for name in sources if name.endswith(".weight")]
    own = weights[0].removeprefix("net.").removesuffix(".weight") if weights else ""
    return own or node.get_friendly_name()


def write(saved: Saved, int8, path: Path) -> None:
    """The network behind the graph that makes its input of pictures, in one file."""
    ov = needed("openvino", EXTRA, "--int8 --to openvino")
    from convatlas.deploy.picture_graph import picture_graph

    network = int8.clone()
    head = ov.convert_model(io.BytesIO(picture_graph(saved.preprocess).SerializeToString()))
    images = network.input(0)
    made = head.output(0).get_node().input_value(0)
    for reader in images.get_target_inputs():
        reader.replace_source_output(made)
    whole = ov.Model(network.get_results(), head.get_parameters())
    whole.set_rt_info(record_of(saved).to_json(), [KEY])
    ov.save_model(whole, str(path), compress_to_fp16=False)
