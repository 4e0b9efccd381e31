"""Every printed claim against the network itself: the ledger of the atlas.

A claim holds when the measured quantity lies within one unit of its last printed digit: "3.8e9"
allows 3.7e9 to 3.9e9, "0.27M" 0.26M to 0.28M. A whole number without a unit ("60,000", "22") and a
size ("64x56x56") are exact. A claim that says `at` what it was measured is judged there: at another
size of image, with other classes or channels.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from math import prod
from typing import NamedTuple

import torch

from convatlas import registry
from convatlas.anatomy import Layer, Summary, summary
from convatlas.anatomy.table import Part
from convatlas.errors import ClaimError
from convatlas.paper import Claim

SCALES = {
    "": 1,
    "%": Decimal("0.01"),
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "B": 10**9,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "MB": 2**20,
}
NUMBER = re.compile(
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?)"
    r"(?P<unit>(?:e(?P<power>\d+))?\s?(?P<scale>" + "|".join(SCALES) + "))"
)
SIZE = re.compile(r"\d+x\d+(?:x\d+)?")
CONDITION = re.compile(
    r"(?:(?:(?P<channels>\d+)x)?(?P<height>\d+)x(?P<width>\d+))?"
    r"(?:(?:^|, )(?P<classes>\d+) classes)?"
)


@dataclass(frozen=True)
class Verdict:
    network: str
    claim: Claim
    measured: str  # in the claim's unit, one digit more than printed; "" if not measurable
    value: int | Decimal | tuple[int, ...] | None  # exact
    status: str  # "holds"; "erratum": not as printed, for a reason given; "fails"
    reason: str = ""  # why it fails


@dataclass(frozen=True)
class Ledger:
    papers: int
    networks: int
    claims: int
    holds: int
    errata: int
    fails: int


class Printed(NamedTuple):
    """A number as printed: value and tolerance, and how to print a measured one beside it."""

    value: Decimal
    tolerance: Decimal
    scale: Decimal
    decimals: int
    unit: str

    def text(self, value: int | Decimal) -> str:
        return (
            f"{value:,}"
            if not self.tolerance
            else f"{value / self.scale:.{self.decimals + 1}f}{self.unit}"
        )


def verify(
    name: str | None = None, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[Verdict]:
    """The verdict on each claim of one network, or of all of them. `progress` is called before each
    network with the number done and the number of all.  UnknownNetwork if there is no such name.
    """
    networks = registry.entries()
    if name is not None:
        registry.require(name, networks)
    names = [name] if name else list(networks)
    verdicts: list[Verdict] = []
    for done, network in enumerate(names):
        progress(done, len(names))
        verdicts += judge(network, networks[network].claims)
    return verdicts


@cache
def blueprint(
    name: str, num_classes: int | None = None, in_channels: int | None = None
) -> torch.nn.Module:
    """The network without storage: shapes only."""
    with torch.device("meta"):
        return registry.create_model(name, num_classes, in_channels)


def measure(name: str, at: str = "") -> Summary:
    """The summary of a network as it stands, or at "160x160", "1x28x28", "120 classes", "28x28, 62
    classes"; once a process.  ClaimError where `at` says nothing of the kind or the network
    cannot be built or run so.
    """
    return _measured(name, at)


@cache  # of both arguments: measure(name) and measure(name, "") are one measurement
def _measured(name: str, at: str) -> Summary:
    match = CONDITION.fullmatch(at)
    if not match:
        raise ClaimError(
            f"cannot read the condition {at!r}; write it like 160x160, 1x28x28 or 28x28, 62 classes"
        )
    channels, height, width, classes = (number and int(number) for number in match.groups())
    try:
        net = blueprint(name, classes, channels)
        return summary(net, (net.in_channels, height, width) if height else None)
    except ValueError as error:
        raise ClaimError(str(error)) from error


def judge(network: str, claims: Iterable[Claim]) -> list[Verdict]:
    return [_judge(network, claim) for claim in claims]


def ledger(verdicts: list[Verdict]) -> Ledger:
    """How many papers, networks and claims were checked, and how they came out."""
    networks = {verdict.network for verdict in verdicts}
    papers = {registry.entries()[network].paper.page for network in networks}
    count = [verdict.status for verdict in verdicts].count
    return Ledger(
        len(papers), len(networks), len(verdicts), count("holds"), count("erratum"), count("fails")
    )


def parse(printed: str) -> Printed:
    """ "3.8e9", "0.27M", "60 million", "60,000" as a number with its tolerance; ClaimError if it is
    neither.
    """
    match = NUMBER.fullmatch(printed)
    if not match:
        raise ClaimError(
            f"cannot read the number {printed!r}; print it like 3.8e9, 0.27M, 60 million or 60,000"
        )
    scale = SCALES[match["scale"]] * Decimal(10) ** int(match["power"] or 0)
    decimals = len(match["decimals"] or "")
    exact = not match["unit"] and not decimals
    return Printed(
        Decimal(match["digits"].replace(",", "")) * scale,
        Decimal(0) if exact else scale / 10**decimals,
        scale,
        decimals,
        match["unit"],
    )


def _judge(network: str, claim: Claim) -> Verdict:
    try:
        value, text, holds = (_size if claim.quantity == "size" else _number)(
            claim, measure(network, claim.at)
        )
    except ClaimError as error:
        return Verdict(network, claim, "", None, "fails", str(error))
    if holds and claim.erratum:
        return Verdict(
            network,
            claim,
            text,
            value,
            "fails",
            "erratum without cause: the claim holds; remove it",
        )
    if holds or claim.erratum:
        return Verdict(network, claim, text, value, "holds" if holds else "erratum")
    return Verdict(
        network,
        claim,
        text,
        value,
        "fails",
        "not as printed; correct the network, or give the erratum",
    )


def _size(claim: Claim, measured: Summary) -> tuple[tuple[int, ...], str, bool]:
    if not SIZE.fullmatch(claim.printed):
        raise ClaimError(f"cannot read the size {claim.printed!r}; print it as HxW or CxHxW")
    printed = tuple(map(int, claim.printed.split("x")))
    value = _part(claim, measured).output[-len(printed) :]
    return value, "x".join(map(str, value)), value == printed


def _number(claim: Claim, measured: Summary) -> tuple[int | Decimal, str, bool]:
    printed = parse(claim.printed)
    if claim.quantity in SUMS:
        value = SUMS[claim.quantity](_rows(claim, measured), measured)
    elif claim.quantity in OF_ONE_PART:
        value = OF_ONE_PART[claim.quantity](_part(claim, measured))
    else:
        known = ", ".join(["size", *SUMS, *OF_ONE_PART])
        raise ClaimError(f"cannot measure {claim.quantity!r}; known are {known}")
    return value, printed.text(value), abs(value - printed.value) <= printed.tolerance


def _rows(claim: Claim, measured: Summary) -> list[Layer]:
    """The layers of a part, or of all parts that a pattern such as *.dw matches."""
    if "*" not in claim.part:
        _part(claim, measured)
        return measured.under(claim.part)
    rows = [
        row
        for row in measured.rows
        if fnmatchcase(row.name, claim.part) or fnmatchcase(row.name, f"{claim.part}.*")
    ]
    if not rows:
        raise ClaimError(
            f"no part {claim.part!r} runs in the network; a * stands for any letters of a path"
        )
    return rows


def _part(claim: Claim, measured: Summary) -> Part:
    if claim.part == "input":
        return Part(measured.input_size, 1, 0)
    if claim.part not in measured.parts:
        raise ClaimError(
            f"no part {claim.part!r} runs in the network; name a module of it, such as conv1"
        )
    return measured.parts[claim.part]


def _params(rows: Iterable[Layer]) -> int:
    return sum(row.params for row in rows)


def _macs(rows: Iterable[Layer]) -> int:
    return sum(row.macs for row in rows)


SUMS: dict[str, Callable[[list[Layer], Summary], int | Decimal]] = {  # over the layers of a part
    "params": lambda rows, net: _params(rows),  # as papers count: no auxiliary heads
    "params with heads": lambda rows, net: _params(rows) + net.idle,
    "share of params": lambda rows, net: Decimal(_params(rows)) / _params(net.rows),
    "bytes": lambda rows, net: 4 * _params(rows),  # in single precision
    "macs": lambda rows, net: _macs(rows),
    "share of macs": lambda rows, net: Decimal(_macs(rows)) / net.macs,
    "flops": lambda rows, net: 2 * _macs(rows),
    "connections": lambda rows, net: sum(row.connections for row in rows),
}
OF_ONE_PART: dict[str, Callable[[Part], int]] = {
    "layers": lambda part: part.layers,
    "units": lambda part: prod(part.output),
}
