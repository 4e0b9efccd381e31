"""The proof that a network was narrowed and nothing else: with the channels that went set to zero,
the wide one answers the same in float64.
"""

import torch
from torch import Tensor, nn

from convatlas.narrowing.surgery import cut, zeroed
from convatlas.narrowing.tracing import Place

LIMIT = 1e-12  # of the largest logit
PICTURES = 2


def error(
    net: nn.Module, keeps: dict[Place, Tensor], size: tuple[int, ...], seed: int = 0
) -> float:
    """The largest difference of the logits of random images of `size`, (C, H, W), relative to the
    largest logit; inf where one of the two does not run or is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(PICTURES, *size, generator=generator, dtype=torch.float64)
    try:
        with torch.no_grad():
            wanted = zeroed(net, keeps).double().cpu().eval()(x)
            found = cut(net, keeps).double().cpu().eval()(x)
    except (RuntimeError, ValueError):
        return float("inf")
    difference = float((found - wanted).abs().max() / wanted.abs().max())
    return difference if difference == difference else float("inf")
