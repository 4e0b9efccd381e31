"""Where in the picture the unit at one place of a map looks: its receptive field as a rectangle."""

from typing import NamedTuple

import torch.nn as nn

from convatlas.anatomy import layout
from convatlas.anatomy.counting import Trace
from convatlas.calling import tensors_in
from convatlas.calling.given import Size


class Rectangle(NamedTuple):
    """Pixels of the input; `bottom` and `right` are the first that are outside. May reach past the
    borders, where padding lies.
    """

    top: int
    left: int
    bottom: int
    right: int

    def within(self, height: int, width: int) -> "Rectangle":
        """What of it lies in a picture of this size."""
        top, bottom = (min(max(side, 0), height) for side in (self.top, self.bottom))
        left, right = (min(max(side, 0), width) for side in (self.left, self.right))
        return Rectangle(top, left, bottom, right)


class UnitFields(NamedTuple):
    """What the units of one map see. A step is 0 where every unit sees the same."""

    size: tuple[int, int]  # rows and columns of the map
    first: Rectangle  # of the unit in row 0, column 0
    step: tuple[int, int]  # pixels down from row to row, and right from column to column

    def of(self, row: int, column: int) -> Rectangle:
        """The field of the unit at a place. Raises ValueError for one outside the map."""
        rows, columns = self.size
        if not (0 <= row < rows and 0 <= column < columns):
            raise ValueError(
                f"there is no unit {row},{column} in a map of {rows}x{columns}; rows count from 0 "
                f"to {rows - 1}, columns from 0 to {columns - 1}"
            )
        down, right = row * self.step[0], column * self.step[1]
        top, left, bottom, right_end = self.first
        return Rectangle(top + down, left + right, bottom + down, right_end + right)


def unit_fields(net: nn.Module, input_size: Size | None = None) -> dict[str, UnitFields]:
    """For every module of `net` that gives maps, by path, what their units see of an image of
    `input_size`, (C, H, W); by default of `net.input_size`.

    Computed on shapes alone. A gate that looks at the whole map (squeeze and excitation) makes all
    units after it see everything. Raises ValueError as `summary` does.
    """
    return _FieldTrace.of(net, input_size).unit_fields


class _FieldTrace(Trace):
    def __init__(self, *args, **kwargs):
        self.unit_fields: dict[str, UnitFields] = {}
        super().__init__(*args, **kwargs)

    def _leave(self, module, args, output) -> None:
        name = self.stack[-1].name
        super()._leave(module, args, output)
        first = next(iter(tensors_in(output)), None)
        origin = None if first is None else self.origins.get(first)
        if origin and origin.field and first.ndim == 4:
            self.unit_fields[name] = _fields(origin.field, tuple(first.shape[2:]))


def _fields(field: layout.Field, size: tuple[int, int]) -> UnitFields:
    (top, bottom), (left, right) = field.spans
    step = []
    for axis in (layout.ROWS, layout.COLUMNS):
        along = layout.alone(field.dims[2 + axis])
        step.append(along.step if along and along.axis == axis else 0)
    return UnitFields(size, Rectangle(top, left, bottom + 1, right + 1), (step[0], step[1]))
