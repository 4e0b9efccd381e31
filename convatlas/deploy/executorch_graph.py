"""Operations that ExecuTorch lacks, as others that it has."""

import copy

import torch
import torch.nn as nn
from torch.fx import Node

aten = torch.ops.aten


def with_scales(net: nn.Module) -> nn.Module:
    """A copy whose batch norms all have a scale, of one where there was none: ExecuTorch 1.5.1 ends
    on one that only shifts.
    """
    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and module.weight is None:
            module.weight = nn.Parameter(torch.ones_like(module.running_mean))
    return net


def write_for_executorch(program: torch.export.ExportedProgram) -> None:
    """In place: a mean over neighbouring channels (local response norm) as a pool of rows, a
    negative padding (NASNet shifts its maps by a pixel) as a cut.

    ExecuTorch 1.5.1 has no avg_pool3d, and its constant_pad_nd takes no negative number.
    """
    for node in list(program.graph_module.graph.nodes):
        if node.target is aten.avg_pool3d.default and _over_channels(*node.args):
            _pool_rows(node)
        elif node.target in (aten.constant_pad_nd.default, aten.pad.default):
            _cut(node)
    program.graph_module.recompile()


def _over_channels(x: Node, kernel: list[int], stride: tuple = (), *others) -> bool:
    """(N, 1, C, H, W) with a window of neighbouring channels only, moved by one."""
    return list(kernel[1:]) == [1, 1] and {*stride} == {1} and not any(map(_given, others))


def _given(argument) -> bool:
    """count_include_pad matters only with padding."""
    return argument not in (None, False, True) and any(argument)


def _pool_rows(node: Node) -> None:
    x, kernel = node.args[:2]
    n, one, _, h, w = x.meta["val"].shape
    with node.graph.inserting_before(node):
        rows = _call(aten.view.default, x, [n, one, -1, h * w])
        means = _call(aten.avg_pool2d.default, rows, [kernel[0], 1], [1, 1])
        found = _call(aten.view.default, means, [n, one, -1, h, w])
    _replace(node, found)


def _cut(node: Node) -> None:
    x, padding, *value = node.args
    if min(padding) >= 0:
        return
    with node.graph.inserting_before(node):
        found = x
        for i, (before, after) in enumerate(zip(padding[::2], padding[1::2], strict=True)):
            axis = x.meta["val"].ndim - 1 - i
            end = found.meta["val"].shape[axis] + min(after, 0)
            if min(before, after) < 0:
                found = _call(aten.slice.Tensor, found, axis, max(-before, 0), end)
        if max(padding) > 0:
            found = _call(node.target, found, [max(side, 0) for side in padding], *value)
    _replace(node, found)


def _call(target, x: Node, *args) -> Node:
    node = x.graph.call_function(target, (x, *args))
    node.meta["val"] = target(x.meta["val"], *args)
    return node


def _replace(node: Node, by: Node) -> None:
    node.replace_all_uses_with(by)
    node.graph.erase_node(node)
