"""Few epochs on photographs, from fresh weights and from weights that were trained on others.

    python -m benchmarks.finetuning --photographs sign-digits --runs runs/finetuning
    python -m benchmarks.finetuning --page         # writes the table of docs/published_weights.md

The photographs' classes are halved. ResNet-20 learns the first half, and then the second, from the
weights of the first and from fresh ones. A line of benchmarks/finetuning.jsonl for each run
that is done; a run that has one is left out, so that a benchmark that was stopped goes on.
"""

import argparse
import json
import shutil
from pathlib import Path
from statistics import mean

from benchmarks import results
from convatlas.training import builtin, train
from convatlas.training.recipe import Recipe

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "published_weights.md"
SHORT = {"network": "resnet20_cifar", "size": 32, "device": "cpu"}
LIGHT = {"lr": 2e-3, "warmup_epochs": 0.5}  # modern, for a light network and few epochs
EPOCHS, SEEDS = (1, 3), (0, 1)
BEFORE = 8  # epochs of the first half
# what a run begins with -> recipe, what is changed in it, and whether it takes those weights
STARTS = {
    "fresh weights, `modern`": ("modern", LIGHT, False),
    "weights of the other half, `modern`": ("modern", LIGHT, True),
    "weights of the other half, `finetune`": ("finetune", {}, True),
    "the same with `--body-lr 1`": ("finetune", {"body_lr": 1.0}, True),
}


def halves(photographs: Path, folder: Path) -> None:
    """The folders first and second, with half of the classes each."""
    classes = sorted(one for one in photographs.iterdir() if one.is_dir())
    for i, one in enumerate(classes):
        half = "first" if i < len(classes) / 2 else "second"
        shutil.copytree(one, folder / half / one.name)


def of_first(folder: Path) -> str:
    """The weights that the first half gave."""
    run = folder / "on-first"
    train(_recipe("modern", folder / "first", LIGHT, BEFORE, 0), run, resume=run.exists())
    return str(run / "model.safetensors")


def _recipe(name: str, data: Path, changes: dict, epochs: int, seed: int) -> Recipe:
    return builtin.read(name).change(**SHORT, data=str(data), epochs=epochs, seed=seed, **changes)


def measured(start: str, epochs: int, seed: int, folder: Path) -> dict:
    """How many of the test photographs of the second half are right."""
    name, changes, has_weights = STARTS[start]
    given = {"weights": of_first(folder)} if has_weights else {}
    run = folder / f"{list(STARTS).index(start)}-{epochs}-{seed}"
    train(_recipe(name, folder / "second", changes | given, epochs, seed), run, resume=run.exists())
    test = json.loads((run / "metrics.json").read_text())["test"]
    counts = {"right": test["correct"], "images": test["count"]}
    return {"start": start, "epochs": epochs, "seed": seed, **counts}


def table(rows: list[dict]) -> str:
    head = "| begins with | " + " | ".join(f"epochs: {epochs}" for epochs in EPOCHS) + " |"
    lines = [head, "|---" * (1 + len(EPOCHS)) + "|"]
    for start in STARTS:
        cells = [
            [
                100 * row["right"] / row["images"]
                for row in rows
                if (row["start"], row["epochs"]) == (start, epochs)
            ]
            for epochs in EPOCHS
        ]
        shown = [f"{mean(c):.1f} ({min(c):.1f} to {max(c):.1f})" if c else "" for c in cells]
        lines.append(f"| {start} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, default=Path("sign-digits"))
    parser.add_argument("--runs", type=Path, default=Path("runs/finetuning"))
    parser.add_argument("--page", action="store_true", help="write the page from what is stored")
    chosen = parser.parse_args()
    done = {(row["start"], row["epochs"], row["seed"]) for row in results.stored(RESULTS)}
    asked = [(a, b, c) for c in SEEDS for b in EPOCHS for a in STARTS]
    if not (chosen.page or (chosen.runs / "second").exists()):
        halves(chosen.photographs, chosen.runs)
    for one in [] if chosen.page else [one for one in asked if one not in done]:
        row = measured(*one, chosen.runs)
        results.keep(row, RESULTS)
        print(row, flush=True)
    results.show(table(results.stored(RESULTS)), RESULTS, PAGE)


if __name__ == "__main__":
    main()
