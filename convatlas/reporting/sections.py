"""Runs as an answer: for each data set its networks, best first, and what sets them apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convatlas.errors import ReportError
from convatlas.reporting import ranks, verdicts
from convatlas.reporting.calibration import Reliability, reliability
from convatlas.reporting.costs import Costs, costs_of
from convatlas.reporting.runs import Gathered, Run, Unfinished
from convatlas.training.recipe import DEFAULTS

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Entry:
    """One network with one recipe, and its runs, which differ in their seeds."""

    runs: tuple[Run, ...]  # by seed
    summary: verdicts.Summary
    costs: Costs
    wrong: np.ndarray | None  # (runs, pictures) bool, in the section's order of pictures
    answers: np.ndarray | None  # (runs, pictures) int64, likewise
    reliability: Reliability | None  # of all runs together

    @property
    def name(self) -> str:
        """As sentences call it: the network, and its setting where it has several."""
        return self.summary.name

    @property
    def network(self) -> str:
        return self.runs[0].network

    @property
    def setting(self) -> str:
        """ "lr = 0.001", or "" where the network has one recipe."""
        return self.name.removeprefix(self.network).removeprefix(" (").removesuffix(")")

    @property
    def recipe(self) -> Mapping[str, object]:
        return self.runs[0].recipe

    @property
    def recalls(self) -> np.ndarray:
        """(classes,) share of each class's pictures that is right, mean over the runs; NaN for a
        class without pictures.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = [run.confusion.diagonal() / run.confusion.sum(1) for run in self.runs]
        return np.mean(shares, 0)

    @property
    def confusion(self) -> "csr_array":
        """(classes, classes) float: mean counts of a run."""
        total = sum(run.confusion for run in self.runs).astype(float)
        total.data /= len(self.runs)
        return total

    def mean(self, what: str) -> float | None:
        """Of a figure of its runs, as far as they have it; None where none has."""
        values = [each for run in self.runs if (each := getattr(run, what)) is not None]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True, eq=False)
class Section:
    """All networks on one data set."""

    data: str
    fingerprint: str
    classes: tuple[str, ...]
    pictures: int
    entries: tuple[Entry, ...]  # lowest mean error first
    comparison: verdicts.Comparison
    images: tuple[str, ...]  # of the test set, in order; none where no run recorded answers
    truth: np.ndarray | None  # (pictures,) their classes
    unfinished: tuple[Unfinished, ...]

    @property
    def tested_on(self) -> str:
        """Where the test pictures come from; "" where no run says it."""
        return next((run.tested_on for run in self.runs if run.tested_on), "")

    @property
    def runs(self) -> list[Run]:
        return [run for entry in self.entries for run in entry.runs]


@dataclass(frozen=True, eq=False)
class Report:
    """All that is told of some runs."""

    sections: tuple[Section, ...]  # by name of the data set
    ranking: ranks.Ranking | None  # over data sets that all had the same networks
    unfinished: tuple[Unfinished, ...]  # of data sets without a finished run

    @property
    def missing(self) -> list[Unfinished]:
        """All runs without a result."""
        return [*(run for section in self.sections for run in section.unfinished), *self.unfinished]


def report_of(gathered: Gathered, against: str | None = None) -> Report:
    """What there is to tell; with `against`, a baseline, of the pairs with that one only.
    ReportError where it is none of the networks of a data set.
    """
    names = sorted({run.data for run in gathered.runs})
    sections = tuple(
        _section(
            [run for run in gathered.runs if run.data == name],
            tuple(run for run in gathered.unfinished if run.data == name),
            against,
        )
        for name in names
    )
    rest = tuple(run for run in gathered.unfinished if run.data not in names)
    return Report(sections, _ranking(sections), rest)


