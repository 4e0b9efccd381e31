"""The smallest network of every paper in one engine, from raw pictures, in the terms of all
exports: what benchmarks.executorch and benchmarks.aoti have in common.

Networks, pictures and terms are those of benchmarks.exports: 12 pictures in batches of 1, 3 and 8,
weights that matter, 1e-5 of the largest logit. A line of a ledger for each network, with its
figures or why it was refused.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks import results
from benchmarks.export_checks import Case, case, exact, judged, sample
from convatlas.deploy.engines import KINDS, Kind, open_unproved
from convatlas.deploy.record import installed
from convatlas.deploy.writers import write
from convatlas.errors import ExportError
from convatlas.registry import stored_facts
from convatlas.training.provenance import provenance


def chosen() -> list[str]:
    """The smallest network of each paper; what costs least comes first."""
    papers: dict[str, list[str]] = {}
    for name, facts in stored_facts().items():
        papers.setdefault(facts["paper"]["page"], []).append(name)
    smallest = [
        min(names, key=lambda name: stored_facts()[name]["params"]) for names in papers.values()
    ]
    return sorted(smallest, key=lambda name: stored_facts()[name]["macs"])


def measured(name: str, pictures: list[np.ndarray], kind: Kind) -> dict:
    """Its figures, or why it was refused."""
    row = {
        "network": name,
        "paper": stored_facts()[name]["paper"]["page"],
        "processor": provenance(torch.device("cpu"))["device"],
        "versions": installed("convatlas", "torch", kind.package),
    }
    try:
        return row | proved(case(name, pictures), kind)
    except (ExportError, ValueError) as error:
        return row | {"refused": str(error)}
    except Exception as error:  # whatever the writer brings about
        first = next(iter(str(error).splitlines()), "")
        return row | {"refused": f"{type(error).__name__}: {first}"}


def proved(case: Case, kind: Kind) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{case.saved.network}{kind.suffix}"
        write(case.saved, kind.name, place)
        opened = open_unproved(place, threads=1)
        found = np.concatenate([opened(batch)[0] for batch in case.pictures])
        size = place.stat().st_size
    judgement = judged(found, case.wanted, lambda: exact(case.saved, case.pictures))
    if not judgement["holds"]:
        raise ExportError(f"misses the limit: {figures(judgement)}")
    side = case.saved.preprocess.side
    return judgement | {"side": side, "pictures": len(found), "bytes": size}


def figures(judgement: dict) -> str:
    text = f"{judgement['error']:.1e}, {100 * judgement['agreement']:.4g} % the same answer"
    if judgement["reference"] == "float64":
        text += f" against float64 (float32 itself {judgement['own_error']:.1e})"
    return text


def table(rows: list[dict]) -> str:
    proved = [row for row in rows if "refused" not in row]
    lines = [
        f"{len(proved)} of {len(rows)} networks proved.",
        "",
        "| network | side | largest error | MB |",
        "|---|---|---|---|",
    ]
    return "\n".join(lines + [line(row) for row in sorted(rows, key=lambda row: row["network"])])


def line(row: dict) -> str:
    begin = f"| {row['network']} |"
    if "refused" in row:
        return f"{begin} | refused: {row['refused']} | |"
    return f"{begin} {row['side']} | {figures(row)} | {row['bytes'] / 1e6:.1f} |"


def main(engine: str, about: str, ledger: Path, page: Path) -> None:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("networks", nargs="*", help="[the smallest of every paper]")
    parser.add_argument("--page", action="store_true", help="write the page from what is stored")
    asked = parser.parse_args()
    done = {row["network"] for row in results.stored(ledger)}
    names = [] if asked.page else [n for n in asked.networks or chosen() if n not in done]
    pictures = sample()
    for name in names:
        row = measured(name, pictures, KINDS[engine])
        results.keep(row, ledger)
        print(line(row), flush=True)
    results.show(table(results.stored(ledger)), ledger, page)
