"""train and predict: flags to a recipe, and what a person reads while a run goes on."""

import shlex
from collections.abc import Collection, Iterator
from dataclasses import field, fields, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from convatlas.cli import exported
from convatlas.cli import output as streams
from convatlas.cli.flags import Bf16, Device, Engine, Source, Weights
from convatlas.cli.importing import quick_imports
from convatlas.errors import RecipeError
from convatlas.object_store import is_remote
from convatlas.training import builtin, effect
from convatlas.training.effect import as_field, as_flag
from convatlas.training.recipe import DEFAULTS, PLACES, Recipe

SHORT = {"batch_size": "-b", "workers": "-j"}
GROUPS = {  # the first field of each group of flags, as Recipe orders them -> its title
    "data": "Images",
    "epochs": "Steps and optimiser",
    "sched": "Learning rate over time",
    "loss": "Loss",
    "weights": "Starting weights and frozen parts",
    "crop": "Cropping and augmentation",
    "test_crops": "Testing",
    "seed": "Where and how to run",
}


def recipe_flags(without: Collection[str] = ("network",)) -> Iterator[tuple[str, Any, Any]]:
    """A recipe's fields, but for some, as optional flags, so that only what is typed changes the
    recipe.
    """
    group = Group("Parameters")
    for number, f in enumerate(fields(Recipe)):
        if f.name in GROUPS:
            group = Group(GROUPS[f.name], sort_key=number + 1)
        if f.name not in without:
            yield _flag(f, group)


def _flag(f: Any, group: Group) -> tuple[str, Any, Any]:
    names = ["--" + f.name.replace("_", "-"), *([SHORT[f.name]] if f.name in SHORT else [])]
    choices = [choice for choice in f.metadata["allowed"].split(" | ") if choice]
    listed = f" [choices: {', '.join(choices)}]" if len(choices) > 1 else ""
    default = "none" if f.default in ("", ()) else f.default
    text = f"{f.metadata['help']}{listed} [default: {default}]"
    parameter = Parameter(
        name=names,
        negative=names[0].replace("--", "--no-", 1) if f.type is bool else (),
        help=text,
        show_default=False,
        consume_multiple=True,
        group=group,
    )
    return f.name, Annotated[f.type | None, parameter], field(default=None)


Flags = make_dataclass(
    "Flags",
    list(recipe_flags()),
    kw_only=True,
    namespace={"__module__": __name__},
)
NO_FLAGS = Flags()
Printed = Literal["k8s", "sbatch"]


def train(
    network: str | None = None,
    *,
    recipe: str | None = None,
    output: Path | None = None,
    resume: str | None = None,
    print_: Annotated[Printed | None, Parameter(name="--print")] = None,
    machines: int | None = None,
    processes: int | None = None,
    flags: Annotated[Flags, Parameter(name="*")] = NO_FLAGS,
) -> int:
    """Train a network on images.

    Without --recipe, the built-in recipe for this network and data is taken where there is one,
    else `modern`, which trains every network on a small set; for LeNets the defaults below. With
    --weights it is `finetune`. Flags override all.

    Parameters
    ----------
    network: str
        A name from `convatlas list`.
    recipe: str
        A TOML file with any of the fields below, or the name of a built-in recipe.
    output: Path
        The run's folder [runs/DATE-network-data].
    resume: str
        A run's folder to continue, or its s3://BUCKET/PATH (see --remote-sync); or "auto":
        continue what is in --output, or in the place of --remote-sync, or begin.
    print_: str
        Only print a file that has Slurm or Kubernetes train on several machines.
    machines: int
        With --print: how many machines [1].
    processes: int
        With --print: how many processes of the run on each machine [1].
    """
    given = {name: value for name, value in vars(flags).items() if value is not None}
    given |= {"network": network} if network else {}
    if print_:
        asked = [1 if count is None else count for count in (machines, processes)]
        print(_file(print_, given, recipe, output, resume, *asked), end="")
        return 0
    if machines is not None or processes is not None:
        raise RecipeError(
            "--machines and --processes say what --print writes; torchrun starts several processes "
            "here (docs/distributed.md)"
        )
    if resume is not None and is_remote(resume):
        return _start(*_from_store(resume, given, recipe, output), resume=True)
    folder = output if resume in (None, "auto") else Path(resume)
    if resume == "auto" and output is None:
        raise RecipeError("--resume auto needs --output, the folder to continue")
    if resume not in (None, "auto") and output not in (None, folder):
        raise RecipeError(
            f"--resume {resume} goes on in that folder, not in --output {output}; leave out one or "
            "the other"
        )
    if resume not in (None, "auto") and not (folder / "recipe.toml").exists():
        raise RecipeError(
            f"there is no run in {folder} (no recipe.toml); give the folder of a run, or leave "
            "--resume out to begin one"
        )
    chosen = chosen_recipe(given, recipe, folder if resume else None)
    return _start(chosen, folder, resume=resume is not None)


