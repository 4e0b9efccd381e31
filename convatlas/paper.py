"""The two records that a network file fills in: which paper, and what it prints. Imports nothing of
ours, nor torch.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    title: str
    authors: str
    year: int
    venue: str = ""
    arxiv: str = ""  # with the version that was read: "1512.03385v1"
    code: str = ""  # the authors' own release, if they made one
    silent: str = ""  # what the paper leaves open, what is done here, and why
    departs: str = ""  # what is knowingly done otherwise than the paper says; "" means nothing
    page: str = ""  # its short name: docs/papers/PAGE.md; shared by all records of one paper
    bare: str = (
        ""  # the network whose layers the page shows, where it is not the one called like the page
    )


@dataclass(frozen=True)
class Claim:
    """A number as the paper prints it. Nobody edits one to make a test pass; one that cannot hold
    gets an erratum.

    `printed` keeps the paper's digits ("3.8e9", "0.27M", "60,000", "56x56"), because the tolerance
    is one unit in the last printed digit. A size is printed as HxW or CxHxW; a whole number without
    a unit is exact.
    """

    quantity: str  # "params", "macs", "size", "connections", "layers" (with weights): see verify.py
    printed: str
    source: str  # "Table 1, last row"
    part: str = ""  # the stage or layer meant, "*.dw" for all of a name; "" is the whole network
    erratum: str = ""  # why the printed number cannot be right, with the evidence
    at: str = (
        ""  # what was measured, where it is not the network as it stands: "160x160", "120 classes"
    )


def channels_first(size: str) -> str:
    """The size of a map as a claim has it, from one printed with its channels last.

    channels_first("112x112x32") == "32x112x112"
    """
    height, width, channels = size.split("x")
    return f"{channels}x{height}x{width}"


def sizes(source: str, printed: dict[str, str], at: str = "") -> tuple[Claim, ...]:
    """One claim of size for each stage of a printed column: sizes("Table 1", {"conv1": "112x112",
    ...}).
    """
    return tuple(Claim("size", size, source, part, at=at) for part, size in printed.items())


def units(source: str, printed: dict[str, str], at: str = "") -> tuple[Claim, ...]:
    """One claim of units for each layer of a printed column that gives out vectors."""
    return tuple(Claim("units", number, source, part, at=at) for part, number in printed.items())


def counts(
    source: str,
    params: str,
    macs: str,
    at: str = "",
    errata: tuple[str, str] = ("", ""),
    part: str = "",
) -> tuple[Claim, ...]:
    """What one row of a table prints of a network or a part of it, "" where it prints nothing;
    errata in the same order.
    """
    printed = (("params", params, errata[0]), ("macs", macs, errata[1]))
    return tuple(
        Claim(quantity, number, source, part, erratum, at)
        for quantity, number, erratum in printed
        if number
    )


def torchvision(weights: str, params: str, gflops: str, at: str = "") -> tuple[Claim, ...]:
    """The num_params and _ops, multiply-adds in billions, in the metadata of torchvision's
    published weights.
    """
    return counts(f"torchvision, {weights}", params, f"{gflops}G", at)
