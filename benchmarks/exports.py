"""Every network of the atlas through torch.export, ONNX Runtime and OpenVINO, from raw pictures.

    python -m benchmarks.exports                     # measures what is missing, smallest first
    python -m benchmarks.exports --networks vgg16 lenet5 --limit-seconds 600
    python -m benchmarks.exports --page              # counts, and writes docs/ship/exports.md

Each network gets weights with which all its layers show (see lively_weights.py; LeNets are trained)
and is written as a file of each engine; the file, opened by its engine in float32, reads pictures
of several sizes in batches of 1, 3 and 8 and must give the network's own answers: the same class
for every picture, logits within 1e-5 of the largest. Where float32 itself is further than that from
float64, the engine must be no further from float64 than twice the network.

A line of benchmarks/exports.jsonl for each network and engine. A line is believed as long as the
network's file, its golden layers and function, and the versions are those of the line; what has one
is left out, so that a benchmark that was stopped goes on. Where the parts that all networks share
(layers, the graph's writer, the picture part, this benchmark) were changed since, the counts say of
how many lines, and these are measured again when nothing else is left. The exit code is 1 where a
file misses the limit, by however little (`convatlas export` keeps none that does), or an engine
breaks.
"""

import argparse
import gc
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks import results
from benchmarks.export_checks import (
    COUNT,
    PACKAGES,
    case,
    rows,
    sample,
    shared_source,
    source,
    versions,
)
from convatlas.deploy.engines import KINDS, needed
from convatlas.errors import ExportError
from convatlas.registry import require, stored_facts

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "exports.md"
CALLED = {"pt2": "torch.export", "onnx": "ONNX Runtime", "openvino": "OpenVINO"}
STATES = {
    "float32": "the same",
    "float64": "the same, by float64",
    "refused": "refused by name",
    "missed": "misses the limit: export refuses it",
    "broken": "BROKEN",
    "": "not measured",
}
FAULTS = ("missed", "broken")


def state(row: dict | None) -> str:
    """One of STATES."""
    if row is None:
        return ""
    for name in ("refused", "broken"):
        if name in row:
            return name
    return row["reference"] if row["holds"] else "missed"


def stored(file: Path = RESULTS) -> dict[tuple[str, str], dict]:
    """(network, engine) -> its last line that is believed."""
    return {(row["network"], row["engine"]): row for row in results.stored(file) if believed(row)}


def believed(row: dict) -> bool:
    """Versions of what is not installed here count as they are written."""
    if row["network"] not in stored_facts() or row["source"] != source(row["network"]):
        return False
    here = versions(row["engine"])
    return all(here.get(name, told) == told for name, told in row["versions"].items())


def waiting(names: list[str], done: dict[tuple[str, str], dict]) -> list[tuple[str, list[str]]]:
    """Networks and the engines that each is to be measured in, in this order."""
    params = {name: stored_facts()[name]["params"] for name in names}
    now = {kind: shared_source(kind) for kind in CALLED}

    def open_still(name: str, kind: str) -> bool:
        """Not measured, or a fault that the parts that all share may have lost since."""
        row = done.get((name, kind))
        return row is None or (state(row) in FAULTS and row["shared"] != now[kind])

    new = {name: [kind for kind in CALLED if open_still(name, kind)] for name in names}
    old = {
        name: [kind for kind in CALLED if done.get((name, kind), {}).get("shared") != now[kind]]
        for name in names
        if not new[name]
    }
    return [
        (name, kinds[name])
        for kinds in (new, old)
        for name in sorted(kinds, key=params.get)
        if kinds[name]
    ]


def measure(name: str, kinds: list[str], pictures: list) -> Iterator[dict]:
    """The lines of a network."""
    try:
        found = rows(case(name, pictures), kinds)
    except ValueError as error:
        found = [{"network": name, "engine": kind, "broken": str(error)} for kind in kinds]
    for row in found:
        yield row | {
            "source": source(name),
            "shared": shared_source(row["engine"]),
            "versions": versions(row["engine"]),
        }


