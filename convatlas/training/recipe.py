"""A whole run as one frozen record: read from TOML, written to TOML, and every field checked.
Imports no torch.
"""

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import tomli_w

from convatlas.augmentation import Augmentation
from convatlas.errors import RecipeError
from convatlas.object_store import ADDRESS
from convatlas.settings import LONGEST, Settings, at_least, between, setting, shown
from convatlas.training import effect, recipe_file, trackers
from convatlas.training.learning import Learning

RENAMED = {"fastest": "autotune"}  # fields as runs recorded them before they had today's names


@dataclass(frozen=True)
class Recipe(Augmentation, Learning):
    """Everything a run depends on; the defaults are a modern recipe for small sets. RecipeError if
    not allowed.

    What may be done to training images are the fields of Augmentation.
    """

    refusal: ClassVar = RecipeError

    test_crops: str = setting(
        "center",
        "what is tested of an image: its middle, ten crops (AlexNet), 144 "
        "(GoogLeNet), or all of it (dense, VGG)",
        choices=("center", "10", "144", "dense"),
    )
    test_sizes: tuple[int, ...] = setting(
        (),
        "shorter sides in pixels at which images are tested; none: as "
        "trained, or the paper's for the crops",
        allowed="1 to 4096 each",
        check=lambda sizes: all(1 <= size <= 4096 for size in sizes),
    )

    test: bool = setting(
        True,
        "look at the test images once all epochs are done; --no-test leaves the run trained, and "
        "`convatlas train --resume RUN` looks at them later",
        runtime=True,
    )

    seed: int = setting(
        0,
        "seed of the weights, the validation split, the order and the augmentation",
        **between(0, 2**31 - 1),
    )
    deterministic: bool = setting(
        False,
        "only such kernels of a GPU as give the same bits each time, at some cost; on the "
        "processor bits repeat anyway",
    )
    amp: bool = setting(False, "bf16 autocast")
    channels_last: bool = setting(False, "channels_last memory layout")
    compile: bool = setting(False, "torch.compile the network")
    autotune: bool = setting(
        False,
        "try layouts, precisions and numbers of threads (and compiling, with compile) before the "
        "first step, and keep what is fastest here; the run's recipe.toml says which",
    )
    device: str = setting(
        "auto",
        "auto is cuda when there is one, else mps (a Mac's own GPU) when there is one, else cpu",
        choices=("auto", "cpu", "cuda", "mps"),
        runtime=True,
    )
    threads: int = setting(
        0, "threads of the processor; 0 is one for a small network, else all", **between(0, 1024)
    )
    workers: int = setting(
        -1,
        "processes that read images; 0 reads in the training process, -1 is one for each core "
        "that is free, where images are read from files",
        runtime=True,
        **between(-1, 256),
    )
    save_every: float = setting(15.0, "seconds between checkpoints", runtime=True, **at_least(0))
    remote_sync: str = setting(
        "",
        "s3://BUCKET/PATH, where each whole save and the result are put as the run goes; another "
        "machine goes on with --resume s3://BUCKET/PATH",
        allowed="s3://BUCKET/PATH",
        check=lambda place: not place or bool(ADDRESS.fullmatch(place)),
        runtime=True,
    )
    timeout: float = setting(
        600.0,
        "seconds that the processes of one run wait for each other",
        runtime=True,
        **between(1, 1_000_000),
    )
    log_to: tuple[str, ...] = setting(
        (),
        "trackers that are told of the run as it goes; each is an extra of that name, and offline "
        "unless its own settings say otherwise",
        allowed=" | ".join(trackers.NAMES),
        check=lambda names: {*names} <= {*trackers.NAMES},
        runtime=True,
    )

    def __post_init__(self):
        super().__post_init__()
        effect.refuse(self, _changed(self))
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        if self.sched == "step" and not self.milestones:
            raise RecipeError("sched = 'step' needs milestones, for example milestones = [30, 60]")
        if self.bad_images == "skip" and self.check in ("sample", "none"):
            raise RecipeError(
                f"check = {self.check!r} does not go with bad_images = 'skip', which has to know "
                "all bad images before the first step; leave check out"
            )
        if self.warmup_lr > self.lr:
            raise RecipeError(
                f"warmup_lr = {self.warmup_lr} is above lr = {self.lr}; the warm-up rises to lr"
            )
        if self.accumulate > self.batch_size:
            raise RecipeError(
                f"accumulate = {self.accumulate} cannot part a batch of {self.batch_size} images; "
                f"batch_size is the whole step's"
            )
        if self.deterministic and self.autotune:
            raise RecipeError(
                "deterministic and autotune exclude each other, for what is fastest is found by "
                "the clock; autotune one run, and give what its recipe.toml says (amp, "
                "channels_last, threads, compile) to the others"
            )

    def change(self, **given: Any) -> "Recipe":
        """The same recipe with other values for some fields.

        What the change leaves without effect (alpha, once opt is sgd) goes back to its default;
        RecipeError where that would be a value among `given`.
        """
        return self.merge(given)

    def merge(self, given: Mapping[str, Any], spell: effect.Speller = effect.as_field) -> "Recipe":
        """The same; in an error, fields are spelled by `spell`."""
        _refuse_unknown(given, "")
        changed = _unjudged({**vars(self), **given})
        inherited = [name for name in DEFAULTS if name not in given]
        before = effect.inert(self, inherited)
        for name in effect.inert(changed, inherited):
            if name not in before:
                object.__setattr__(changed, name, DEFAULTS[name])
        meant = [name for name, value in given.items() if value or value != DEFAULTS[name]]
        effect.refuse(changed, meant, spell)
        changed._refuse_contradictions()
        return changed

    def to_toml(self) -> str:
        return tomli_w.dumps(
            {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self).items()
            }
        )

    @classmethod
    def from_toml(
        cls,
        text: str,
        where: str = "the recipe",
        given: Mapping[str, Any] = MappingProxyType({}),
        spell: effect.Speller = effect.as_field,
    ) -> "Recipe":
        """The fields of a text, those of `given` before them. RecipeError, naming the text by
        `where`, for what is not allowed or has no effect.
        """
        written = _fields_of(text, where)
        with _naming(where):
            base = _unjudged({**DEFAULTS, **written})
        with _naming("" if given else where):
            recipe = base.merge(given, spell)
        with _naming(where):
            effect.refuse(recipe, _meant(recipe, written, given))
        return recipe

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """Raises RecipeError when the file cannot be read or says something that is not allowed."""
        return cls.from_toml(recipe_file.text_of(path), str(path))

    @classmethod
    def recorded(cls, path: str | Path) -> "Recipe":
        """What a run has recorded of itself, whatever in it has no effect. RecipeError as read
        raises it.
        """
        return cls.recorded_in(recipe_file.text_of(path), str(path))

    @classmethod
    def recorded_in(cls, text: str, where: str) -> "Recipe":
        """The same of a text, which is called `where` in an error."""
        written = _fields_of(text, where)
        with _naming(where):
            recipe = _unjudged({**DEFAULTS, **written})
            recipe._refuse_contradictions()
        return recipe


