"""list --weights: which networks have published weights, with the accuracy and the input size."""

from dataclasses import asdict

from convatlas.cli.printing import is_narrow, open_console, plural
from convatlas.weights.published import Published, published, published_networks


def with_weights(names: list[str]) -> dict[str, list[Published]]:
    """Of these networks those that have published weights, with their entries."""
    there = published_networks()
    found = {name: published(name) for name in names if name in there}
    return {name: entries for name, entries in found.items() if entries}


def records(found: dict[str, list[Published]]) -> list[dict]:
    """For JSON: one record an entry."""
    return [
        {"name": name, "weights": entry.words}
        | {key: value for key, value in asdict(entry).items() if key != "words"}
        for name, entries in found.items()
        for entry in entries
    ]


def print_weights(found: dict[str, list[Published]]) -> None:
    console = open_console()
    width = max(len(entry.words) for entries in found.values() for entry in entries)
    narrow = is_narrow(console)
    if not narrow:
        console.print(f"  {'--weights':<{width}}  input  of side  top-1   top-5", style="dim")
    for name, entries in found.items():
        console.print(name, style="bold")
        for entry in entries:
            console.print(_stacked(entry) if narrow else _row(entry, width))
    count = sum(map(len, found.values()))
    console.print(
        f"{plural(count, 'entry', 'entries')} of {plural(len(found), 'network')}; top-1 and top-5 "
        "as torchvision published them, in % of ImageNet's validation images; convatlas predict "
        "NAME --weights WORDS IMAGE classifies",
        style="dim",
    )


def _row(entry: Published, width: int) -> str:
    shares = f"{_share(entry.top1)}  {_share(entry.top5)}"
    return f"  {entry.words:<{width}}  {entry.side:>5}  {entry.shorter:>7}  {shares}{_more(entry)}"


def _stacked(entry: Published) -> str:
    shares = f"top-1 {_share(entry.top1).strip()}, top-5 {_share(entry.top5).strip()}"
    return f"  {entry.words}\n      {entry.side} of {entry.shorter}, {shares}{_more(entry)}"


def _share(value: float | None) -> str:
    return f"{'-':>6}" if value is None else f"{value:6.3f}"


def _more(entry: Published) -> str:
    """What a reader would not expect of the entry."""
    if entry.classes == 0:
        return "  no classifier"
    return "" if entry.classes == 1000 else f"  {entry.classes:,} outputs"
