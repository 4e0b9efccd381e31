"""Pictures that every network gets wrong, and those on which two of them disagree."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from convatlas.reporting.mistakes import always_wrong, disagreements
from convatlas.reporting.sections import Entry, Section

MOST_WRONG, MOST_DISPUTED, MOST_PAIRS = 24, 12, 3
LEAST = 0.5  # of the runs of one network, by which two disagree on a picture


@dataclass(frozen=True)
class Hard:
    """One test picture and what was answered to it."""

    image: str  # as answers.csv calls it
    truth: int  # class
    answers: tuple[tuple[int, int], ...]  # class and number of runs, the most frequent first


@dataclass(frozen=True)
class Disputed:
    """A picture that one network gets wrong more often than another."""

    picture: Hard
    right: str  # the network that is right more often
    share_a: float  # of the runs of each that are wrong
    share_b: float


@dataclass(frozen=True)
class HardPictures:
    """Of one data set."""

    runs: int  # that recorded their answers
    wrong: int  # pictures that all of them get wrong
    shown: tuple[Hard, ...]  # the first of these
    disputed: tuple[tuple[str, str, tuple[Disputed, ...]], ...]  # the best network beside another

    @property
    def images(self) -> list[str]:
        """All that are shown."""
        pairs = (each.picture.image for *_, found in self.disputed for each in found)
        return [*(each.image for each in self.shown), *pairs]


def hard_pictures(section: Section) -> HardPictures | None:
    """None where no network has the answers of all its runs."""
    known = [entry for entry in section.entries if entry.wrong is not None]
    if not known:
        return None
    every = np.concatenate([entry.answers for entry in known])
    wrong = always_wrong([entry.wrong for entry in known])
    first = known[0]
    disputed = ((first.name, b.name, _disputed(section, first, b)) for b in known[1:])
    return HardPictures(
        *(len(every), len(wrong)),
        tuple(_hard(section, int(i), every) for i in wrong[:MOST_WRONG]),
        tuple(each for each in disputed if each[2])[:MOST_PAIRS],
    )


def _disputed(section: Section, a: Entry, b: Entry) -> tuple[Disputed, ...]:
    """The strongest first."""
    apart = disagreements(a.wrong, b.wrong)
    order = np.argsort(-np.abs(apart), kind="stable")[:MOST_DISPUTED]
    both = np.concatenate([a.answers, b.answers])
    return tuple(
        Disputed(
            _hard(section, int(i), both),
            b.name if apart[i] > 0 else a.name,
            *(float(entry.wrong[:, i].mean()) for entry in (a, b)),
        )
        for i in order
        if abs(apart[i]) >= LEAST
    )


def _hard(section: Section, i: int, answers: np.ndarray) -> Hard:
    said = Counter(answers[:, i].tolist())
    ordered = sorted(said.items(), key=lambda each: (-each[1], each[0]))
    return Hard(section.images[i], int(section.truth[i]), tuple(ordered))
