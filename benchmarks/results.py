"""What benchmarks measured: a line of JSON for each row, and the part of a page that shows them."""

import json
from pathlib import Path

END = "<!-- end of figures -->"


def start(ledger: Path) -> str:
    """What stands in a page before the figures of a ledger."""
    return f"<!-- figures of benchmarks/{ledger.name} -->"


def stored(ledger: Path) -> list[dict]:
    if not ledger.exists():
        return []
    return [json.loads(text) for text in ledger.read_text(encoding="utf-8").splitlines()]


def keep(row: dict, ledger: Path) -> None:
    with ledger.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def show(text: str, ledger: Path, page: Path) -> None:
    """Puts the text between the page's marks. ValueError for a page without them."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(start(ledger))
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page} has no place for figures: {start(ledger)} and {END}, a line each")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
