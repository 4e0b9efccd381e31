"""What stands in the boxes."""

from convatlas.anatomy.table import Layer, by, stride_text
from convatlas.drawing.letters import DASH, TIMES
from convatlas.drawing.sketch import Piece, Step
from convatlas.magnitude import short

JOINS = {"add": "+", "multiply": TIMES}
SPOKEN = {
    "mean": "global average",
    "AdaptiveAvgPool2d": "average",
    "AdaptiveMaxPool2d": "max",
    "ChannelShuffle": "shuffle",
    "LocalResponseNorm": "response norm",
    "BatchNorm2d": "batch norm",
    "LayerNorm": "layer norm",
}


def step_words(step: Step) -> str:
    """ "3x3 64 /2", "3x3 96 dw", "max 2x2 /2", "linear 1000", "concat" """
    row = step.row
    if row is None or not (row.macs or row.kernel):
        return _without_window(step)
    window = by(row.kernel)
    if not row.macs:
        kind = row.kind.removesuffix("2d").removesuffix("Pool")
        name = next((word for word in ("Max", "Avg") if kind.endswith(word)), kind).lower()
        return f"{name} {window}{stride_text(row)}" if set(row.kernel) != {1} else name
    if not window:
        return (
            f"linear {row.output[-1]}" if row.kind == "Linear" else f"{row.kind} {row.output[-1]}"
        )
    channels = f"{step.since.output[0]}{DASH}{row.output[0]}" if step.since else f"{row.output[0]}"
    return f"{window} {channels}{stride_text(row)}{_groups(row)}"


def _groups(row: Layer) -> str:
    if (row.groups or 1) == 1:
        return ""
    return " dw" if row.groups == row.output[0] else f" g{row.groups}"


def _without_window(step: Step) -> str:
    name = SPOKEN.get(
        step.kind, step.kind if step.row is None else step.kind.removesuffix("2d").lower()
    )
    if step.kind == "split":
        return f"split {step.output[0]}"
    if step.kind.startswith("Adaptive"):
        return f"{name} to {by(step.output[1:])}"
    return name


def look_of(step: Step) -> str:
    """The kind of operation, as a name of palette.KINDS; joins are "join" or "gate"."""
    row = step.row
    if step.mark and step.kind != "input":
        return step.mark
    if row is None:
        if step.kind in ("mean", "max pool", "average pool", "max"):
            return "pool"
        return {"multiply": "gate", "input": "port", "output": "port"}.get(step.kind, "join")
    if not row.macs:
        return "pool" if "Pool" in row.kind or row.kernel else "other"
    if row.kernel is None:
        return "linear"
    if (row.groups or 1) > 1:
        return "depth"
    return "point" if set(row.kernel) == {1} else "conv"


def numbers(params: int, macs: int) -> str:
    """ "1.22 M · 951 M": parameters and multiply-adds"""
    return f"{short(params)} · {short(macs)}" if params or macs else ""


def numbers_told(params: int, macs: int) -> str:
    """ "1.22 M parameters · 951 M multiply-adds" """
    each = [(params, "parameters"), (macs, "multiply-adds")]
    return " · ".join(f"{short(number)} {what}" for number, what in each if number)


def title_of(piece: Piece, within: str = "") -> str:
    """The name, without that of what it lies in, and of folded ones the last one's, too: "1-3"."""
    first = piece.path.removeprefix(f"{within}.") if within else piece.path
    if not piece.last:
        return first
    last = piece.last.removeprefix(f"{within}.") if within else piece.last
    return f"{first} {DASH} {last}" if not first.isdigit() else f"{first}{DASH}{last}"
