"""Whose a run folder is. run.json names the run and the recipe it was begun with; every checkpoint
repeats both, so that neither an edited recipe.toml nor another run's checkpoint goes unseen.
"""

from dataclasses import asdict, dataclass, field, replace

from convatlas import strict_json
from convatlas.errors import CheckpointError, RunError
from convatlas.training.folder import RunFolder
from convatlas.training.location import is_folder
from convatlas.training.plain_files import kind, read_plain, token
from convatlas.training.recipe import DECIDING, RENAMED, Recipe, deciding

FORMAT = 1
REMEMBERED = ("sha256", "pictures")  # of what a run began with
LARGEST = 100_000  # bytes of run.json that are read at all


@dataclass(frozen=True)
class Identity:
    """One run, wherever its folder lies."""

    run: str  # drawn by lot when the run began
    recipe: dict  # the fields that can change the result
    lengths: tuple[int, ...]  # in epochs, as asked for: more than one where it was made longer
    adopted: bool = False  # begun by an older convatlas, whose checkpoints name no run
    start: dict = field(default_factory=dict)  # of weights that it began with: sha256, pictures

    def lengthened(self, epochs: int) -> "Identity":
        return replace(self, lengths=tuple(sorted({*self.lengths, epochs})))

    def starting(self, start: dict) -> "Identity":
        """The same run, which remembers these weights: they may be gone when it goes on."""
        return replace(self, start={name: start[name] for name in REMEMBERED if name in start})

    def about(self, epochs: int) -> dict:
        """What a checkpoint says of its run, which is of so many epochs now."""
        return {"run": self.run, "recipe": self.recipe | {"epochs": epochs}}

    def text(self) -> str:
        known = {"format": FORMAT, **asdict(self)}
        if not self.start:
            del known["start"]
        return strict_json.dumps(known, indent=1)


def begun(recipe: Recipe, adopted: bool = False) -> Identity:
    """A run of this recipe that begins now; or, adopted, one that went on before runs had names."""
    return Identity(token(), deciding(recipe), (recipe.epochs,), adopted)


def read(folder: RunFolder) -> Identity | None:
    """What run.json says; None where there is none. RunError where it is damaged."""
    path = folder.path / "run.json"
    if not kind(path):
        return None
    try:
        found = strict_json.loads(read_plain(path, LARGEST))
        return _checked(found)
    except OSError as error:
        reason = error.strerror
    except (ValueError, KeyError, TypeError):
        reason = "it is not what was written"
    raise RunError(
        f"{path} is damaged ({reason}); remove it and continue with --resume again, for the "
        "checkpoints name the run too"
    )


def of_checkpoint(about: dict) -> Identity | None:
    """The run that a checkpoint names; None in those of older versions. CheckpointError where it
    is no name.
    """
    if "run" not in about:
        return None
    try:
        recipe = about["recipe"]
        lengths = [recipe["epochs"]]
        return _checked({"run": about["run"], "recipe": recipe, "lengths": lengths})
    except (ValueError, KeyError, TypeError):
        raise CheckpointError("about does not name a run and its recipe") from None


def changes(before: dict, now: Recipe) -> list[str]:
    """Fields that can change the result and differ, as "lr: 0.1, now 0.2"; not `epochs`, which
    may be made more. Those that `before` does not know have come since, and are at their defaults.
    A folder of images may have moved: its fingerprint tells.
    """
    known = deciding(Recipe()) | {RENAMED.get(name, name): before[name] for name in before}
    today = deciding(now)
    names = [name for name in DECIDING if known[name] != today[name] and name != "epochs"]
    if is_folder(str(known["data"])) and is_folder(now.data):
        names = [name for name in names if name != "data"]
    return [f"{name}: {known[name]!r}, now {today[name]!r}" for name in names]


def _checked(found: dict) -> Identity:
    """Raises ValueError, KeyError or TypeError for what no run wrote."""
    run, recipe, lengths = found["run"], found["recipe"], found["lengths"]
    numbers = isinstance(lengths, list) and all(type(each) is int for each in lengths)
    if not (isinstance(run, str) and run and isinstance(recipe, dict) and numbers and lengths):
        raise ValueError
    start = found.get("start", {})
    if not isinstance(start, dict):
        raise ValueError
    return Identity(run, recipe, tuple(lengths), found.get("adopted") is True, start)
