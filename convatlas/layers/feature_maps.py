"""The maps of a network's stages: how many channels at which fraction of the image's size, and a
network that gives out these maps and nothing else.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import InputError
from convatlas.layers.heads import Passing
from convatlas.layers.network import Network

GROWTH = 64  # pixels, a multiple of every reduction: an image larger by so much has larger maps


class FeatureInfo(list):
    """A dict for each stage, in the order in which they run, under the names that timm gives:
    "module" (the stage), "num_chs" (channels of its maps) and "reduction" (pixels of the image from
    one place of a map to the next). The methods give one of these for all stages, or for the one
    at `index`.
    """

    def channels(self, index: int | None = None) -> Any:
        return self._get("num_chs", index)

    def reduction(self, index: int | None = None) -> Any:
        return self._get("reduction", index)

    def module_name(self, index: int | None = None) -> Any:
        return self._get("module", index)

    def _get(self, key: str, index: int | None) -> Any:
        return [stage[key] for stage in self] if index is None else self[index][key]


class FeatureMaps(nn.Module):
    """(N, C, H, W) -> the maps of the stages at `out_indices`, or of all, in order: a list of
    (N, channels, H', W').

    `feature_info` tells of the maps that are given out. Layers that none of them needs are taken
    out of `net`, so that every parameter has a gradient; give a copy of a network that you want to
    keep. Parameters have their names, under `net`. Raises InputError for an index that no stage
    has.
    """

    def __init__(self, net: Network, out_indices: Sequence[int] | None = None):
        super().__init__()
        every = net.feature_info
        chosen = _chosen(net, len(every), out_indices)
        self.feature_info = FeatureInfo(every[i] for i in chosen)
        self.net = net
        for path in [*_unneeded(net, net.stages[chosen[-1]])]:
            net.set_submodule(path, Passing())
        for stage in self._stages():
            stage.register_forward_hook(_keep)

    def _stages(self) -> list[nn.Module]:
        return [self.net.get_submodule(name) for name in self.feature_info.module_name()]

    def forward(self, x: Tensor) -> list[Tensor]:
        self.net(x)
        maps = []
        for stage in self._stages():
            maps.append(stage.feature_map)
            del stage.feature_map
        return maps


def _keep(stage: nn.Module, args: object, out: Tensor) -> None:
    """On the stage itself: a copy of the network, or a pickled one, then keeps its own."""
    stage.feature_map = out


def _chosen(net: Network, count: int, out_indices: Sequence[int] | None) -> list[int]:
    """The indices in the order of the stages; negative ones count from the end."""
    if out_indices is None:
        return list(range(count))
    wrong = [i for i in out_indices if not -count <= i < count]
    if wrong or not out_indices:
        raise InputError(
            f"{net.name or type(net).__name__} has {count} stages, {', '.join(net.stages)}; give "
            f"out_indices from 0 to {count - 1}, not {wrong[0] if wrong else 'none'}"
        )
    return sorted({i % count for i in out_indices})


class Pass(NamedTuple):
    """What one pass showed."""

    maps: dict[str, torch.Size]  # of each stage
    before: dict[str, set[str]]  # of each stage the modules that were called before it had finished
    called: set[str]  # all modules that were


def feature_info(net: Network) -> FeatureInfo:
    """Of each stage name, channels and reduction; `net` is neither run nor changed.

    A map of an image that is larger by 64 pixels is larger by 64 over the reduction, whatever its
    border lost. A network whose images cannot grow so far says itself how its stages reduce.
    """
    twin = without_numbers(net)
    maps = run(twin, twin.side).maps
    grown = run(twin, twin.side + GROWTH).maps if not net.reductions else {}
    info = FeatureInfo()
    for index, stage in enumerate(net.stages):
        _, channels, height, _ = maps[stage]
        reduction = (
            net.reductions[index] if net.reductions else GROWTH // (grown[stage][2] - height)
        )
        info.append({"module": stage, "num_chs": channels, "reduction": reduction})
    return info


def without_numbers(net: Network) -> Network:
    """A copy in evaluation mode whose tensors have shapes only; no hook runs in it, and it reads
    images of any size that its layers read.
    """
    memo: dict[int, Any] = {}
    for tensor in (*net.parameters(), *net.buffers()):
        empty = tensor.detach().to("meta")
        is_parameter = isinstance(tensor, nn.Parameter)
        memo[id(tensor)] = nn.Parameter(empty, False) if is_parameter else empty
    twin = copy.deepcopy(net, memo)
    for module in twin.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
    twin.largest = None
    return twin.eval()


@torch.no_grad()
def run(twin: Network, side: int) -> Pass:
    """One pass of a network without numbers over an image of that side, at least as far as its last
    stage.
    """
    found = Pass({}, {}, set())
    handles = []
    for path, module in twin.named_modules():
        handles.append(
            module.register_forward_pre_hook(lambda _, args, path=path: found.called.add(path))
        )
    for stage in twin.stages:

        def finish(_, args, out, stage=stage):
            found.maps[stage] = out.shape
            found.before[stage] = set(found.called)

        handles.append(twin.get_submodule(stage).register_forward_hook(finish))
    kind = next(twin.parameters()).dtype
    try:
        twin(torch.empty(1, twin.in_channels, side, side, dtype=kind, device="meta"))
    except (RuntimeError, ValueError):  # of a classifier that reads maps of one size
        if len(found.maps) < len(twin.stages):
            raise
    finally:
        for handle in handles:
            handle.remove()
    return found


def _unneeded(net: Network, last: str) -> Iterator[str]:
    """The outermost modules with weights of which nothing runs before the stage `last` has
    finished. One that is never called itself, such as a list, stays for whoever goes through it;
    what is inside is looked at.
    """
    seen = run(without_numbers(net), net.side)
    left_out: set[str] = set()
    for path, module in list(net.named_modules()):  # from the outside in
        above = {path[:i] for i, letter in enumerate(path) if letter == "."}
        is_list = path not in seen.called and any(True for _ in module.children())
        if path in seen.before[last] or is_list or above & left_out:
            continue
        if any(True for _ in (*module.parameters(), *module.buffers())):
            left_out.add(path)
            yield path
