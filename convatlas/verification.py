"""Every printed claim against the network itself: the ledger of the atlas.

A claim holds when the measured quantity lies within half a unit of its last printed digit: "3.8e9"
allows 3.75e9 to 3.85e9, "0.27M" 0.265M to 0.275M; where a table cuts its digits off, "0.27M" allows
0.27M to just below 0.28M. A whole number without a unit ("60,000", "22") and a size ("64x56x56")
are exact. A claim that says `at` what it was measured is judged there: at another size of image,
with other classes or channels. One with a remark must deviate as the remark says.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import torch

from convatlas import registry
from convatlas.anatomy import Summary, network_graph, summary
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.claim import (
    COUNTED_OTHERWISE,
    MISPRINT,
    NOT_EXPLAINED,
    WITHIN_ONE_UNIT,
    Claim,
)
from convatlas.claim_sources import SOURCES
from convatlas.errors import ClaimError
from convatlas.measures import (
    ACTIVATIONS,
    ALIKE,
    IN_ITS_PLACE,
    OF_ONE_PART,
    QUANTITIES,
    SUMS,
    UNCOMPRESSED,
    USUAL,
    alike,
    in_its_place,
    part_of,
    repeats,
    rows_of,
)
from convatlas.shapes_only import shapes_only

HOLDS = "holds"
FAILS = "fails"
HALF = Decimal("0.5")
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
    "x": 1,
}
IN_TRAINING = "in training"
FEW = 32  # networks and summaries that are kept: one network is asked for many times, then the next
NUMBER = re.compile(
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?)"
    r"(?P<unit>(?:e(?P<power>\d+))?\s?(?P<scale>" + "|".join(SCALES) + "))"
)
BOUND = re.compile(r"(?P<side>less|more) than (?P<number>.+)")
SIZE = re.compile(r"\d+x\d+(?:x\d+)?")
CONDITION = re.compile(
    r"(?:(?:(?P<channels>\d+)x)?(?P<height>\d+)x(?P<width>\d+))?"
    r"(?:(?:^|, )(?P<classes>[1-9]\d*) classes)?"
)


@dataclass(frozen=True)
class Verdict:
    network: str
    claim: Claim
    measured: str  # in the claim's unit, one digit more than printed; "" if not measurable
    value: int | Decimal | str | tuple[int, ...] | None  # exact
    status: str  # "holds", "fails", or the kind of the claim's remark
    reason: str = ""  # why it fails


@dataclass(frozen=True)
class Ledger:
    """How the claims came out: those of the papers themselves, and those that others print."""

    papers: int
    networks: int
    claims: int  # of the networks' own papers
    own: dict[str, int]  # status -> how many of these
    others: dict[str, int]  # status -> how many of what releases, libraries and others print

    @property
    def fails(self) -> int:
        return self.own.get(FAILS, 0) + self.others.get(FAILS, 0)


class Printed(NamedTuple):
    """A number as printed: value and unit of its last digit (0: exact), and how to print a measured
    one beside it.
    """

    value: Decimal
    unit_of_last: Decimal
    scale: Decimal
    decimals: int
    unit: str

    def text(self, value: int | Decimal) -> str:
        return (
            f"{value:,}"
            if not self.unit_of_last
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


@lru_cache(maxsize=FEW)
def blueprint(
    name: str, num_classes: int | None = None, in_channels: int | None = None
) -> torch.nn.Module:
    """The network without storage: shapes only."""
    with shapes_only():
        return registry.create_model(name, num_classes, in_channels)


def measure(name: str, at: str = "") -> Summary:
    """The summary of a network as it stands, or at "160x160", "1x28x28", "120 classes", "28x28, 62
    classes", or "in training", where its auxiliary heads run too.  ClaimError where `at` says
    nothing of the kind or the network cannot be built or run so.
    """
    return _measured(name, at) if at else _followed(name)[1]


def wired(name: str) -> NetworkGraph:
    """The drawn graph of a network as it stands, of the pass that measures it."""
    return _followed(name)[0]


@lru_cache(maxsize=FEW)
def _followed(name: str) -> tuple[NetworkGraph, Summary]:
    try:
        return network_graph.with_summary(blueprint(name))
    except ValueError as error:
        raise ClaimError(str(error)) from error


@lru_cache(maxsize=FEW)
def _measured(name: str, at: str) -> Summary:
    if at == IN_TRAINING:
        return summary(_with_heads(name))
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


def _with_heads(name: str) -> torch.nn.Module:
    """The network giving out what it is trained by."""
    with shapes_only():
        net = registry.create_model(name)
    if not hasattr(net, "training_outputs"):
        raise ClaimError(f"{name} does the same in training: it has no auxiliary heads")
    net.forward = net.training_outputs
    return net


def judge(network: str, claims: Iterable[Claim]) -> list[Verdict]:
    return [_judge(network, claim) for claim in claims]


def ledger(verdicts: list[Verdict]) -> Ledger:
    """How many papers, networks and claims were checked, and how they came out."""
    networks = {verdict.network for verdict in verdicts}
    papers = {registry.entries()[network].paper.page for network in networks}
    own = Counter(verdict.status for verdict in verdicts if not verdict.claim.by)
    others = Counter(verdict.status for verdict in verdicts if verdict.claim.by)
    return Ledger(len(papers), len(networks), own.total(), dict(own), dict(others))


def parse(printed: str) -> Printed:
    """ "3.8e9", "0.27M", "60 million", "60,000" as a number with the unit of its last digit.
    ClaimError if it is none.
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
        _require_source(network, claim)
        measured = measure(network, claim.at)
        text, value, units = _compared(claim, claim.quantity, measured)
        reason = _objection(claim, units, measured)
    except ClaimError as error:
        return Verdict(network, claim, "", None, FAILS, str(error))
    status = FAILS if reason else claim.remark.kind if claim.remark else HOLDS
    return Verdict(network, claim, text, value, status, reason)


