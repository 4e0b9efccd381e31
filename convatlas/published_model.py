"""A network with published weights, or with those of any checkpoint, ready for pictures."""

import warnings
from pathlib import Path

from convatlas.device import usable_device
from convatlas.errors import WeightsError
from convatlas.model_file import Saved
from convatlas.registry import create_model


def open_network(
    network: str,
    weights: str | Path,
    source: str | None = None,
    ema: bool = False,
    device: str = "cpu",
) -> Saved:
    """The network filled from `weights`, with the preparation of pictures and the names of classes
    that go with them; `weights`, `source` and `ema` as create_model takes them.

    Raises WeightsError where they cannot be had or do not fit, and for weights of which nobody says
    how pictures were prepared; UnknownNetwork, InputError for the device.
    """
    there = usable_device(device)
    with warnings.catch_warnings(action="ignore"):  # how to standardise is done here, not advised
        net = create_model(network, weights=weights, source=source, ema=ema)
    about = net.certificate
    if net.preprocess is None or not net.classes:
        raise WeightsError(
            f"{about.path} does not say how pictures are prepared for {network}, or what its "
            "classes are; give the folder of the run that trained it instead"
        )
    side = net.preprocess.side
    net.check_size(side, side)
    provenance = {
        "weights": str(weights),
        "sha256": about.sha256,
        "kind": about.kind,
        "pictures": about.pictures,
    }
    return Saved(net.eval().to(there), network, net.classes, net.preprocess, provenance)
