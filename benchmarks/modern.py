"""Does the recipe `modern` train every kind of network? One short run of each on real digits,
against chance.

    python -m benchmarks.modern                             # all; takes up what was stopped
    python -m benchmarks.modern vgg11 --epochs 3 --lr 1e-4  # one, and what is to be tried otherwise

Of every file in nets/ the smallest network, and three that are known to be hard to start. The runs
are short: fewer epochs than the recipe's 60, the more the cheaper they are, with a shorter warm-up
and smaller batches; all else is the recipe's. Each result is a line of the file --results; the
table is made from the last line of each network.
"""

import argparse
import tempfile
from functools import cache
from pathlib import Path

import torch

from benchmarks.results import keep, stored
from convatlas.registry import create_model, require, stored_facts
from convatlas.training import Recipe, builtin, train
from convatlas.training.callbacks import Callback

HARD = ("alexnet", "googlenet", "vgg11")
IMAGES = 1131  # of the digits, to train with
SIDES = (32, 16)  # pixels, the first that is cheap enough; more where a network takes no less
DEAR = 2e9  # multiply-adds for one image
EFFORT = (
    1e11  # multiply-adds of all forward passes, where that makes as many epochs as EPOCHS allow
)
EPOCHS = (1, 6)
LIGHTLY = {"lr": 2e-3, "epochs": 10}  # networks so light need and take long steps
HEAVY = 40e6  # multiply-adds for one image; from here on bf16 and channels_last win
SHORT = {"warmup_epochs": 1.0, "batch_size": 16}  # instead of the recipe's, for so few epochs
PASSED = 3  # times chance; a run that does not pass is done once more, and LONGER
LONGER = 4  # times the epochs


def chosen() -> list[str]:
    """The smallest network of each file, and the hard ones; what costs least comes first."""
    families: dict[str, list[str]] = {}
    for name, facts in stored_facts().items():
        families.setdefault(facts["family"], []).append(name)
    smallest = {
        min(names, key=lambda name: stored_facts()[name]["params"]) for names in families.values()
    }
    return sorted(smallest | set(HARD), key=lambda name: cost(name, side(name)))


@cache
def side(name: str) -> int:
    with torch.device("meta"):
        net = create_model(name)
    legal = [max(net.smallest, min(net.side, pixels)) for pixels in SIDES]
    return next((pixels for pixels in legal if cost(name, pixels) < DEAR), legal[-1])


def cost(name: str, pixels: int) -> float:
    """Multiply-adds for one image."""
    facts = stored_facts()[name]
    return facts["macs"] * (pixels / facts["input_size"][-1]) ** 2


def short(name: str, changes: dict) -> Recipe:
    """The recipe `modern`, shortened for this network."""
    pixels = side(name)
    macs = cost(name, pixels)
    fewest, most = EPOCHS
    epochs = min(most, max(fewest, round(EFFORT / (macs * IMAGES))))
    heavy = macs > HEAVY
    given = {
        "size": pixels,
        "epochs": epochs,
        "amp": heavy,
        "channels_last": heavy,
        **SHORT,
        **(LIGHTLY if macs < builtin.LIGHT else {}),
        **changes,
    }
    return builtin.read("modern").change(
        network=name, data="digits", threads=1, device="cpu", save_every=1e6, **given
    )


class Epochs(Callback):
    def epoch(self, record: dict) -> None:
        print(
            (
                "   epoch {epoch}, step {step}: loss {train_loss:.3f}, validation "
                "{val_accuracy:.3f}, {seconds:.0f} s"
            ).format(**record),
            flush=True,
        )


def measured(recipe: Recipe) -> dict:
    """One run, in a folder that is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        found = train(recipe, Path(folder, "run"), callback=Epochs())
    accuracy = found["test"]["accuracy"]
    return {
        "network": recipe.network,
        "side": recipe.size,
        "images": IMAGES,
        "epochs": found["epochs"],
        "steps": found["steps"],
        "seconds": found["seconds"],
        "accuracy": accuracy,
        "times_chance": accuracy * len(found["classes"]),
        "lr": recipe.lr,
        "batch_size": recipe.batch_size,
        "warmup_epochs": recipe.warmup_epochs,
        "amp": recipe.amp,
        "provenance": found["provenance"],
    }


def tried(recipe: Recipe, file: Path) -> dict:
    """One run, and its line in the file."""
    result = measured(recipe)
    print(
        "   {accuracy:.1%}, {times_chance:.1f} x chance, {seconds:.0f} s".format(**result),
        flush=True,
    )
    keep(result, file)
    return result


def table(results: dict[str, dict]) -> str:
    """Markdown, and below it where it was measured and what is not above three times chance."""
    lines = [
        (
            "| network | side | images | epochs | steps | lr | seconds | test accuracy | times "
            "chance |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        "| `{network}` | {side} | {images:,} | {epochs} | {steps} | {lr:g} | {seconds:.0f} | "
        "{accuracy:.1%} | {times_chance:.1f} |".format(**result)
        for result in results.values()
    ]
    places = {
        "{device}, {threads} thread, torch {torch}, Python {python}, {system}".format(
            **result["provenance"]
        )
        for result in results.values()
    }
    below = [name for name, result in results.items() if result["times_chance"] <= PASSED]
    verdict = (
        f"not above {PASSED} x chance: {', '.join(below)}"
        if below
        else f"all above {PASSED} x chance"
    )
    return "\n".join([*lines, "", *sorted(places), f"Networks: {len(results)}, {verdict}."])


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "networks", nargs="*", help="default: the smallest of each file, and " + ", ".join(HARD)
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(__file__).with_suffix(".jsonl"),
        help="one line a run; default: beside this script",
    )
    for name, kind in {
        "epochs": int,
        "size": int,
        "batch_size": int,
        "lr": float,
        "warmup_epochs": float,
    }.items():
        parser.add_argument(
            "--" + name.replace("_", "-"), type=kind, help="instead of what the short run takes"
        )
    given = vars(parser.parse_args(words))
    networks, file = given.pop("networks"), given.pop("results")
    changes = {name: value for name, value in given.items() if value is not None}
    for name in networks:
        require(name, stored_facts())
    done = {result["network"] for result in stored(file) if result["times_chance"] > PASSED}
    for name in networks or [name for name in chosen() if name not in done]:
        print(name, flush=True)
        recipe = short(name, changes)
        if tried(recipe, file)["times_chance"] <= PASSED:
            tried(recipe.change(epochs=LONGER * recipe.epochs), file)
    print(table({result["network"]: result for result in stored(file)}))


if __name__ == "__main__":
    main()
