"""What sets two networks apart, of whatever can be traced: modules, exported programs, graphs."""

import torch.nn as nn
from torch.export import ExportedProgram

from convatlas.anatomy.comparing import compare
from convatlas.anatomy.difference import Difference
from convatlas.anatomy.steps import Walk
from convatlas.calling import module_of, name_of
from convatlas.wiring import Graph

Network = nn.Module | ExportedProgram | Graph | Walk


def diff(a: Network, b: Network, input_size: tuple[int, ...] | None = None) -> Difference:
    """How `b` differs from `a` in evaluation, for one image of `input_size` (C, H, W); by default
    each one's own, or the other's where it states none. Either may be a graph of `wiring`.

    `same` where both answer alike with equal weights at that size, whatever their modules are
    called. Raises ValueError where neither states a size or one cannot run on
    it.
    """
    sizes = [input_size or _size(net) for net in (a, b)]
    if not any(sizes):
        raise ValueError(
            f"neither {_name(a)} nor {_name(b)} states an input size; give one: "
            "diff(a, b, input_size=(C, H, W))"
        )
    walks = [
        net if isinstance(net, Walk) else Walk.of(net, own or other)
        for net, own, other in zip((a, b), sizes, sizes[::-1], strict=True)
    ]
    return compare(*walks)


def _name(net: Network) -> str:
    return net.kind if isinstance(net, Graph | Walk) else name_of(module_of(net))


def _size(net: Network) -> tuple[int, ...] | None:
    if isinstance(net, Graph | Walk):
        return net.size
    return getattr(module_of(net), "input_size", None)
