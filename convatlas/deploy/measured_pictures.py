"""`Preprocess` as a torch module for a compiler: torch's own scaling, and what follows from a
picture's size is counted in tensors. Of whole numbers the compiler writes each out as what it
follows from, and sits for minutes over the conditions in that.
"""

import torch
from torch import Tensor

from convatlas.deploy.picture_module import Pictures
from convatlas.deploy.planned_pictures import Axis, axes


class MeasuredPictures(Pictures):
    """uint8 pictures (N, H, W, 1 or 3) -> what `net` gives for them."""

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        h, w = (torch.full((1,), size, dtype=torch.int64) for size in pictures.shape[1:3])
        rows, columns = axes(self.prep, h, w)
        planes = self.in_channels(pictures.permute(0, 3, 1, 2))
        part = _part(_part(planes, 2, rows), 3, columns)
        high, wide = (_length(size) for _, _, size, _ in (rows, columns))
        torch._check(torch.sym_max(1, high) * torch.sym_max(1, wide) > 1)  # as torch asks, scaling
        scaled = self.scaled(part, high, wide)
        field = self.in_field(self.in_field(scaled, 2, rows), 3, columns)
        return self.net((field.to(torch.float32) - self.mean) / self.std)

    def in_field(self, scaled: Tensor, axis: int, about: Axis) -> Tensor:
        """The field's part along one axis, black where nothing is."""
        _, _, size, start = about
        places = torch.arange(self.prep.side) + start
        inside = (places >= 0) & (places < size)
        shape = [-1 if number == axis else 1 for number in range(4)]
        chosen = scaled.index_select(axis, torch.where(inside, places, 0 * places))
        return chosen * inside.view(shape)


def _part(planes: Tensor, axis: int, about: Axis) -> Tensor:
    begin, length, _, _ = about
    return planes.index_select(axis, begin + torch.arange(_length(length)))


def _length(size: Tensor) -> int:
    length = size.item()
    torch._check(length >= 1)
    return length
