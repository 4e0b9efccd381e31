"""`Preprocess` as a torch module for engines that plan their memory before they see a picture: all
tensors but the picture and its rows have fixed sizes, and the picture's size is a tensor too.

Whole numbers only, in the operators that ExecuTorch has everywhere. The weights are those of
scaling_graph.py, to the bit: torch's triangles, rounded to as many binary places as the largest
weight of an axis leaves room for in 16 bits.
"""

import math

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.data import Preprocess
from convatlas.data.preprocess import LUMA, STRIP
from convatlas.errors import ExportError

LARGEST = 1024  # pixels a side of a picture, for which memory is planned
PLACES = 23  # binary places of the quotients; rounding to 22 needs one more
# of each axis, int64 (1): where the part that is scaled begins, its length, the length it is scaled
# to, and where the field begins in that
Axis = tuple[Tensor, Tensor, Tensor, Tensor]
UNEVEN = 3 / 2  # at most, the scale of a side whose length is rounded, against the other's


class PlannedPictures(nn.Module):
    """One uint8 picture (1, H, W, 3), of up to LARGEST x LARGEST pixels -> what `net` gives for it.
    A grey picture is three equal planes.

    Raises ExportError for bicubic scaling.
    """

    def __init__(self, prep: Preprocess, net: nn.Module):
        super().__init__()
        if prep.interpolation != "bilinear":
            raise ExportError(
                f"this network takes {prep.interpolation} pictures, which files for executorch "
                "cannot scale to the bit; write one with --to pt2"
            )
        self.prep = prep
        self.net = net
        uneven = UNEVEN if prep.fit == "pad" else 1 + 1 / prep.content
        self.taps = math.ceil(2 * uneven * LARGEST / prep.content) + 2
        longest = {"resize": STRIP, "whole": STRIP}.get(prep.fit, 1) * prep.content
        shape = (1, -1, 1, 1)
        self.register_buffer("mean", 255 * torch.tensor(prep.mean).view(shape))
        self.register_buffer("std", 255 * torch.tensor(prep.std).view(shape))
        self.register_buffer("luma", torch.tensor(LUMA, dtype=torch.int32).view(3, 1, 1))
        self.register_buffer("outputs", torch.arange(max(longest, prep.side)).view(-1, 1))
        self.register_buffer("steps", torch.arange(self.taps).view(1, -1))
        self.register_buffer("field", torch.arange(prep.side))
        self.register_buffer("powers", 2 ** torch.arange(PLACES + 1))
        self.register_buffer("tried", 2 ** (PLACES - torch.arange(1, PLACES)))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        h, w = (torch.full((1,), size, dtype=torch.int64) for size in pictures.shape[1:3])
        rows, columns = axes(self.prep, h, w)
        planes = self.in_channels(pictures[0].permute(2, 0, 1).to(torch.int32))
        narrow = self.scaled(planes, 2, *columns)
        square = self.scaled(narrow, 1, *rows)
        return self.net((square.unsqueeze(0).to(torch.float32) - self.mean) / self.std)

    def in_channels(self, planes: Tensor) -> Tensor:
        if self.prep.channels == 3:
            return planes
        return ((planes * self.luma).sum(0, keepdim=True, dtype=torch.int32) + 32768) // 65536

    def scaled(
        self, planes: Tensor, axis: int, begin: Tensor, length: Tensor, size: Tensor, start: Tensor
    ) -> Tensor:
        """int32 (C, H, W) of 0..255, scaled along one axis to the field's side; black outside."""
        first, weights, precision = self.weights(length, size)
        chosen = self.field + start
        inside = torch.logical_and(chosen >= 0, chosen < size)
        chosen = torch.where(inside, chosen, 0 * chosen)
        taps = first.index_select(0, chosen) + self.steps
        index = (begin + torch.minimum(taps, length - 1)).view(-1)
        side, count = self.prep.side, self.taps
        by_tap = weights.index_select(0, chosen) * inside.to(torch.int64).view(-1, 1)
        shape = [side, count, 1] if axis == 1 else [side, count]
        seen = planes.index_select(axis, index)
        sizes = [*seen.shape[:axis], side, count, *seen.shape[axis + 1 :]]
        weighed = seen.view(sizes) * by_tap.to(torch.int32).view(shape)
        summed = weighed.sum(axis + 1, dtype=torch.int32)
        scale = self.powers.index_select(0, precision).to(torch.int32)
        return torch.clamp((summed + scale // 2) // scale, max=255)

    def weights(self, length: Tensor, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """First tap (outputs, 1) and weights (outputs, taps) of every output, and the number of
        binary places of these.
        """
        half = 2 * torch.maximum(length, size)
        centre = (2 * self.outputs + 1) * length
        first = torch.clamp((centre - half) // (2 * size), min=0)
        taps = first + self.steps
        reach = torch.clamp(half - torch.abs((2 * taps + 1) * size - centre), min=0)
        counts = torch.logical_and(taps < length, self.outputs < size)
        reach = reach * counts.to(torch.int64)
        total = torch.clamp(reach.sum(1, keepdim=True), min=1)
        quotients = reach * 2 ** (PLACES + 1) // total
        largest = quotients.amax((0, 1)).view(1)
        fits = (largest // self.tried + 1) // 2 < 2**15
        precision = fits.to(torch.int64).sum(0, keepdim=True)
        divisor = self.powers.index_select(0, PLACES - precision)
        return first, (quotients // divisor + 1) // 2, precision


def axes(prep: Preprocess, h: Tensor, w: Tensor) -> list[Axis]:
    """The rows' and the columns' of a picture."""
    side, content = prep.side, prep.content
    if prep.fit == "pad":
        return [_padded(prep, length, torch.maximum(h, w)) for length in (h, w)]
    if prep.fit == "squash":
        size = torch.full_like(h, content)
        return [(0 * n, n, size, _half_even(size - side)) for n in (h, w)]
    cut_first = prep.fit == "resize" and content == side
    short = torch.minimum(h, w)
    limit = (1 if cut_first else STRIP) * short
    found = []
    for length in (h, w):
        part = torch.minimum(length, limit)
        size = torch.full_like(part, side) if cut_first else part * content // short
        found.append(((length - part) // 2, part, size, _half_even(size - side)))
    return found


def _padded(prep: Preprocess, length: Tensor, longer: Tensor) -> Axis:
    """Scaled where the picture is larger than `content` or fills less than 3/4 of the field;
    rounded as Python rounds.
    """
    side, content = prep.side, prep.content
    over = 2 * length * content + longer
    nearest = over // (2 * longer)
    tie = over == nearest * 2 * longer
    odd = nearest - nearest // 2 * 2
    rounded = torch.clamp(torch.where(tie, nearest - odd, nearest), min=1)
    scale = torch.logical_or(longer > content, 4 * longer < 3 * side)
    size = torch.where(scale, rounded, length)
    return 0 * length, length, size, 0 - (side - size) // 2


def _half_even(free: Tensor) -> Tensor:
    """round(free / 2), half to even."""
    half = free // 2
    odd, over = half - half // 2 * 2, free - half * 2
    return half + over * odd