def _from_store(
    place: str, given: dict, recipe: str | None, output: Path | None
) -> tuple[Recipe, Path]:
    """The recipe of the run that stands at an address, which goes on there; and its folder."""
    from convatlas.training.remote import recorded

    name, recipe_there = recorded(place)
    given = {"remote_sync": name, **given}
    chosen = chosen_recipe(given, recipe) if recipe else recipe_there.merge(given, as_flag)
    return chosen, output or Path("runs", name.rpartition("/")[2])


def _start(chosen: Recipe, folder: Path | None, resume: bool) -> int:
    with quick_imports():
        from convatlas.training import train as start
        from convatlas.training.progress import default_callback

    with default_callback() as looking:
        found = start(chosen, folder, resume=resume, callback=looking)
        for line in _next(looking.folder or folder) if "test" in found else ():
            looking.print(line)
    streams.settle()  # a run that is on disk has not failed
    return 0


def _file(
    form: str,
    given: dict,
    recipe: str | None,
    output: Path | None,
    resume: str | None,
    machines: int,
    processes: int,
) -> str:
    """The file that has a scheduler carry out this command on several machines."""
    from convatlas.training import manifests
    from convatlas.training.location import located

    if output is None:
        raise RecipeError("--print needs --output, a folder that all machines see")
    if resume not in (None, "auto"):
        raise RecipeError(f"--print goes on with what is in --output; leave out --resume {resume}")
    chosen = chosen_recipe(given, recipe)
    for name in PLACES:  # jobs may begin in another folder
        place = getattr(located(chosen), name)
        if place != getattr(chosen, name) and Path(place).exists():
            given = given | {name: place}
    words = [*([given["network"]] if "network" in given else [])]
    words += ["--recipe", _anywhere(recipe)] if recipe else []
    for name, value in given.items():
        words += _typed(name, value) if name != "network" else []
    write = {"k8s": manifests.kubernetes, "sbatch": manifests.sbatch}[form]
    asked = manifests.Machines(machines, processes)
    return write(words, chosen, output.expanduser(), asked)


def _anywhere(recipe: str) -> str:
    """A file's whole path; a name as it is."""
    return str(Path(recipe).absolute()) if Path(recipe).is_file() else recipe


def _typed(name: str, value: Any) -> list[str]:
    """A flag as words of a command, which read back to the same value."""
    flag = as_flag(name)
    if isinstance(value, bool):
        return [as_flag(name, value)]
    return [flag, *map(str, value if isinstance(value, tuple) else (value,))]


def _next(folder: Path | str | None) -> list[str]:
    """Where the run lies, and what to type next; nothing where another process says it."""
    if folder is None:
        return []
    run = shlex.quote(str(folder))
    return [
        f"the run lies in {folder}; next:",
        f"  convatlas eval {run}",
        f"  convatlas predict {run} --test 8    # or image files, or folders",
    ]


