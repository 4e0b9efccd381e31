"""Weights that expect pixels standardised in a way that nobody would expect of them."""

import json

from convatlas.weights.fitting import Found
from convatlas.weights.torchvision import RENORMALISED

KEY = "convatlas.standardised"  # of a file's metadata: [mean, std]
TENSORFLOWS = (0.5, 0.5)


def expected(found: Found) -> tuple[float, float] | None:
    """Mean and standard deviation, of pixels in 0..1, that the weights expect in every channel,
    where those are not ImageNet's; None where nothing is known.
    """
    if found.kind.source == "torchvision" and found.kind.theirs in RENORMALISED:
        return TENSORFLOWS
    try:
        mean, std = json.loads(found.file.metadata[KEY])
        return float(mean), float(std)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def advice(standardised: tuple[float, float]) -> str:
    """What to do about it, in a sentence."""
    mean, std = standardised
    return (
        f"give it pixels standardised with mean {mean} and std {std} in every channel, not with "
        "ImageNet's: torchvision's module takes the latter and makes these of them itself "
        "(transform_input=True), as its published weights need"
    )
