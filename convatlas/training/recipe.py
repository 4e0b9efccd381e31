"""A whole run as one frozen record: read from TOML, written to TOML, and every field checked.
Imports no torch.
"""

import difflib
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import tomli_w

from convatlas.augmentation import Augmentation
from convatlas.errors import RecipeError
from convatlas.settings import INCREASING, POSITIVE, Settings, at_least, between, setting

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
    max_megapixels: float = setting(
        64.0,
        "the largest image of a folder; memory for 3 to 8 bytes of each pixel is needed by every "
        "process that reads",
        **POSITIVE,
    )
    white: float = setting(
        0.0,
        "what is white in images of more than 8 bits; 0 is the end of the range of the training "
        "images: 1, or 2^k - 1 with k = 8, 10, 12, 14 or 16",
        **at_least(0),
    )
    size: int = setting(0, "side of the input in pixels; 0 is the paper's", **at_least(0))
    init: str = setting(
        "paper",
        "initial weights: the paper's, or he for networks of ReLUs without batch norm",
        choices=("paper", "he"),
    )
    val_fraction: float = setting(
        0.1, "share of the training images kept for validation", **between(0.01, 0.5)
    )

    epochs: int = setting(30, "passes over the training images", **at_least(1))
    batch_size: int = setting(64, "images per step, over all processes", **at_least(1))
    opt: str = setting(
        "adamw", "optimiser", choices=("sgd", "adam", "adamw", "rmsprop", "rmsprop-tf")
    )
    lr: float = setting(2e-3, "peak learning rate", **POSITIVE)
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

    weights: str = setting(
        "", "start from these weights: a file, `torchvision`, or `hub:owner/name`", path=True
    )
    source: str = setting(
        "",
        "whose file `weights` is, where its names fit several networks: `timm`, `timm:resnet50`",
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
        600.0, "seconds that the processes of one run wait for each other", runtime=True, **POSITIVE
    )

    def __post_init__(self):
        super().__post_init__()
        if self.sched == "step" and not self.milestones:
            raise RecipeError("sched = 'step' needs milestones, for example milestones = [30, 60]")
        if self.source and not self.weights:
            raise RecipeError(f"source = {self.source!r} says whose file weights is; give weights")
        if self.warmup_lr > self.lr:
            raise RecipeError(
                f"warmup_lr = {self.warmup_lr} is above lr = {self.lr}; the warm-up rises to lr"
            )
        if self.accumulate > self.batch_size:
            raise RecipeError(
                f"accumulate = {self.accumulate} cannot part a batch of {self.batch_size} images; "
                f"batch_size is the whole step's"
            )
        if self.loss != "cross-entropy" and self.label_smoothing:
            raise RecipeError(
                f"label_smoothing = {self.label_smoothing} needs loss = 'cross-entropy', "
                f"not {self.loss!r}"
            )
        if self.loss != "cross-entropy" and (self.mixup or self.cutmix):
            raise RecipeError(f"mixup and cutmix need loss = 'cross-entropy', not {self.loss!r}")

    def change(self, **given: Any) -> "Recipe":
        """The same recipe with other values for some fields."""
        _refuse_unknown(given, "")
        return replace(self, **given)

    def to_toml(self) -> str:
        return tomli_w.dumps(
            {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self).items()
            }
        )

    @classmethod
    def from_toml(cls, text: str, where: str = "the recipe") -> "Recipe":
        try:
            given = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"{where} is not TOML: {error}") from None
        given = {RENAMED.get(name, name): value for name, value in given.items()}
        _refuse_unknown(given, f" in {where}")
        try:
            return cls(**given)
        except RecipeError as error:
            raise RecipeError(f"{where}: {error}") from None

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """Raises RecipeError when the file cannot be read or says something that is not allowed."""
        try:
            return cls.from_toml(Path(path).expanduser().read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise RecipeError(f"cannot read the recipe {path}: {reason}") from None


def differences(a: Recipe, b: Recipe) -> list[str]:
    """Fields that can change the result and differ, as "lr: 0.1, now 0.2"."""
    return [
        f"{f.name}: {getattr(a, f.name)!r}, now {getattr(b, f.name)!r}"
        for f in fields(Recipe)
        if not f.metadata["runtime"] and getattr(a, f.name) != getattr(b, f.name)
    ]


def _refuse_unknown(given: dict, where: str) -> None:
    known = [f.name for f in fields(Recipe)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            offer = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"
            raise RecipeError(f"there is no field {name!r}{where}; {offer}")
