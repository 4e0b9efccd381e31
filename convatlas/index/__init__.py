"""The generated index: facts, layer tables, graphs and functions of all networks as JSON, so that
list and show never load torch.

The same files are the goldens: tests/test_golden.py builds every network again and compares.
`python -m convatlas.index NAME` renews one network, `make index` all; nothing else writes here.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from convatlas import registry
from convatlas.anatomy.table import COLUMNS, Summary
from convatlas.index import function as functions
from convatlas.index import graphs, walks, wirings
from convatlas.index.checkpoints import known_text
from convatlas.papers import notes
from convatlas.verification import Verdict, blueprint, measure, verify
from convatlas.weights import hub, published
from convatlas.weights.known import STORED, read
from convatlas.weights.sources import TABLES

HERE = Path(__file__).parent


def facts(name: str) -> dict:
    """The catalogue's entry of one network, measured now."""
    entry, measured = registry.entries()[name], measure(name)
    stages = [
        {"name": stage, "output": list(measured.parts[stage].output)}
        for stage in blueprint(name).stages
    ]
    return {
        "family": entry.family,
        "paper": _paper(entry),
        "input_size": list(measured.input_size),
        "num_classes": measured.parts[""].output[0],
        "params": measured.params,
        "idle": measured.idle,
        "macs": measured.macs,
        "depth": measured.layers,
        "stages": stages,
        "claims": [_claim(verdict) for verdict in verify(name)],
    }


def table(name: str) -> dict:
    """The layer table of one network, measured now: {"ends", "columns", "rows"}; see anatomy's fold
    for the ends.
    """
    return rows_of(measure(name))


def rows_of(measured: Summary) -> dict:
    """The same of any summary."""
    rows = [layer.to_row() for layer in measured.rows]
    leaves = {row.name for row in measured.rows}
    ends = {
        path: [part.output, part.receptive_field]
        for path, part in measured.parts.items()
        if path and path.count(".") < 2 and path not in leaves
    }
    return json.loads(
        json.dumps({"ends": ends, "columns": COLUMNS, "rows": rows})
    )  # JSON has lists, no tuples


def wanted(words: Iterable[str]) -> list[str]:
    """The networks that are meant by the names of networks and of files in nets/.

    What is gone, but still in the index, stands for no network. Raises UnknownNetwork for any other
    word.
    """
    entries, stored = registry.entries(), registry.stored_facts()
    legal = {*entries, *stored, *(entry.family for entry in entries.values())}
    legal |= {facts["family"] for facts in stored.values()}
    names: list[str] = []
    for word in words:
        registry.require(word, legal)
        of_file = [name for name, entry in entries.items() if entry.family == word]
        names += of_file or [name for name in entries if name == word]
    return list(dict.fromkeys(names))


