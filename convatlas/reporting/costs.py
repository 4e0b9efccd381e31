"""What a network costs at the classes and the size of image that a run gave it. Imports torch."""

from dataclasses import dataclass
from functools import cache

from convatlas import registry
from convatlas.errors import Error
from convatlas.model_description import read_description
from convatlas.reporting.runs import Run


@dataclass(frozen=True)
class Costs:
    """Counted as everywhere in the atlas; None where this version has no such network."""

    params: int | None = None
    macs: int | None = None


def costs_of(run: Run) -> Costs:
    """Of the network that the run trained."""
    try:
        about = read_description(run.folder / "model.json")
    except Error:
        return Costs()
    if about.widths or about.network != run.network or about.classes != run.classes:
        return Costs()
    prep = about.preprocess
    return _counted(run.network, len(run.classes), prep.channels, prep.side)


@cache
def _counted(network: str, classes: int, channels: int, side: int) -> Costs:
    from convatlas.anatomy import summary
    from convatlas.shapes_only import shapes_only

    try:
        with shapes_only():
            net = registry.create_model(network, num_classes=classes, in_channels=channels)
        table = summary(net, (channels, side, side))
    except ValueError:  # a network, or a size, that this version does not know
        return Costs()
    return Costs(table.params, table.macs)
