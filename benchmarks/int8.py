"""int8 on networks that were trained on real pictures: what is lost, what is gained.

    python -m benchmarks.int8 --data-root data --photographs sign-digits --runs runs/int8
    python -m benchmarks.int8 --page                   # writes the table of docs/ship/int8.md

Trains what is not trained yet in --runs, exports each run with --int8, and scores the file on the
run's test pictures, which neither set its scales nor chose its layers. A line of benchmarks/
int8.jsonl for each run that is done; a run that has one is left out, so that a benchmark that was
stopped goes on.
"""

import argparse
import tempfile
from pathlib import Path

import torch

from benchmarks import results
from convatlas.deploy.engines import open_export
from convatlas.deploy.proof import answers, batches_of
from convatlas.deploy.quantising import Int8Proof, export_int8
from convatlas.deploy.record import installed
from convatlas.errors import ExportError
from convatlas.finished_run import open_run
from convatlas.training import builtin, train
from convatlas.training.provenance import provenance

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "int8.md"
TEST = 10_000  # pictures
# run -> built-in recipe, and what is changed in it; "photographs" is the folder --photographs
RUNS = {
    "lenet5": ("lenet5_mnist", {"data": "fashion-mnist", "epochs": 4}),
    "resnet20_cifar": ("modern", {"size": 32, "epochs": 20, "lr": 2e-3}),
    "mobilenet_v2": ("modern", {"size": 64, "epochs": 12, "lr": 1e-3}),
    "squeezenet1_1": ("modern", {"size": 64, "epochs": 15, "lr": 5e-4}),
    "shufflenet_v2": ("modern", {"size": 64, "epochs": 15, "lr": 2e-3}),
}
PHOTOGRAPHS = {"warmup_epochs": 1.0, "val_fraction": 0.2}


def trained(name: str, runs: Path, data_root: str, photographs: str) -> Path:
    folder = runs / name
    if not (folder / "model.safetensors").exists():
        recipe, changes = RUNS[name]
        if "data" in changes:
            where = {"data_root": data_root}
        else:
            where = {"data": photographs, **PHOTOGRAPHS}
        train(builtin.read(recipe).change(network=name, **changes, **where), folder)
    return folder


def measured(name: str, run: Path) -> dict:
    """What came of one run: the figures, or why int8 was refused."""
    saved, _, images = open_run(run)
    row = {
        "run": name,
        "data": images.name,
        "side": saved.preprocess.side,
        "processor": provenance(torch.device("cpu"))["device"],
        "versions": installed("convatlas", "torch", "onnx", "onnxruntime"),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{name}.onnx"
        try:
            place, proof = export_int8(run, place, keep_slower=True)
        except ExportError as error:
            return row | {"refused": str(error)}
        return row | figures(proof) | scored(saved, images.of("test"), place)


def figures(proof: Int8Proof) -> dict:
    return {
        "pictures": proof.pictures,
        "loss": proof.loss,
        "agreement": proof.agreement,
        "latency_ms": proof.latency_ms,
        "sizes": proof.sizes,
        "layers": len(proof.layers) + len(proof.in_float),
        "in_float": proof.in_float,
        "worst": proof.layers[:3],
        "faster": proof.faster,
    }


def scored(saved, test, place: Path) -> dict:
    """Of the test pictures, how many are right before and after."""
    opened = open_export(place)
    before = after = same = count = 0
    for pictures, classes in batches_of(test, saved.preprocess.white, TEST):
        ours, theirs = answers(saved, pictures).argmax(1), opened(pictures)[0].argmax(1)
        before += int((ours == classes).sum())
        after += int((theirs == classes).sum())
        same += int((ours == theirs).sum())
        count += len(classes)
    return {"test": {"pictures": count, "right": before, "right_int8": after, "same": same}}


def table(rows: list[dict]) -> str:
    lines = [
        "| network | pictures, side | val: points lost, same answer | test: right before, in int8 "
        "| ms before, in int8 | MB before, in int8 | layers left in float | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [line(row) for row in rows])


def line(row: dict) -> str:
    begin = f"| {row['run']} | {row['data']}, {row['side']}"
    if "refused" in row:
        return f"{begin} | | | | | | refused: {row['refused']} |"
    test, (ms, ms_before) = row["test"], both(row["latency_ms"])
    size, size_before = (value / 1e6 for value in both(row["sizes"]))
    return (
        f"{begin} | {row['loss']:.2f}, {100 * row['agreement']:.2f} % of {row['pictures']:,} | "
        f"{test['right']:,}, {test['right_int8']:,} of {test['pictures']:,} | {ms_before:.2f}, "
        f"{ms:.2f} | {size_before:.2f}, {size:.2f} | {len(row['in_float'])} of {row['layers']} | "
        f"{'faster' if row['faster'] else 'slower: refused unless asked for'} |"
    )


def both(values: dict[str, float]) -> tuple[float, float]:
    """(in int8, in float)"""
    return values["int8"], next(value for name, value in values.items() if name != "int8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(RUNS)} [all]")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--photographs", default="sign-digits", help="a folder of class folders")
    parser.add_argument("--runs", type=Path, default=Path("runs/int8"))
    parser.add_argument("--page", action="store_true", help="write the page from what is stored")
    chosen = parser.parse_args()
    done = {row["run"] for row in results.stored(RESULTS)}
    names = [] if chosen.page else [one for one in chosen.networks or RUNS if one not in done]
    for name in names:
        run = trained(name, chosen.runs, chosen.data_root, chosen.photographs)
        row = measured(name, run)
        results.keep(row, RESULTS)
        print(line(row), flush=True)
    results.show(table(results.stored(RESULTS)), RESULTS, PAGE)


if __name__ == "__main__":
    main()
