"""`Preprocess` as a torch module that torch.export follows for pictures of every size: torch's own
scaling, so that nothing is left to compare.
"""

import torch
import torch.nn as nn
from torch import Tensor
from torch.export import Dim, ExportedProgram
from torch.nn.functional import interpolate

from convatlas.data import Preprocess
from convatlas.data.preprocess import LUMA, STRIP


class Pictures(nn.Module):
    """uint8 pictures (N, H, W, 1 or 3) -> what `net` gives for them.

    Sizes are whole numbers that torch.export may not know, so that nothing here asks which is
    larger: what is scaled to its own size stays as it is.
    """

    def __init__(self, prep: Preprocess, net: nn.Module):
        super().__init__()
        self.prep = prep
        self.net = net
        shape = (1, -1, 1, 1)
        self.register_buffer("mean", 255 * torch.tensor(prep.mean).view(shape))
        self.register_buffer("std", 255 * torch.tensor(prep.std).view(shape))
        self.register_buffer("luma", torch.tensor(LUMA, dtype=torch.int32).view(shape))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        planes = self.in_channels(pictures.permute(0, 3, 1, 2))
        ways = {"pad": self.padded, "squash": self.squashed}
        field = ways.get(self.prep.fit, self.resized)(planes)
        return self.net((field.to(torch.float32) - self.mean) / self.std)

    def in_channels(self, planes: Tensor) -> Tensor:
        """Of a single plane thrice the same, by its number, for a size that is 1 cannot change."""
        three = torch.arange(3, device=planes.device).clamp(max=planes.shape[1] - 1)
        planes = planes.index_select(1, three)
        if self.prep.channels == 3:
            return planes
        grey = ((planes.int() * self.luma).sum(1, keepdim=True) + 32768) >> 16
        return grey.to(torch.uint8)

    def resized(self, planes: Tensor) -> Tensor:
        side, content = self.prep.side, self.prep.content
        first = self.prep.fit == "resize" and content == side
        h, w = planes.shape[2:]
        short = torch.sym_min(h, w)
        limit = (1 if first else STRIP) * short
        tall, wide = torch.sym_min(h, limit), torch.sym_min(w, limit)
        part = _part(_part(planes, 2, (h - tall) // 2, tall), 3, (w - wide) // 2, wide)
        if first:
            return self.scaled(part, side, side)
        return self.centre(part, tall * content // short, wide * content // short)

    def squashed(self, planes: Tensor) -> Tensor:
        return self.centre(planes, self.prep.content, self.prep.content)

    def centre(self, planes: Tensor, rows: int, columns: int) -> Tensor:
        """The middle of the field's size, of what is scaled to rows x columns."""
        side = self.prep.side
        whole = self.scaled(planes, rows, columns)
        top, left = _half_even(rows - side), _half_even(columns - side)
        return _part(_part(whole, 2, top, side), 3, left, side)

    def scaled(self, planes: Tensor, rows: int, columns: int) -> Tensor:
        return interpolate(planes, (rows, columns), mode=self.prep.interpolation, antialias=True)

    def padded(self, planes: Tensor) -> Tensor:
        side = self.prep.side
        h, w = planes.shape[2:]
        longer = torch.sym_max(h, w)
        rows, columns = (_any(self._length(length, longer), side) for length in (h, w))
        torch._check(torch.sym_max(1, rows) * torch.sym_max(1, columns) > 1)
        scaled = self.scaled(planes, rows, columns)
        upright = _set_into(side, scaled, 2, rows)
        return _set_into(side, upright, 3, columns)

    def _length(self, length: int, longer: int) -> int:
        """After scaling, where the picture is larger than `content` or fills less than 3/4 of the
        field; rounded as Python rounds.
        """
        content, side = self.prep.content, self.prep.side
        over = 2 * length * content + longer
        nearest = over // (2 * longer)
        even = torch.sym_ite(over % (2 * longer) == 0, nearest - nearest % 2, nearest)
        scaled = torch.sym_max(even, 1)
        filled = torch.sym_ite(4 * longer < 3 * side, scaled, length)
        return torch.sym_ite(longer > content, scaled, filled)

    def exported(self) -> ExportedProgram:
        """For any number of pictures of any size."""
        two = torch.zeros(2, 45, 37, 3, dtype=torch.uint8)
        sizes = dict.fromkeys(range(4), Dim.DYNAMIC)
        return torch.export.export(self.eval(), (two,), dynamic_shapes=(sizes,))


def _any(length: int, side: int) -> int:
    """The same length by way of a tensor, of which torch.export knows nothing: of others it asks
    whether they are 1, and then fixes that.
    """
    free = torch.full((), length, dtype=torch.int64).item()
    torch._check(free >= 1)
    torch._check(free <= side)
    return free


def _part(planes: Tensor, axis: int, begin: int, length: int) -> Tensor:
    """By numbers: of a slice torch.export asks whether it is the whole, and then fixes that."""
    return planes.index_select(axis, begin + torch.arange(length, device=planes.device))


def _set_into(side: int, planes: Tensor, axis: int, length: int) -> Tensor:
    """In the middle of a black field, along one axis."""
    places = torch.arange(side, device=planes.device) - (side - length) // 2
    inside = (places >= 0) & (places < length)
    shape = [-1 if number == axis else 1 for number in range(4)]
    chosen = planes.index_select(axis, places.clamp(min=0).clamp(max=length - 1))
    return chosen * inside.view(shape)


def _half_even(free: int) -> int:
    """round(free / 2), half to even."""
    half = free // 2
    return half + (free % 2) * (half % 2)
