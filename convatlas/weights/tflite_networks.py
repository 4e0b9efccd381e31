"""TensorFlow Lite's models of the MobileNets that their authors released, layer by layer in the
order of running, as weights/tflite.py names them.

Filters lie as output, height, width, input. Norms are folded into the convolutions before them, so
that a file has no statistics: ours then only add their biases.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from convatlas.weights.keras_networks import ONE_TO_ONE
from convatlas.weights.names import Convolved, Layout, Rules, Table, Twin
from convatlas.weights.tensorflow import UNITS

OHWI = (0, 2, 3, 1)
FILTERS_LAST = (1, 2, 3, 0)  # of a depthwise layer, one for each channel
LAYOUTS = (Layout(r"^depthwise", FILTERS_LAST), Layout(r"^conv2d", OHWI))
EPSILON = 1e-3  # of our norms in these networks
FOLDED = (
    (r"\.bn\.weight$", 1.0),
    (r"\.running_mean$", 0.0),
    (r"\.running_var$", 1 - EPSILON),
)
BEFORE_GATE = 3.0  # relu6(x + 3), which the converter adds to the bias of the layer before


class Step(NamedTuple):
    """A layer of ours, and of which kind it is there, with its activation."""

    ours: str
    kind: str
    activation: str = ""


def lite(ours: str, steps: Iterable[Step], shifted: tuple[tuple[str, float], ...] = ()) -> Twin:
    names = {step.ours: f"{step.kind}_{i}{step.activation}" for i, step in enumerate(steps)}
    parts = {"weight": "filter", "bias": "bias"}

    def replacement(match: re.Match) -> str:
        return f"{names[match[1]]}/{parts[match[2]]}" if match[1] in names else match[0]

    rules: Rules = ((r"^(.+?)(?:\.conv|\.bn)?\.(weight|bias)$", replacement),)
    pixels = [name for ours, name in names.items() if ours in LINEAR and name.startswith("conv2d")]
    return Twin(
        ours,
        rules,
        tuple(Convolved(rf"^{name}/filter$", 1) for name in pixels),
        layouts=LAYOUTS,
        axes=(0, -1),
        shifted=shifted,
        folded=FOLDED,
        pixels=ONE_TO_ONE,
    )


LINEAR = ("fc", "nbn.fc")  # here; convolutions on one pixel there, as a rule
CONV, DEPTHWISE, FULLY = "conv2d", "depthwise_conv2d", "fully_connected"


def mobilenet_v1() -> Iterator[Step]:
    yield Step("conv1.conv", CONV, "_relu6")
    for i in range(2, 15):
        yield Step(f"conv{i}.dw", DEPTHWISE, "_relu6")
        yield Step(f"conv{i}.pw", CONV, "_relu6")
    yield Step("fc", CONV)


def mobilenet_v2(head: str) -> Iterator[Step]:
    yield Step("conv1.conv", CONV, "_relu6")
    for i, units in enumerate(UNITS, start=1):
        for unit in range(units):
            layers = f"bottleneck{i}.{unit}.layers"
            if i > 1:
                yield Step(f"{layers}.expand", CONV, "_relu6")
            yield Step(f"{layers}.depthwise", DEPTHWISE, "_relu6")
            yield Step(f"{layers}.project", CONV)
    yield Step("conv9.conv", CONV, "_relu6")
    yield Step("fc", head)


class V3(NamedTuple):
    """Of Tables 1 and 2: how many units, the first of them with ReLUs, and those with gates. The
    hard swish of the others is an operator of its own.
    """

    units: int
    relus: int
    gated: tuple[int, ...]


V3S = {
    "large": V3(15, 6, (4, 5, 6, *range(11, 16))),
    "small": V3(11, 3, (1, *range(4, 12))),
}


def mobilenet_v3(size: V3, gate: str) -> Iterator[Step]:
    """`gate` is what the second layer of a gate ends with."""
    last = "" if size.relus < size.units else "_relu"
    yield Step("conv1.conv", CONV, last)
    for i in range(1, size.units + 1):
        layers = f"bneck{i}.layers"
        activation = "_relu" if i <= size.relus else ""
        if i > 1:
            yield Step(f"{layers}.expand", CONV, activation)
        yield Step(f"{layers}.depthwise", DEPTHWISE, activation)
        if i in size.gated:
            yield Step(f"{layers}.se.squeeze", CONV, "_relu")
            yield Step(f"{layers}.se.excite", CONV, gate)
        yield Step(f"{layers}.project", CONV)
    yield Step("conv2.conv", CONV, last)
    yield Step("nbn.fc", CONV, last)
    yield Step("fc", CONV)


WIDTHS_V1 = {"1.0": "", "0.75": "_x0_75", "0.5": "_x0_5", "0.25": "_x0_25"}
WIDTHS_V2 = {**WIDTHS_V1, "1.4": "_x1_4", "1.3": "_x1_3", "0.35": "_x0_35"}
del WIDTHS_V2["0.25"]
JOINED = ((r"\.se\.excite\.bias$", -BEFORE_GATE),)

TWINS: Table = {
    **{
        f"mobilenet_v1_{width}": lite(f"mobilenet_v1_released{x}", mobilenet_v1())
        for width, x in WIDTHS_V1.items()
    },
    **{
        f"mobilenet_v2_{width}{ending}": lite(f"mobilenet_v2_released{x}", mobilenet_v2(head))
        for width, x in WIDTHS_V2.items()
        for ending, head in (("", CONV), ("_linear", FULLY))
    },
    **{
        f"v3-{size}{theirs}{ending}": lite(
            f"mobilenet_v3_{size}_released{ours}", mobilenet_v3(V3S[size], gate), shifted
        )
        for size in V3S
        for theirs, ours in (("_1.0", ""), ("_0.75", "_x0_75"))
        for ending, gate, shifted in (("", "", ()), ("_joined", "_relu6", JOINED))
    },
    **{
        f"v3-{size}-minimalistic_1.0": lite(
            f"mobilenet_v3_{size}_released_minimalistic",
            mobilenet_v3(V3(V3S[size].units, V3S[size].units, ()), ""),
        )
        for size in V3S
    },
}
