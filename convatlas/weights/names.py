"""Our names of weights to those of another library and back: one rule table a source, applied to a network's own keys.

A rule is a pair (pattern, replacement) for re.sub; rules run in order on each key of ours and leave theirs. So a table
is one-way to write and two-way to use: the translation of all keys of a network is a bijection, or it is refused.
"""
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Rule = tuple[str, str | Callable[[re.Match], str]]


class Reordered(NamedTuple):
    """Channels in another order there: what stands at place i of dimension `dim` here stands at places[i] there."""
    pattern: str                    # of our keys
    dim: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class Twin:
    """A model of another library whose graph is that of one of our networks."""
    ours: str                       # the name in the atlas
    rules: tuple[Rule, ...]
    convolved: str = ""             # pattern of their keys: convolutions over the whole map there, linear layers here
    absent: str = ""                # pattern of our keys that their checkpoints do not hold
    surplus: str = ""               # pattern of their keys that mean nothing here
    reordered: tuple[Reordered, ...] = ()

    def names(self, keys: Iterable[str]) -> dict[str, str]:
        """Our key -> theirs, for all of `keys` that they hold. Raises ValueError if two become one of theirs."""
        found = {key: self.name(key) for key in keys if not (self.absent and re.search(self.absent, key))}
        if len(set(found.values())) < len(found):
            twice = sorted(theirs for theirs in set(found.values()) if list(found.values()).count(theirs) > 1)
            raise ValueError(f"two weights of {self.ours} would be called {twice[0]}")
        return found

    def name(self, key: str) -> str:
        for pattern, replacement in self.rules:
            key = re.sub(pattern, replacement, key)
        return key


def counted(template: str, by: int) -> Callable[[re.Match], str]:
    """A replacement whose {} is the first group's number plus `by`: counted("layer{}.", -1) for conv2_x -> layer1."""
    return lambda match: template.format(int(match[1]) + by, *match.groups()[1:])


Table = Mapping[str, Twin]          # their model's name -> its twin
