"""Networks with fewer channels: cut out of a larger one, or made anew from their shapes."""

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from convatlas.errors import InputError
from convatlas.narrowing.tracing import Place

Shapes = Mapping[str, tuple[int, ...]]  # of tensors, by name


def on_meta(net: nn.Module) -> nn.Module:
    """A copy for evaluation, without storage."""
    tensors = [*net.parameters(), *net.buffers()]
    memo = {id(tensor): _like(tensor, tensor.detach().to("meta")) for tensor in tensors}
    return copy.deepcopy(net, memo).eval()


def cut(net: nn.Module, keeps: Mapping[Place, Tensor]) -> nn.Module:
    """A copy of the network with only the channels of these numbers along each dimension."""
    net = copy.deepcopy(net)
    state = dict(net.state_dict(keep_vars=True))
    tensors: dict[str, Tensor] = {}
    for (name, axis), kept in keeps.items():
        old = tensors.get(name, state[name].detach())
        tensors[name] = old.index_select(axis, kept.to(old.device))
    _replace(net, tensors)
    return net


def zeroed(net: nn.Module, keeps: Mapping[Place, Tensor]) -> nn.Module:
    """A copy of the same shape in which all other channels are zero."""
    net = copy.deepcopy(net)
    state = dict(net.state_dict(keep_vars=True))
    for (name, axis), kept in keeps.items():
        tensor = state[name].detach()
        gone = torch.ones(tensor.shape[axis], dtype=torch.bool)
        gone[kept] = False
        tensor.index_fill_(axis, gone.nonzero().flatten().to(tensor.device), 0)
    return net


def widths(net: nn.Module, full: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shapes of those tensors of `net` that are narrower than in `full`."""
    whole = {name: tuple(tensor.shape) for name, tensor in full.state_dict().items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    return {name: shape for name, shape in shapes.items() if shape != whole[name]}


def narrowed(net: nn.Module, shapes: Shapes) -> None:
    """The network, in place, with tensors of these shapes, whose values are not set.

    Raises InputError, before anything is made, for a name that it has not, and for a shape that no
    cut gives: of more channels, or other in a dimension that is none of channels.
    """
    state = dict(net.state_dict(keep_vars=True))
    for name, shape in shapes.items():
        if name not in state:
            raise InputError(f"widths of {name!r}, which the network has not")
        if not _is_cut(tuple(state[name].shape), shape):
            raise InputError(
                f"{name} cannot be narrowed from {_by(state[name].shape)} to {_by(shape)}"
            )
    _replace(net, {name: state[name].detach().new_empty(shape) for name, shape in shapes.items()})


def require_runs(net: nn.Module, size: tuple[int, ...]) -> None:
    """InputError unless a network on the meta device takes an image of `size`, (C, H, W)."""
    x = torch.empty(1, *size, device="meta", dtype=next(net.parameters()).dtype)
    net.eval()
    try:
        with torch.no_grad():
            net(x)
            if many := getattr(net, "training_outputs", None):
                many(x)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"its widths do not fit each other: {reason}") from None


def _is_cut(whole: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    channels = 2 if len(whole) in (2, 4) else 1  # filters and what they read, or a vector
    return (
        len(shape) == len(whole) > 0
        and whole[channels:] == shape[channels:]
        and all(1 <= few <= many for few, many in zip(shape, whole, strict=True))
    )


def _by(shape) -> str:
    return "x".join(map(str, shape)) or "a scalar"


def _replace(net: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Gives the network these tensors; its layers say their new sizes. InputError where the tensors
    of one layer do not fit each other.
    """
    owners = {name.rpartition(".")[0] for name in tensors}
    before = {path: _groups(net.get_submodule(path)) for path in owners}
    for name, tensor in tensors.items():
        path, _, own = name.rpartition(".")
        part = net.get_submodule(path)
        setattr(part, own, _like(getattr(part, own), tensor))
    for path in sorted(owners):
        _say_sizes(net.get_submodule(path), before[path], path)


def _like(old: Tensor, new: Tensor) -> Tensor:
    if not isinstance(old, nn.Parameter):
        return new
    return nn.Parameter(new, requires_grad=old.requires_grad)


def _groups(part: nn.Module) -> int:
    """Outputs of a depthwise convolution for each input; 0 of any other layer."""
    if isinstance(part, nn.Conv2d) and part.groups == part.in_channels > 1:
        return part.out_channels // part.in_channels
    return 0


def _say_sizes(part: nn.Module, depthwise: int, path: str) -> None:
    if isinstance(part, nn.Conv2d):
        part.out_channels, per_group = part.weight.shape[:2]
        if depthwise:
            part.groups = part.out_channels // depthwise
        part.in_channels = per_group * part.groups
        fits = part.groups > 0 and part.out_channels % part.groups == 0
        sizes = {part.out_channels}
    elif isinstance(part, nn.Linear):
        part.out_features, part.in_features = part.weight.shape
        fits, sizes = True, {part.out_features}
    elif isinstance(part, nn.modules.batchnorm._BatchNorm):
        part.num_features = len(part.running_mean)
        fits, sizes = True, {part.num_features}
    else:
        return
    vectors = [t for t in [*part.parameters(False), *part.buffers(False)] if t.ndim == 1]
    if not fits or any(math.prod(t.shape) not in sizes for t in vectors):
        raise InputError(f"the widths of {path} do not fit each other")
