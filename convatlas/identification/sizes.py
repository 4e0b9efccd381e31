"""On which images a network is tried when nobody says: the size that it states, then those that
the field uses.
"""

from collections.abc import Iterable

import torch
from torch import nn

from convatlas import wiring
from convatlas.errors import IdentifyError
from convatlas.wiring import Graph

SIDES = (224, 32, 28, 299, 227, 96, 64, 331, 128, 16)
NAMES = ("input_size", "image_size", "img_size")
MOST_TRIED = 12
MOST_SAID = 160  # letters of why it does not run

Size = tuple[int, ...]


def sizes_of(net: nn.Module) -> list[Size]:
    """(C, H, W), the likeliest first. Channels are those of the first convolution."""
    channels = _channels(net)
    sides = [(number, side, side) for side in SIDES for number in channels]
    stated = _stated(net, channels[0])
    return list(dict.fromkeys([*stated, *sides]))[:MOST_TRIED]


def _channels(net: nn.Module) -> tuple[int, ...]:
    for module in net.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.ndim == 4:
            groups = getattr(module, "groups", 1)
            return (weight.shape[1] * (groups if isinstance(groups, int) else 1),)
    return 3, 1


def _stated(net: nn.Module, channels: int) -> list[Size]:
    """What the network itself says it reads, as ours, timm's and others do."""
    settings = [getattr(net, each, None) for each in ("default_cfg", "pretrained_cfg")]
    values = [getattr(net, name, None) for name in NAMES]
    values += [each.get("input_size") for each in settings if isinstance(each, dict)]
    found = []
    for value in values:
        if isinstance(value, int):
            value = (value, value)
        if not isinstance(value, Iterable) or isinstance(value, torch.Tensor | str):
            continue
        size = tuple(value)
        if len(size) in (2, 3) and all(isinstance(n, int) and 0 < n < 5000 for n in size):
            found.append(size if len(size) == 3 else (channels, *size))
    return found


def first_that_runs(net: nn.Module, sizes: Iterable[Size]) -> Graph:
    """The graph at the first of these sizes that the network runs on.

    Raises IdentifyError where it runs on none, with what it says of the first.
    """
    said = {}
    for size in sizes:
        try:
            return wiring.of(net, size)
        except MemoryError:
            raise
        except Exception as error:  # a forward of anybody's may raise anything
            if isinstance(error.__cause__, IdentifyError):
                raise error.__cause__ from None
            reason = error.__cause__ or error
            words = " ".join(str(reason).split())
            said[size] = ": ".join(filter(None, [type(reason).__name__, words]))
    first = next(iter(said))
    tried = ", ".join("x".join(map(str, size)) for size in said)
    raise IdentifyError(
        f"{type(net).__name__} runs on no size tried ({tried}); of the first: "
        f"{said[first]:.{MOST_SAID}}; give its own, such as --size 3x64x64"
    )
