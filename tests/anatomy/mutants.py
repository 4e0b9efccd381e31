"""One thing changed in a network of the atlas: a setting or the class of a layer, or what a forward
method does with its tensors. Every change here changes the function, not only the form.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from convatlas.layers import ChannelShuffle

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Hardswish, nn.Hardsigmoid)
POOLS = (nn.MaxPool2d, nn.AvgPool2d)
WEIGHTED = ("conv2d", "linear")
KINDS = (
    *("stride", "kernel", "groups", "activation", "norm"),
    *("edge", "order", "constant", "padding", "bias"),
)


class Place(NamedTuple):
    """The turn-th call of one of torch's functions that the module at `path` makes itself."""

    path: str
    function: str
    turn: int


class Mutant(NamedTuple):
    net: nn.Module
    places: tuple[str, ...]  # of the module that does something else, and of what it read before
    told: str


class Calls(TorchFunctionMode):
    """Gives each call of one of torch's functions to `answer`, with the place where it is made."""

    def __init__(self, net: nn.Module, answer: Callable):
        super().__init__()
        self.answer = answer
        self.stack = [""]
        self.turns: dict[tuple[str, str], int] = defaultdict(int)
        self.handles = [
            handle
            for path, module in net.named_modules()
            if path
            for handle in (
                module.register_forward_pre_hook(lambda *_, path=path: self.stack.append(path)),
                module.register_forward_hook(lambda *_: self.leave()),
            )
        ]

    def leave(self) -> None:
        self.stack.pop()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        path = self.stack[-1]
        name = getattr(func, "__name__", "")
        self.turns[path, name] += 1
        place = Place(path, name, self.turns[path, name] - 1)
        return self.answer(place, func, args, kwargs or {})

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()
        return super().__exit__(*error)


class Seen(NamedTuple):
    shape: tuple[int, ...]  # of the result
    given: tuple[int, ...]  # of what is read first
    reads: str  # path of the module that made that; "" if that is the network


def places(net: nn.Module, size: tuple[int, ...]) -> dict[Place, Seen]:
    """Of one pass in evaluation, in order."""
    seen = {}
    makers: list[tuple[Tensor, str]] = []

    def note(place: Place, func, args, kwargs):
        out = func(*args, **kwargs)
        if isinstance(out, Tensor):
            first = args[0] if args else None
            reads = next((path for t, path in reversed(makers) if t is first), "")
            makers.append((out, place.path))
            given = tuple(first.shape) if isinstance(first, Tensor) else ()
            seen[place] = Seen(tuple(out.shape), given, reads)
        return out

    with torch.no_grad(), Calls(net, note):
        net(torch.empty(2, *size, device="meta"))
    return seen


def with_another_call(net: nn.Module, place: Place, answer: Callable) -> nn.Module:
    """A copy in which `answer(func, args, kwargs, seen)` stands for the call at `place`; `seen`
    are the results of the calls before it.
    """
    plain = type(net)

    def forward(self, x):
        seen: dict[Place, Tensor] = {}

        def note(here: Place, func, args, kwargs):
            out = answer(func, args, kwargs, seen) if here == place else func(*args, **kwargs)
            seen[here] = out
            return out

        with Calls(self, note):
            return plain.forward(self, x)

    other = copy.deepcopy(net)
    other.__class__ = type(plain.__name__, (plain,), {"forward": forward})
    return other


def mutants(
    net: nn.Module, seen: dict[Place, Seen], kind: str, start: int, form: int
) -> Iterator[Mutant]:
    """Those of one kind, from the start-th place where there is one, in the form-th form; not all
    of them run. `seen` are the network's `places`.
    """
    layers = dict(net.named_modules())
    found = [place for place in seen if _forms(layers, place, seen[place], kind)]
    for i in range(len(found)):
        place = found[(start + i) % len(found)]
        forms = _forms(layers, place, seen[place], kind)
        told, other = forms[form % len(forms)]
        if isinstance(other, nn.Module):
            changed = copy.deepcopy(net)
            changed.set_submodule(place.path, other)
        else:
            changed = with_another_call(net, place, other)
        read = seen[place].reads if kind == "edge" else ""
        where = tuple(filter(None, (place.path, read)))
        yield Mutant(changed, where, f"{kind} of {place.path}.{place.function}: {told}")


