"""The record that a network file fills in: which paper. Imports nothing of ours, nor torch."""

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
