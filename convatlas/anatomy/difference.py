"""What sets two networks apart, as a record: blocks of changes."""

from dataclasses import dataclass

from convatlas.anatomy.wording import ranges

TOP = "top level"  # what the network does itself, between its stages
GROUPS = ("structure", "activation", "normalisation", "padding", "initialisation", "training")
SILENT = ("initialisation", "training")  # of them, those that change no answer


@dataclass(frozen=True)
class Side:
    """One of the two networks."""

    name: str
    input_size: tuple[int, ...]
    params: int
    macs: int


@dataclass(frozen=True)
class Change:
    """One difference, in all places of its block. `params` and `macs` are b's minus a's, summed
    over those places.
    """

    inside: str  # path inside the unit, b's where a has none; "" is the unit itself
    what: str  # the step that changes: "3x3 conv"; "" where a and b name whole steps
    a: str  # what sets a's form apart: "stride 2"; NONE where it has nothing there
    b: str
    params: int
    macs: int
    times: int = 1
    steps: tuple[str, ...] = ()  # all of them, where one network has them alone
    values: tuple[
        tuple[tuple, ...], ...
    ] = ()  # a's and b's numbers, one a step: what it reads, its map
    group: str = "structure"  # one of GROUPS
    paths: tuple[str, ...] = ()  # of the modules it is about, b's where a has none
    follows: bool = False  # the step is the same, on what other changes have made of its input

    @property
    def key(self) -> tuple:
        """Changes of equal key are the same difference; where they have values, those do not
        matter.
        """
        folds = tuple(map(bool, self.values))
        return self.inside, self.what, folds or (self.a, self.b, self.steps)


@dataclass(frozen=True)
class Block:
    """Units that differ in the same way. `places` are pairs of a's and b's path; None where one has
    nothing.
    """

    places: tuple[tuple[str | None, str | None], ...]
    changes: tuple[Change, ...]

    @property
    def where(self) -> tuple[str, str]:
        """The places in a and in b, in short: "conv3_x.1-3", "conv3_x.0, conv4_x.0"."""
        return tuple(
            ", ".join(ranges(path or TOP for path in paths if path is not None))
            for paths in zip(*self.places, strict=True)
        )


@dataclass(frozen=True)
class Difference:
    """All differences; their params and macs add up to the difference of the totals. `print` tells
    them. Networks that are the `same` can have some that matter in training alone.
    """

    a: Side
    b: Side
    blocks: tuple[Block, ...]
    same: bool = False  # both answer alike with equal weights, for this size; training may differ

    def __bool__(self) -> bool:
        return bool(self.blocks)

    @property
    def summary(self) -> str:
        """What it comes to and the change that matters most, in two or three sentences."""
        from convatlas.anatomy.difference_words import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from convatlas.anatomy.on_a_page import difference_html

        return difference_html(self)

    def __str__(self) -> str:
        lines = [
            f"{self.a.name} -> {self.b.name}: {self.b.params - self.a.params:+,} parameters, "
            f"{self.b.macs - self.a.macs:+,} MACs"
        ]
        for block in self.blocks:
            where = " | ".join(filter(None, dict.fromkeys(block.where)))
            lines += [
                ": ".join(
                    filter(None, (where, change.inside, change.what, f"{change.a} -> {change.b}"))
                )
                + f" ({change.params:+,} parameters, {change.macs:+,} MACs)"
                for change in block.changes
            ]
        return "\n".join(lines)