def _forms(layers, place: Place, seen: Seen, kind: str) -> list[tuple[str, object]]:
    """What can be changed there: words, and another layer or an answer for `with_another_call`."""
    layer = layers[place.path]
    return [*LAYERS.get(kind, _none)(layer, seen), *CALLS.get(kind, _none)(place)]


def _none(*_):
    return ()


def _set(layer: nn.Module, **attributes) -> nn.Module:
    other = copy.deepcopy(layer)
    for name, value in attributes.items():
        setattr(other, name, value)
    return other


def _conv(layer: nn.Conv2d, **changes) -> nn.Conv2d:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
    settings = {name: getattr(layer, name) for name in (*names, "groups", "padding_mode")}
    return nn.Conv2d(**{**settings, "bias": layer.bias is not None, **changes}, device="meta")


def _two(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value, value)


def _is_point(shape: tuple[int, ...]) -> bool:
    """On a map of one pixel a stride does nothing, and of a larger kernel one place is read."""
    return len(shape) == 4 and shape[2:] == (1, 1)


def _strides(layer, seen):
    if isinstance(layer, (nn.Conv2d, *POOLS)) and not _is_point(seen.shape):
        other = 1 if max(_two(layer.stride)) > 1 else 2
        yield f"stride {layer.stride} to {other}", _set(layer, stride=_two(other))


def _kernels(layer, seen):
    if type(layer) is nn.Conv2d and not _is_point(seen.shape):
        kernel = tuple(side + 2 for side in layer.kernel_size)
        padding = tuple(
            side + dilation for side, dilation in zip(layer.padding, layer.dilation, strict=True)
        )
        yield f"kernel {kernel}", _conv(layer, kernel_size=kernel, padding=padding)
        if max(layer.kernel_size) > 1:
            padding = tuple(
                side + k // 2 for side, k in zip(layer.padding, layer.kernel_size, strict=True)
            )
            yield "dilation 2", _conv(layer, dilation=2, padding=padding)
    elif isinstance(layer, POOLS) and not _is_point(seen.shape):
        kernel = tuple(side + 1 for side in _two(layer.kernel_size))
        yield f"kernel {kernel}", _set(layer, kernel_size=kernel)


