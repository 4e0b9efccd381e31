"""Folds a layer table into the few lines that a paper would print: a line a stage, a line a unit,
repeats as "x3".

Plain records: works on a stored table without torch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from convatlas.anatomy.table import Layer, by, stride_text


@dataclass(frozen=True)
class Line:
    """One or more equal units. `params` and `macs` are those of all of them; `receptive_field` and
    `output` the last one's.
    """

    name: str  # "conv3_x", or inside it "0" or "1-3"
    indent: int  # 0 for a stage, 1 for a unit of the stage above
    made_of: str  # "1x1 64, 3x3 64, 1x1 256": windows and channels, in the order they run
    output: tuple[int, ...]
    params: int
    macs: int
    receptive_field: int | None
    repeats: int = 1


Ends = Mapping[
    str, tuple[tuple[int, ...], int | None]
]  # path of a container -> its output shape and receptive field


def fold(rows: Iterable[Layer], ends: Ends) -> list[Line]:
    """Lines for the modules at the top of the network, each followed by its units where it has
    several.

    `ends` tells what stages and units give out, since no single row tells that of a sum or a
    concatenation.
    """
    lines = []
    for name, stage in _children(rows, depth=0):
        units = _repeats(
            [
                _line(unit, group, ends.get(f"{name}.{unit}"), indent=1)
                for unit, group in _children(stage, depth=1)
                if _matters(group)
            ]
        )
        whole = _line(name, stage, ends.get(name), indent=0)
        if len(units) > 1:
            lines += [replace(whole, made_of=""), *units]
        elif units:
            lines.append(replace(whole, repeats=units[0].repeats, made_of=units[0].made_of))
    return lines


def _children(rows: Iterable[Layer], depth: int) -> list[tuple[str, list[Layer]]]:
    """Consecutive rows that share the name at this depth; "" for rows of the module itself."""

    def name(row: Layer) -> str:
        return ".".join(row.name.split(".")[depth : depth + 1])

    return [(name, list(group)) for name, group in groupby(rows, key=name)]


def _matters(rows: list[Layer]) -> bool:
    """Activations, identities and normalisation alone need no line."""
    return any(_weighs(row) for row in rows)


def _weighs(row: Layer) -> bool:
    return bool(row.macs or row.kernel)


def _line(
    name: str, rows: list[Layer], end: tuple[tuple[int, ...], int | None] | None, indent: int
) -> Line:
    output, seen = end or (rows[-1].output, rows[-1].receptive_field)
    return Line(
        name,
        indent,
        _made_of(rows),
        tuple(output),
        sum(row.params for row in rows),
        sum(row.macs for row in rows),
        seen,
    )


def _made_of(rows: list[Layer]) -> str:
    runs = [
        (word, len(list(same)))
        for word, same in groupby(_word(row) for row in rows if _weighs(row))
    ]
    return ", ".join(word if times == 1 else f"{word} (x{times})" for word, times in runs)


def _word(row: Layer) -> str:
    """ "3x3 64 /2", "3x3 96 dw", "shortcut 1x1 256", "max 2x2 /2", "linear 1000" """
    place = "shortcut " if "shortcut" in row.name.split(".") else ""
    if not row.macs:
        return (
            f"{place}{row.kind.removesuffix('2d').removesuffix('Pool').lower()} "
            f"{by(row.kernel)}{stride_text(row)}"
        )
    window = by(row.kernel) or "linear"
    depthwise = row.groups == row.output[0] != 1
    groups = " dw" if depthwise else f" g{row.groups}" if (row.groups or 1) > 1 else ""
    return f"{place}{window} {row.output[0]}{stride_text(row)}{groups}"


def _repeats(units: list[Line]) -> list[Line]:
    """Consecutive units that read alike become one line: "1-3", x3."""
    merged = []
    for _, group in groupby(units, key=lambda unit: (unit.made_of, unit.output)):
        same = list(group)
        name = same[0].name if len(same) == 1 else f"{same[0].name}-{same[-1].name}"
        merged.append(
            replace(
                same[-1],
                name=name,
                repeats=len(same),
                params=sum(unit.params for unit in same),
                macs=sum(unit.macs for unit in same),
            )
        )
    return merged
