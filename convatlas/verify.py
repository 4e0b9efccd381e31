"""Every printed claim against the network itself: the ledger of the atlas.

A claim holds when the measured quantity lies within one unit of its last printed digit: "3.8e9" allows 3.7e9 to 3.9e9,
"0.27M" 0.26M to 0.28M. A whole number without a unit ("60,000", "22") and a size ("64x56x56") are exact.
"""
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import prod
from typing import NamedTuple

import torch

from convatlas import registry
from convatlas.anatomy import Summary, summary
from convatlas.anatomy.table import Part
from convatlas.paper import Claim

SCALES = {"": 0, "K": 3, "M": 6, "G": 9, "B": 9, "thousand": 3, "million": 6, "billion": 9}
NUMBER = re.compile(r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?)"
                    r"(?P<unit>(?:e(?P<power>\d+))?\s?(?P<scale>" + "|".join(SCALES) + "))")
SIZE = re.compile(r"\d+x\d+(?:x\d+)?")


@dataclass(frozen=True)
class Verdict:
    network: str
    claim: Claim
    measured: str                               # in the claim's unit, one digit more than printed; "" if not measurable
    value: int | tuple[int, ...] | None         # exact
    status: str                                 # "holds"; "erratum": the paper misprints, and says how; "fails"
    reason: str = ""                            # why it fails


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

    def text(self, value: int) -> str:
        return f"{value:,}" if not self.tolerance else f"{value / self.scale:.{self.decimals + 1}f}{self.unit}"


class Unmeasurable(ValueError):
    """A claim that cannot be read, or that names something the network does not have."""


def verify(name: str | None = None) -> list[Verdict]:
    """The verdict on each claim of one network, or of all of them.  UnknownNetwork if there is no such name."""
    networks = registry.catalogue()
    if name is not None:
        registry.require(name, networks)
    return [verdict for network in ([name] if name else networks)
            for verdict in judge(network, networks[network].claims, measure(network))]


@cache
def blueprint(name: str) -> torch.nn.Module:
    """The network without storage: shapes only."""
    with torch.device("meta"):
        return registry.create_model(name)


@cache
def measure(name: str) -> Summary:
    """The summary of a network at its printed input; once a process."""
    return summary(blueprint(name))


def judge(network: str, claims: Iterable[Claim], measured: Summary) -> list[Verdict]:
    return [_judge(network, claim, measured) for claim in claims]


def ledger(verdicts: list[Verdict]) -> Ledger:
    """How many papers, networks and claims were checked, and how they came out."""
    networks = {verdict.network for verdict in verdicts}
    papers = {registry.catalogue()[network].paper.title for network in networks}
    count = [verdict.status for verdict in verdicts].count
    return Ledger(len(papers), len(networks), len(verdicts), count("holds"), count("erratum"), count("fails"))


def parse(printed: str) -> Printed:
    """ "3.8e9", "0.27M", "60 million", "60,000" as a number with its tolerance; Unmeasurable if it is neither."""
    match = NUMBER.fullmatch(printed)
    if not match:
        raise Unmeasurable(f"cannot read the number {printed!r}; print it like 3.8e9, 0.27M, 60 million or 60,000")
    scale = Decimal(10) ** (int(match["power"] or 0) + SCALES[match["scale"]])
    decimals = len(match["decimals"] or "")
    exact = not match["unit"] and not decimals
    return Printed(Decimal(match["digits"].replace(",", "")) * scale,
                   Decimal(0) if exact else scale / 10 ** decimals, scale, decimals, match["unit"])


def _judge(network: str, claim: Claim, measured: Summary) -> Verdict:
    try:
        value, text, holds = (_size if claim.quantity == "size" else _number)(claim, measured)
    except Unmeasurable as error:
        return Verdict(network, claim, "", None, "fails", str(error))
    if holds and claim.erratum:
        return Verdict(network, claim, text, value, "fails", "erratum without cause: the claim holds; remove it")
    if holds or claim.erratum:
        return Verdict(network, claim, text, value, "holds" if holds else "erratum")
    return Verdict(network, claim, text, value, "fails", "not as printed; correct the network, or give the erratum")


def _size(claim: Claim, measured: Summary) -> tuple[tuple[int, ...], str, bool]:
    if not SIZE.fullmatch(claim.printed):
        raise Unmeasurable(f"cannot read the size {claim.printed!r}; print it as HxW or CxHxW")
    printed = tuple(map(int, claim.printed.split("x")))
    value = _part(claim, measured).output[-len(printed):]
    return value, "x".join(map(str, value)), value == printed


def _number(claim: Claim, measured: Summary) -> tuple[int, str, bool]:
    if claim.quantity not in QUANTITIES:
        raise Unmeasurable(f"cannot measure {claim.quantity!r}; known are size, {', '.join(QUANTITIES)}")
    printed = parse(claim.printed)
    value = QUANTITIES[claim.quantity](measured, claim.part, _part(claim, measured))
    return value, printed.text(value), abs(value - printed.value) <= printed.tolerance


def _part(claim: Claim, measured: Summary) -> Part:
    if claim.part == "input":
        return Part(measured.input_size, 1, 0)
    if claim.part not in measured.parts:
        raise Unmeasurable(f"no part {claim.part!r} runs in the network; name a module of it, such as conv1")
    return measured.parts[claim.part]


QUANTITIES: dict[str, Callable[[Summary, str, Part], int]] = {
    "params": lambda s, path, part: sum(row.params for row in s.under(path)),   # as papers count: no auxiliary heads
    "madds": lambda s, path, part: sum(row.macs for row in s.under(path)),
    "connections": lambda s, path, part: sum(row.connections for row in s.under(path)),
    "layers": lambda s, path, part: part.layers,
    "units": lambda s, path, part: prod(part.output),
}