def _groups(layer, seen):
    if type(layer) is nn.Conv2d:
        for groups in (1, 2, layer.groups // 2, layer.groups * 2):
            fits = groups and layer.in_channels % groups == layer.out_channels % groups == 0
            if fits and groups != layer.groups:
                yield f"groups {layer.groups} to {groups}", _conv(layer, groups=groups)
    elif isinstance(layer, ChannelShuffle) and seen.shape[1] % (layer.groups + 1) == 0:
        yield "another shuffle", ChannelShuffle(layer.groups + 1)


def _activations(layer, seen):
    if isinstance(layer, ACTIVATIONS):
        for other in (*ACTIVATIONS, nn.Identity):
            if type(layer) is not other:
                yield other.__name__, other()


def _norms(layer, seen):
    if isinstance(layer, _BatchNorm):
        channels = layer.num_features
        yield "no norm", nn.Identity()
        yield "group norm", nn.GroupNorm(1, channels, device="meta")
        yield "instance norm", nn.InstanceNorm2d(channels, affine=True, device="meta")
        plain = nn.BatchNorm2d(channels, layer.eps, track_running_stats=False, device="meta")
        yield "statistics of the batch", plain
    elif isinstance(layer, nn.LocalResponseNorm):
        yield "no norm", nn.Identity()


def _constants(layer, seen):
    if isinstance(layer, _BatchNorm):
        yield "eps", _set(layer, eps=layer.eps * 10)
    elif isinstance(layer, nn.LocalResponseNorm):
        yield "alpha", _set(layer, alpha=layer.alpha / 5)
        yield "beta", _set(layer, beta=0.5)
        yield "k", _set(layer, k=layer.k + 1)
        yield "size", _set(layer, size=layer.size - 2)


class _Shifted(nn.Conv2d):
    """As many zeros as before, those of the last two sides more by what those of the first are
    fewer: TensorFlow's way.
    """

    def forward(self, x: Tensor) -> Tensor:
        (rows, columns) = self.padding
        x = F.pad(x, (columns - 1, columns + 1, rows - 1, rows + 1))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def _is_cut(layer, seen: Seen) -> bool:
    """Whether the pool's windows do not end with the map: only then does rounding count."""
    window = zip(*(map(_two, (layer.kernel_size, layer.stride, layer.padding))), strict=True)
    sides = zip(seen.given[2:], window, strict=True)
    return any((side + 2 * pad - k) % stride for side, (k, stride, pad) in sides)


def _paddings(layer, seen):
    if type(layer) is nn.Conv2d and min(layer.padding) > 0:
        for mode in ("reflect", "replicate", "circular"):
            yield mode, _conv(layer, padding_mode=mode)
        shifted = _set(layer)
        shifted.__class__ = _Shifted
        yield "shifted", shifted
        yield "none", _conv(layer, padding=0)
    elif isinstance(layer, POOLS):
        if _is_cut(layer, seen):
            yield "rounding", _set(layer, ceil_mode=not layer.ceil_mode)
        if isinstance(layer, nn.AvgPool2d) and layer.padding:
            yield "counting", _set(layer, count_include_pad=not layer.count_include_pad)


def _biases(layer, seen):
    if type(layer) is nn.Conv2d:
        yield "bias", _conv(layer, bias=layer.bias is None)
    elif type(layer) is nn.Linear:
        sides = layer.in_features, layer.out_features
        yield "bias", nn.Linear(*sides, bias=layer.bias is None, device="meta")


def _edges(place):
    if place.function in ("add", "add_", "__add__"):
        yield "the second alone", _of_tensors(lambda a, b: b)
        yield "the first alone", _of_tensors(lambda a, b: a)
        yield "subtracts", _of_tensors(lambda a, b: a - b)
    elif place.function in ("mul", "__mul__"):
        yield "no gate", _of_tensors(lambda a, b: a if a.ndim == 4 and a.shape[2] > 1 else b)
    elif place.function in WEIGHTED:
        yield "reads another map", _from_elsewhere


def _of_tensors(answer: Callable) -> Callable:
    def changed(func, args, kwargs, seen):
        if len(args) != 2 or not all(isinstance(each, Tensor) for each in args):
            raise ValueError("nothing to change here: one of them is a number")
        return answer(*args)

    return changed


def _from_elsewhere(func, args, kwargs, seen):
    """A convolution or linear layer reads the latest other map of that shape that a layer with
    weights gives out.
    """
    x, *rest = args
    others = [
        out
        for place, out in seen.items()
        if place.function in (*WEIGHTED, "batch_norm") and out is not x and out.shape == x.shape
    ]
    if not others:
        raise ValueError("nothing to change here: no other map is of that shape")
    return func(others[-1], *rest, **kwargs)


def _orders(place):
    if place.function == "cat":
        yield "the other way round", _backwards


def _backwards(func, args, kwargs, seen):
    maps, *rest = args
    if len(maps) < 2:
        raise ValueError("nothing to change here: it is one map")
    return func(list(maps)[::-1], *rest, **kwargs)


def _factors(place):
    if place.function in ("mul", "__mul__", "__rmul__"):
        yield "factor", _doubled


def _doubled(func, args, kwargs, seen):
    if all(isinstance(each, Tensor) for each in args):
        raise ValueError("nothing to change here: neither is a number")
    return 2 * func(*args, **kwargs)


def _functional_activations(place):
    if place.function in ("relu", "sigmoid", "silu", "hardswish", "hardsigmoid"):
        yield "tanh", lambda func, args, kwargs, seen: torch.tanh(args[0])
        yield "none", lambda func, args, kwargs, seen: args[0].clone()


def _pads(place):
    if place.function == "pad":
        yield "the other sides", _other_sides


def _other_sides(func, args, kwargs, seen):
    x, sides, *rest = args
    turned = [side for pair in zip(sides[::2], sides[1::2], strict=True) for side in pair[::-1]]
    if turned == list(sides):
        raise ValueError("nothing to change here: both sides are the same")
    return func(x, turned, *rest, **kwargs)


LAYERS = {
    "stride": _strides,
    "kernel": _kernels,
    "groups": _groups,
    "activation": _activations,
    "norm": _norms,
    "constant": _constants,
    "padding": _paddings,
    "bias": _biases,
}
CALLS = {
    "edge": _edges,
    "order": _orders,
    "constant": _factors,
    "activation": _functional_activations,
    "padding": _pads,
}
