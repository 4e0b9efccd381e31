"""The page of measured results: the ledger as a table."""

import json

from convatlas import registry
from convatlas.pages.markdown import code, document, item, link, paragraph, plain, table

LEDGER = "results/ledger.jsonl"


def read_ledger(text: str) -> list[dict]:
    """The records of a ledger, one a line. Raises ValueError for a line that is no whole record."""
    records = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        try:
            records.append(json.loads(line))
        except ValueError:
            line = ""
        if not line.endswith("\n") or not isinstance(records[-1], dict):
            raise ValueError(
                f"line {number} of {LEDGER.rpartition('/')[2]} is no whole record; restore the "
                "file from its history"
            )
    return records


def results(ledger: str) -> str:
    """The page for these lines of the ledger. Raises ValueError as read_ledger does."""
    records = sorted(read_ledger(ledger), key=_order)
    return document(
        "# Results",
        paragraph(
            f"Measured errors on test images that a run sees once, after training: {len(records)} "
            f"rows, {sum(len(record['seeds']) for record in records)} runs. Error: mean over the "
            "seeds, and their sample standard deviation. Seconds: of training and validation, the "
            "median over the seeds, of a machine that may have had other work to do. Paper: what "
            "it prints for this network on these images, if anything. What was not run is not here."
        ),
        paragraph(
            f"Written by `make docs` from {link(code(LEDGER), f'../{LEDGER}')}, one line a row; do "
            "not edit. A row is added by `python -m benchmarks.ledger add RUN…`."
        ),
        table(
            {
                "network": "left",
                "data": "left",
                "recipe": "left",
                "seeds": "left",
                "test images": "right",
                "error, %": "right",
                "paper, %": "right",
                "seconds": "right",
                "machine": "left",
            },
            [
                _row(record, number)
                for record, number in zip(records, _machines(records), strict=True)
            ],
        ),
        "## Machines and versions",
        "\n".join(item(f"{number}: {plain(text)}.") for text, number in _numbered(records).items()),
    )


def _order(record: dict) -> tuple:
    return record["network"], record["data"]["name"], record["date"], record["error"]["mean"]


def _row(record: dict, machine: int) -> tuple:
    data, paper = record["data"], record["paper"]
    return (
        _network(record["network"]),
        f"{plain(data['name'])} ({data['fingerprint'][:12]}{_tested_on(data)})",
        _recipe(record["recipe"]),
        ", ".join(map(str, record["seeds"])),
        f"{record['n']:,}",
        spelled(record["error"]),
        f"{paper['error']} ({plain(paper['source'])})" if paper else "",
        f"{record['seconds']:,.0f}",
        machine,
    )


def _tested_on(data: dict) -> str:
    """Where test images come from; older records do not say it."""
    return f"; tested on {plain(data['test'])}" if data.get("test") else ""


def _network(name: str) -> str:
    return link(code(name), f"papers/{registry.stored_facts()[name]['paper']['page']}.md")


def _recipe(recipe: str | dict) -> str:
    """A built-in recipe's name, or what is changed of it or of the defaults."""
    if isinstance(recipe, str):
        return code(recipe)
    return (
        ", ".join(
            code(value if name == "recipe" else f"{name} = {json.dumps(value)}")
            for name, value in recipe.items()
        )
        or "the defaults"
    )


def spelled(error: dict) -> str:
    """Mean and, of several seeds, spread, as a record of the ledger has them, in percent."""
    return f"{error['mean']:.2f}" + (
        f" ± {error['spread']:.2f}" if error["spread"] is not None else ""
    )


def _machines(records: list[dict]) -> list[int]:
    return [_numbered(records)[_machine(record)] for record in records]


def _numbered(records: list[dict]) -> dict[str, int]:
    """Each machine with its versions and source -> its number, in the order of the rows."""
    return {text: number for number, text in enumerate(dict.fromkeys(map(_machine, records)), 1)}


def _machine(record: dict) -> str:
    has, versions = record["hardware"], record["versions"]
    return (
        f"{has['device']}, {_many(has['cores'], 'core')}, {_many(has['threads'], 'thread')}, "
        f"{_many(has['processes'], 'process', 'processes')}; "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}; "
        f"commit {record['commit'] or 'unknown'}, {record['date']}"
    )


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
