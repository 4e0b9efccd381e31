"""One thing that is to be said about one file of a set."""

from collections.abc import Sequence
from dataclasses import dataclass

SAID = 5  # findings of which training speaks; check-data lists them all


@dataclass(frozen=True)
class Finding:
    """One thing about one file: what, and what to do about it."""

    file: str  # "" where `problem` says itself what it is about
    problem: str
    remedy: str

    @classmethod
    def of(cls, file: str, reason: str) -> "Finding":
        """`reason` ends with the remedy, after a semicolon."""
        problem, _, remedy = reason.rpartition("; ")
        return cls(file, problem or remedy, remedy if problem else "")

    @property
    def sentence(self) -> str:
        where = f"{self.file!r} " if self.file else ""
        return f"{where}{self.problem}{f'; {self.remedy}' if self.remedy else ''}"


def said(findings: Sequence[Finding]) -> list[str]:
    """The first findings as sentences, and how many more there are."""
    sentences = [found.sentence for found in findings[:SAID]]
    if len(findings) > SAID:
        left = len(findings) - SAID
        sentences.append(f"and {left:,} more of the kind, which `convatlas check-data` lists")
    return sentences
