"""Our names of weights to those of another library and back: one rule table a source, applied to a
network's own keys.

A rule is a pair (pattern, replacement) for re.sub; rules run in order on each key of ours and leave
theirs. So a table is one-way to write and two-way to use: the translation of all keys of a network
is a bijection, or it is refused.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Rule = tuple[str, str | Callable[[re.Match], str]]
Rules = tuple[Rule, ...]


class Convolved(NamedTuple):
    """A convolution over the whole map there, a linear layer here."""

    pattern: str  # of their keys
    side: int  # of the kernel there


class Reordered(NamedTuple):
    """Channels in another order there: what stands at place i of dimension `dim` here stands at
    places[i] there.
    """

    pattern: str  # of our keys
    dim: int
    places: tuple[int, ...]


class Layout(NamedTuple):
    """Weights whose dimensions stand in another order there, told by their number as well as by
    name: a pattern may meet kernels and matrices.
    """

    pattern: str  # of their keys
    dims: tuple[int, ...]  # dimension i there is dimension dims[i] here


class Pixels(NamedTuple):
    """How an image's pixels, from 0 to 1, are standardised: one number for all channels, or one for
    each.
    """

    mean: float | tuple[float, ...]
    std: float


HWIO = (2, 3, 1, 0)  # a kernel: height, width, input, output
HWC1 = (2, 3, 0, 1)  # a depthwise kernel: height, width, channel, filters of a channel
IO = (1, 0)  # a matrix: input, output


@dataclass(frozen=True)
class Twin:
    """A model of another library whose graph is that of one of our networks."""

    ours: str  # the name in the atlas
    rules: Rules
    convolved: tuple[Convolved, ...] = ()
    reordered: tuple[Reordered, ...] = ()
    absent: str = ""  # pattern of our keys that their checkpoints do not hold
    surplus: str = ""  # pattern of their keys that mean nothing here
    layouts: tuple[Layout, ...] = ()  # where none is said, dimensions stand as here
    axes: tuple[int, int] = (0, 1)  # what counts the classes there, and the channels of the image
    biases: Rules = ()  # from their names of means to biases before the norm, which only move them
    shifted: tuple[tuple[str, float], ...] = ()  # patterns of our keys, what is added to theirs
    scaled: tuple[
        tuple[str, float], ...
    ] = ()  # patterns of our keys, what theirs are multiplied by
    folded: tuple[tuple[str, float], ...] = ()  # patterns of our keys that have one value there
    pixels: Pixels | None = None  # that they expect, where these are not ImageNet's

    def names(self, keys: Iterable[str]) -> dict[str, str]:
        """Our key -> theirs, for all of `keys` that they hold. Raises ValueError if two become one
        of theirs.
        """
        found = {
            key: self.name(key)
            for key in keys
            if not (self.absent and re.search(self.absent, key)) and self.value(key) is None
        }
        if len(set(found.values())) < len(found):
            twice = sorted(
                theirs for theirs in set(found.values()) if list(found.values()).count(theirs) > 1
            )
            raise ValueError(f"two weights of {self.ours} would be called {twice[0]}")
        return found

    def name(self, key: str) -> str:
        """Theirs for one of our keys."""
        for pattern, replacement in self.rules:
            key = re.sub(pattern, replacement, key)
        return key

    def bias(self, name: str) -> str:
        """The bias there that moves the mean of this name; "" if there is none."""
        for pattern, replacement in self.biases:
            if re.search(pattern, name):
                return re.sub(pattern, replacement, name)
        return ""

    def shift(self, key: str) -> float:
        """What is added to their numbers to get ours of this key."""
        return next((shift for pattern, shift in self.shifted if re.search(pattern, key)), 0.0)

    def scale(self, key: str) -> float:
        """What their numbers are multiplied by to get ours of this key."""
        return next((scale for pattern, scale in self.scaled if re.search(pattern, key)), 1.0)

    def value(self, key: str) -> float | None:
        """Of one of our keys that their files do not hold, for it is the same in all of them."""
        return next((value for pattern, value in self.folded if re.search(pattern, key)), None)

    def shapes(self, ours: Mapping[str, Iterable[int]]) -> dict[str, tuple[int, ...]]:
        """Names and shapes there of all that a network with these keys and shapes has."""
        held = {}
        for key, name in self.names(ours).items():
            held[name] = self.shape(name, tuple(ours[key]))
            if bias := self.bias(name):
                held[bias] = held[name]
        return held

    def side(self, name: str) -> int:
        """Of the kernel, where their weight of this name is a convolution's and ours a linear
        layer's; else 0.
        """
        return next((side for pattern, side in self.convolved if re.search(pattern, name)), 0)

    def shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape under their name of a weight that has `shape` here."""
        side = self.side(name)
        shape = (shape[0], shape[1] // side**2, side, side) if side else tuple(shape)
        return tuple(shape[dim] for dim in self.dims(name, len(shape)))

    def dims(self, name: str, rank: int) -> tuple[int, ...]:
        """Which of our dimensions each of theirs is, in a weight of this name and rank."""
        return next(
            (
                dims
                for pattern, dims in self.layouts
                if len(dims) == rank and re.search(pattern, name)
            ),
            tuple(range(rank)),
        )


def counted(template: str, by: int) -> Callable[[re.Match], str]:
    """A replacement whose {} is the first group's number plus `by`: counted("layer{}.", -1) for
    conv2_x -> layer1.
    """
    return lambda match: template.format(int(match[1]) + by, *match.groups()[1:])


def moved(places: Mapping[str, str], inner: str = "") -> Rules:
    r"""A rule for each module at the top.

    moved({"fc6": "classifier.1"}, r"\.fc") is for fc6.fc.weight.
    """
    return tuple((rf"^{ours}{inner}\.", f"{theirs}.") for ours, theirs in places.items())


Table = Mapping[str, Twin]  # their model's name -> its twin
