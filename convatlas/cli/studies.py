"""compare and study: many runs that answer one question, begun, gone on with, looked at."""

from dataclasses import make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from convatlas.cli import output as streams
from convatlas.cli.importing import quick_imports
from convatlas.cli.runs import recipe_flags
from convatlas.errors import FAILED, RESUMABLE, RecipeError
from convatlas.magnitude import duration

if TYPE_CHECKING:
    from convatlas.study.conducting import Executor
    from convatlas.study.status import Status

OWN = ("network", "data", "seed", "test")  # compare says these in its own way
ONE = ("remote_sync",)  # the place of one run
Flags = make_dataclass(
    "Flags", recipe_flags((*OWN, *ONE)), kw_only=True, namespace={"__module__": __name__}
)
NO_FLAGS = Flags()
On = Literal["local", "slurm", "ray"]
Printed = Literal["commands", "k8s", "sbatch"]


def compare(
    networks: list[str] | None = None,
    *,
    data: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    seeds: int | None = None,
    recipe: str | None = None,
    vary: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    output: Path | None = None,
    on: On = "local",
    jobs: int = 0,
    print_: Annotated[Printed | None, Parameter(name="--print")] = None,
    continue_: Annotated[Path | None, Parameter(name="--continue")] = None,
    flags: Annotated[Flags, Parameter(name="*")] = NO_FLAGS,
) -> int:
    """Train several networks on the same images with several seeds, and report which is better.

    Each network is trained as `convatlas train` would train it; --recipe and the flags of train
    change all alike. With --vary the settings are compared on the validation images, and only the
    best of each network goes on. The test images are looked at once a run, at the very end.

    Parameters
    ----------
    networks: list[str]
        Names from `convatlas list`.
    data: list[str]
        One data set or several: names, or folders of class folders [digits].
    seeds: int
        How many times each network is trained, with seeds 0, 1, ... [3]. Six are the fewest that
        can show a difference.
    recipe: str
        A TOML file, or the name of a built-in recipe, for all networks.
    vary: list[str]
        Fields of the recipe to choose by validation, as in lr=1e-3,3e-3; also recipe=ONE,OTHER.
    output: Path
        The study's folder [studies/DATE-data].
    on: str
        Where the runs are: on this machine, on a Slurm cluster, on a Ray cluster.
    jobs: int
        How many runs at a time [as many as cores and memory can hold].
    print_: str
        Only write the study's folder, and print what carries it out: a command a run, or a file
        for Kubernetes or Slurm.
    continue_: Path
        Go on with the study in this folder, whatever stopped it.
    """
    given = {name: value for name, value in vars(flags).items() if value is not None}
    asked = (networks, data, seeds, recipe, vary, output, given)
    if jobs < 0:
        raise RecipeError(f"--jobs must be 1 or more, or left out, not {jobs}")
    if continue_ is not None and any(asked):
        raise RecipeError(
            f"--continue {continue_} goes on with what that study was asked for; leave out "
            "networks and all flags but --on, --jobs and --print"
        )
    study = continue_ if continue_ is not None else _begun(*asked, is_here=_is_here(on, print_))
    return _printed(study, print_, jobs) if print_ else _conducted(study, on, jobs)


def _is_here(on: str, print_: str | None) -> bool:
    return on == "local" and print_ is None


def _begun(networks, data, seeds, recipe, vary, output, given, is_here: bool) -> Path:
    from convatlas.study.asking import values_of

    values = values_of(vary or [])
    with quick_imports():
        from convatlas.study import conducting
    count = conducting.SEEDS if seeds is None else seeds
    return conducting.begin(
        networks or [], data or ["digits"], count, recipe or "", values, given, output, is_here
    )


def _printed(study: Path, form: str, at_once: int) -> int:
    from convatlas.study import jobs, plan

    lines = plan.read(study)
    if form != "commands":
        from convatlas.study import manifests

        write = {"k8s": manifests.kubernetes, "sbatch": manifests.sbatch}[form]
        print(write(lines, study, at_once), end="")
        return 0
    left = [line for line in lines if not jobs.is_reached(study, line)]
    for command in plan.commands(study, left):
        print(command)
    streams.say_error(
        f"{len(left)} of {len(lines)} runs are to be trained; exit code 75 means: once more. "
        f"When all are: {plan.continue_command(study)}"
    )
    return 0


def _executor(on: str, jobs: int) -> "Executor":
    from functools import partial

    if on == "slurm":
        from convatlas.study import slurm

        return partial(slurm.run, at_once=jobs)
    if on == "ray":
        from convatlas.study import on_ray

        return partial(on_ray.run, at_once=jobs)
    with quick_imports():
        from convatlas.study import pool
    return partial(pool.run, at_once=jobs)


def _conducted(study: Path, on: str, jobs: int) -> int:
    from convatlas.cli.printing import say
    from convatlas.study import conducting, plan
    from convatlas.study.asking import recipes_said
    from convatlas.study.watching import observer

    asked, lines = plan.read_asked(study), plan.read(study)
    say(f"{_told(lines)}, in {study}")
    say(f"recipes: {', '.join(recipes_said(asked))}")
    missing = conducting.conduct(study, _executor(on, jobs), observer(study))
    for text in conducting.report(study):
        say(text)
    if missing:
        raise conducting.incomplete(study, missing)
    return 0


def _told(lines) -> str:
    from convatlas.cli.printing import plural

    networks, data = {line.network for line in lines}, {line.data for line in lines}
    seeds = {line.seed for line in lines}
    settings = {line.setting for line in lines}
    varied = len(settings) // (len(networks) * len(data))
    counts = {"network": networks, "data set": data, "seed": seeds}
    parts = [plural(len(each), what) for what, each in counts.items()]
    parts += [f"{varied} settings"] if varied > 1 else []
    return f"{plural(len(lines), 'run')}: {', '.join(parts)}"


def study(folder: Path, *, json: bool = False) -> int:
    """Say how far a study is: what is done, running, failed and left, and the time to go.

    Exit codes: 0 all is done, 1 runs have failed, 75 it is not over.

    Parameters
    ----------
    folder: Path
        The study's folder.
    json: bool
        Print JSON, with every run.
    """
    from convatlas.cli.printing import print_json
    from convatlas.study.status import status

    found = status(folder)
    if json:
        print_json(found.to_json())
    else:
        _show(folder, found)
    if not found.is_over:
        return RESUMABLE
    return FAILED if found.failed else 0


def _show(folder: Path, found: "Status") -> None:
    from convatlas.cli.printing import say
    from convatlas.study.plan import continue_command

    counts = ", ".join(f"{number} {state}" for state, number in found.counts.items())
    say(f"{len(found.runs)} runs: {counts}")
    for run in found.of("running"):
        say(f"  {run.line.run}  epoch {run.epoch}/{run.epochs}{_percent(run.score)}")
    for run in found.failed:
        say(f"  {run.line.run} failed: {run.failure}")
    if found.is_over:
        return
    if found.time_to_go is not None:
        say(f"about {duration(found.time_to_go)} to go")
    if not found.of("running"):
        say(f"nobody is at work on it; go on with {continue_command(folder)}")


def _percent(score: float | None) -> str:
    return "" if score is None else f"  val {100 * score:.2f} %"
