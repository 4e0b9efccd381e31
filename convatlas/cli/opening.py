"""What stands first after eval and predict: the folder of a run, or a network and its weights."""

from collections.abc import Callable
from pathlib import Path

from convatlas.cli import output
from convatlas.errors import RecipeError
from convatlas.model_file import Saved, load_model
from convatlas.printable import printable
from convatlas.registry import require, stored_facts
from convatlas.training.standing import require_tested


def opened(run: Path, weights: str | None, source: str | None, device: str) -> Saved:
    """The run's network, or the named network with these weights; says on standard error how
    pictures are prepared for them. RecipeError where one is given for the other.
    """
    name = str(run)
    if weights is None:
        require_run(run, source)
        return load_model(run, device)
    if name not in stored_facts() and run.is_dir():
        raise RecipeError(
            f"{name} is a run, which has weights of its own; leave --weights out, or name a network"
        )
    require(name, stored_facts())
    from convatlas.published_model import open_network

    saved = open_network(name, weights, source, device=device)
    output.say_error(printable(f"note: {described(saved)}"))
    return saved


def formed(engine: str | None, bf16: bool) -> Callable[[Saved], Saved]:
    """What puts a network on the engine that was asked for, and says on standard error which form
    was taken. RecipeError for --bf16 without an engine.
    """
    if engine is None:
        if bf16:
            raise RecipeError("--bf16 is of an engine's; give --engine auto too, or leave it out")
        return lambda saved: saved

    def on(saved: Saved) -> Saved:
        from convatlas.speed.choosing import on_engine

        there, chosen = on_engine(saved, engine, bf16)
        output.say_error(printable(f"note: form {chosen}"))
        return there

    return on


def require_run(run: Path, source: str | None) -> None:
    """RecipeError for a network's name without weights, and for a source of none; RunError for a
    run without a result.
    """
    name = str(run)
    if name in stored_facts() and not run.exists():
        raise RecipeError(
            f"{name} is a network without weights; give --weights torchvision, hub:owner/name or a "
            f"file (`convatlas list {name} --weights` shows what is published), or the folder of a "
            "run that trained it"
        )
    require_tested(run)
    if source:
        raise RecipeError("--source says whose file --weights is; give that too")


def described(saved: Saved) -> str:
    """Which weights these are, and how pictures are prepared for them."""
    prepare, about = saved.preprocess, saved.provenance
    way = "squashed to" if prepare.fit == "squash" else "shorter side"
    return (
        f"{saved.network} with {about['kind']}, {len(saved.classes):,} classes; pictures: {way} "
        f"{prepare.content}, middle {prepare.side}x{prepare.side}, {prepare.interpolation}, "
        f"{about['pictures']}"
    )
