"""What a word of the command line is, one result for each network in it; what goes wrong with one
stops no other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convatlas.errors import Error
from convatlas.identification.running import SECONDS, Process, opened
from convatlas.identification.target import Target, parse
from convatlas.printable import printable

if TYPE_CHECKING:
    from convatlas.identification.holding import Holding
    from convatlas.identification.verdict import Verdict


@dataclass(frozen=True)
class Result:
    """A verdict on what is called `name`, or the problem, a sentence, for which there is none.
    `passed` are the parts of a file that may be networks and were not tried, and why.
    """

    name: str
    verdict: "Verdict | Holding | None" = None
    problem: str = ""
    passed: tuple[str, ...] = ()


def results(
    word: str,
    sizes: Sequence[tuple[int, ...]] = (),
    against: str | None = None,
    seconds: float = SECONDS,
) -> Iterator[Result]:
    """All of it, in the order of the file."""
    try:
        target = parse(word)
        if target.kind in ("weights", "run"):
            from convatlas.identification.holding import held_by

            yield Result(printable(word), held_by(target.path, against))
            return
        with opened(target, seconds) as process:
            yield from _of_process(process, target, sizes, against)
    except Error as error:
        yield Result(printable(word), problem=str(error))


def _of_process(
    process: Process, target: Target, sizes: Sequence[tuple[int, ...]], against: str | None
) -> Iterator[Result]:
    from convatlas.identification.subject import There  # with torch, while theirs is imported
    from convatlas.identification.verdict import judged

    for number, call in enumerate(process.networks()):
        name = printable(f"{target.path}:{call}" if call else target.path)
        try:
            verdict = judged(There(process, number, name), sizes, against)
            yield Result(name, verdict, passed=process.passed)
        except Error as error:
            yield Result(name, problem=str(error), passed=process.passed)
            if not process.is_running:
                return
