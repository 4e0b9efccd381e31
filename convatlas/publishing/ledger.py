"""The row of the measured results that a trained network belongs to, where the source tree that
holds the ledger is at hand.
"""

from pathlib import Path

from convatlas.pages.results import LEDGER, read_ledger

ROOT = Path(__file__).parents[2]


def row_of(network: str, fingerprint: object, root: Path = ROOT) -> str:
    """What several seeds of this network reached on the very same pictures, in a sentence; "" where
    the ledger has no such row, or is not there.
    """
    try:
        records = read_ledger((root / LEDGER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    told = [
        f"{record['error']['mean']:.2f} %{_spread(record)} ({len(record['seeds'])} seeds)"
        for record in records
        if record["network"] == network and record["data"]["fingerprint"] == fingerprint
    ]
    if not told:
        return ""
    return (
        "Test error of this network on these pictures in convatlas's ledger, mean and standard "
        f"deviation over seeds, of each recipe that was measured: {'; '.join(told)}."
    )


def _spread(record: dict) -> str:
    spread = record["error"]["spread"]
    return "" if spread is None else f" ± {spread:.2f}"