def _section(runs: list[Run], unfinished: tuple[Unfinished, ...], against: str | None) -> Section:
    first = runs[0]
    base = next((run.answers for run in runs if run.answers), None)
    images = base.images if base else ()
    groups = _groups(runs)
    if against not in (None, *groups):
        raise ReportError(
            f"there is no finished run of {against!r} on {first.data}; --against is one of "
            f"{', '.join(groups)}"
        )
    answers = {name: _answers(group, images) for name, group in groups.items()}
    truth = base.classes if base else None
    wrong = {name: None if given is None else given != truth for name, given in answers.items()}
    comparison = verdicts.compare(
        [
            verdicts.Results(
                *(name, tuple(run.seed for run in group)),
                *(np.array([run.error for run in group]), first.pictures, wrong[name]),
            )
            for name, group in groups.items()
        ],
        against=against,
    )
    entries = tuple(
        Entry(
            *(tuple(groups[name]), summary, costs_of(groups[name][0])),
            *(wrong[name], answers[name], _reliability(groups[name])),
        )
        for name, summary in ((each.name, each) for each in comparison.networks)
    )
    return Section(
        *(first.data, first.fingerprint, first.classes, first.pictures, entries, comparison),
        *(images, truth, unfinished),
    )


def _groups(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs that differ in their seed only, under the name that sentences use."""
    found: dict[tuple, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.network, _spelled(run.recipe), run.seed)):
        found.setdefault((run.network, _spelled(run.recipe)), []).append(run)
    return {_name(group, found.values()): group for group in found.values()}


def _spelled(recipe: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(f"{name} = {value(given)}" for name, given in recipe.items())


def value(given: object) -> str:
    """A field's value as a recipe has it."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, list | tuple):
        return f"[{', '.join(map(value, given))}]"
    return str(given)


def _name(group: list[Run], all_groups: Iterable[list[Run]]) -> str:
    setting = _setting(group, all_groups)
    return f"{group[0].network} ({setting})" if setting else group[0].network


def _setting(group: list[Run], all_groups: Iterable[list[Run]]) -> str:
    """What sets the recipe apart from the others of the same network."""
    own = group[0]
    others = [each[0].recipe for each in all_groups if each[0].network == own.network]
    return ", ".join(
        f"{name} = {value(given)}"
        for name, given in own.recipe.items()
        if any(value(other[name]) != value(given) for other in others)
    )


def _answers(group: Sequence[Run], images: tuple[str, ...]) -> np.ndarray | None:
    """(runs, pictures), each run's in the order of `images`; None where one recorded none, or of
    other pictures.
    """
    rows = [_in_order(run, images) for run in group]
    return None if any(row is None for row in rows) else np.array(rows)


def _in_order(run: Run, images: tuple[str, ...]) -> np.ndarray | None:
    if run.answers is None:
        return None
    if run.answers.images == images:
        return run.answers.answers
    places = {image: i for i, image in enumerate(run.answers.images)}
    if places.keys() != {*images}:
        return None
    return run.answers.answers[[places[image] for image in images]]


def _reliability(runs: Iterable[Run]) -> Reliability | None:
    found = [run.answers for run in runs]
    if None in found:
        return None
    parts = ((each.confidence, each.right, each.probability) for each in found)
    return reliability(*map(np.concatenate, zip(*parts, strict=True)))


def _ranking(sections: Sequence[Section]) -> ranks.Ranking | None:
    """None below two data sets, or where these had different networks."""
    names = [sorted(entry.name for entry in section.entries) for section in sections]
    if len(sections) < 2 or any(each != names[0] for each in names) or len(names[0]) < 2:
        return None
    means = [{entry.name: entry.summary.mean for entry in section.entries} for section in sections]
    return ranks.rank(names[0], np.array([[mean[name] for name in names[0]] for mean in means]))


def recipes(section: Section) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """Fields that all recipes of a section share and that are not at their defaults; and for each
    entry those in which it differs from another.
    """
    every = [entry.recipe for entry in section.entries]
    names = [name for name in every[0] if all(name in recipe for recipe in every)]
    same = {name for name in names if len({value(recipe[name]) for recipe in every}) == 1}
    shared = {
        name: every[0][name]
        for name in names
        if name in same and value(every[0][name]) != value(DEFAULTS.get(name))
    }
    return shared, {
        entry.name: {name: entry.recipe[name] for name in names if name not in same}
        for entry in section.entries
    }
