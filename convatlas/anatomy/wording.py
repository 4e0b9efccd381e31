"""Differences in words: what steps are made of, what sets two of them apart, and where many of them
are.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from convatlas.anatomy.steps import Step
from convatlas.anatomy.table import by

NONE = "-"  # stands for what one network does not have
SHORT = 8  # of so many steps each is told
LONG = 12  # of more words than that only the layers with weights are told, counted by kind
TOLD = {
    ("bias", False): "no bias",
    ("bias", True): "bias",
    ("ceil", False): "rounds down",
    ("ceil", True): "rounds up",
    ("affine", "none"): "no scale",
    ("affine", "scale and shift"): "scale",
    ("affine", "scale"): "no shift",
    ("affine", "shift"): "no scale, shift",
    ("divisor", "inside"): "padding not counted",
    ("divisor", "window"): "padding counted",
}
PADDING = {"padding", "ceil", "divisor", "output_padding"}
KINDS = {"activation": "activation", "norm": "normalisation", "pad": "padding"}


def made_of(steps: list[Step]) -> str:
    """ "3x3 conv 64 /2, batch norm, relu"; of many steps without norms and activations; NONE of no
    steps.
    """
    told = (
        steps
        if len(steps) <= SHORT
        else [s for s in steps if s.family not in ("norm", "activation")] or steps
    )
    runs = [(word, len(list(same))) for word, same in groupby(map(str, told))]
    if len(runs) > LONG:
        kinds = [step.kind for step in told if step.weighs] or [step.kind for step in told]
        runs = [(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]
    return ", ".join(word if times == 1 else f"{word} (x{times})" for word, times in runs) or NONE


def what(a: Step, b: Step) -> str:
    """What both have in common: "3x3 depthwise conv", "activation"."""
    if a.kind != b.kind:
        return a.family
    if unlike(a, b) == ["bias"]:
        return a.kind
    kernel = by(a.kernel) if a.kernel == b.kernel else ""
    depthwise = "depthwise" if a.own.get("groups") == b.own.get("groups") == "depthwise" else ""
    return " ".join(filter(None, (kernel, depthwise, a.kind)))


def words(a: Step, b: Step) -> tuple[str, str]:
    if a.kind != b.kind or a.own.get("what") != b.own.get("what"):
        return str(a), str(b)
    keys = unlike(a, b)
    if a.kernel != b.kernel and _keeps_size(a) and _keeps_size(b):
        keys = [key for key in keys if key != "padding"]
    return tuple(", ".join(_word(key, step.own.get(key, NONE)) for key in keys) for step in (a, b))


def unlike(a: Step, b: Step) -> list[str]:
    """The settings in which two steps of one kind differ; what only matters in training last."""
    keys = [key for key in dict.fromkeys((*a.own, *b.own)) if _of(a, key) != _of(b, key)]
    keys = [key for key in keys if key != "momentum" or (key in a.own and key in b.own)]
    return sorted(keys, key="momentum".__eq__)


def _of(step: Step, key: str) -> object:
    return step.own.get(key, NONE)


def group_of(a: list[Step], b: list[Step]) -> str:
    """Which of GROUPS a difference in these steps belongs to."""
    steps = [*a, *b]
    if all(step.trains for step in steps):
        return "training"
    if a and b and a[0].kind == b[0].kind:
        keys = set(unlike(a[0], b[0]))
        if keys == {"momentum"}:
            return "training"
        if keys and keys <= PADDING:
            return "padding"
    families = {step.family for step in steps}
    return KINDS.get(families.pop(), "structure") if len(families) == 1 else "structure"


def _keeps_size(step: Step) -> bool:
    """Padded by half the kernel."""
    half = tuple(side // 2 for side in step.kernel or ())
    return step.own.get("padding") in (half, half[:1] if len(set(half)) == 1 else half)


def _word(key: str, value) -> str:
    if (key, value) in TOLD:
        return TOLD[key, value]
    if isinstance(value, tuple):
        value = ", ".join(value) if any(isinstance(each, str) for each in value) else by(value)
    if isinstance(value, float):
        value = f"{value:.6g}"
    return {
        "kernel": f"{value}",
        "channels": f"{value} channels",
        "work": f"{value}",
        "other": f"by {value}",
        "momentum": f"in training momentum {value}",
        "groups": f"{value}" if value == "depthwise" else f"{value} group{'s' * (value != 1)}",
    }.get(key, f"{key.replace('_', ' ')} {value}")


def numbers(values: tuple[tuple, ...]) -> str:
    """ "reads 64 to 256", "28x28 to 7x7 maps", "p 0.1 to 0.2"; NONE of no values"""
    if not values:
        return NONE
    ends = min(values), max(values)
    if isinstance(values[0][0], float):
        return "p " + " to ".join(dict.fromkeys(f"{p:.3g}" for (p,) in ends))
    if len(values[0]) > 1:
        return " to ".join(dict.fromkeys(map(by, ends[::-1]))) + " maps"
    return "reads " + " to ".join(dict.fromkeys(map(by, ends)))


def ranges(paths: Iterable[str]) -> Iterator[str]:
    """Consecutive numbers in one, the last number of a path first. Of equal paths the first stays.

    "conv3_x.1", "conv3_x.2" -> "conv3_x.1-2"; "conv3_x.0", "conv4_x.0" -> "conv3-4_x.0"
    """
    return _counted(_counted(dict.fromkeys(paths), last=True), last=False)


def _counted(paths: Iterable[str], last: bool) -> Iterator[str]:
    runs: list[list[list[str]]] = []
    for path in paths:
        words = re.split(r"(\d+)", path)
        if runs and _follows(runs[-1], words, last):
            runs[-1].append(words)
        else:
            runs.append([words])
    for first, *more in runs:
        end = more[-1] if more else first
        yield "".join(
            old if old == new else f"{old}-{new}" for old, new in zip(first, end, strict=True)
        )


def _follows(run: list[list[str]], words: list[str], last: bool) -> bool:
    """The path counts on from the run: the same but for one number, the next one, at the place
    where the run counts.
    """

    def step(old: list[str], new: list[str]) -> int | None:
        places = [i for i, (word, other) in enumerate(zip(old, new, strict=False)) if word != other]
        allowed = [len(new) - 2] if last else range(1, len(new), 2)  # where the numbers are
        one = len(old) == len(new) and len(places) == 1 and places[0] in allowed
        return places[0] if one and int(new[places[0]]) == int(old[places[0]]) + 1 else None

    here = step(run[-1], words)
    return here is not None and (len(run) == 1 or step(*run[-2:]) == here)
