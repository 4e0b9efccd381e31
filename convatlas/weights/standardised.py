"""Weights that expect pixels standardised in a way that nobody would expect of them, or count
classes from a background.
"""

import json

from convatlas.weights.fitting import Found
from convatlas.weights.torchvision import RENORMALISED, TWINS

KEY = "convatlas.standardised"  # of a file's metadata: [mean, std]
HALVED = {  # whose published weights take pixels from -1 to 1, where their sisters' do not
    ("torchvision", "efficientnet_v2_l"),
    *(("timm", f"tf_efficientnetv2_{size}") for size in ("s", "m", "l", "xl")),
}
BACKGROUND = "convatlas.background"  # of a file's metadata: "0", the place of that class
WITH_BACKGROUND = 1001  # classes of ImageNet, where TF-slim counts
TENSORFLOWS = (0.5, 0.5)


def expected(found: Found) -> tuple[float, float] | None:
    """Mean and standard deviation, of pixels in 0..1, that the weights expect in every channel,
    where those are not ImageNet's; None where nothing is known.
    """
    kind = found.kind
    if kind.source == "torchvision" and kind.theirs in RENORMALISED:
        return TENSORFLOWS
    if (kind.source, kind.theirs) in HALVED:
        return TENSORFLOWS
    if kind.source == "tensorflow" and not kind.theirs.startswith("efficientnet"):
        return TENSORFLOWS
    try:
        mean, std = json.loads(found.file.metadata[KEY])
        return float(mean), float(std)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def advice(standardised: tuple[float, float], network: str) -> str:
    """What to do about it, in a sentence."""
    mean, std = standardised
    why = (
        "torchvision's module takes the latter and makes these of them itself "
        "(transform_input=True), as its published weights need"
        if network in {TWINS[theirs].ours for theirs in RENORMALISED}
        else "its authors trained it on pixels from -1 to 1"
    )
    return (
        f"give it pixels standardised with mean {mean} and std {std} in every channel, not with "
        f"ImageNet's: {why}"
    )


def begins_with_background(found: Found, classes: int) -> bool:
    """Whether class 0 is the background and ImageNet's thousand begin at 1, as in TF-slim."""
    if found.kind.source == "tensorflow" and not found.kind.theirs.startswith("efficientnet"):
        return classes == WITH_BACKGROUND
    return found.file.metadata.get(BACKGROUND) == "0"
