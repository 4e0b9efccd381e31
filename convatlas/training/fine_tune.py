"""Starting from weights that exist, and keeping parts of a network as they are."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from convatlas.errors import RunError
from convatlas.weights import load_weights


def start_from(net: nn.Module, weights: str, source: str = "", ema: bool = False) -> dict:
    """Fill the network from a checkpoint, as create_model does with the same words; a classifier or
    first convolution of another size is adapted.

    Returns what the provenance keeps: where the weights came from and their sha256. Raises
    WeightsError.
    """
    certificate = load_weights(
        net, weights, source, adapt_classes=True, adapt_channels=True, ema=ema
    )
    return {
        "weights": weights,
        "sha256": certificate.sha256,
        "kind": certificate.kind,
        "fresh": list(certificate.fresh),
        "adapted": list(certificate.adapted),
    }


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