DEFAULTS: Mapping[str, Any] = MappingProxyType({f.name: f.default for f in fields(Recipe)})


def _unjudged(values: Mapping[str, Any]) -> Recipe:
    """A recipe of allowed values, each of which may be without effect beside the others."""
    recipe = object.__new__(Recipe)
    for name, value in values.items():
        object.__setattr__(recipe, name, value)
    Settings.__post_init__(recipe)
    return recipe


def _changed(recipe: Recipe) -> list[str]:
    """The fields that are not as they are by default."""
    return [f.name for f in fields(Recipe) if getattr(recipe, f.name) != f.default]


def _meant(recipe: Recipe, written: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """The fields that a file's author must have meant: not as by default, and not overruled.

    Where a flag says how many epochs, or once has (a file with every field is a run's record), what
    they are too few for is said when the run begins.
    """
    names = [name for name in _changed(recipe) if name in written and name not in given]
    other_length = "epochs" in given or len(written) == len(DEFAULTS)
    return list(effect.inert(recipe, names)) if other_length else names


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """The place before the sentence of any RecipeError."""
    try:
        yield
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}" if where else str(error)) from None


def _fields_of(text: str, where: str) -> dict[str, Any]:
    """What a text gives, under the names of today."""
    items = recipe_file.parse(text, where).items()
    written = {RENAMED.get(name, name): value for name, value in items}
    _refuse_unknown(written, f" in {where}")
    return written


DECIDING = tuple(f.name for f in fields(Recipe) if not f.metadata["runtime"])
PLACES = tuple(f.name for f in fields(Recipe) if f.metadata["path"])


def deciding(recipe: Recipe) -> dict:
    """The fields that can change the result, as plain JSON."""
    values = {name: getattr(recipe, name) for name in DECIDING}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def differences(a: Recipe, b: Recipe) -> list[str]:
    """Fields that can change the result and differ, as "lr: 0.1, now 0.2"."""
    return [
        f"{name}: {getattr(a, name)!r}, now {getattr(b, name)!r}"
        for name in DECIDING
        if getattr(a, name) != getattr(b, name)
    ]


def _refuse_unknown(given: dict, where: str) -> None:
    known = [f.name for f in fields(Recipe)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name[:LONGEST], known, n=1)
            offer = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"
            raise RecipeError(f"there is no field {shown(name)}{where}; {offer}")
