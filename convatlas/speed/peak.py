"""How many operations a second convolutions reach on this machine at best: what a network's speed
is held against.
"""

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.data import Preprocess
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.speed.forms import FORMS, Form, Forms, is_installed
from convatlas.timing import Clock

SHORTER = ("ncnn",)  # engines that do with fewer multiplications than a convolution has
PROBES = ((256, 56), (512, 28))  # channels and side: large maps, and deep ones
LAYERS = 2
BATCH = 4
CALLS = 4


class Probe(nn.Module):
    """3x3 convolutions as wide as they are deep, then the mean of each map."""

    def __init__(self, channels: int):
        super().__init__()
        layers = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(LAYERS))
        self.layers = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        return self.layers(maps).mean((2, 3))


def operations(channels: int, side: int) -> int:
    """Of a call; a multiply-add is two."""
    return 2 * LAYERS * BATCH * channels * channels * 9 * side * side


def peaks(threads: int, clock: Clock) -> dict[str, float]:
    """precision -> operations a second: the highest figure of all probes in all forms that are
    installed, quick to make, and count a convolution as it is defined.
    """
    best: dict[str, float] = {}
    for channels, side in PROBES:
        prep = Preprocess(channels, side, (0.0,), (1.0,), "resize", side)
        forms = Forms(Saved(Probe(channels).eval(), "convolutions", (), prep, {}))
        maps = torch.randn(BATCH, channels, side, side)
        for form in FORMS.values():
            if not form.slow and form.engine not in SHORTER and is_installed(form):
                seconds = _fastest(forms, form, threads, maps, clock)
                found = operations(channels, side) / seconds
                best[form.precision] = max(best.get(form.precision, 0.0), found)
    return best


def _fastest(forms: Forms, form: Form, threads: int, maps: Tensor, clock: Clock) -> float:
    """Seconds of the fastest of a few calls."""
    try:
        answer = forms.made(form, threads)
        answer(maps)
    except ExportError:
        return float("inf")
    seconds = []
    for _ in range(CALLS):
        before = clock()
        answer(maps)
        seconds.append(clock() - before)
    return min(seconds)
