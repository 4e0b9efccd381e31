"""The looks of a drawing, light and dark: colours after Okabe and Ito, which colour-blind readers
can tell apart, and each kind of operation has a shape of text beside its colour.
"""

from typing import NamedTuple


class Look(NamedTuple):
    """Colours as #rrggbb, light first, dark second; "" is none."""

    fill: tuple[str, str] = ("", "")
    line: tuple[str, str] = ("", "")
    width: float = 1


LOOKS = {
    "paper": Look(("#ffffff", "#14171c")),
    "ink": Look(("#1b1f26", "#e8ebf0")),
    "quiet": Look(("#59616e", "#a3acb9")),
    "wire": Look(line=("#59616e", "#8d97a5"), width=1.25),
    "head": Look(("#59616e", "#8d97a5")),
    "stage": Look(("#f4f6f9", "#1c2027"), ("#d3d9e2", "#343b47")),
    "unit": Look(("#ffffff", "#14171c"), ("#bfc7d3", "#47505f")),
    "conv": Look(("#cfe3f3", "#173d5c"), ("#0072b2", "#4aa3dc")),
    "point": Look(("#e6f1fa", "#16293a"), ("#0072b2", "#4aa3dc")),
    "depth": Look(("#c9eee3", "#0d4537"), ("#00795a", "#2fc39c")),
    "pool": Look(("#fdecc8", "#4d3a0c"), ("#b57900", "#e6a92b")),
    "linear": Look(("#f6dcea", "#51223d"), ("#a84d81", "#dd8fba")),
    "join": Look(("#ffffff", "#14171c"), ("#59616e", "#8d97a5"), 1.25),
    "gate": Look(("#fff9c4", "#474208"), ("#8a7f00", "#d9cf45")),
    "other": Look(("#eceef2", "#2b313b"), ("#7d8694", "#8d97a5")),
    "none": Look(),
    "port": Look(("#ffffff", "#14171c"), ("#bfc7d3", "#47505f")),
    "times": Look(("#b84a00", "#f6a06a")),
    "bar": Look(("#d55e00", "#f08540")),
    "track": Look(("#e3e7ed", "#333b47")),
    "same": Look(("#eceef2", "#2b313b"), ("#aab2be", "#5b6575")),
    "changed": Look(("#fdecc8", "#4d3a0c"), ("#b57900", "#e6a92b"), 1.5),
    "only_a": Look(("#fbdccb", "#5c2a0a"), ("#d55e00", "#f08540"), 1.5),
    "only_b": Look(("#cfe3f3", "#173d5c"), ("#0072b2", "#4aa3dc"), 1.5),
}
BARS = ("conv", "point", "depth", "linear", "other")  # kinds that cost multiply-adds
LOOKS |= {f"bar_{kind}": Look(LOOKS[kind].line) for kind in BARS}
LOOKS["bar_point"] = Look(("#56a9dc", "#7cc4f0"))
LINES = {"bar", "track", *(f"bar_{kind}" for kind in BARS)}  # bars, THICK units high
THICK = 4
KINDS = {
    "conv": "convolution",
    "point": "1x1 convolution",
    "depth": "depthwise or grouped convolution",
    "pool": "pooling",
    "linear": "fully connected",
    "gate": "product of maps (gate)",
    "other": "other",
}