def _require_source(network: str, claim: Claim) -> None:
    if claim.by and claim.by not in SOURCES:
        raise ClaimError(
            f"nobody called {claim.by!r} is known; give an address in claim_sources.py"
        )
    if claim.by and not (SOURCES[claim.by].address or registry.entries()[network].paper.code):
        raise ClaimError("the release has no address; give it in the paper's `code`")


def _objection(claim: Claim, units: Decimal, measured: Summary) -> str:
    """Why the claim fails, being off by so many units of its last digit; "" where it does not."""
    holds, kind = _is_near(claim, units), claim.remark.kind if claim.remark else HOLDS
    usual = USUAL.get(claim.quantity)
    if kind == COUNTED_OTHERWISE:
        if not usual:
            return f"{claim.quantity!r} is the usual count; name another"
        if _is_near(claim, _compared(claim, usual, measured)[2]):
            return "it holds by the usual count too; take the remark away"
        return "" if holds else "it does not hold by that count either"
    if usual:
        return f"{claim.quantity!r} is not the usual count; remark why the text counts so"
    if kind == HOLDS:
        return "" if holds else f"not as printed, {_off(units)}; correct the network, or remark why"
    if holds:
        return "a remark without cause: the claim holds; take it away"
    if kind == WITHIN_ONE_UNIT:
        return "" if abs(units) <= 1 else f"it is {_off(units)}"
    return "" if kind in (MISPRINT, NOT_EXPLAINED) else f"{kind!r} is no kind of remark"


def _off(units: Decimal) -> str:
    if units.is_infinite():
        return "another"
    return f"off by {abs(units):.2f} units of the last digit"


def _is_near(claim: Claim, units: Decimal) -> bool:
    return 0 <= units < 1 if claim.truncated else abs(units) <= HALF


def _compared(
    claim: Claim, quantity: str, measured: Summary
) -> tuple[str, int | Decimal | tuple[int, ...], Decimal]:
    """The measured quantity in the claim's unit and exactly, and how many units of the last printed
    digit it lies above what is printed: infinitely many where that is exact and the two differ.
    """
    if quantity in ("size", "kernel"):
        return _size(claim, measured)
    if quantity == "nonlinearity":
        return _word(claim, measured)
    bound = BOUND.fullmatch(claim.printed)
    printed = parse(bound["number"] if bound else claim.printed)
    value = _number(claim, quantity, measured)
    if claim.than:
        theirs = UNCOMPRESSED.get(quantity, quantity)
        value = Decimal(_number(claim, theirs, measure(claim.than))) / value
    if bound:
        below = value < printed.value
        return printed.text(value), value, _exactly(below == (bound["side"] == "less"))
    if not printed.unit_of_last:
        return printed.text(value), value, _exactly(value == printed.value)
    return printed.text(value), value, (value - printed.value) / printed.unit_of_last


def _exactly(same: bool) -> Decimal:
    return Decimal(0) if same else Decimal("Infinity")


def _size(claim: Claim, measured: Summary) -> tuple[str, tuple[int, ...], Decimal]:
    if not SIZE.fullmatch(claim.printed):
        raise ClaimError(f"cannot read the size {claim.printed!r}; print it as HxW or CxHxW")
    printed = tuple(map(int, claim.printed.split("x")))
    whole = (
        alike(claim, measured)
        if claim.quantity == "kernel"
        else part_of(claim, measured).output[-len(printed) :]
    )
    value = tuple(whole)
    return "x".join(map(str, value)), value, _exactly(value == printed)


def _word(claim: Claim, measured: Summary) -> tuple[str, str, Decimal]:
    if claim.printed not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ClaimError(f"cannot read the nonlinearity {claim.printed!r}; known are {known}")
    kind = str(alike(claim, measured))
    return kind, kind, _exactly(kind == ACTIVATIONS[claim.printed])


def _number(claim: Claim, quantity: str, measured: Summary) -> int | Decimal:
    if quantity in SUMS:
        return SUMS[quantity](rows_of(claim, measured), measured)
    if quantity in OF_ONE_PART:
        return OF_ONE_PART[quantity](part_of(claim, measured))
    if quantity in IN_ITS_PLACE:
        return in_its_place(claim, measured)
    if quantity == "repeats":
        return repeats(claim, measured)
    if quantity in ALIKE:
        return alike(claim, measured)
    raise ClaimError(f"cannot measure {quantity!r}; known are {', '.join(QUANTITIES)}")