def run(names: list[str], seconds: float, file: Path = RESULTS) -> None:
    for kind in CALLED:
        for package in PACKAGES[kind]:
            needed(package, KINDS[kind].extra, "python -m benchmarks.exports")
    torch.set_num_threads(1)
    gc.disable()  # it looks through a million objects of torch again and again
    pictures, began = sample(), time.monotonic()
    for name, kinds in waiting(names, stored(file)):
        if time.monotonic() - began > seconds:
            break
        for row in measure(name, kinds, pictures):
            results.keep(row, file)
            print(said(row), flush=True)
        gc.collect()


def said(row: dict) -> str:
    what = row.get("refused") or row.get("broken") or figures(row)
    return f"{row['network']}, {CALLED[row['engine']]}: {STATES[state(row)]}: {what}"


def figures(row: dict) -> str:
    text = f"error {row['error']:.1e}, {100 * row['agreement']:.4g} % of {row['pictures']}"
    if row["reference"] == "float64":
        text += (
            f" against float64 (float32 itself {row['own_error']:.1e}, "
            f"one from the other {row['between']:.1e})"
        )
    return f"{text}, side {row['side']}"


def counts(done: dict[tuple[str, str], dict]) -> str:
    """The table, and each line that is not simply the same."""
    names = list(stored_facts())
    found = {kind: Counter(state(done.get((name, kind))) for name in names) for kind in CALLED}
    lines = [
        f"| of {len(names)} networks | {' | '.join(STATES.values())} | largest error |",
        "|---" * (len(STATES) + 2) + "|",
    ]
    for kind, called in CALLED.items():
        errors = [
            row["error"]
            for (_, other), row in done.items()
            if other == kind and state(row) == "float32"
        ]
        cells = " | ".join(str(found[kind][one]) for one in STATES)
        lines.append(f"| {called} | {cells} | {max(errors, default=0):.1e} |")
    apart = [said(row) for row in done.values() if state(row) != "float32"]
    old = sum(row["shared"] != shared_source(kind) for (_, kind), row in done.items())
    if old:
        lines += ["", f"{old} lines are of an earlier form of the parts that all networks share."]
    return "\n".join([*lines, "", *(f"- {text}" for text in apart)]).rstrip()


def table(done: dict[tuple[str, str], dict]) -> str:
    """Every network, with the error in each engine."""
    lines = [
        f"| network | side | weights | {' | '.join(CALLED.values())} |",
        "|---" * (len(CALLED) + 3) + "|",
    ]
    for name in stored_facts():
        row = next((done[name, kind] for kind in CALLED if (name, kind) in done), {})
        cells = " | ".join(cell(done.get((name, kind))) for kind in CALLED)
        lines.append(f"| {name} | {row.get('side', '')} | {row.get('weights', '')} | {cells} |")
    return "\n".join(lines)


def cell(row: dict | None) -> str:
    if state(row) in ("float32", "float64"):
        return f"{row['error']:.1e}{' (float64)' if state(row) == 'float64' else ''}"
    return STATES[state(row)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", help="[all]", default=list(stored_facts()))
    parser.add_argument("--limit-seconds", type=float, default=float("inf"), metavar="SECONDS")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    chosen = parser.parse_args()
    for name in chosen.networks:
        require(name, stored_facts())
    if not chosen.page:
        try:
            run(chosen.networks, chosen.limit_seconds)
        except ExportError as error:
            raise SystemExit(str(error)) from None
    done = stored()
    print(f"\n{COUNT} pictures for each network and engine, in batches of 1, 3 and 8\n")
    counted = counts(done)
    print(counted)
    results.show(f"{counted}\n\n{table(done)}", RESULTS, PAGE)
    raise SystemExit(any(state(row) in FAULTS for row in done.values()))


if __name__ == "__main__":
    main()
