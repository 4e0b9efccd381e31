"""Where the pixels of an image lie in a tensor, and which of them each of its elements can see.

A dimension is a product of factors, outer first, as row-major memory is: one that holds rows or
columns tells how many pixels lie from one index to the next. Reshaping splits and merges factors,
transposing moves them, and what mixes a dimension forgets which index holds which pixel, and sees
all of them instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple

ROWS, COLUMNS = 0, 1


class Factor(NamedTuple):
    """`size` indices; of an axis of the image, `step` pixels apart, or of none."""

    axis: int | None
    size: int
    step: int = 0


Dim = tuple[Factor, ...]
Span = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """Element 0 sees the pixels low ... high of each axis, and every index moves them by its
    factor's step. Borders are not clipped.
    """

    spans: tuple[Span, Span]  # rows, columns
    dims: tuple[Dim, ...]

    @property
    def size(self) -> int:
        """The longer side of what one element sees, in pixels."""
        return max(high - low + 1 for low, high in self.spans)

    def moved(self, axis: int | None, low: int, high: int) -> "Field":
        """The span of one axis with its ends moved by so much."""
        if axis is None:
            return self
        spans = [*self.spans]
        spans[axis] = (spans[axis][0] + low, spans[axis][1] + high)
        return replace(self, spans=tuple(spans))

    def with_dims(self, dims: Iterable[Dim]) -> "Field":
        return replace(self, dims=tuple(map(_merged, dims)))


def pixels(shape: Sequence[int]) -> Field:
    """Of the input itself, (N, C, H, W): every element sees its pixel."""
    n, c, h, w = shape
    rows, columns = (Factor(ROWS, h, 1),), (Factor(COLUMNS, w, 1),)
    return Field(((0, 0), (0, 0)), (plain(n), plain(c), rows, columns))


def plain(size: int) -> Dim:
    """A dimension that holds no pixels, or all of them everywhere."""
    return (Factor(None, size),) if size != 1 else ()


def size_of(dim: Dim) -> int:
    return prod(factor.size for factor in dim)


def alone(dim: Dim) -> Factor | None:
    """The factor of a dimension that lies along one axis of the image."""
    return dim[0] if len(dim) == 1 and dim[0].axis is not None else None


def mixed(field: Field, dims: Iterable[int]) -> Field:
    """Every element sees what all indices of these dimensions saw."""
    changed = [*field.dims]
    for i in {dim % len(changed) for dim in dims} if changed else ():
        field = _widened(field, changed[i])
        changed[i] = plain(size_of(changed[i]))
    return field.with_dims(changed)


def everything(field: Field, shape: Sequence[int]) -> Field:
    """A tensor of `shape`, each element of which sees what all of this one saw."""
    whole = mixed(field, range(len(field.dims)))
    return whole.with_dims(plain(n) for n in shape)


def _widened(field: Field, factors: Iterable[Factor]) -> Field:
    for axis, size, step in factors:
        reach = (size - 1) * step
        field = field.moved(axis, min(reach, 0), max(reach, 0))
    return field


def joined(fields: Sequence[Field], shape: Sequence[int]) -> Field:
    """Elementwise work on several tensors, broadcast to `shape`: the union of what they see, and of
    everything where they do not move together, as a gate and what it scales.
    """
    fields = [broadcast(field, shape) for field in fields]
    for axis in (ROWS, COLUMNS):
        if len({_places(field, axis) for field in fields}) > 1:
            fields = [_without(field, axis) for field in fields]
    spans = tuple(
        (min(low for low, _ in of_axis), max(high for _, high in of_axis))
        for of_axis in zip(*(field.spans for field in fields), strict=True)
    )
    return Field(spans, fields[0].dims)


def broadcast(field: Field, shape: Sequence[int]) -> Field:
    dims = [()] * (len(shape) - len(field.dims)) + [*field.dims]
    return field.with_dims(
        dim if size_of(dim) == n else plain(n) for dim, n in zip(dims, shape, strict=True)
    )


def _places(field: Field, axis: int) -> tuple:
    """Where the indices of an axis lie: dimension, indices further inside it, size, step."""
    return tuple(
        (i, size_of(dim[j + 1 :]), factor.size, factor.step)
        for i, dim in enumerate(field.dims)
        for j, factor in enumerate(dim)
        if factor.axis == axis
    )


def _without(field: Field, axis: int) -> Field:
    """Every element sees the whole of one axis."""
    field = _widened(field, (f for dim in field.dims for f in dim if f.axis == axis))
    return field.with_dims(
        [Factor(None, f.size) if f.axis == axis else f for f in dim] for dim in field.dims
    )


def reshaped(field: Field, shape: Sequence[int]) -> Field:
    """The same elements in the same order under another shape."""
    if tuple(map(size_of, field.dims)) == tuple(shape):
        return field
    if 0 in shape:  # nothing lies anywhere, as of a detector that has found nothing
        return everything(field, shape)
    left = [f for f in _merged([f for dim in field.dims for f in dim]) if f.size != 1]
    dims = []
    for i, n in enumerate(shape):
        dim = []
        while n > 1:
            if not left:
                return everything(field, shape)
            axis, size, step = left.pop(0)
            if n % size == 0:
                dim.append(Factor(axis, size, step))
                n //= size
            elif size % n == 0:
                dim.append(Factor(axis, n, step * (size // n)))
                left.insert(0, Factor(axis, size // n, step))
                n = 1
            else:
                return everything(field, shape)
        stays = not dim and len(shape) == len(field.dims) and size_of(field.dims[i]) == 1
        dims.append(field.dims[i] if stays else dim)
    return everything(field, shape) if left else field.with_dims(dims)


def _merged(factors: Iterable[Factor]) -> Dim:
    """Neighbours that count on as one become one."""
    merged: list[Factor] = []
    for factor in factors:
        axis, size, step = factor
        if axis is None and size == 1:
            continue
        last = merged[-1] if merged else None
        if last and last.axis == axis and (axis is None or last.step == step * size):
            merged[-1] = Factor(axis, last.size * size, step)
        else:
            merged.append(factor)
    return tuple(merged)


def cut(field: Field, dim: int, start: int, step: int, size: int) -> Field:
    """start, start + step, ... of one dimension: `size` indices."""
    along = alone(field.dims[dim])
    dims = [*field.dims]
    if along:
        shift = start * along.step
        field = field.moved(along.axis, shift, shift)
        dims[dim] = (Factor(along.axis, size, along.step * step),)
    else:
        field = _widened(field, dims[dim])
        dims[dim] = plain(size)
    return field.with_dims(dims)


def slid(
    field: Field, dim: int, kernel: int, stride: int, padding: int, dilation: int, size: int
) -> Field:
    """A window slides along one dimension, to `size` places."""
    along = alone(field.dims[dim])
    dims = [*field.dims]
    if along:
        ends = (-padding * along.step, ((kernel - 1) * dilation - padding) * along.step)
        field = field.moved(along.axis, min(ends), max(ends))
        dims[dim] = (Factor(along.axis, size, along.step * stride),)
    else:
        field = _widened(field, dims[dim])
        dims[dim] = plain(size)
    return field.with_dims(dims)


def turned_round(field: Field, dim: int) -> Field:
    """The last index first."""
    along = alone(field.dims[dim])
    if along is None:
        return mixed(field, [dim])
    shift = (along.size - 1) * along.step
    dims = [*field.dims]
    dims[dim] = (along._replace(step=-along.step),)
    return field.moved(along.axis, shift, shift).with_dims(dims)


def removed(field: Field, dims: Iterable[int]) -> Field:
    """One index of each of these dimensions is left, whichever it is."""
    gone = {dim % len(field.dims) for dim in dims}
    field = mixed(field, gone)
    return field.with_dims(dim for i, dim in enumerate(field.dims) if i not in gone)
