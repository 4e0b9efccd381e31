"""Where each element of a tensor comes from: views, copies and writes into parts are followed
element by element, and become one node when an operation reads them.
"""

from collections.abc import Iterable
from hashlib import sha1
from typing import NamedTuple
from uuid import uuid4

import torch
from torch import Tensor

from convatlas.wiring.building import Builder
from convatlas.wiring.shuffles import said

SHIFT = 33  # a code is a node's place and, in its low bits, an element of that node
LOW = (1 << SHIFT) - 1


Layout = tuple[tuple[int, ...], tuple[int, ...], int]  # sizes, strides, offset


class Held(NamedTuple):
    """What a storage holds: the elements of one node in a layout, or a code for each element."""

    place: int | None
    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    offset: int = 0
    codes: Tensor | None = None


class Seen(NamedTuple):
    """What an operation reads: a node's elements in order, in a shape; or with its axes in another
    order, where `axes` says which of its axes are first, second, ... here.
    """

    place: int
    shape: tuple[int, ...]
    axes: tuple[int, ...] | None = None


class Storages:
    """All storages that a pass has touched."""

    def __init__(self, builder: Builder, kind: torch.dtype):
        self.build = builder
        self.kind = kind  # of the images' numbers
        self.held: dict[int, Held] = {}
        self._kept: list[object] = []  # no storage's number is given again
        self.lost = False  # whether a constant was met whose numbers are nowhere
        self._named: dict[int, tuple[str, Layout]] = {}

    def name(self, name: str, t: Tensor) -> None:
        """`t` is a buffer of the network."""
        self._named[t.untyped_storage()._cdata] = (name, _layout(t))

    def named(self, t: Tensor) -> str:
        """The buffer that `t` is, whole; "" where it is none."""
        name, layout = self._named.get(t.untyped_storage()._cdata, ("", None))
        return name if layout == _layout(t) else ""

    def knows(self, t: Tensor) -> bool:
        """Whether `t` is more than a constant."""
        return t.untyped_storage()._cdata in self.held

    def hold(self, t: Tensor, place: int, axes: tuple[int, ...] | None = None) -> None:
        """`t` is a new tensor with the elements of the node, its axes in the order `axes`."""
        full = self.build.full[place]
        if axes is not None:
            t = t.view([full[axis] for axis in axes])
            strides = [0] * len(full)
            for here, there in enumerate(axes):
                strides[there] = t.stride(here)
            held = Held(place, full, tuple(strides), t.storage_offset())
        elif tuple(t.shape) == full:
            held = Held(place, full, tuple(t.stride()), t.storage_offset())
        elif t.is_contiguous():
            held = Held(place, full, _contiguous(full), t.storage_offset())
        else:
            codes = torch.full((_room(t),), -1, dtype=torch.int64)
            _strided(codes, t)[...] = self.codes_of(place).reshape(t.shape)
            held = Held(None, codes=codes)
        self._keep(t, held)

    def hold_codes(self, t: Tensor, codes: Tensor) -> None:
        """`t` is a new tensor with an element of some node in each place."""
        flat = torch.full((_room(t),), -1, dtype=torch.int64)
        _strided(flat, t)[...] = codes
        self._keep(t, Held(None, codes=flat))

    def write(self, t: Tensor, value: Seen | Tensor) -> None:
        """`t`, perhaps a part of a storage, takes other elements: a node's, or those of codes."""
        if isinstance(value, Seen):
            if t.numel() == _room(t):
                self.hold(t, value.place, value.axes)
                return
            codes = self.codes_of(value.place)
            value = (codes if value.axes is None else codes.permute(value.axes)).reshape(t.shape)
        flat = self._storage_codes(t).clone()
        _strided(flat, t)[...] = value
        self._keep(t, Held(None, codes=flat))

    def _keep(self, t: Tensor, held: Held) -> None:
        storage = t.untyped_storage()
        self._kept.append(storage)
        self.held[storage._cdata] = held

    def see(self, t: Tensor, axes: bool = False) -> Seen:
        """What `t` is. With `axes` a view of a node's axes in another order is left to the
        reader.
        """
        if not self.knows(t):
            return Seen(self.constant(t), tuple(t.shape))
        return self.whole(t, axes) or Seen(self.settle(self.codes(t)), tuple(t.shape))

    def whole(self, t: Tensor, axes: bool = False) -> Seen | None:
        """The node whose elements `t` holds in order, if there is one already."""
        held = self.held[t.untyped_storage()._cdata]
        if held.place is None or t.storage_offset() != held.offset:
            return None
        layout = (tuple(t.shape), tuple(t.stride()))
        theirs = (held.size, held.stride)
        if layout == theirs or _merged(*layout) == _merged(*theirs):
            return Seen(held.place, tuple(t.shape))
        order = _order(layout, held) if axes else None
        return Seen(held.place, tuple(t.shape), order) if order else None

    def constant(self, t: Tensor) -> int:
        """A node for numbers that do not depend on the input."""
        if t.is_meta:
            name = self.named(t)
            self.lost |= not name
            content = f"unknown: {name or uuid4().hex}"
            return self.build.lay(
                "constant", {"content": content}, shape=tuple(t.shape), batched=False
            )
        t = t.detach()
        numbers = t.to(torch.complex128 if t.is_complex() else torch.float64).contiguous()
        if t.numel() and bool((numbers == numbers.flatten()[0]).all()):
            value = numbers.flatten()[0].item()
            return self.build.lay("constant", {"value": value}, shape=(), batched=False)
        content = sha1(numbers.numpy().tobytes()).hexdigest()[:16]
        own = {"content": content, "shape": tuple(t.shape)}
        return self.build.lay("constant", own, shape=tuple(t.shape), batched=False)

    def codes_of(self, place: int) -> Tensor:
        """The elements of a node, in its shape."""
        full = self.build.full[place]
        count = torch.Size(full).numel()
        return torch.arange(count, dtype=torch.int64).add_(place << SHIFT).reshape(full)

    def codes(self, t: Tensor) -> Tensor:
        """A code for each element of `t`, in its shape."""
        return _strided(self._storage_codes(t), t)

    def _storage_codes(self, t: Tensor) -> Tensor:
        if not self.knows(t):
            return self._constant_codes(t)
        held = self.held[t.untyped_storage()._cdata]
        if held.codes is not None:
            return held.codes
        flat = torch.full((_room(t),), -1, dtype=torch.int64)
        flat.as_strided(held.size, held.stride, held.offset)[...] = self.codes_of(held.place)
        return flat

    def _constant_codes(self, t: Tensor) -> Tensor:
        room = _room(t)
        whole = t.detach().as_strided((room,), (1,), 0)
        place = self.constant(whole)
        uniform = "value" in self.build.nodes[place].own
        first = torch.full((room,), place << SHIFT, dtype=torch.int64)
        return first if uniform else first + torch.arange(room, dtype=torch.int64)

    def settle(self, codes: Tensor) -> int:
        """The node whose elements these are, in order: it is laid where there is none yet."""
        flat = codes.reshape(-1)
        if bool((flat < 0).any()):  # read before it was written: it may hold anything
            nothing = self.constant(torch.full((), float("nan")))
            flat = torch.where(flat < 0, nothing << SHIFT, flat)
            codes = flat.reshape(codes.shape)
        sources = _first_seen(flat >> SHIFT)
        moving = [place for place in sources if not self._uniform(place)]
        if len(moving) == 1 and len(sources) == 1:
            return self._of_one(codes, flat, moving[0])
        if moving and len(sources) == len(moving) + 1:
            (frame,) = set(sources) - set(moving)
            if (place := self._framed(codes, frame)) is not None:
                return place
        if len(moving) > 1 and len(moving) == len(sources):
            return self._of_several(codes, moving)
        return self._moved(codes, tuple(sources))

    def _uniform(self, place: int) -> bool:
        return "value" in self.build.nodes[place].own and self.build.nodes[place].op == "constant"

    def _of_one(self, codes: Tensor, flat: Tensor, place: int) -> int:
        count = torch.Size(self.build.full[place]).numel()
        if flat.numel() == count and torch.equal(flat & LOW, torch.arange(count)):
            return place
        node = self.build.nodes[place]
        if node.op == "concat" and flat.numel() < count:
            parts = torch.cat(
                [self.codes_of(read) for read in node.reads], node.own["axis"] + 1
            ).reshape(-1)[flat & LOW]
            parts = parts.reshape(codes.shape)
            sources = _first_seen(parts >> SHIFT)
            if len(sources) == 1 or _runs(parts, len(sources)):
                return self.settle(parts)
        return self._moved(codes, (place,))

    def _framed(self, codes: Tensor, frame: int) -> int | None:
        """What is settled already, or can be, inside a frame of one number."""
        inside = (codes >> SHIFT) != frame
        rows = [inside.movedim(axis, 0).reshape(side, -1) for axis, side in enumerate(codes.shape)]
        runs = [row.any(1).nonzero() for row in rows]
        padding = tuple(
            (int(run[0]), side - 1 - int(run[-1]))
            for run, side in zip(runs, codes.shape, strict=True)
        )
        if padding[:1] != ((0, 0),) or {*padding} == {(0, 0)}:
            return None
        sides = zip(padding, codes.shape, strict=True)
        box = codes[tuple(slice(before, side - after) for (before, after), side in sides)]
        place = self.settle(box)
        if tuple(box.shape) != self.build.full[place]:
            to = {"to": tuple(box.shape[1:])}
            place = self.build.lay("reshape", to, (place,), shape=tuple(box.shape))
        own = {"padding": padding[1:], "value": self.build.nodes[frame].own["value"]}
        return self.build.lay("pad", own, (place,), shape=tuple(codes.shape))

    def _of_several(self, codes: Tensor, moving: list[int]) -> int:
        """A concat, or one whose elements are then moved."""
        if runs := _runs(codes, len(moving)):
            return self.concat(map(self.settle, codes.split(runs, 1)), 1)
        shapes = [self.build.full[place] for place in moving]
        for axis in range(1, min(map(len, shapes))):
            rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
            if len(rest) == 1:
                joined = self.concat(moving, axis)
                return self.settle(self._of_joined(codes, moving, joined, axis))
        return self._moved(codes, tuple(moving))

    def _of_joined(self, codes: Tensor, parts: list[int], joined: int, axis: int) -> Tensor:
        """Codes of the parts as codes of the concat that holds them all."""
        whole = self.codes_of(joined)
        found = torch.empty_like(codes)
        first = 0
        for place in parts:
            side = self.build.full[place][axis]
            mine = (codes >> SHIFT) == place
            found[mine] = whole.narrow(axis, first, side).reshape(-1)[codes[mine] & LOW]
            first += side
        return found

    def concat(self, places: Iterable[int], axis: int) -> int:
        """Nodes one behind the other; concats among them dissolve."""
        flat = []
        for place in places:
            node = self.build.nodes[place]
            inner = node.op == "concat" and node.own["axis"] == axis - 1
            flat += node.reads if inner else (place,)
        shape = list(self.build.full[flat[0]])
        shape[axis] = sum(self.build.full[place][axis] for place in flat)
        return self.build.lay("concat", {"axis": axis - 1}, tuple(flat), shape=tuple(shape))

    def _moved(self, codes: Tensor, sources: tuple[int, ...]) -> int:
        batched = any(self.build.batched[place] for place in sources)
        maps = self._one_image(codes, sources) if batched else None
        digest = sha1(str(tuple(codes.shape[1:] if maps is not None else codes.shape)).encode())
        ordinals = {place: i for i, place in enumerate(sources)}
        for place in sources:
            mine = (codes >> SHIFT) == place if maps is None else maps[0] == place
            numbers = (codes & LOW if maps is None else maps[1])[mine]
            digest.update(bytes([ordinals[place] % 256]))
            digest.update(mine.numpy().tobytes())
            digest.update(numbers.numpy().tobytes())
        own = {"map": digest.hexdigest()[:16]}
        if maps is not None:
            shapes = [self.build.full[place][1:] for place in sources]
            own["what"] = said(maps[0], maps[1], shapes, sources)
        else:
            own["what"] = "elements across images" if batched else "elements"
        return self.build.lay(
            "rearrange", own, sources, shape=tuple(codes.shape), batched=batched or None
        )

    def _one_image(self, codes: Tensor, sources: tuple[int, ...]) -> tuple[Tensor, Tensor] | None:
        """Sources and elements for the first image, where all images are treated alike."""
        batch = self.build.batch
        if not codes.ndim or codes.shape[0] != batch:
            return None
        step = torch.zeros(max(sources) + 1, dtype=torch.int64)
        for place in sources:
            if self.build.batched[place]:
                if self.build.full[place][0] != batch:
                    return None
                step[place] = torch.Size(self.build.full[place]).numel() // batch
        places = codes >> SHIFT
        numbers = codes & LOW
        first = numbers[0]
        for image in range(batch):
            if not torch.equal(places[image], places[0]) or not torch.equal(
                numbers[image] - image * step[places[0]], first
            ):
                return None
        return places[0].contiguous(), first.contiguous()


