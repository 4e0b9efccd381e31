"""What each tensor of a pass comes from, where tensors are views of one storage too: what is
written into a slice is in the whole.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from convatlas.anatomy import layout
from convatlas.anatomy.layout import Field
from convatlas.anatomy.storages import Storages


class Origin(NamedTuple):
    """Of a tensor that depends on the input."""

    field: Field | None  # None: the input is no image
    depth: int  # layers with weights on the longest path up to here


class Slice(NamedTuple):
    """Where a view lies in the tensor that it was cut from: start, step and dimension in the view,
    for each dimension there; None where one index was picked.
    """

    whole: Tensor
    places: tuple[tuple[int, int, int | None], ...]


class Written(NamedTuple):
    """What has been written into a storage so far."""

    times: int
    origin: Origin  # as seen by a view of it that we know no place of


class Origins:
    """By tensor. One that is older than the last write into its storage may hold all of it."""

    def __init__(self):
        self._kept = WeakTensorKeyDictionary()  # (origin, how often its storage had been written)
        self._slices = WeakTensorKeyDictionary()
        self._written: Storages[Written] = Storages()

    def __contains__(self, t: Tensor) -> bool:
        return self.get(t) is not None

    def get(self, t: Tensor) -> Origin | None:
        origin, times = self._kept.get(t, (None, 0))
        written = self._written.get(t)
        if written is None or (origin and times == written.times):
            return origin
        return united([each for each in (origin, written.origin) if each], t.shape)

    def put(self, t: Tensor, origin: Origin) -> None:
        """Of a new tensor, or of one that is a layer's output by declaration."""
        written = self._written.get(t)
        self._kept[t] = (origin, written.times if written else 0)

    def write(self, t: Tensor, origin: Origin) -> None:
        """Of a tensor that existed before, and of all that share its storage."""
        if self.get(t) == origin:
            return
        before = self._written.get(t)
        all_of_it = [origin, *([before.origin] if before else [])]
        times = before.times + 1 if before else 1
        self._written.put(t, Written(times, united(all_of_it, (), everything=True)))
        place = self._slices.get(t)
        if place:
            old, _ = self._kept.get(place.whole, (None, 0))
            placed = Origin(origin.field and _placed(origin.field, place), origin.depth)
            both = [each for each in (old, placed) if each]
            self.put(place.whole, united(both, place.whole.shape))
        self.put(t, origin)

    def whole(self, t: Tensor) -> Tensor:
        """What `t` was cut from, slice of slice; itself where it is none."""
        place = self._slices.get(t)
        return place.whole if place else t

    def cut(self, op: str, named: dict, views: Sequence[Tensor]) -> None:
        """Notes where slices lie, of tensors that do not depend on the input (yet) too."""
        x, dim = named["self"], named["dim"]
        start = 0
        for i, view in enumerate(views):
            if op in ("select", "unbind"):
                self._note(view, x, dim, named.get("index", i) % x.shape[dim], 1, picked=True)
            elif op == "slice":
                first = named["start"] or 0
                first = max(0, first + x.shape[dim] if first < 0 else first)
                self._note(view, x, dim, first, named["step"])
            else:
                self._note(view, x, dim, start, 1)
                start += view.shape[dim]

    def _note(
        self, view: Tensor, x: Tensor, dim: int, start: int, step: int, picked: bool = False
    ) -> None:
        dim %= x.ndim
        known = self._slices.get(x)
        whole, places = known or (x, tuple((0, 1, i) for i in range(x.ndim)))
        moved = []
        for first, every, i in places:
            if i == dim:
                moved.append((first + start * every, every * step, None if picked else i))
            else:
                moved.append((first, every, i - 1 if picked and i is not None and i > dim else i))
        self._slices[view] = Slice(whole, tuple(moved))


def united(origins: Sequence[Origin], shape: Sequence[int], everything: bool = False) -> Origin:
    """Of a tensor of `shape` that comes from all of these, or from everything that they saw."""
    fields = [origin.field for origin in origins if origin.field]
    if everything:
        fields = [layout.everything(field, shape) for field in fields]
    return Origin(
        layout.joined(fields, shape) if fields else None,
        max(origin.depth for origin in origins),
    )


def _placed(field: Field, place: Slice) -> Field:
    """What the whole sees there, once a slice of it is known to see `field`."""
    shape = place.whole.shape
    dims = []
    for n, (start, step, i) in zip(shape, place.places, strict=True):
        along = None if i is None else layout.alone(field.dims[i])
        if along and step == 1:
            shift = -start * along.step
            field = field.moved(along.axis, shift, shift)
            dims.append((along._replace(size=n),))
        else:
            field = field if i is None else layout.mixed(field, [i])
            dims.append(layout.plain(n))
    return field.with_dims(dims)
