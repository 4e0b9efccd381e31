"""A trained network as a file of each engine: pictures in, logits and probabilities out, batch norm
folded into the convolutions before it, the record in the file's metadata.
"""

import contextlib
import io
import logging
import math
import warnings
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.deploy.engines import needed
from convatlas.deploy.record import KEY, Record, installed, sha256
from convatlas.model_file import Saved, weights_file

OUTPUTS = ["logits", "probabilities"]
WRITERS = ("torch", "onnx", "onnxscript", "openvino", "executorch")


class Answers(nn.Module):
    """Input as the network reads it -> logits and their softmax."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.net(images)
        return logits, logits.softmax(1)


def record_of(saved: Saved) -> Record:
    import convatlas

    return Record(
        saved.network,
        saved.classes,
        saved.preprocess.to_dict(),
        sha256(weights_file(saved.net.state_dict())),
        saved.provenance,
        {"convatlas": convatlas.__version__, **installed(*WRITERS)},
    )


def write(saved: Saved, kind: str, path: Path) -> None:
    """Raises ExportError where a package of the kind's extra is missing."""
    from convatlas.deploy.aoti import write_aoti
    from convatlas.deploy.executorch import write_executorch

    {
        "onnx": write_onnx,
        "openvino": write_openvino,
        "pt2": write_pt2,
        "executorch": write_executorch,
        "aoti": write_aoti,
    }[kind](saved, path)


def write_onnx(saved: Saved, path: Path) -> None:
    onnx = needed("onnx", "onnx", "--to onnx")
    model = onnx_model(saved)
    onnx.helper.set_model_props(model, {KEY: record_of(saved).to_json()})
    path.write_bytes(model.SerializeToString())


def onnx_model(saved: Saved):
    """The picture graph and the network's, in one."""
    return with_pictures(saved, network_graph(saved))


def with_pictures(saved: Saved, network):
    """The graph of a network that reads `images`, behind one that makes them of pictures."""
    onnx = needed("onnx", "onnx", "this export")
    from convatlas.deploy.picture_graph import IR_VERSION, picture_graph

    network.ir_version = IR_VERSION
    head = onnx.compose.add_prefix(
        picture_graph(saved.preprocess), "picture/", rename_inputs=False, rename_outputs=False
    )
    return onnx.compose.merge_models(head, network, io_map=[("input", "images")])


def network_graph(saved: Saved):
    """float images (N, C, side, side) -> logits, probabilities, as an ONNX graph."""
    needed("onnx", "onnx", "this export")
    needed("onnxscript", "onnx", "this export")
    from convatlas.deploy.picture_graph import OPSET

    prep = saved.preprocess
    two = torch.zeros(2, prep.channels, prep.side, prep.side)  # of one torch would make a constant
    with _quiet():
        exported = torch.export.export(
            Answers(saved.net).eval(), (two,), dynamic_shapes=({0: torch.export.Dim("N")},)
        )
        _write_plainly(exported)
        program = torch.onnx.export(
            exported,
            dynamo=True,
            opset_version=OPSET,
            input_names=["images"],
            output_names=OUTPUTS,
            verbose=False,
        )
    network = program.model_proto
    for node in network.graph.node:
        del node.metadata_props[:]  # paths of this machine's files
    return network


def _write_plainly(program: torch.export.ExportedProgram) -> None:
    """In place, what torch 2.14's ONNX exporter gets wrong without a word, or writes at length.

    It drops the divisor of avg_pool2d (LeNet-5's sums of four became their means: an error of a
    fifth of the largest logit), and writes x[:, channels] as two Transposes around a GatherND.
    """
    graph = program.graph_module.graph
    for node in list(graph.nodes):
        if node.target is torch.ops.aten.avg_pool2d.default and len(node.args) == 7:
            *others, divisor = node.args
            if divisor is not None:
                _scale_by(node, math.prod(node.args[1]) / divisor, tuple(others))
        elif node.target is torch.ops.aten.index.Tensor:
            _select(node)
    program.graph_module.recompile()


def _scale_by(pool: torch.fx.Node, factor: float, others: tuple) -> None:
    """The mean that a pool gives without its divisor, times a factor."""
    pool.args = others
    with pool.graph.inserting_after(pool):
        scaled = pool.graph.call_function(torch.ops.aten.mul.Tensor, (pool, factor))
    scaled.meta = dict(pool.meta)
    pool.replace_all_uses_with(scaled, delete_user_cb=lambda user: user is not scaled)


def _select(node: torch.fx.Node) -> None:
    values, indices = node.args
    asked = [axis for axis, index in enumerate(indices) if index is not None]
    if len(asked) == 1 and indices[asked[0]].meta["val"].ndim == 1:
        node.target = torch.ops.aten.index_select.default
        node.args = (values, asked[0], indices[asked[0]])


def write_openvino(saved: Saved, path: Path) -> None:
    ov = needed("openvino", "openvino", "--to openvino")
    model = ov.convert_model(io.BytesIO(onnx_model(saved).SerializeToString()))
    model.set_rt_info(record_of(saved).to_json(), [KEY])
    ov.save_model(model, str(path), compress_to_fp16=False)


def write_pt2(saved: Saved, path: Path) -> None:
    from convatlas.deploy.picture_module import Pictures

    program = Pictures(saved.preprocess, Answers(saved.net)).exported()
    torch.export.save(program, path, extra_files={KEY: record_of(saved).to_json()})


@contextlib.contextmanager
def _quiet():
    """Without what the exporter says of its own steps."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(io.StringIO()):
                yield
    finally:
        log.setLevel(level)
