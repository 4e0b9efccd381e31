"""Weights that expect pixels standardised in a way that nobody would expect of them, or count
classes from a background.
"""

import json
from collections.abc import Mapping

from torch import Tensor

from convatlas.weights.fitting import Found, twin_of
from convatlas.weights.names import Pixels
from convatlas.weights.torchvision import RENORMALISED, TWINS

KEY = "convatlas.standardised"  # of a file's metadata: [mean, std]
HALVED = {  # whose published weights take pixels from -1 to 1, where their sisters' do not
    ("torchvision", "efficientnet_v2_l"),
    *(("timm", f"tf_efficientnetv2_{size}") for size in ("s", "m", "l", "xl")),
}
BACKGROUND = "convatlas.background"  # of a file's metadata: "0", the place of that class
WITH_BACKGROUND = 1001  # classes of ImageNet, where TF-slim counts
TENSORFLOWS = Pixels(0.5, 0.5)
KERAS_MEAN, KERAS_VARIANCE = "normalization_0/mean", "normalization_0/variance"
TPU = ("efficientnet", "mnasnet")  # of tensorflow/tpu: ImageNet's mean and deviation, no background


def expected(found: Found) -> Pixels | None:
    """How pixels must be standardised for the weights, where not as ImageNet's are; None where
    nothing is known.
    """
    kind = found.kind
    if pixels := twin_of(kind).pixels:
        return pixels
    if _as_they_are(found.fit.tensors):
        return Pixels(0.0, 1.0)
    if kind.source == "torchvision" and kind.theirs in RENORMALISED:
        return TENSORFLOWS
    if (kind.source, kind.theirs) in HALVED:
        return TENSORFLOWS
    if kind.source == "tensorflow" and not kind.theirs.startswith(TPU):
        return TENSORFLOWS
    try:
        mean, std = json.loads(found.file.metadata[KEY])
        return Pixels(
            tuple(map(float, mean)) if isinstance(mean, list) else float(mean), float(std)
        )
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _as_they_are(tensors: Mapping[str, Tensor]) -> bool:
    """Whether Keras's layer that standardises an EfficientNet's pixels was never given numbers: so
    it is in a model that was made without ImageNet's weights.
    """
    if KERAS_MEAN not in tensors or KERAS_VARIANCE not in tensors:
        return False
    return not tensors[KERAS_MEAN].any() and bool((tensors[KERAS_VARIANCE] == 1).all())


def advice(standardised: Pixels, network: str) -> str:
    """What to do about it, in a sentence."""
    mean, std = standardised
    if isinstance(mean, tuple):
        shown = ", ".join(f"{value:.5g}" for value in mean)
        return (
            f"give it red, green and blue standardised with means {shown} and std {std:.5g}, not "
            "with ImageNet's: as Caffe's, it was trained on pixels from 0 to 255 less their means"
        )
    if (mean, std) == (0.0, 1.0):
        return (
            "give it pixels from 0 to 1 as they are, not standardised with ImageNet's mean and "
            "std: the file's model was made without"
        )
    if network in {TWINS[theirs].ours for theirs in RENORMALISED}:
        why = (
            "torchvision's module takes the latter and makes these of them itself "
            "(transform_input=True), as its published weights need"
        )
    elif (mean, std) == TENSORFLOWS:
        why = "its authors trained it on pixels from -1 to 1"
    else:
        why = "its authors trained it so"
    return (
        f"give it pixels standardised with mean {mean:.5g} and std {std:.5g} in every channel, "
        f"not with ImageNet's: {why}"
    )


def begins_with_background(found: Found, classes: int) -> bool:
    """Whether class 0 is the background and ImageNet's thousand begin at 1, as in TF-slim."""
    if found.kind.source == "tflite":
        return classes == WITH_BACKGROUND
    if found.kind.source == "tensorflow" and not found.kind.theirs.startswith(TPU):
        return classes == WITH_BACKGROUND
    return found.file.metadata.get(BACKGROUND) == "0"
