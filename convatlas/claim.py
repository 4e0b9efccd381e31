"""The record of one printed number, and what may be remarked on it. Imports nothing of ours, nor
torch.
"""

from dataclasses import dataclass

MISPRINT = "misprint"
COUNTED_OTHERWISE = "counted otherwise"
WITHIN_ONE_UNIT = "within one unit"
NOT_EXPLAINED = "not explained"
CELLS = ("kernel", "stride", "filters", "groups", "repeats", "nonlinearity")  # of a printed table


@dataclass(frozen=True)
class Remark:
    """Why a printed number is not what the network measures by the usual count."""

    kind: str
    why: str


def misprint(why: str) -> Remark:
    """The number cannot be right, or contradicts another of the same text: the proof."""
    return Remark(MISPRINT, why)


def counted_otherwise(why: str) -> Remark:
    """The number holds by the count that the claim's quantity names, such as "params with
    statistics", and not by the usual one: what shows that its authors counted so.
    """
    return Remark(COUNTED_OTHERWISE, why)


def within_one_unit(why: str) -> Remark:
    """The number is off by more than half a unit of its last digit, and by no more than one."""
    return Remark(WITHIN_ONE_UNIT, why)


def not_explained(why: str) -> Remark:
    """The number is another, and nobody knows why: what was tried."""
    return Remark(NOT_EXPLAINED, why)


@dataclass(frozen=True)
class Claim:
    """A number as it is printed. Nobody edits one to make a test pass; one that does not hold gets
    a remark.

    `printed` keeps the digits of the text ("3.8e9", "0.27M", "60,000", "56x56"), because the
    tolerance is half a unit of the last one. A size is printed as HxW or CxHxW; a whole number
    without a unit is exact.
    """

    quantity: str  # "params", "macs", "size", "kernel", "layers" (with weights): see measures.py
    printed: str
    source: str  # the place in the text: "Table 1, last row"
    part: str = ""  # the stage or layer meant, "*.dw" for all of a name; "" is the whole network
    by: str = ""  # who prints it, a key of claim_sources.py; "" is the network's own paper
    at: str = (
        ""  # what was measured, where it is not the network as it stands: "160x160", "120 classes"
    )
    truncated: bool = False  # the table cuts its numbers off where others round
    remark: Remark | None = None


def each(
    quantity: str,
    source: str,
    printed: dict[str, str],
    by: str = "",
    at: str = "",
    truncated: bool = False,
    remark: Remark | None = None,
) -> tuple[Claim, ...]:
    """One claim for each part of a printed column: each("size", "Table 1", {"conv1": "112x112",
    ...}).
    """
    return tuple(
        Claim(quantity, number, source, part, by, at, truncated, remark)
        for part, number in printed.items()
    )


def counts(
    source: str,
    params: str,
    macs: str,
    by: str = "",
    at: str = "",
    remarks: tuple[Remark | None, Remark | None] = (None, None),
    part: str = "",
) -> tuple[Claim, ...]:
    """What one row of a table prints of a network or a part of it, "" where it prints nothing;
    remarks in the same order.
    """
    printed = (("params", params, remarks[0]), ("macs", macs, remarks[1]))
    return tuple(
        Claim(quantity, number, source, part, by, at, remark=remark)
        for quantity, number, remark in printed
        if number
    )


def table(
    source: str, columns: str, rows: dict[str, str], by: str = "", at: str = ""
) -> tuple[Claim, ...]:
    """The cells of a printed table, "-" where one is empty; a column is a quantity, and after a
    colon the path below the row's part that it speaks of.

    table("Table 1", "filters:1x1 filters:3x3 stride", {"inception_3a": "64 128 -"})
    """
    headings = [column.partition(":") for column in columns.split()]
    return tuple(
        Claim(quantity, cell, source, f"{part}.{below}" if below else part, by, at)
        for part, cells in rows.items()
        for (quantity, _, below), cell in zip(headings, cells.split(), strict=True)
        if cell != "-"
    )
