"""Accuracy against cost: every point as it is printed, with its place; static/chart.js draws it."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from convatlas import registry
from convatlas.explorer import frame
from convatlas.explorer.frame import word

TYPED = Path(__file__).with_name("accuracies.toml")
WHAT = (
    "Each point is a number that a paper or release prints of its own network; tests differ, so a "
    "tenth of a percent says little. Costs are counted by this atlas at the size of its table."
)
HEADS = (
    ("row.network", "network"),
    ("chart.set", "images"),
    ("chart.error", "top-1 error, %"),
    ("chart.printed", "as printed"),
    ("chart.how", "tested"),
    ("chart.where", "place"),
    ("facts.macs", "multiply-adds"),
    ("facts.params", "parameters"),
)


@dataclass(frozen=True)
class Point:
    """One printed accuracy of a network."""

    network: str
    set: str  # "imagenet" or "cifar10"
    prints: str  # "error" or "accuracy"
    printed: str
    how: str
    where: str

    @property
    def error(self) -> str:
        """The error in percent, with the digits of what is printed."""
        if self.prints == "error":
            return self.printed
        digits = len(self.printed.partition(".")[2])
        return f"{100 - float(self.printed):.{digits}f}"


def files() -> dict[str, Callable[[], bytes]]:
    return {"chart.html": page}


@cache
def points() -> tuple[Point, ...]:
    """All of them, as typed."""
    return tuple(_points(tomllib.loads(TYPED.read_text(encoding="utf-8"))["printed"]))


def _points(typed: list[dict]) -> Iterator[Point]:
    for group in typed:
        for name, printed in group["networks"].items():
            about = (group[key] for key in ("how", "where"))
            yield Point(name, group["set"], group["prints"], printed, *about)


def page() -> bytes:
    head = "".join(f"<th scope=col>{word(key, text)}" for key, text in HEADS)
    rows = "".join(map(_row, sorted(points(), key=lambda point: (point.set, float(point.error)))))
    body = (
        f"<h1>{word('chart.title', 'Accuracy and cost, as printed')}</h1>"
        f"<p>{word('chart.what', WHAT)}"
        f"<div id=chart></div><div class=scroll tabindex=0 role=group aria-label=table>"
        f"<table class=list><thead><tr>{head}<tbody>{rows}</table></div>"
    )
    return frame.page(
        "chart.html",
        "Accuracy and cost of the convolutional networks, as printed",
        body,
        description=f"{len(points())} printed accuracies against multiply-adds and parameters.",
        module="chart.js",
    )


def _row(point: Point) -> str:
    facts = registry.stored_facts()[point.network]
    paper = facts["paper"]
    image = {"imagenet": "ImageNet", "cifar10": "CIFAR-10"}[point.set]
    where = f"{escape(point.where, quote=False)}, " if point.where else ""
    return (
        f"<tr data-set={point.set} data-year={paper['year']}><th scope=row>"
        f'<a href="networks/{point.network}.html">{point.network}</a><td>{image}<td>{point.error}'
        f"<td>{point.prints} {point.printed}<td>{escape(point.how, quote=False)}"
        f'<td>{where}<a href="papers/{paper["page"]}.html#notes">{paper["page"]}</a>'
        f"<td>{facts['macs']:,}<td>{facts['params']:,}"
    )
