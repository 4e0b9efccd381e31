"""The index seen by papers instead of networks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from convatlas import registry


@dataclass(frozen=True)
class Record:
    """What one file in nets/ says of a paper, and the networks it builds from it."""

    family: str
    paper: dict
    networks: dict[str, dict]

    @property
    def bare(self) -> str:
        """The network that stands for the others."""
        named = self.paper["bare"] or self.paper["page"]
        return named if named in self.networks else next(iter(self.networks))


@dataclass(frozen=True)
class Work:
    """A paper, or what stands for one, with all its records; the file of the page's name comes
    first.
    """

    page: str
    records: tuple[Record, ...]

    @property
    def paper(self) -> dict:
        return self.records[0].paper

    @cached_property
    def networks(self) -> dict[str, dict]:
        return {name: facts for record in self.records for name, facts in record.networks.items()}

    @property
    def families(self) -> list[str]:
        return list(dict.fromkeys(record.family for record in self.records))

    @property
    def bare(self) -> str:
        return self.records[0].bare

    def claims(self) -> Iterator[tuple[str, dict]]:
        """Every printed number with the network it is printed for."""
        for name, facts in self.networks.items():
            for claim in facts["claims"]:
                yield name, claim


def all_works() -> list[Work]:
    """All papers, in the order of their years and then of the index."""
    records: dict[str, dict[tuple, Record]] = {}
    for name, facts in registry.stored_facts().items():
        family, paper = facts["family"], facts["paper"]
        key = (family, paper["title"], paper["year"])
        records.setdefault(paper["page"], {}).setdefault(key, Record(family, paper, {})).networks[
            name
        ] = facts
    return sorted(
        (
            Work(page, tuple(sorted(found.values(), key=lambda record: _order(page, record))))
            for page, found in records.items()
        ),
        key=lambda work: work.paper["year"],
    )


def _order(page: str, record: Record) -> tuple:
    return record.family != page, record.paper["year"], record.family


def together(
    claims: list[tuple[str, dict]], *keys: str
) -> Iterator[tuple[dict, list[tuple[str, dict]]]]:
    """Neighbouring claims that agree in these keys: (the first of them, all of them with their
    networks).
    """
    for _, group in groupby(claims, key=lambda pair: tuple(pair[1][key] for key in keys)):
        same = list(group)
        yield same[0][1], same
