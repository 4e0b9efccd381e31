"""identify: which printed network somebody's code, graph or weights are."""

import csv as csv_module
import io
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convatlas.cli.output import say_error
from convatlas.cli.printing import WIDEST, counting, open_console, plural, print_json, say
from convatlas.errors import WRONG_USAGE, IdentifyError
from convatlas.magnitude import short
from convatlas.printable import cell, printable

if TYPE_CHECKING:
    from convatlas.identification.results import Result

DIFFERS = 1  # exit codes as grep's and diff's: 0 the same, 1 another, 2 trouble
MOST = 24  # differences that are told; --against tells all
COLUMNS = (
    *("name", "verdict", "network", "input", "likeness", "differences"),
    *("structure", "activation", "normalisation", "padding", "initialisation", "training"),
    *("parameters", "macs", "what", "problem"),
)


def identify(
    *subjects: str,
    size: str | None = None,
    against: str | None = None,
    csv: bool = False,
    json: bool = False,
    seconds: Annotated[float, Parameter()] = 60.0,
) -> int:
    """Say which printed network this is, or which it is nearest to and what sets it apart.

    Code is RUN to be read, in a process of its own, with limits on its time and memory; they are no
    sandbox: identify nothing that you would not run. Graphs and weights are read as data. The exit
    code is 0 where everything is a network of the atlas, 1 where something differs, 2 where
    something cannot be read.

    Parameters
    ----------
    subjects: str
        FILE.py:NAME or FILE.py:NAME(arguments), a class, function or object of the file; FILE.py,
        for what it defines that needs no arguments; package.module:NAME; FILE.onnx; a checkpoint;
        the folder of a run. Any number of them.
    size: str
        Of the images: 224, 3x224x224 or 1x28x28 [what the network states, or the first usual size
        that it runs on].
    against: str
        Hold it against this network, a name from `convatlas list`, and tell everything that
        differs.
    csv: bool
        Print CSV, one row for each network or file.
    json: bool
        Print JSON.
    seconds: float
        That the code of one file may take.
    """
    from convatlas.registry import require, stored_facts

    if against is not None:
        require(against, stored_facts())
    if not 0 < seconds < 1e6:
        raise IdentifyError(f"--seconds is how long a file's code may take, not {seconds:g}")
    if not subjects:
        raise IdentifyError("what? `convatlas identify FILE.py:NAME`, FILE.onnx or a checkpoint")
    found = list(_found(subjects, sizes_asked(size), against, seconds, quiet=csv or json))
    if csv:
        print(_csv(found), end="")
    elif json:
        print_json([_record(result) for result in found])
    else:
        _tell(found, against)
    return _exit_code(found)


def sizes_asked(size: str | None) -> list[tuple[int, ...]]:
    """224 is tried with three channels, then with one."""
    if size is None:
        return []
    sides = size.lower().replace("\u00d7", "x").split("x")
    if not all(side.isascii() and side.isdigit() and 0 < int(side) < 10_000 for side in sides):
        sides = []
    numbers = tuple(map(int, sides))
    if len(numbers) == 1:
        return [(channels, *numbers, *numbers) for channels in (3, 1)]
    if len(numbers) == 3:
        return [numbers]
    raise IdentifyError(f"--size {printable(size)} is no size; give 224 or 3x224x224")


def _found(
    subjects: tuple[str, ...],
    sizes: list[tuple[int, ...]],
    against: str | None,
    seconds: float,
    quiet: bool,
) -> Iterator["Result"]:
    from convatlas.identification.results import results

    if not quiet and any(":" in word or word.endswith(".py") for word in subjects):
        say_error("note: identify runs the code that it is given, in a process of its own")
    with counting("identified") as count:
        for number, word in enumerate(subjects, start=1):
            yield from results(word, sizes, against, seconds)
            count(number, len(subjects))


def _exit_code(found: list["Result"]) -> int:
    if any(result.problem for result in found):
        return WRONG_USAGE
    return 0 if all(result.verdict for result in found) else DIFFERS


def _tell(found: list["Result"], against: str | None) -> None:
    width = min(open_console().width, WIDEST)
    for number, result in enumerate(found):
        if number:
            print()
        if result.problem:
            say_error(f"convatlas: {printable(result.problem)}")
        else:
            for line in _lines(result, against):
                _wrapped(line, width)
        is_last = number + 1 == len(found) or found[number + 1].passed != result.passed
        if result.passed and is_last:
            _wrapped(f"  not tried: {'; '.join(result.passed)}", width)


