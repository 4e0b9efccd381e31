"""A trained network as an ONNX graph, without what torch's exporter does wrong."""

import contextlib
import io
import logging
import math
import warnings

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.deploy.engines import needed
from convatlas.model_file import Saved

OUTPUTS = ["logits", "probabilities"]
CLIPS = {  # limits where a call names none
    torch.ops.aten.relu6.default: {"min_val": 0.0, "max_val": 6.0},
    torch.ops.aten.hardtanh.default: {"min_val": -1.0, "max_val": 1.0},
}


class Answers(nn.Module):
    """Input as the network reads it -> logits and their softmax."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.net(images)
        return logits, logits.softmax(1)


def network_graph(saved: Saved):
    """float images (N, C, side, side) -> logits, probabilities, as an ONNX graph."""
    needed("onnx", "onnx", "this export")
    needed("onnxscript", "onnx", "this export")
    from convatlas.deploy.picture_graph import OPSET

    prep = saved.preprocess
    two = torch.zeros(2, prep.channels, prep.side, prep.side)  # of one torch would make a constant
    with quiet():
        exported = torch.export.export(
            Answers(saved.net).eval(), (two,), dynamic_shapes=({0: torch.export.Dim("N")},)
        )
        write_plainly(exported)
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


def write_plainly(program: torch.export.ExportedProgram) -> None:
    """In place, what torch 2.14's ONNX exporter or an engine gets wrong without a word, or writes
    at length.

    The exporter drops the divisor of avg_pool2d (LeNet-5's sums of four became their means: an
    error of a fifth of the largest logit), and writes x[:, channels] as two Transposes around a
    GatherND. OpenVINO 2026.4 takes clip(x + 3, 0, 6) * 0.16667, as MobileNetV3 was released, for
    the hard sigmoid, whose factor is 1/6: an error of 2e-4.
    """
    graph = program.graph_module.graph
    for node in list(graph.nodes):
        if node.target is torch.ops.aten.avg_pool2d.default and len(node.args) == 7:
            *others, divisor = node.args
            if divisor is not None:
                _scale_by(node, math.prod(node.args[1]) / divisor, tuple(others))
        elif node.target is torch.ops.aten.index.Tensor:
            _select(node)
        elif node.target is torch.ops.aten.mul.Tensor and _is_nearly_a_sigmoid(*node.args):
            _clip_last(node)
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


def _is_nearly_a_sigmoid(clipped: object, factor: object) -> bool:
    return (
        isinstance(clipped, torch.fx.Node)
        and isinstance(factor, float)
        and clipped.target in CLIPS
        and len(clipped.users) == 1
        and factor != 1 / 6
        and math.isclose(factor, 1 / 6, rel_tol=1e-2)
    )


def _clip_last(node: torch.fx.Node) -> None:
    """clip(x, low, high) * factor as clip(x * factor, low * factor, high * factor)."""
    clip, factor = node.args
    x, *given = clip.args
    usual = CLIPS[clip.target]
    limits = usual | dict(zip(usual, given, strict=False)) | clip.kwargs
    node.args = (x, factor)
    with node.graph.inserting_after(node):
        last = node.graph.call_function(
            torch.ops.aten.hardtanh.default,
            (node, *(limit * factor for limit in limits.values())),
        )
    last.meta = dict(node.meta)
    node.replace_all_uses_with(last, delete_user_cb=lambda user: user is not last)
    node.graph.erase_node(clip)


@contextlib.contextmanager
def quiet():
    """Without what the exporter and its parts say of their own steps."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(io.StringIO()):
                yield
    finally:
        logging.disable(before)
