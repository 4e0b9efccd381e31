"""A function for each network, as torch.hub lists and loads them: `hubconf.py` at the root of the
source tree holds nothing else.
"""

from collections.abc import Callable

import convatlas
from convatlas.registry import create_model, stored_facts

ARGUMENTS = """\
num_classes: outputs of the classifier; 0 for an embedding, without a classifier
in_channels: channels of the images
weights: a file, "torchvision" or "hub:owner/name"; fresh weights without
and all else that convatlas.create_model takes, such as features_only=True"""


def entry_points() -> "dict[str, Callable[..., convatlas.Network | convatlas.FeatureMaps]]":
    """Each network's name -> a function of create_model's arguments, with the paper and the counts
    as its documentation. Builds nothing.
    """
    return {name: _entry_point(name, facts) for name, facts in stored_facts().items()}


def _entry_point(
    name: str, facts: dict
) -> "Callable[..., convatlas.Network | convatlas.FeatureMaps]":
    def make(*arguments, **keywords):
        return create_model(name, *arguments, **keywords)

    paper = facts["paper"]
    size = "x".join(map(str, facts["input_size"]))
    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"{name}: {paper['title']} ({paper['authors']}; {paper['venue']} {paper['year']}).\n\n"
        f"{facts['params']:,} parameters, {facts['macs']:,} multiply-adds on {size}, "
        f"{facts['num_classes']:,} classes.\n\n{ARGUMENTS}"
    )
    return make