def _wrapped(line: str, width: int) -> None:
    """A line, whose rest stands two columns further in."""
    indent = " " * (len(line) - len(line.lstrip()))
    if "`" in line:  # a command is to be copied whole
        say(line)
        return
    parts = textwrap.wrap(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for part in parts or [""]:
        say(part)


def _lines(result: "Result", against: str | None) -> Iterator[str]:
    from convatlas.identification.verdict import Verdict

    verdict = result.verdict
    yield verdict.sentence()
    if not isinstance(verdict, Verdict):
        yield from (f"  {note}" for note in verdict.notes)
        yield f"  its paper: `convatlas show {verdict.network}`"
        return
    paper = verdict.paper
    yield f"  {paper['authors']}: {paper['title']} ({paper['year']})"
    yield f"  {verdict.page}, `convatlas show {verdict.network}`"
    if verdict.also:
        yield f"  wired as {verdict.network}: {', '.join(verdict.also)}"
    yield from _differences(verdict, len(verdict.changes()) if against else MOST)
    if verdict.changes() and not against:
        yield f"  all of it: `convatlas identify '{result.name}' --against {verdict.network}`"


def _differences(verdict, most: int) -> Iterator[str]:
    from convatlas.identification.verdict import FAR, GROUPS, SILENT

    counts = {group: len(verdict.changes(group)) for group in GROUPS}
    if verdict.kind == FAR and most <= MOST:
        told = ", ".join(f"{group} {count}" for group, count in counts.items() if count)
        yield f"  differences: {told}"
        return
    left = most
    for group in GROUPS:
        changes = verdict.changes(group)
        if not changes:
            continue
        yield ""
        yield group + (" (no answer changes)" if group in SILENT else "")
        for block, change in changes[: max(left, 0)]:
            yield from _difference(verdict.network, block, change)
        if len(changes) > max(left, 0):
            yield f"  and {len(changes) - max(left, 0)} more"
        left -= len(changes)
    yield from _total(verdict)


def _difference(network: str, block, change) -> Iterator[str]:
    """Where, what, the paper's form and theirs; below it the cost, and where that is printed."""
    from convatlas.identification.places import printed

    where = " | ".join(dict.fromkeys(filter(None, block.where)))
    place = ", ".join(filter(None, (where, change.inside)))
    yield f"  {': '.join(filter(None, (place, change.what)))}: {change.a} -> {change.b}"
    costs = [
        f"{'-' if cost < 0 else '+'}{short(abs(cost))} {unit}"
        for cost, unit in ((change.params, "parameters"), (change.macs, "MACs"))
        if cost
    ]
    words = f"{change.what} {change.a} {change.b}"
    source = printed(network, change.paths, words)
    if told := "; ".join(filter(None, [", ".join(costs), source and f"printed in {source}"])):
        yield f"      {told}"


def _total(verdict) -> Iterator[str]:
    if not verdict.changes():
        return
    a, b = verdict.difference.a, verdict.difference.b
    yield ""
    if a.params != b.params or a.macs != b.macs:
        yield f"in all {b.params - a.params:+,} parameters, {b.macs - a.macs:+,} MACs"
    if verdict.follows:
        yield f"{plural(verdict.follows, 'step')} more read or give other sizes, as follows"


def _record(result: "Result") -> dict:
    """What --json prints of a network or a file."""
    from convatlas.identification.verdict import Verdict

    about = {"name": result.name}
    if result.problem:
        return about | {"verdict": None, "problem": result.problem}
    verdict = result.verdict
    about |= {"verdict": verdict.kind, "network": verdict.network, "said": verdict.sentence()}
    if not isinstance(verdict, Verdict):
        return about | {"networks": verdict.networks, "notes": verdict.notes}
    return about | {
        "also": verdict.also,
        "input": verdict.size,
        "classes": verdict.classes,
        "channels": verdict.channels,
        "folded": verdict.folded,
        "likeness": round(verdict.likeness, 4),
        "paper": verdict.paper["title"],
        "page": verdict.page,
        "params": verdict.difference.b.params - verdict.difference.a.params,
        "macs": verdict.difference.b.macs - verdict.difference.a.macs,
        "follow": verdict.follows,
        "differences": [_change(block, change) for block, change in verdict.changes()],
        "not tried": result.passed,
    }


def _change(block, change) -> dict:
    where = block.where
    return {
        "group": change.group,
        "where": {"theirs": where[1], "ours": where[0]},
        "inside": change.inside,
        "what": change.what,
        "printed": change.a,
        "found": change.b,
        "params": change.params,
        "macs": change.macs,
    }


def _csv(found: list["Result"]) -> str:
    """A row for each network or file, whose cells no spreadsheet takes for a formula."""
    lines = io.StringIO()
    writer = csv_module.DictWriter(lines, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for result in found:
        writer.writerow(
            {
                key: value if isinstance(value, int | float) else cell(str(value))
                for key, value in _row(result).items()
            }
        )
    return lines.getvalue()


def _row(result: "Result") -> dict[str, object]:
    from convatlas.identification.verdict import GROUPS, SILENT, Verdict, told

    if result.problem:
        return {"name": result.name, "verdict": "unread", "problem": result.problem}
    verdict = result.verdict
    row = {"name": result.name, "verdict": verdict.kind, "network": verdict.network}
    if not isinstance(verdict, Verdict):
        return row | {"what": verdict.sentence()}
    changes = verdict.changes()
    side = verdict.difference
    return (
        row
        | {group: sum(change.group == group for _, change in changes) for group in GROUPS}
        | {
            "input": "x".join(map(str, verdict.size)),
            "likeness": round(verdict.likeness, 3),
            "differences": sum(change.group not in SILENT for _, change in changes),
            "parameters": side.b.params - side.a.params,
            "macs": side.b.macs - side.a.macs,
            "what": "; ".join(told(*pair) for pair in changes[:MOST]),
        }
    )
