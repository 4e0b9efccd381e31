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

from convatlas.augmentation import LARGEST, Augmentation
from convatlas.errors import RecipeError
from convatlas.settings import (
    INCREASING,
    LONGEST,
    POSITIVE,
    Settings,
    at_least,
    between,
    setting,
    shown,
)
from convatlas.training import effect, recipe_file

RENAMED = {"fastest": "autotune"}  # fields as runs recorded them before they had today's names


@dataclass(frozen=True)
class _Learning(Settings):
    """The first part of a recipe: what learns from what, and how."""

    network: str = setting("lenet5", "a name from `convatlas list`")
    data: str = setting(
        "digits",
        "digits, mnist, fashion-mnist, kmnist, cifar10, cifar100, svhn, or a folder of "
        "class folders",
        path=True,
    )
    data_root: str = setting("data", "where named data sets lie", runtime=True, path=True)
    download: bool = setting(False, "fetch a named data set that is not there", runtime=True)
    bad_images: str = setting(
        "error",
        "images of a folder that cannot be decoded: error lists them and stops "
        "before the first step, skip lists them and goes on if they are 1 % or less",
        choices=("error", "skip"),
    )
    check: str = setting(
        "auto",
        "images of a folder that are decoded before the first step, unless they were earlier and "
        "have not changed: all, a sample of 2,000, or none; what is wrong with the others is said "
        "when they are first read. auto is all of up to 300,000 images, and with bad_images = skip",
        runtime=True,
        choices=("auto", "all", "sample", "none"),
    )
    missing_classes: str = setting(
        "error",
        "a val or test folder without some of train's classes: error refuses it, allow measures "
        "the others",
        choices=("error", "allow"),
    )
    max_megapixels: float = setting(
        64.0,
        "the largest image of a folder; each process that reads needs 4 to 16 bytes a pixel",
        **POSITIVE,
    )
    white: float = setting(
        0.0,
        "what is white in images of more than 8 bits; 0 is the end of the range of the training "
        "images: 1, or 2^k - 1 with k = 8, 10, 12, 14 or 16",
        **between(0, 2.0**31),
    )
    size: int = setting(0, "side of the input in pixels; 0 is the paper's", **between(0, LARGEST))
    init: str = setting(
        "paper",
        "initial weights: the paper's, or he for networks of ReLUs without batch norm",
        choices=("paper", "he"),
    )
    val_fraction: float = setting(
        0.1, "share of the training images kept for validation", **between(0.01, 0.5)
    )

    epochs: int = setting(30, "passes over the training images", **between(1, 1_000_000))
    early_stopping: int = setting(
        0,
        "end the run after this many epochs without a better validation accuracy; 0 is never",
        **at_least(0),
    )
    batch_size: int = setting(64, "images per step, over all processes", **between(1, 2**24))
    opt: str = setting(
        "adamw", "optimiser", choices=("sgd", "adam", "adamw", "rmsprop", "rmsprop-tf")
    )
    lr: float = setting(2e-3, "peak learning rate", **POSITIVE)
    body_lr: float = setting(
        1.0,
        "share of lr with which all but the classifiers learn, as layers that are trained already "
        "may; 1 is all of it",
        allowed="above 0, up to 1",
        check=lambda share: 0 < share <= 1,
    )
    momentum: float = setting(0.9, "momentum of sgd, rmsprop and rmsprop-tf", **between(0, 0.999))
    nesterov: bool = setting(False, "Nesterov momentum")
    eps: float = setting(
        1e-8,
        "epsilon of adam, adamw and rmsprop (beside the root) and rmsprop-tf (inside it)",
        **POSITIVE,
    )
    alpha: float = setting(
        0.99, "what rmsprop and rmsprop-tf keep of the mean of squares", **between(0, 0.9999)
    )
    weight_decay: float = setting(
        0.02, "weight decay (decoupled for adamw, L2 for the others)", **at_least(0)
    )
    decay_norm: bool = setting(
        True, "weight decay on biases, and on the scale and shift of norms, too"
    )
    clip_grad: float = setting(0.0, "largest norm of the gradient; 0 is no limit", **at_least(0))
    accumulate: int = setting(
        1, "parts in which a batch is passed, to use less memory", **at_least(1)
    )
    ema: float = setting(
        0.0,
        "average the weights, keeping this share at each step; the average is measured and "
        "saved; 0 is off",
        **between(0, 0.99999),
    )
    sched: str = setting(
        "cosine",
        "learning-rate schedule",
        choices=("constant", "cosine", "step", "plateau", "polynomial", "exponential"),
    )
    warmup_epochs: float = setting(1.0, "epochs of linear warm-up", **at_least(0))
    warmup_lr: float = setting(0.0, "learning rate at which the warm-up begins", **at_least(0))
    milestones: tuple[float, ...] = setting(
        (), "epochs after which sched=step multiplies the rate by gamma", **INCREASING
    )
    gamma: float = setting(0.1, "factor of sched=step, plateau and exponential", **between(1e-6, 1))
    decay_epochs: float = setting(2.0, "epochs between two decays of sched=exponential", **POSITIVE)
    power: float = setting(1.0, "power of sched=polynomial; 1 is linear", **POSITIVE)
    patience: int = setting(
        5, "epochs without a better validation accuracy before sched=plateau acts", **at_least(0)
    )

    loss: str = setting(
        "cross-entropy",
        "map is LeNet-5's Eq. (9), squared-error the 1989 papers' targets of +-1",
        choices=("cross-entropy", "map", "squared-error"),
    )
    label_smoothing: float = setting(0.0, "label smoothing of the cross-entropy", **between(0, 0.9))
    class_weights: str = setting(
        "none",
        "weight of an image in the training loss: balanced is the mean number of images of a class "
        "over that of its own class, so that rare classes count as much as common ones",
        choices=("none", "balanced"),
    )

    weights: str = setting(
        "", "start from these weights: a file, `torchvision`, or `hub:owner/name`", path=True
    )
    source: str = setting(
        "",
        "whose file `weights` is, where its names fit several networks: `timm`, `timm:resnet50`",
    )
    weights_ema: bool = setting(
        False, "read the average of `weights`, where the file holds one beside the raw ones"
    )
    freeze: tuple[str, ...] = setting((), "stages that are kept as they are")
    freeze_bn: bool = setting(False, "keep every batch norm as it is: statistics, scale and shift")
    sync_bn: bool = setting(False, "batch norm over the batch of all processes, not of each")


@dataclass(frozen=True)
class Recipe(Augmentation, _Learning):
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
        "try layouts and precisions (and compiling, with compile) before the first step, "
        "and keep what is fastest here; the run's recipe.toml says which",
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
    workers: int = setting(0, "processes that read images", runtime=True, **between(0, 256))
    save_every: float = setting(15.0, "seconds between checkpoints", runtime=True, **at_least(0))
    timeout: float = setting(
        600.0,
        "seconds that the processes of one run wait for each other",
        runtime=True,
        **between(1, 1_000_000),
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
                "channels_last, compile) to the others"
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
        written = _fields_of(recipe_file.text_of(path), str(path))
        with _naming(str(path)):
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
