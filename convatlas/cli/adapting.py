"""netadapt: a network narrowed layer by layer until it is within a budget."""

import shlex
from pathlib import Path

from convatlas.cli import output as streams
from convatlas.cli.importing import quick_imports
from convatlas.cli.printing import open_console, plain_table, print_json, say
from convatlas.errors import RecipeError
from convatlas.registry import require, stored_facts
from convatlas.training import builtin
from convatlas.training.effect import as_flag
from convatlas.training.recipe import Recipe


def netadapt(
    subject: str,
    *,
    budget: str,
    data: str | None = None,
    measure: str = "macs",
    output: Path | None = None,
    resume: bool = False,
    recipe: str | None = None,
    size: int | None = None,
    batches: int = 10,
    epochs: int = 20,
    lr: float = 1e-3,
    first: float = 0.025,
    decay: float = 0.96,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Narrow a network layer by layer until it is within a budget, as NetAdapt does.

    In each step every layer gives up as many filters as the step needs, is trained for some
    batches and scored on the validation images; the best is kept. The folder then holds the trace
    as a table and a plot, the network of each step, and the result, which predict, eval and export
    read.

    Parameters
    ----------
    subject: str
        The folder of a finished run; or a network's name, which is trained first as `train` does.
    budget: str
        A share of the network's cost, such as 0.7x, or a number of MACs or milliseconds.
    data: str
        The images to train a named network with; of a run, where its own lie now.
    measure: str
        macs, or latency: of each layer on this processor, summed up.
    output: Path
        The folder to write [beside the run, or runs/NAME, with the budget behind].
    resume: bool
        Go on in --output where it was left.
    recipe: str
        How a named network is trained first [as `train` chooses].
    size: int
        Of its images, in pixels.
    batches: int
        Of training after each proposal.
    epochs: int
        Of training at the end.
    lr: float
        The learning rate of both.
    first: float
        What the first step takes, of the whole cost.
    decay: float
        What each next step takes, of what the one before took.
    seed: int
        Of dropout; images come in the order of the run's own seed.
    json: bool
        Print the trace as JSON.
    """
    place = Path(subject).expanduser()
    is_run = place.is_dir()
    _require_way(subject, is_run, data, bool(recipe or size))
    base = place.absolute() if is_run else Path("runs") / subject
    folder = (output or base.with_name(f"{base.name}-{budget}")).expanduser()
    with quick_imports():
        from convatlas.compression.netadapt import Settings, adapt
        from convatlas.compression.subject import of_run

    settings = Settings(budget, measure, batches, lr, epochs, first, decay, seed)
    if not is_run:
        place = folder.with_name(f"{folder.name}-trained")
        _train(_recipe(subject, data, recipe, size), place, resume)
    run = of_run(place, data if is_run else None)
    unit = "ms" if measure == "latency" else "MACs"
    saved, journal = adapt(
        *(run, place, settings, folder, resume),
        *(lambda row: streams.say_error(_line(row, unit)), streams.say_error),
    )
    found = {"network": saved.network, **journal.summary()}
    if json:
        return print_json(found)
    _print(found, unit)
    return _next(folder, found)


def _require_way(subject: str, is_run: bool, data: str | None, trains_otherwise: bool) -> None:
    """RecipeError for a name without images, and for a run that is to be trained anew."""
    if is_run:
        if trains_otherwise:
            raise RecipeError(
                f"{subject} is a run, trained already; --recipe and --size go with a network's name"
            )
        return
    require(subject, stored_facts())
    if data is None:
        raise RecipeError(
            f"which images is {subject} trained with? give --data, or the folder of a run"
        )


def _recipe(network: str, data: str | None, recipe: str | None, size: int | None) -> Recipe:
    given = {"network": network, "data": data} | ({"size": size} if size else {})
    name = recipe or builtin.matching(network, data or "")
    return builtin.read(name, given, as_flag) if name else Recipe().merge(given, as_flag)


def _train(chosen: Recipe, folder: Path, resume: bool) -> None:
    if folder.exists() and not resume:
        raise RecipeError(
            f"{folder} exists; give another --output, or go on with the same command and --resume, "
            f"or with `convatlas netadapt {shlex.quote(str(folder))}`"
        )
    from convatlas.training import train
    from convatlas.training.progress import default_callback

    with default_callback() as looking:
        train(chosen, folder, resume=resume, callback=looking)


def _line(row, unit: str) -> str:
    score = f"{row.right} of {row.pictures} validation images right"
    if not row.step:
        return f"at first: {_amount(row.cost, unit)}, {score}"
    return (
        f"step {row.step}: {row.layer} {row.before} -> {row.filters}, {_amount(row.cost, unit)} "
        f"(target {_amount(row.target, unit)}), {score}, best of {row.proposals}"
    )


def _amount(cost: float, unit: str) -> str:
    return f"{cost:,.3f} ms" if unit == "ms" else f"{cost:,.0f} MACs"


def _print(found: dict, unit: str) -> None:
    columns = ("step", "filters", unit, "MACs", "params", "right", "loss", "proposals")
    columns = tuple(dict.fromkeys(columns))  # MACs once
    table = plain_table("layer", *columns, right=columns)
    for row in found["steps"]:
        filters = f"{row['before']} -> {row['filters']}" if row["step"] else ""
        cost = [] if unit == "MACs" else [f"{row['cost']:.3f}"]
        table.add_row(
            *(row["layer"], str(row["step"]), filters, *cost, f"{row['macs']:,}"),
            *(f"{row['params']:,}", f"{100 * row['right'] / row['pictures']:.2f} %"),
            *(f"{row['loss']:.4f}", str(row["proposals"])),
        )
    open_console().print(table)


def _next(folder: Path, found: dict) -> int:
    result = found["result"]
    count, times = result["test"]["count"], result["milliseconds"]
    before, after = (result["test"][when] / count for when in ("before", "after"))
    for layer, why in found["refused"].items():
        say(f"not narrowed: {layer or 'the network'} ({why})")
    seen = result["validation"]
    if result["trained_at_the_end"]:
        share = 100 * seen["right"] / seen["pictures"]
        print(
            f"trained at the end: {share:.2f} % of the validation images right, loss "
            f"{seen['loss']:.4f}"
        )
    else:
        print("training at the end made it no better on the validation images, and is left out")
    print(
        f"right on {count:,} test images: before {100 * before:.2f} %, now {100 * after:.2f} %; "
        f"one image: {times['before']} ms, now {times['after']} ms"
    )
    place = shlex.quote(str(folder))
    say(f"wrote {folder}: trace.csv, trace.json, trace.png, steps/ and the network; next:")
    say(f"  convatlas eval {place}")
    say(f"  convatlas export {place}")
    streams.settle()
    return 0
