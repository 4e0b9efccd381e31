"""Verdicts in words. A point is a hundredth of the pictures: from 1.5 % to 1.2 % are 0.3 points."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convatlas.reporting.spelling import points
from convatlas.reporting.statistics import fewest_seeds

if TYPE_CHECKING:
    from convatlas.reporting.verdicts import Comparison, Pair, Summary

NUMBERS = [
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
]
EACH = 4  # so many networks get a sentence for each that the first is compared with


def interval(found: "Pair | Summary") -> str:
    """In points, with the space before it; nothing where it is not known."""
    ends = (points(end, found.pictures) for end in (found.low, found.high))
    return "" if math.isnan(found.low) else f" ({' to '.join(ends)})"


def count(number: int, what: str) -> str:
    """ "one seed", "six seeds", "14 seeds"."""
    said = NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"
    return f"{said} {what}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def verdict(pair: "Pair") -> str:
    """Of one pair."""
    if pair.better:
        return f"{pair.ahead} is better {_than(pair)}."
    return f"{pair.ahead} against {pair.behind}: {_undecided(pair)}."


def _undecided(pair: "Pair") -> str:
    if not pair.seeds:
        return "cannot tell, they share no seed"
    if pair.tells is None:
        least = count(fewest_seeds(pair.level), "seed").split()[0]
        said = f"{count(pair.seeds, 'seed')} cannot tell, whatever the lead; {least} are the fewest"
    else:
        said = f"cannot tell below {points(pair.tells, pair.pictures)} points"
    if not pair.lead:
        return f"{said}; the errors are equal"
    seen = f"{pair.ahead} is ahead by {points(pair.lead, pair.pictures)}{interval(pair)}"
    return "; ".join([said, seen, *_needed(pair)])


def _needed(pair: "Pair") -> list[str]:
    """What a study that tells a lead as large as this one would have."""
    if pair.seeds < 2:
        return []
    if pair.seeds_needed and pair.seeds_needed > pair.seeds:
        return [f"about {count(pair.seeds_needed, 'seed')} would tell a lead as large"]
    if pair.seeds_needed:
        return ["four of five such studies tell a lead as large, this one does not"]
    if pair.pictures_needed:
        pictures = count(_rounded_up(pair.pictures_needed), "test picture")
        least = fewest_seeds(pair.level)
        with_ = f" with {count(least, 'seed')}" if pair.seeds < least else ""
        return [f"no number of seeds would tell a lead as small, about {pictures}{with_} would"]
    return ["neither more seeds nor more test pictures alone would tell a lead as small"]


def _rounded_up(number: int) -> int:
    """To two digits."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return math.ceil(number / unit) * unit


def answer(found: "Comparison") -> str:
    """Of a whole comparison."""
    first, *others = found.networks
    if not found.pairs:
        seeds = count(first.seeds, "seed")
        return (
            f"{first.name}: {points(first.mean, first.pictures)} % wrong{interval(first)}, {seeds}."
        )
    if len(others) > 1 and all(pair.tells is None for pair in found.pairs):
        return _too_few(found)
    if found.against is not None or len(others) < EACH:
        return _of_few(found.pairs if found.against is not None else found.pairs[: len(others)])
    return _of_many(found)


def _of_few(pairs: Sequence["Pair"]) -> str:
    """Each of these, those that one network is better than in one sentence."""
    said = []
    for ahead in dict.fromkeys(pair.ahead for pair in pairs if pair.better):
        than = [_than(pair) for pair in pairs if pair.better and pair.ahead == ahead]
        said.append(f"{ahead} is better {listed(than)}.")
    return " ".join([*said, *(pair.sentence for pair in pairs if not pair.better)])


def _than(pair: "Pair") -> str:
    return f"than {pair.behind} by {points(pair.lead, pair.pictures)} points{interval(pair)}"


def _too_few(found: "Comparison") -> str:
    most = max(pair.seeds for pair in found.pairs)
    least = count(fewest_seeds(found.level), "seed").split()[0]
    errors = ", ".join(f"{one.name} {points(one.mean, one.pictures)} %" for one in found.networks)
    return (
        f"{count(most, 'seed').capitalize()} cannot tell which is better, whatever the lead; "
        f"{least} are the fewest. Errors so far: {errors}."
    )


def _of_many(found: "Comparison") -> str:
    """The first against each of the others, in few words."""
    first, *others = found.networks
    of_first = found.pairs[: len(others)]
    told = [pair.behind for pair in of_first if pair.better and pair.ahead == first.name]
    open_ = [pair for pair in of_first if not pair.better]
    said = [f"{first.name} has the lowest error, {points(first.mean, first.pictures)} %."]
    if told:
        all_ = "all others" if len(told) == len(others) else listed(told)
        said.append(f"It is better than {all_}.")
    if open_:
        names = [pair.behind if pair.ahead == first.name else pair.ahead for pair in open_]
        said.append(f"It cannot be told from {listed(names)}.")
    return " ".join([*said, (open_ or of_first)[0].sentence])
