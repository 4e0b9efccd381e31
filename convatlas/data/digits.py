"""scikit-learn's handwritten digits, drawn large enough for the networks that read MNIST."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from convatlas.errors import DataError

BOX, FIELD = 20, 28
MARGIN = FIELD - BOX


def load_digits() -> tuple[Tensor, Tensor]:
    """(uint8 (1797, 1, 28, 28), int64 (1797,)): the 8x8 digits, 0..16 grey levels, prepared as
    MNIST was.

    LeCun et al. 1998, Sec. III.A: scaled into a 20x20 box, and set into a 28x28 field with the
    centre of mass in the middle. They come with scikit-learn, from the UCI set "Optical Recognition
    of Handwritten Digits" (its test part).  DataError where they do not lie where it keeps them.
    """
    rows = np.loadtxt(_file(), delimiter=",")
    small = torch.from_numpy(rows[:, :-1]).view(-1, 1, 8, 8) * (255 / 16)
    boxes = interpolate(small, (BOX, BOX), mode="bilinear", align_corners=False)
    return _centred(boxes).round().to(torch.uint8), torch.from_numpy(rows[:, -1]).long()


def _file() -> Path:
    """Where scikit-learn keeps them. Its own function for them imports a second's worth of SciPy
    first.
    """
    file = Path(find_spec("sklearn").origin).parent / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():
        raise DataError(
            f"the built-in digits come with scikit-learn, and {file} is not there; pip install "
            "--force-reinstall scikit-learn"
        )
    return file


def _centred(boxes: Tensor) -> Tensor:
    """(n, 1, 20, 20) -> (n, 1, 28, 28), each moved by whole pixels, never cut."""
    fields = boxes.new_zeros(len(boxes), 1, FIELD, FIELD)
    for field, box, top, left in zip(
        fields, boxes, _offsets(boxes, axis=3), _offsets(boxes, axis=2), strict=True
    ):
        field[:, top : top + BOX, left : left + BOX] = box
    return fields


def _offsets(boxes: Tensor, axis: int) -> list[int]:
    """Where each box begins in the field, so that its centre of mass along the axis that remains is
    in the middle.
    """
    profile = boxes.sum(dim=(1, axis))
    centre = (profile * torch.arange(BOX)).sum(1) / profile.sum(1)
    return ((FIELD - 1) / 2 - centre).round().clamp(0, MARGIN).int().tolist()
