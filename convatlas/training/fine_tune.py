"""Starting from weights that exist, and keeping parts of a network as they are."""

import warnings

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from convatlas.data import STANDARD, Preprocess
from convatlas.errors import RunError
from convatlas.weights import load_weights


def start_from(net: nn.Module, weights: str, source: str = "", ema: bool = False) -> dict:
    """Fill the network from a checkpoint, as create_model does with the same words; a classifier or
    first convolution of another size is adapted.

    Returns what the provenance keeps: where the weights came from, their sha256, and `pictures`,
    how pictures are standardised for them: {"mean", "std", "interpolation", "said"}, or None where
    nothing is known of it. Raises WeightsError.
    """
    with warnings.catch_warnings(action="ignore"):  # the certificate, which is printed, says it
        certificate = load_weights(
            net, weights, source, adapt_classes=True, adapt_channels=True, ema=ema
        )
    return {
        "weights": weights,
        "sha256": certificate.sha256,
        "kind": certificate.kind,
        "fresh": list(certificate.fresh),
        "adapted": list(certificate.adapted),
        "pictures": _standard(net.preprocess, certificate.pictures),
    }


def _standard(prepare: Preprocess | None, said: str) -> dict | None:
    if prepare is None:
        return None
    values = {name: getattr(prepare, name) for name in STANDARD}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    } | {"said": said}


def as_standardised(pictures: dict, channels: int) -> str:
    """In words, what start_from found of pictures of so many channels. Raises DataError, KeyError
    or TypeError for what it cannot have found.
    """
    values = {name: pictures[name] for name in STANDARD}
    square = {"channels": channels, "side": 2, "fit": "resize", "content": 2}
    prepare = Preprocess.from_dict(values | square)
    mean, std = (" ".join(f"{value:.4g}" for value in each) for each in (prepare.mean, prepare.std))
    said = str(pictures["said"])
    return f"standardised with mean {mean} and std {std}, {prepare.interpolation}, {said}"


def said_of(pictures: dict | None, channels: int, began: bool) -> str:
    """How images are standardised, for a reader; "" for a run that began with fresh weights."""
    if not began:
        return ""
    if pictures is None:
        return (
            "standardised by the mean and std of the training images, for it is not known what the "
            "weights were trained with"
        )
    return as_standardised(pictures, channels)


def freeze(net: nn.Module, names: tuple[str, ...], norms: bool) -> list[nn.Module]:
    """Take the named stages (or any modules), and with `norms` every batch norm, out of training.

    Returns the modules that stay in evaluation mode: their statistics and dropout rest too.
    RunError for a name that the network does not have, or when nothing is left to train.
    """
    parts = dict(net.named_modules())
    for name in names:
        if not name or name not in parts:
            raise RunError(
                f"freeze = {name!r}: {net.name} has no such part; its stages are "
                f"{', '.join(net.stages)}"
            )
    frozen = [parts[name] for name in names]
    if norms:
        frozen += [part for part in parts.values() if isinstance(part, _BatchNorm)]
    for part in frozen:
        part.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise RunError(
            f"freeze = {', '.join(names)} leaves nothing of {net.name} to train; freeze fewer "
            "stages"
        )
    return frozen
