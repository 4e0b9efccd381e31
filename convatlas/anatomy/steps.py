"""What a network computes, step by step: its layers, and what containers do between them (joins,
activations, means).

A layer that is one operation is the same step as the function: nn.ReLU and F.relu agree. Changes of
shape alone are no step.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch.nn as nn
from torch import Tensor
from torch.utils._pytree import tree_leaves

from convatlas.anatomy import receptive
from convatlas.anatomy.counting import Call, Trace
from convatlas.anatomy.table import by

WORDS = {
    "convolution": "conv",
    "addmm": "linear",
    "mm": "linear",
    "bmm": "matrix product",
    "baddbmm": "matrix product",
    "max_pool2d_with_indices": "max pool",
    "max_pool2d": "max pool",
    "avg_pool2d": "average pool",
    "_adaptive_avg_pool2d": "adaptive average pool",
    "adaptive_max_pool2d": "adaptive max pool",
    "native_batch_norm": "batch norm",
    "_native_batch_norm_legit_no_training": "batch norm",
    "native_group_norm": "group norm",
    "native_layer_norm": "layer norm",
    "cat": "concat",
    "constant_pad_nd": "pad",
    "mul": "multiply",
    "div": "divide",
    "sub": "subtract",
    "_softmax": "softmax",
    "silu": "swish",
    "hardswish": "h-swish",
    "hardsigmoid": "h-sigmoid",
    "_prelu_kernel": "prelu",
    "split_with_sizes": "split",
    "index": "pick",
    "index_select": "pick",
    "upsample_nearest2d": "upsample",
    "upsample_bilinear2d": "upsample",
}
CLASSES = {
    "activation": {
        "relu",
        "relu6",
        "swish",
        "h-swish",
        "h-sigmoid",
        "sigmoid",
        "tanh",
        "gelu",
        "elu",
        "hardtanh",
        "leaky_relu",
        "prelu",
    },
    "norm": {"batch norm", "group norm", "layer norm", "local response norm"},
    "pool": {
        "max pool",
        "average pool",
        "global average",
        "adaptive average pool",
        "adaptive max pool",
    },
    "join": {"add", "concat"},
}
REARRANGING = {
    "slice",
    "split",
    "split_with_sizes",
    "select",
    "unbind",
    "transpose",
    "permute",
}  # views, yet steps
COPIES = {
    "clone",
    "_to_copy",
    "_unsafe_view",
    "copy",
    "lift_fresh",
    "new_ones",
    "ones_like",
    "zeros_like",
    "empty_like",
}
UNTOLD = {
    "keepdim",
    "training",
    "cudnn_enabled",
    "benchmark",
    "half_to_float",
    "inplace",
    "return_indices",
    "alpha",
    "beta",
    "N",
    "C",
    "HxW",
}  # arguments and attributes that change no value in evaluation
SIDES = (
    "left",
    "right",
    "top",
    "bottom",
    "channels before",
    "channels after",
)  # the order of torch's pad
NOTHING = (nn.Identity, nn.Flatten, nn.Unflatten)
TRAINING = "only in training"


@dataclass(frozen=True)
class Step:
    """One operation on what comes from the input, or a layer of several that belong together."""

    name: str  # dotted path of the module that runs it
    kind: str  # "conv", "relu", "add"; the class of a layer that is no single operation
    own: Mapping[str, object]  # its settings by name; what it reads and on how large a map are none
    reads: int | None  # channels, or features
    output: tuple[int, ...]  # shape, without the batch
    params: int = 0
    macs: int = 0
    like: str = field(
        init=False, compare=False
    )  # kind and settings: steps that agree in it do the same

    def __post_init__(self):
        object.__setattr__(self, "like", f"{self.kind} {sorted(self.own.items())}")

    @property
    def family(self) -> str:
        return next((name for name, kinds in CLASSES.items() if self.kind in kinds), self.kind)

    @property
    def weighs(self) -> bool:
        return self.kind in ("conv", "transposed conv", "linear")

    @property
    def kernel(self) -> tuple[int, ...] | None:
        """Of a convolution or pooling; a layer of another class may call anything so."""
        return self.own.get("kernel") if self.weighs or self.family == "pool" else None

    def __str__(self) -> str:
        """ "3x3 conv 64 /2", "linear 1000", "batch norm", "dropout 0.5" """
        own = self.own
        if "pad" in own:
            return " ".join(
                (
                    self.kind,
                    *(f"{side} {n}" for side, n in zip(SIDES, own["pad"], strict=False) if n),
                )
            )
        if not self.weighs and self.family != "pool":
            return (
                f"{self.kind} {own[told]:.6g}"
                if (told := "p" if "p" in own else "other") in own
                else self.kind
            )
        head = (
            by(self.kernel),
            "depthwise" * (own.get("groups") == "depthwise"),
            self.kind,
            str(own.get("channels", "")),
        )
        stride = by(own.get("stride"))
        groups = own.get("groups", 1)
        tail = (
            f"/{stride}" * (stride not in ("", "1")),
            f"g{groups}" * (groups not in (1, "depthwise")),
        )
        return " ".join(filter(None, (*head, *tail)))


class Walk(Trace):
    """A trace that also keeps the steps, in the order they run."""

    def __init__(self, net: nn.Module, *rest):
        super().__init__(net, *rest)
        self.done: list[Step] = []
        self.works: dict[Call, list[Step]] = {}  # inside the layers that run now
        self.charged: dict[
            Call, tuple[int, int]
        ] = {}  # params and MACs of a running module that steps have
        self.modules = dict(net.named_modules())

    @property
    def steps(self) -> list[Step]:
        return [*self.done, *self._idle()]

    def _idle(self) -> Iterator[Step]:
        """Parameters that no step of the evaluation reads, by the module at the top that holds
        them.
        """
        heads: dict[str, int] = {}
        for key, count in self.unread.items():
            top = self.names[key].partition(".")[0]
            heads[top] = heads.get(top, 0) + count
        for name, params in heads.items():
            yield Step(name, TRAINING, {}, None, (), params)

    def _note(self, call: Call, func, named: dict, inputs: list[Tensor], out) -> None:
        op = func.overloadpacket.__name__.rstrip("_")
        data = [t for t in inputs if t in self.origins]
        outputs = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        if not data or not outputs or _only_shapes(func, op, data[0], outputs):
            return
        own = _settings(op, named, outputs[0])
        step = Step(
            call.name,
            _kind(op, named, len(data)),
            own,
            _width(data[0]),
            tuple(outputs[0].shape[1:]),
        )
        if _is_layer(call.module):
            self.works.setdefault(call, []).append(step)
        else:
            self.done.append(self._charge(call, step))

    def _charge(self, call: Call, step: Step) -> Step:
        """The step with what its module has read and multiplied since the one before."""
        params, macs = self.charged.get(call, (0, 0))
        self.charged[call] = call.params, call.macs
        return replace(step, params=call.params - params, macs=call.macs - macs)

    def _leave(self, module: nn.Module, args, output) -> None:
        call, works = self.stack[-1], self.works.pop(self.stack[-1], [])
        super()._leave(module, args, output)
        rest = Step(call.name, "own parameters", {}, None, self.parts[call.name].output)
        if _is_layer(module) and not isinstance(module, NOTHING):
            step = _layer(call, works) if works or not call.params else rest
            self.done.append(replace(step, output=rest.output, params=call.params, macs=call.macs))
        elif self.charged.pop(call, (0, 0)) != (call.params, call.macs):
            self.done.append(self._charge(call, rest))


def _is_layer(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _layer(call: Call, works: list[Step]) -> Step:
    """A layer as one step: as its operation, where torch's layer has just one, else by its class
    and settings.
    """
    foreign = not type(call.module).__module__.startswith("torch.nn.")
    if len(works) == 1 and not (foreign and works[0].kind in REARRANGING):
        return works[0]
    own = _attributes(call.module)
    if foreign and works:
        own["work"] = ", ".join(str(work) for work in works)
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(call.module).__name__).lower()
    return Step(call.name, kind, own, works[0].reads if works else None, ())


def _attributes(module: nn.Module) -> dict[str, object]:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in vars(module).items()
        if key not in UNTOLD
        and key[0] != "_"
        and not key.startswith(("in_", "num_"))
        and _is_plain(value)
    }


def _is_plain(value) -> bool:
    return isinstance(value, bool | int | float | str) or (
        isinstance(value, tuple | list)
        and all(isinstance(item, bool | int | float) for item in value)
    )


def _only_shapes(func, op: str, x: Tensor, outputs: list[Tensor]) -> bool:
    """Reshapes, copies, and slices of everything."""
    if op in COPIES:
        return True
    whole = len(outputs) == 1 and outputs[0].shape == x.shape
    return func.is_view and (op not in REARRANGING or (whole and op == "slice"))


def _kind(op: str, named: dict, maps: int) -> str:
    if op == "convolution" and named["transposed"]:
        return "transposed conv"
    if op in ("mm", "addmm") and maps > 1:
        return "matrix product"
    if op == "mul" and maps == 1:
        return "scale"
    if op == "mean" and _dims(named)[-1:] == [-1]:
        return "global average"
    if op == "hardtanh" and (named["min_val"], named["max_val"]) == (0, 6):
        return "relu6"
    return WORDS.get(op, op)


def _dims(named: dict) -> list[int]:
    """The dimensions of a reduction, counted from the last."""
    dims = named["dim"]
    ndim = named["self"].ndim
    dims = range(ndim) if dims is None else [dims] if isinstance(dims, int) else dims
    return sorted(dim % ndim - ndim for dim in dims)


def _settings(op: str, named: dict, out: Tensor) -> dict[str, object]:
    """What sets this operation apart from others of its kind, by name."""
    window = receptive.window_of(op, named)
    if window:
        own = {
            "kernel": window.kernel,
            "stride": _short(window.stride),
            "padding": _short(window.padding),
            "dilation": _short(window.dilation),
        }
        if window.groups is None:
            return own | {
                key: named[key] for key in ("ceil_mode", "count_include_pad") if key in named
            }
        depthwise = window.groups == named["input"].shape[1] != 1
        return own | {
            "channels": out.shape[1],
            "groups": "depthwise" if depthwise else window.groups,
            "bias": named["bias"] is not None,
        }
    if op == "convolution":
        named = named | {"kernel": tuple(named["weight"].shape[2:]), "channels": out.shape[1]}
    if op in ("addmm", "mm"):
        return {"channels": out.shape[-1], "bias": op == "addmm"}
    if op in ("mean", "sum", "amax"):
        return {"dim": tuple(_dims(named))} if _dims(named)[-1:] != [-1] else {}
    if op == "native_batch_norm" or op == "native_group_norm":
        named = named | {"affine": named["weight"] is not None}
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in named.items()
        if key not in UNTOLD and _is_plain(value)
    }


def _short(pair: tuple[int, ...]) -> tuple[int, ...]:
    """(2, 2) -> (2,): the same on all axes."""
    return pair[:1] if len(set(pair)) == 1 else pair


def _width(x: Tensor) -> int | None:
    return x.shape[1] if x.ndim > 1 else None
