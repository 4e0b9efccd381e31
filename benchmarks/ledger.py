"""The ledger of measured results: a line for the runs of one recipe that differ in their seed.

    python -m benchmarks.ledger add runs/lenet5-mnist-0 runs/lenet5-mnist-1 runs/lenet5-mnist-2

It reads recipe.toml and metrics.json of finished runs and adds one record to results/ledger.jsonl;
lines that are there are never changed. `make docs` writes docs/results.md from it. A record:
network, data {name, fingerprint, test: where its test images come from}, recipe (its name; or the
fields that differ from the nearest one, whose name is then "recipe", or from the defaults), seeds,
n (test images), wrong (of them, for each seed), error {mean, spread} in percent (spread: the sample
standard deviation, null for one run), seconds (median of training), hardware {device, cores,
threads, processes}, versions, commit (with a + where the source was changed), date, and paper
{error, source} or null.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from convatlas.errors import RecipeError
from convatlas.pages.results import LEDGER, read_ledger
from convatlas.reporting.recorded import ELSEWHERE
from convatlas.training import builtin
from convatlas.training.recipe import Recipe, deciding, differences

PRINTED = {  # (network, data) -> the paper's test error in percent, and its place
    ("lenet5", "mnist"): (0.95, "LeCun et al. 1998, Sec. III"),
    ("lenet_caffe", "mnist"): (1.03, "Caffe's example, 0.9897 right"),
    ("nin_mnist", "mnist"): (0.47, "Lin et al. 2014, Table 4"),
    ("resnet20_cifar", "cifar10"): (8.75, "He et al. 2016, Table 6"),
    ("resnet32_cifar", "cifar10"): (7.51, "He et al. 2016, Table 6"),
    ("resnet44_cifar", "cifar10"): (7.17, "He et al. 2016, Table 6"),
    ("resnet56_cifar", "cifar10"): (6.97, "He et al. 2016, Table 6"),
}
SAME_RUN = ("network", "data", "recipe", "hardware", "versions", "commit")


class LedgerError(ValueError):
    """Runs that make no record, or a ledger that cannot be added to: what, where, the remedy."""


def record(folders: list[Path]) -> dict:
    """One record of finished runs of the same recipe, data, machine and source, each of another
    seed. LedgerError.
    """
    runs = sorted((_run(folder) for folder in folders), key=lambda run: run[0].seed)
    _refuse_mixed(runs)
    recipe, first = runs[0]
    tests = [metrics["test"] for _, metrics in runs]
    wrong = [test["count"] - test["correct"] for test in tests]
    source, printed = first["provenance"], PRINTED.get((recipe.network, first["data"]))
    return {
        "network": recipe.network,
        "data": {"name": first["data"], "fingerprint": first["fingerprint"]} | _tested_on(first),
        "recipe": named(recipe),
        "seeds": [recipe.seed for recipe, _ in runs],
        "n": tests[0]["count"],
        "wrong": wrong,
        "error": errors(wrong, tests[0]["count"]),
        "seconds": round(statistics.median(metrics["seconds"] for _, metrics in runs), 1),
        "hardware": {key: source[key] for key in ("device", "cores", "threads", "processes")},
        "versions": {key: source[key] for key in ("python", "torch", "torchvision", "convatlas")},
        "commit": source["commit"],
        "date": max(metrics["date"] for _, metrics in runs),
        "paper": {"error": printed[0], "source": printed[1]} if printed else None,
    }


def errors(wrong: list[int], n: int) -> dict:
    """Mean and sample standard deviation, in percent, of the errors of several runs on n images."""
    percent = [100 * count / n for count in wrong]
    return {
        "mean": round(statistics.mean(percent), 4),
        "spread": round(statistics.stdev(percent), 4) if len(percent) > 1 else None,
    }


def named(recipe: Recipe) -> str | dict:
    """The built-in recipe that this is, whatever its images, seed and threads; or what it changes
    of the nearest one, which may be the defaults.
    """
    changes = {"": _changed(Recipe(), recipe)}
    for name in builtin.names():
        if builtin.about(name)["network"] in ("", recipe.network):
            changes[name] = _changed(builtin.read(name), recipe)
    nearest = min(changes, key=lambda name: len(changes[name]))
    if not nearest:
        return changes[nearest]
    return {"recipe": nearest} | changes[nearest] if changes[nearest] else nearest


def add(folders: list[Path], ledger: Path) -> dict:
    """Append the record of these runs to the ledger, as one line. Raises LedgerError and then
    writes nothing.
    """
    new, lines = record(folders), read(ledger)
    for number, old in enumerate(lines, 1):
        twice = sorted({*new["seeds"]} & {*old["seeds"]})
        if twice and _of_one(new) == _of_one(old):
            raise LedgerError(
                f"seed {twice[0]} of this run is in line {number} of {ledger} already; add "
                "each run once"
            )
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        with ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(new) + "\n")
    except OSError as error:
        raise LedgerError(
            f"cannot write {ledger}: {error.strerror}; make it writable and add the runs again"
        ) from None
    return new


def _tested_on(metrics: dict) -> dict:
    """Where the test images come from; nothing where an older version made the run."""
    return {"test": metrics["splits"]["test"]} if metrics.get("splits") else {}


def _of_one(record: dict) -> list:
    """What two records of the same runs share; older ones do not say where test images are from."""
    images = {key: value for key, value in record["data"].items() if key != "test"}
    return [images if key == "data" else record[key] for key in SAME_RUN]


def read(ledger: Path) -> list[dict]:
    """The records of a ledger; none where there is no such file. Raises LedgerError for a line that
    is no record.
    """
    try:
        return read_ledger(ledger.read_text(encoding="utf-8")) if ledger.exists() else []
    except (OSError, ValueError) as error:
        raise LedgerError(
            f"cannot read {ledger}: {getattr(error, 'strerror', None) or error}"
        ) from None


def _run(folder: Path) -> tuple[Recipe, dict]:
    """The recipe of a finished run and what it found."""
    if not (folder / "recipe.toml").exists():
        raise LedgerError(
            f"there is no run in {folder} (no recipe.toml); give the folders of runs of "
            "convatlas train"
        )
    if not (folder / "metrics.json").exists():
        raise LedgerError(
            f"the run in {folder} has not finished; continue it with convatlas train --resume "
            f"{folder}"
        )
    try:
        recipe, metrics = (
            Recipe.read(folder / "recipe.toml"),
            json.loads((folder / "metrics.json").read_text()),
        )
        metrics["fingerprint"], metrics["date"], metrics["provenance"]["cores"]
        _tested_on(metrics)
    except RecipeError as error:
        raise LedgerError(str(error)) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise LedgerError(
            f"{folder / 'metrics.json'} does not say what a record needs; train the run again with "
            "this version"
        ) from None
    return recipe, metrics


def _refuse_mixed(runs: list[tuple[Recipe, dict]]) -> None:
    (recipe, first), *others = runs
    for other, metrics in others:
        if changed := differences(recipe, other.change(seed=recipe.seed)):
            raise LedgerError(
                f"these are runs of different recipes ({'; '.join(changed)}); a record is of one "
                "recipe, so add them one by one"
            )
        for what in ("fingerprint", "provenance"):
            if first[what] != metrics[what]:
                raise LedgerError(
                    f"these runs differ in their {what} "
                    f"({_first_difference(first[what], metrics[what])}); a record is of one data "
                    "set, machine and source, so add them one by one"
                )
    seeds = [recipe.seed for recipe, _ in runs]
    if twice := [seed for seed in seeds if seeds.count(seed) > 1]:
        raise LedgerError(f"seed {twice[0]} is given twice; name each run once")


def _first_difference(a: str | dict, b: str | dict) -> str:
    if isinstance(a, dict):
        return next(
            f"{key}: {a.get(key)}, then {b.get(key)}"
            for key in {**a, **b}
            if a.get(key) != b.get(key)
        )
    return f"{a}, then {b}"


def _changed(base: Recipe, recipe: Recipe) -> dict:
    """The fields that can change the result and differ from `base`, with the recipe's values."""
    usual = deciding(base)
    return {
        name: value
        for name, value in deciding(recipe).items()
        if name not in ELSEWHERE and value != usual[name]
    }


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb = parser.add_subparsers(required=True).add_parser(
        "add", help="append one record of runs of one recipe"
    )
    verb.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="the folder of a finished run"
    )
    verb.add_argument("--ledger", type=Path, default=Path(LEDGER), help=f"[{LEDGER}]")
    given = parser.parse_args(words)
    try:
        print(json.dumps(add(given.runs, given.ledger)))
    except LedgerError as error:
        print(f"ledger: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
