"""The generated index: facts and layer tables of all networks as JSON, so that list and show never
load torch.

The same files are the goldens: tests/test_golden.py builds every network again and compares.
`python -m convatlas.index` (`make index`) renews them, and nothing else writes here.
"""

import dataclasses
import json
from pathlib import Path

from convatlas import registry
from convatlas.anatomy.table import COLUMNS
from convatlas.index.checkpoints import known_text
from convatlas.papers import notes
from convatlas.verification import Verdict, blueprint, measure, verify
from convatlas.weights.known import STORED

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
    measured = measure(name)
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


def write(folder: Path = HERE, known: Path = STORED) -> list[str]:
    """Renew catalogue.json, layers/NAME.json and what checkpoints are known; the names of all
    networks.
    """
    catalogue = {name: facts(name) for name in registry.entries()}
    catalogue = dict(sorted(catalogue.items(), key=lambda item: _order(*item)))
    layers = folder / "layers"
    layers.mkdir(exist_ok=True)
    (folder / "catalogue.json").write_bytes(_catalogue_text(catalogue).encode())
    for name in catalogue:
        (layers / f"{name}.json").write_bytes(_table_text(table(name)).encode())
    known.write_bytes(known_text().encode())
    for stale in {path.stem for path in layers.glob("*.json")} - set(catalogue):
        (layers / f"{stale}.json").unlink()
    return list(catalogue)


def _paper(entry: registry.Entry) -> dict:
    """The record of the network file, and what is told of the paper beside it."""
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
