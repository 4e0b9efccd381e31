"""How fresh weights were drawn: which kind of numbers, and how large they are for the layer's fan
in or fan out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch.nn as nn
    from torch import Tensor

ENOUGH = 256  # numbers that tell how they were drawn
SHAPED = 4000  # numbers that tell a truncated normal distribution from a whole one
MOST = 2**16  # numbers that are looked at, of any weight: their deviation is right to 0.3 %
KURTOSIS = {"uniform": 2.1, "truncated normal": 2.65, "normal": 3.5}  # up to which; 1.8, 2.4, 3


class Draw(NamedTuple):
    """The numbers of one weight before any training."""

    kind: str  # "normal", "truncated normal", "uniform", "drawn" (too few to say), "constant"
    scale: float  # standard deviation, or the constant
    fans: tuple[int, int]  # in and out; (0, 0) of a vector
    count: int

    @property
    def noise(self) -> float:
        """The relative error of the standard deviation of so few numbers, at most."""
        return 1 / sqrt(2 * self.count)


def draws(net: nn.Module) -> dict[str, Draw]:
    """Of all weights, by name; nothing where the network has been trained or holds no numbers."""
    from torch.nn.parameter import is_lazy  # here, so that records need no torch

    tensors = {name: t for name, t in net.named_parameters() if not is_lazy(t)}
    if any(t.is_meta for t in tensors.values()) or not _is_fresh(net):
        return {}
    found = {name: _drawn(t.detach()) for name, t in tensors.items()}
    return {name: draw for name, draw in found.items() if draw is not None}


def _is_fresh(net: nn.Module) -> bool:
    from torch.nn.modules.batchnorm import _NormBase

    norms = (m for m in net.modules() if isinstance(m, _NormBase))
    means = (norm.running_mean for norm in norms if norm.running_mean is not None)
    return not any(mean.is_meta or bool(mean.any()) for mean in means)


def _drawn(t: Tensor) -> Draw | None:
    if not t.is_floating_point() or not t.numel():
        return None
    every = t.flatten()
    values = every[:: -(-len(every) // MOST)].double()
    fans = _fans(t)
    if bool((every == every[0]).all()):
        return Draw("constant", float(values[0]), fans, t.numel())
    spread = float(values.std(correction=0))
    if t.numel() < ENOUGH or abs(float(values.mean())) > 6 * spread / sqrt(len(values)):
        return None
    if t.numel() < SHAPED:
        return Draw("drawn", spread, fans, t.numel())
    kurtosis = float((values - values.mean()).square().square().mean()) / spread**4
    kinds = [kind for kind, most in KURTOSIS.items() if kurtosis < most]
    return Draw(kinds[0], spread, fans, t.numel()) if kinds else None


def _fans(t: Tensor) -> tuple[int, int]:
    if t.ndim < 2:
        return 0, 0
    window = t[0, 0].numel()
    return t.shape[1] * window, t.shape[0] * window


def otherwise(a: Draw, b: Draw) -> bool:
    """Whether weights of one shape were drawn in two ways, beyond chance."""
    if "constant" in (a.kind, b.kind):
        return (a.kind, a.scale) != (b.kind, b.scale)
    if a.kind != b.kind and "drawn" not in (a.kind, b.kind):
        return True
    return abs(a.scale / b.scale - 1) > max(0.08, 8 * a.noise)


def rule(drawn: Iterable[Draw]) -> str:
    """What weights of one class have in common: "normal, variance 2 / fan out"."""
    found = list(drawn)
    kinds: Mapping[str, None] = dict.fromkeys(each.kind for each in found)
    if list(kinds) == ["constant"]:
        return " or ".join(f"{value:g}" for value in sorted({each.scale for each in found}))
    moving = [each for each in found if each.kind != "constant"]
    told = [kind for kind in kinds if kind not in ("constant", "drawn")] or ["drawn"]
    return f"{' or '.join(told)}, {_size(moving)}"


def _size(drawn: list[Draw]) -> str:
    """The law under which all have one scale."""
    weights = {"fan in": 0, "fan out": 1}
    laws = {"": [each.scale for each in drawn]}
    if all(min(each.fans) for each in drawn):
        for fan, side in weights.items():
            laws[fan] = [each.scale * sqrt(each.fans[side]) for each in drawn]
    spread = {law: pstdev(values) / fmean(values) for law, values in laws.items()}
    law = min(spread, key=spread.get)
    if spread[law] > 0.15:
        return "scales of their own"
    scale = fmean(laws[law])
    return f"variance {scale**2:.2g} / {law}" if law else f"deviation {scale:.2g}"