def _first_seen(places: Tensor) -> list[int]:
    """Each place once, in the order in which they first appear."""
    return list(dict.fromkeys(places.unique_consecutive().tolist()))


def _runs(codes: Tensor, sources: int) -> list[int] | None:
    """How many channels in a row are of each source, where each has one run of them."""
    if codes.ndim < 2 or not codes.numel():
        return None
    places = (codes >> SHIFT).flatten(2) if codes.ndim > 2 else (codes >> SHIFT)[:, :, None]
    channels = places[0, :, 0]
    if not bool((places == channels[None, :, None]).all()):
        return None
    counts = channels.unique_consecutive(return_counts=True)[1].tolist()
    return counts if len(counts) == sources else None


def _room(t: Tensor) -> int:
    return t.untyped_storage().nbytes() // t.element_size()


def _layout(t: Tensor) -> Layout:
    return tuple(t.shape), tuple(t.stride()), t.storage_offset()


def _strided(flat: Tensor, t: Tensor) -> Tensor:
    return flat.as_strided(t.shape, t.stride(), t.storage_offset())


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = []
    step = 1
    for side in reversed(shape):
        strides.append(step)
        step *= max(side, 1)
    return tuple(reversed(strides))


def _merged(size: tuple[int, ...], stride: tuple[int, ...]) -> list[tuple[int, int]]:
    """A layout with as few axes as can hold it: equal where the same elements follow each other."""
    merged = []
    for side, step in zip(size, stride, strict=True):
        if side == 1:
            continue
        if merged and merged[-1][1] == step * side:
            merged[-1] = (merged[-1][0] * side, step)
        else:
            merged.append((side, step))
    return merged


def _order(layout: tuple, held: Held) -> tuple[int, ...] | None:
    """The node's axes, in the order in which the view has them."""
    axes = list(zip(held.size, held.stride, strict=True))
    wanted = list(zip(*layout, strict=True))
    if sorted(axes) != sorted(wanted) or len(set(axes)) != len(axes):
        return None
    order = tuple(axes.index(axis) for axis in wanted)
    return order if order[:1] == (0,) else None
