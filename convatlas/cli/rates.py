"""lr-find: which learning rate to begin with."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convatlas.cli.importing import quick_imports
from convatlas.cli.printing import counting, print_json, say
from convatlas.cli.runs import NO_FLAGS, Flags, chosen_recipe
from convatlas.errors import RecipeError, RunError
from convatlas.training.effect import as_flag

if TYPE_CHECKING:
    from convatlas.training import RateSearch

SHOWN = 20  # lines of the table that is printed
USELESS = (  # flags of train that a search of a few steps cannot heed
    *("epochs", "early_stopping", "lr", "ema", "sched", "warmup_epochs", "warmup_lr"),
    *("milestones", "gamma", "decay_epochs", "power", "patience", "test_crops", "test_sizes"),
    *("test", "autotune", "save_every", "timeout", "log_to", "remote_sync"),
)


def lr_find(
    network: str | None = None,
    *,
    recipe: str | None = None,
    low: Annotated[float, Parameter(name="--from")] = 1e-6,
    high: Annotated[float, Parameter(name="--to")] = 10.0,
    steps: int = 100,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json: bool = False,
    flags: Annotated[Flags, Parameter(name="*")] = NO_FLAGS,
) -> int:
    """Suggest a learning rate: train for a few steps at rising rates, and look at the loss.

    The network sees training images only, and nothing of it is kept. Which recipe is taken without
    --recipe is said at `convatlas train --help`.

    Parameters
    ----------
    network: str
        A name from `convatlas list`.
    recipe: str
        A TOML file with any of the fields below, or the name of a built-in recipe.
    low: float
        The rate of the first step.
    high: float
        The rate of the last one; the search ends before it where the loss has risen far.
    steps: int
        How many rates are tried.
    output: Path
        The plot, a PNG file; the table lies beside it as CSV [lr-find-NETWORK.png].
    json: bool
        Print JSON.
    """
    given = {name: value for name, value in vars(flags).items() if value is not None}
    for name in USELESS:
        if name in given:
            raise RecipeError(
                f"{as_flag(name, given[name])} has no effect on lr-find, which tries rates for a "
                "few steps; leave it out"
            )
    if output and output.suffix.lower() != ".png":
        raise RecipeError(f"--output {output} is no PNG file; give a name that ends in .png")
    with redirect_stdout(sys.stderr) if json else nullcontext():
        chosen = chosen_recipe(given | ({"network": network} if network else {}), recipe)
    plot = output or Path(f"lr-find-{chosen.network}.png")
    if not plot.parent.is_dir():  # said before the search, which may take long
        raise RunError(f"there is no folder {plot.parent}; name another place with --output")
    with quick_imports():
        from convatlas.training.rate_search import lr_find as search

    with counting("steps") as each:
        found = search(chosen, low, high, steps, each)
    table = plot.with_suffix(".csv")
    _write({table: found.to_csv().encode(), plot: found.to_png()})
    if json:
        return print_json(asdict(found))
    for line in _lines(found):
        say(line)
    say(f"the curve is in {plot}, all {len(found.rates)} steps in {table}")
    return 0


def _write(files: dict[Path, bytes]) -> None:
    for path, content in files.items():
        try:
            path.write_bytes(content)
        except OSError as error:
            raise RunError(
                f"cannot write {path} ({error.strerror}); name another place with --output"
            ) from None


def _lines(found: "RateSearch") -> Iterator[str]:
    yield (
        f"{found.network} on {found.data}, {found.batch_size} images a step: {len(found.rates)} "
        "steps"
    )
    yield f"{'rate':>9}  {'loss':>9}  {'smoothed':>9}"
    every = max(1, -(-len(found.rates) // SHOWN))
    rows = list(zip(found.rates, found.losses, found.smoothed, strict=True))
    for rate, loss, mean in rows[::every]:
        yield f"{rate:9.2g}  {loss:9.4f}  {mean:9.4f}"
    if found.suggestion is None:
        yield f"no suggestion: {found.reason}"
    else:
        yield f"suggestion: --lr {found.suggestion:g}, {found.reason}"
