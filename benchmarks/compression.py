"""Deep Compression on networks that were trained on real pictures: how small, and what is lost.

    python -m benchmarks.compression --photographs sign-digits
    python -m benchmarks.compression --page            # writes the table of docs/compression.md

Trains what is not trained yet in --runs, compresses each run as `convatlas compress` does, reads
the file back and scores what it gives on the run's validation and test pictures. A line of
benchmarks/compression.jsonl for each that is done; what has one is left out, so that a benchmark
that was stopped goes on.
"""

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from benchmarks import results
from convatlas import create_model
from convatlas.compression.compressed_file import pack
from convatlas.compression.deep_compression import Compressed, Settings, compress, prunable, write
from convatlas.compression.sharing import Shared
from convatlas.compression.subject import Run, of_run
from convatlas.model_file import Saved, describe_model, load_model, weights_file
from convatlas.training import builtin, train
from convatlas.training.provenance import provenance
from convatlas.weights.published import IMAGENET, imagenet_classes

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "compression.md"
# run -> built-in recipe, what is changed in it, and how it is compressed; those with a size are of
# --photographs
RUNS = {
    "lenet5": ("lenet5_digits", {}, [Settings()]),
    "squeezenet1_1": (
        *("modern", {"size": 64, "epochs": 15, "lr": 5e-4}),
        [Settings(epochs=10), Settings(epochs=10, bits=5)],
    ),
}
PHOTOGRAPHS = {"warmup_epochs": 1.0, "val_fraction": 0.2}


def trained(name: str, runs: Path, photographs: str) -> Path:
    folder = runs / name
    if not (folder / "model.safetensors").exists():
        recipe, changes, _ = RUNS[name]
        where = {"data": photographs, **PHOTOGRAPHS} if "size" in changes else {}
        train(builtin.read(recipe).change(network=name, **changes, **where), folder)
    return folder


def measured(name: str, run: Path, settings: Settings) -> dict:
    """What came of one run."""
    subject = of_run(run)
    start = perf_counter()
    found = compress(subject.saved, settings, subject.teaching())
    seconds = perf_counter() - start
    row = {
        "run": name,
        "data": subject.images.name,
        "side": subject.saved.preprocess.side,
        "processor": provenance(torch.device("cpu"))["device"],
        "settings": asdict(settings),
        "seconds": round(seconds, 1),
        "bytes": len(found.content),
        "plain": found.plain,
        "kept": found.kept,
        "weights": found.weights,
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{name}.dc"
        write(found, place)
        back = load_model(place)
    states = (back.net.state_dict(), found.saved.net.state_dict())
    row["bit_equal"] = len(set(map(weights_file, states))) == 1
    row |= {split: scored(subject, back, split) for split in ("val", "test")}
    if name.startswith("squeezenet"):
        row["bytes_of_1000"] = len(of_imagenets_width(found))
    return row


def scored(subject: Run, back: Saved, split: str) -> dict:
    """Of a split's pictures, how many the run and what its file gives have right."""
    before, after = (subject.accuracy(saved, split=split) for saved in (subject.saved, back))
    return {"pictures": before.count, "right": before.correct, "right_compressed": after.correct}


def of_imagenets_width(found: Compressed) -> bytes:
    """The file, were the classifier as wide as ImageNet's: its rows are shuffled copies of the
    trained ones, so that their weights are spread alike.
    """
    saved, classes = found.saved, imagenet_classes()
    wide = create_model(saved.network, num_classes=IMAGENET)
    state = dict(saved.net.state_dict())
    weight, bias = (f"{wide.classifier_path}.{part}" for part in ("weight", "bias"))
    random = torch.Generator().manual_seed(0)
    rows = [state[weight][i % len(saved.classes)].flatten() for i in range(IMAGENET)]
    mixed = torch.stack([row[torch.randperm(len(row), generator=random)] for row in rows])
    state[weight] = mixed.reshape(wide.state_dict()[weight].shape)
    state[bias] = state[bias].repeat(-(-IMAGENET // len(saved.classes)))[:IMAGENET]
    text = describe_model(saved.network, classes, saved.preprocess, {}, weights_file(state))
    return pack(text, state, {name: as_shared(state[name]) for name in prunable(wide)})


def as_shared(tensor: Tensor) -> Shared:
    """A tensor of few values other than 0."""
    flat = tensor.numpy().reshape(-1)
    places = np.flatnonzero(flat)
    codebook, codes = np.unique(flat[places], return_inverse=True)
    return Shared(tuple(tensor.shape), places, codes.astype(np.uint8), codebook)


def table(rows: list[dict]) -> str:
    lines = [
        "| network | pictures, side | weights kept | bits | epochs | bytes | of the network's "
        "| with 1,000 classes | val: right before, after | test: right before, after "
        "| points lost |",
        "|" + "---|" * 11,
    ]
    return "\n".join(lines + [line(row) for row in rows])


def line(row: dict) -> str:
    val, test = row["val"], row["test"]
    epochs, bits = row["settings"]["epochs"], row["settings"]["bits"]
    lost = 100 * (test["right"] - test["right_compressed"]) / test["pictures"]
    wide = f"{row['bytes_of_1000']:,}" if "bytes_of_1000" in row else ""
    times = row["plain"] / row["bytes"]
    return (
        f"| {row['run']} | {row['data']}, {row['side']} | {row['kept']:,} of {row['weights']:,} | "
        f"{bits} | {epochs} + {epochs} | {row['bytes']:,} | 1/{times:.1f} | {wide} | {both(val)} | "
        f"{both(test)} | {lost:.2f} |"
    )


def both(split: dict) -> str:
    return f"{split['right']:,}, {split['right_compressed']:,} of {split['pictures']:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(RUNS)} [all]")
    parser.add_argument("--photographs", default="sign-digits", help="a folder of class folders")
    parser.add_argument("--runs", type=Path, default=Path("runs/compression"))
    parser.add_argument("--page", action="store_true", help="write the page from what is stored")
    chosen = parser.parse_args()
    done = [(row["run"], row["settings"]) for row in results.stored(RESULTS)]
    names = [] if chosen.page else chosen.networks or RUNS
    asked = [(name, settings) for name in names for settings in RUNS[name][2]]
    for name, settings in asked:
        if (name, asdict(settings)) in done:
            continue
        row = measured(name, trained(name, chosen.runs, chosen.photographs), settings)
        if not row["bit_equal"]:
            raise SystemExit(f"{name} did not come back bit for bit")
        results.keep(row, RESULTS)
        print(line(row), flush=True)
    results.show(table(results.stored(RESULTS)), RESULTS, PAGE)


if __name__ == "__main__":
    main()