def write(
    names: Collection[str] | None = None,
    folder: Path = HERE,
    known: Path = STORED,
    tell: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Renew what the index holds of `names`, by default of all networks, and drop what is gone.

    Renewed are catalogue.json, sources.json, wirings.json, layers/NAME.json, graphs/NAME.json,
    functions/NAME.json, walks/NAME.json and the checkpoints that are known (with the words for
    timm's, where all are renewed), all at the end; the others keep what they have. `tell` is given
    a line for each network. Returns the names in the index.
    """
    entries, before = registry.entries(), {}
    if names is not None:
        before = json.loads((folder / "catalogue.json").read_text(encoding="utf-8"))
    measured = {name: _timed(name, tell) for name in (entries if names is None else names)}
    catalogue = {name: kept for name, kept in before.items() if name in entries}
    catalogue |= {name: entry for name, (entry, *_) in measured.items()}
    catalogue = dict(sorted(catalogue.items(), key=lambda item: _order(*item)))
    _write_layers(
        folder / "layers", {name: rows for name, (_, rows, *_) in measured.items()}, entries
    )
    graphs.write(
        {name: drawn for name, (_, _, drawn, _) in measured.items()}, entries, folder / "graphs"
    )
    functions.write(
        {name: values for name, (*_, values) in measured.items()}, entries, folder / "functions"
    )
    if names is None:
        for stored in (hub, published):
            known.with_name(stored.STORED.name).write_bytes(stored.text(TABLES["timm"]).encode())
    known.write_bytes(known_text(measured, read(known) if names is not None else {}).encode())
    wirings.write(names, folder / "wirings.json")
    walks.write(names, folder / "walks")
    (folder / "sources.json").write_bytes(_sources_text(folder, measured, catalogue).encode())
    (folder / "catalogue.json").write_bytes(_catalogue_text(catalogue).encode())
    return list(catalogue)


def write_functions(
    names: Collection[str] | None = None,
    folder: Path = functions.FOLDER,
    tell: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Renew functions/NAME.json of `names`, by default of all networks, and nothing else."""
    entries = registry.entries()
    for name in entries if names is None else names:
        began = time.perf_counter()
        functions.write({name: functions.function(name)}, entries, folder)
        tell(f"{name:<36} {time.perf_counter() - began:5.1f} s")
    return list(entries)


def _timed(name: str, tell: Callable[[str], None]) -> tuple[dict, dict, dict, functions.Function]:
    """Facts, layer table, graph and function."""
    began = time.perf_counter()
    entry, rows, drawn = facts(name), table(name), graphs.graph(name)
    values = functions.function(name)
    failed = sum(claim["status"] == "fails" for claim in entry["claims"])
    told = f"; failing claims: {failed} (convatlas verify {name})" if failed else ""
    tell(f"{name:<36} {time.perf_counter() - began:5.1f} s{told}")
    return entry, rows, drawn, values


def _write_layers(folder: Path, tables: dict[str, dict], names: Collection[str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.json").write_bytes(_table_text(rows).encode())
    for gone in {path.stem for path in folder.glob("*.json")} - {*names}:
        (folder / f"{gone}.json").unlink()


def _sources_text(folder: Path, measured: Collection[str], catalogue: dict[str, dict]) -> str:
    """sources.json: of which text the entry of each network was measured."""
    file, entries = folder / "sources.json", registry.entries()
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    kept |= {
        name: registry.fingerprint(entries[name].family, entries[name].paper.page)
        for name in measured
    }
    return (
        json.dumps({name: kept[name] for name in sorted(catalogue) if name in kept}, indent=0)
        + "\n"
    )


def _paper(entry: registry.Entry) -> dict:
    """The record of the network file, and what is told of the paper beside it."""
    if not entry.paper.page:
        raise ValueError(
            f"convatlas/nets/{entry.family}.py: the Paper of {entry.name} needs a page, the name "
            f'of its document in docs/papers, such as page="{entry.family}"'
        )
    return dataclasses.asdict(entry.paper) | notes(entry.paper.page, entry.family)


def _order(name: str, entry: dict) -> tuple:
    return entry["paper"]["year"], entry["family"], entry["params"], name


def _claim(verdict: Verdict) -> dict:
    return dataclasses.asdict(verdict.claim) | {
        "measured": verdict.measured,
        "status": verdict.status,
    }


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(values: list) -> str:
    """A list with one item a line, so that a change reads well in a diff."""
    return "[\n" + ",\n".join(map(_json, values)) + "]" if values else "[]"


def _catalogue_text(catalogue: dict[str, dict]) -> str:
    entries = (
        f"{_json(name)}: {{\n"
        + ",\n".join(
            f" {_json(key)}: {_lines(value) if key == 'claims' else _json(value)}"
            for key, value in entry.items()
        )
        + "}"
        for name, entry in catalogue.items()
    )
    return "{\n" + ",\n\n".join(entries) + "\n}\n"


def _table_text(table: dict) -> str:
    def compact(value) -> str:
        return json.dumps(value, separators=(",", ":"))

    rows = ",\n".join(map(compact, table["rows"]))
    head = f'"ends":{compact(table["ends"])},\n"columns":{compact(table["columns"])}'
    return f'{{{head},\n"rows":[\n{rows}\n]}}\n'
