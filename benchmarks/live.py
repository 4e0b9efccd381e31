"""Puts finished runs into the page, where their networks run live.

    python -m benchmarks.live runs/lenet5-mnist runs/resnet20_cifar-sign-digits
    python -m benchmarks.live --programs
    python -m benchmarks.live --ledger

For each run it writes NAME.safetensors, NAME.json and NAME.program.json to
convatlas/explorer/live/weights. Matrices and kernels are kept in 16 bits, all else in 32; the
accuracy that NAME.json says is measured with these very weights on the run's test images. With
--programs it writes all programs anew, for the weights that are there; with --ledger each NAME.json
takes up the row of results/ledger.jsonl that the run is of. No picture is kept.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from torch import Tensor

import convatlas
from benchmarks import ledger
from benchmarks.ledger import named
from convatlas.explorer.live import program, stored
from convatlas.finished_run import measure
from convatlas.model_file import Saved, weights_file
from convatlas.training.recipe import Recipe

LICENCES = {  # of the pictures, and so of what was learnt from them
    "mnist": "CC BY-SA 3.0",
    "fashion-mnist": "MIT",
    "sign-digits": "Apache-2.0",
}
CLASSES = {
    "fashion-mnist": (
        *("T-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
}

LEDGER = Path("results/ledger.jsonl")
KEPT = ("seeds", "error", "paper")  # of a record of the ledger


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Kernels and matrices in 16 bits, vectors in 32; without the counters of batches."""
    return {
        name: tensor.half() if tensor.dim() > 1 else tensor.float()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }


def with_halves(saved: Saved) -> Saved:
    """The network with the weights that the page will have."""
    weights = {name: tensor.float() for name, tensor in halved(saved.net.state_dict()).items()}
    saved.net.load_state_dict(weights, strict=False)
    return replace(saved, net=saved.net.eval())


def keep(run: Path) -> str:
    """Writes the three files of one run; its network's name."""
    measured = measure(run, form=with_halves)
    saved, recipe = measured.saved, Recipe.recorded(run / "recipe.toml")
    name, test = saved.network, measured.evaluation
    weights = weights_file(halved(saved.net.state_dict()))
    about = {
        "network": name,
        "classes": CLASSES.get(measured.data, saved.classes),
        "preprocess": saved.preprocess.to_dict(),
        "data": measured.data,
        "licence": LICENCES[measured.data],
        "test": {"count": test.count, "correct": test.correct},
        "recipe": named(recipe),
        "seed": recipe.seed,
        "commit": saved.provenance["commit"],
        "bytes": len(weights),
    }
    (stored.FOLDER / f"{name}.safetensors").write_bytes(weights)
    _write(stored.FOLDER / f"{name}.json", about, indent=1)
    _write_program(name, saved.net, saved.preprocess.side)
    return f"{name}: {test.correct} of {test.count} right, {len(weights):,} bytes"


def programs() -> None:
    """All programs anew."""
    for name in stored.names():
        about = stored.about(name)
        channels, side = (about["preprocess"][key] for key in ("channels", "side"))
        net = convatlas.create_model(name, num_classes=len(about["classes"]), in_channels=channels)
        _write_program(name, net, side)


def rows() -> None:
    """Each NAME.json with what the ledger says of its run, as far as it says anything."""
    records = ledger.read(LEDGER)
    for name in stored.names():
        about = {key: value for key, value in stored.about(name).items() if key != "ledger"}
        if found := [record for record in records if is_row_of(record, about)]:
            about["ledger"] = {key: found[-1][key] for key in KEPT}
        _write(stored.FOLDER / f"{name}.json", about, indent=1)


def is_row_of(record: dict, about: dict) -> bool:
    """Whether the run behind these weights is one of the record's."""
    return all(record[key] == about[key] for key in ("network", "recipe", "commit")) and (
        record["data"]["name"] == about["data"]
        and about["seed"] in record["seeds"]
        and record["n"] == about["test"]["count"]
    )


def _write_program(name: str, net, side: int) -> None:
    made = program.of(net, (net.in_channels, side, side), name)
    _write(stored.FOLDER / f"{name}.program.json", made)


def _write(path: Path, values: dict, indent: int | None = None) -> None:
    separators = None if indent else (",", ":")
    path.write_text(json.dumps(values, indent=indent, separators=separators) + "\n")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("runs", nargs="*", type=Path)
    asked.add_argument("--programs", action="store_true")
    asked.add_argument("--ledger", action="store_true")
    given = asked.parse_args()
    stored.FOLDER.mkdir(exist_ok=True)
    for run in given.runs:
        print(keep(run))
    if given.programs:
        programs()
    if given.ledger:
        rows()


if __name__ == "__main__":
    main()
