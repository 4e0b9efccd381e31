"""The graph of each network as the index holds it, graphs/NAME.json: its joins and what every box
reads. The boxes that are layers stand in layers/NAME.json, as its rows.
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from convatlas import registry
from convatlas.verification import wired

FOLDER = Path(__file__).parent / "graphs"


def graph(name: str) -> dict:
    """The record of one network, measured now; see NetworkGraph.to_record."""
    record = wired(name).to_record()
    return json.loads(json.dumps(record))  # JSON has lists, no tuples


def stored(name: str, folder: Path = FOLDER) -> dict:
    """What the index holds; nothing of a network that it does not know."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(found: Mapping[str, dict], names: Collection[str], folder: Path = FOLDER) -> None:
    """Store the records of `found`, and drop those of all networks that are not in `names`."""
    folder.mkdir(exist_ok=True)
    for name, record in found.items():
        (folder / f"{name}.json").write_bytes(text(record).encode())
    for gone in {path.stem for path in folder.glob("*.json")} - {*names}:
        (folder / f"{gone}.json").unlink()


def renew(
    names: Collection[str] | None = None,
    folder: Path = FOLDER,
    tell: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Renew graphs/NAME.json of `names`, by default of all networks, and nothing else. Returns the
    names of all networks.
    """
    entries = registry.entries()
    for name in entries if names is None else names:
        write({name: graph(name)}, entries, folder)
        tell(name)
    return list(entries)


def text(record: dict) -> str:
    """A join a line, so that a change reads well in a diff."""

    def compact(value) -> str:
        return json.dumps(value, separators=(",", ":"))

    joins = ",\n".join(map(compact, record["joins"]))
    rest = "".join(
        f',\n"{key}":{compact(record[key])}' for key in ("reads", "rows") if key in record
    )
    return f'{{"size":{compact(record["size"])},\n"joins":[\n{joins}]{rest}}}\n'
