"""What a listing is here: a network as a tutorial prints it, written down by us from the facts, and
what `identify` must say of it.

The expectations were read from the tutorials' sources beside the atlas networks' files. They are
not taken from what our own tools print.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch.nn as nn

STRUCTURE = "structure"
ACTIVATION = "activation"
NORMALISATION = "normalisation"
PADDING = "padding"
TRAINING = "training"  # what is not there in evaluation: dropout, drop path, auxiliary heads


@dataclass(frozen=True)
class Difference:
    """One difference, in `times` places: `what` is the setting of the operation `op`, "" where one
    side has the operation and the other has not. `here` is the listing's value, `there` the atlas
    network's, None where a side has none.
    """

    group: str
    op: str
    what: str
    here: object
    there: object
    times: int = 1


def new(op: str, times: int, group: str = STRUCTURE, **settings: object) -> Difference:
    """An operation that only the listing has; `settings` say which one is meant."""
    return Difference(group, op, "", tuple(settings.items()), None, times)


def gone(op: str, times: int, group: str = STRUCTURE, **settings: object) -> Difference:
    """An operation that only the atlas network has."""
    return Difference(group, op, "", None, tuple(settings.items()), times)


def changed(
    op: str, what: str, here: object, there: object, times: int = 1, group: str = STRUCTURE
) -> Difference:
    return Difference(group, op, what, here, there, times)


def activation(here: str, there: str, times: int) -> Difference:
    return Difference(ACTIVATION, "activation", "kind", here, there, times)


def epsilon(here: float, there: float, times: int) -> Difference:
    return Difference(NORMALISATION, "batch norm", "eps", here, there, times)


def momentum(here: float, there: float, times: int) -> Difference:
    return Difference(TRAINING, "batch norm", "momentum", here, there, times)


def dropout(here: float | None, there: float | None, times: int = 1) -> Difference:
    return Difference(TRAINING, "dropout", "p", here, there, times)


@dataclass(frozen=True)
class Source:
    """Where the listing stands. `commit` is the version that was read; "" where the text has no
    public address.
    """

    repository: str
    path: str
    commit: str = ""


@dataclass(frozen=True)
class Listing:
    """`params` and, where it was printed, `macs` are the source's own counts or those of others who
    ran it; `printed` is how the source itself prints its parameters ("3.3M"), "" if it does not.

    `atlas` is the network that it is (no differences outside training and first weights) or is
    nearest to.
    """

    name: str
    build: Callable[[], nn.Module]
    source: Source
    size: tuple[int, int, int]
    params: int
    atlas: str
    differences: tuple[Difference, ...] = ()
    near: tuple[str, ...] = ()  # others that are as near
    starts_alike: bool = False  # it draws its first weights as the atlas network does
    macs: int | None = None
    printed: str = ""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of named parts, as printed
    remark: str = ""  # for the page

    @property
    def same(self) -> bool:
        """It answers as the atlas network does, given its weights."""
        return all(each.group == TRAINING for each in self.differences)


TUTORIAL_0 = Source("a post of eleven networks", "no address known")
TUTORIAL_1 = Source("a post from LeNet to ResNeSt", "no address known")
TUTORIAL_3 = Source("a post on MobileNets", "no address known")
TUTORIAL_4 = Source("gpleiss/efficient_densenet_pytorch", "models/densenet.py")