def chosen_recipe(given: dict, recipe: str | None, resumed: Path | None = None) -> Recipe:
    """The recipe that the flags change: the file's, the resumed run's, the built-in one for the
    task, the defaults.
    """
    if recipe:
        return _told(builtin.written(recipe), builtin.read(recipe, given, as_flag))
    if resumed and (resumed / "recipe.toml").exists():
        from convatlas.training.resuming import recorded

        return recorded(resumed).merge(given, as_flag)
    if "network" not in given:
        raise RecipeError("which network? give a name from `convatlas list`, or --recipe FILE")
    data, weights = given.get("data", Recipe().data), given.get("weights", "")
    name = builtin.matching(given["network"], data, weights)
    from convatlas.elsewhere.networks import note

    if other := note(given["network"]):
        streams.mention(f"note: {other}")
    if name:
        streams.mention(f"recipe: {name}, built in")
        return _told(builtin.written(name), builtin.read(name, given, as_flag))
    return Recipe().merge(given, as_flag)


def _told(written: dict, chosen: Recipe) -> Recipe:
    """Says what of the recipe is left out, for the flags take its effect away."""
    dropped = [
        as_field(name, value)
        for name, value in written.items()
        if name in effect.inert(chosen, written)
        and (tuple(value) if isinstance(value, list) else value) != DEFAULTS[name]
    ]
    if dropped:
        streams.mention(f"left out of the recipe, as without effect now: {', '.join(dropped)}")
    return chosen


def predict(
    run: Path,
    images: list[Path] | None = None,
    *,
    top: int = 3,
    test: int = 0,
    data: str | None = None,
    weights: Weights = None,
    source: Source = None,
    device: Device = "cpu",
    engine: Engine = None,
    bf16: Bf16 = False,
    json: bool = False,
    max_megapixels: float | None = None,
) -> int:
    """Say what is on images, with probabilities.

    Parameters
    ----------
    run: Path
        The folder of a finished run, or a compressed file (.dc); with --weights the name of a
        network; or a file that export has written, with its proof beside it.
    images: list[Path]
        Image files, and folders of them.
    top: int
        How many classes to name.
    test: int
        Instead of files, take this many of the run's own test images and show the truth beside.
    data: str
        Where the images of --test are: the folder to which the run's own moved, or others.
    json: bool
        One JSON object a line.
    max_megapixels: float
        The largest image file that is read [64, or with --test the run's own limit].
    """
    if top < 1 or test < 0:
        raise RecipeError(f"--top must be 1 or more and --test 0 or more, not {top} and {test}")
    if data and not test:
        raise RecipeError(
            "--data says where the images of --test are, as in --test 8; other images and folders "
            "of them stand after the run: `convatlas predict RUN IMAGE…`"
        )
    if images and test:
        raise RecipeError(
            f"--test {test} takes the run's own test images, and the files named beside it would "
            "not be looked at; leave out one or the other"
        )
    if not images and not test:
        raise RecipeError(
            "which images? give files or folders, or --test 8 for eight of the run's test images"
        )
    if weights and test:
        raise RecipeError("--test takes a run's own test images; with --weights, name image files")
    limit = Recipe().max_megapixels if max_megapixels is None else max_megapixels
    if exported.is_export(run):
        exported.require_plain(
            run,
            test=test,
            weights=weights,
            source=source,
            device=device != "cpu",
            engine=engine,
            bf16=bf16,
        )
        return exported.predict(run, images or [], top, limit, json)
    with quick_imports():
        from convatlas.cli import answers, opening

    form = opening.formed(engine, bf16)
    if test:
        found = answers.of_test(run, device, test, top, data, max_megapixels, form)
    else:
        files = answers.looked_for(images)  # before weights are fetched for them
        saved = form(opening.opened(run, weights, source, device))
        found = answers.of_files(saved, files, top, limit)
    return answers.show(found, json)
