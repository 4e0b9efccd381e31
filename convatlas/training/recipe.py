"""A whole run as one frozen record: read from TOML, written to TOML, and every field checked.
Imports no torch.
"""

import difflib
import os
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin

import tomli_w

from convatlas.errors import RecipeError


def _setting(
    default: Any,
    text: str,
    *,
    allowed: str = "",
    check: Callable[[Any], bool] = lambda value: True,
    choices: tuple[str, ...] = (),
    runtime: bool = False,
    path: bool = False,
) -> Any:
    """A field, its help, and its rule. A runtime field says where and how to run, and cannot change
    the result. A path may begin with ~, the user's home.
    """
    if choices:
        allowed, check = " | ".join(choices), lambda value: value in choices
    return field(
        default=default,
        metadata={
            "help": text,
            "allowed": allowed,
            "check": check,
            "runtime": runtime,
            "path": path,
        },
    )


def _at_least(low: float) -> dict:
    return {"allowed": f"{low} or more", "check": lambda value: value >= low}


def _between(low: float, high: float) -> dict:
    return {"allowed": f"{low} to {high}", "check": lambda value: low <= value <= high}


def _range(high: float) -> dict:
    return {
        "allowed": f"two values above 0 and up to {high}, the smaller first",
        "check": lambda pair: len(pair) == 2 and 0 < pair[0] <= pair[1] <= high,
    }


POSITIVE = {"allowed": "above 0", "check": lambda value: value > 0}
SHORTER = {
    "allowed": "one value or two, the smaller first, of 2 or more",
    "check": lambda at: len(at) < 3 and list(at) == sorted(at) and min(at, default=2) > 1,
}
INCREASING = {
    "allowed": "increasing epochs, each above 0",
    "check": lambda at: all(a < b for a, b in zip((0, *at), at, strict=False)),
}


@dataclass(frozen=True)
class Recipe:
    """Everything a run depends on; the defaults are a modern recipe for small sets. RecipeError if
    not allowed.
    """

    network: str = _setting("lenet5", "a name from `convatlas list`")
    data: str = _setting(
        "digits",
        "digits, mnist, fashion-mnist, kmnist, cifar10, cifar100, svhn, or a folder of "
        "class folders",
        path=True,
    )
    data_root: str = _setting("data", "where named data sets lie", runtime=True, path=True)
    download: bool = _setting(False, "fetch a named data set that is not there", runtime=True)
    bad_images: str = _setting(
        "error",
        "images of a folder that cannot be decoded: error lists them and stops "
        "before the first step, skip lists them and goes on if they are 1 % or less",
        choices=("error", "skip"),
    )
    size: int = _setting(0, "side of the input in pixels; 0 is the paper's", **_at_least(0))
    init: str = _setting(
        "paper",
        "initial weights: the paper's, or he for networks of ReLUs without batch norm",
        choices=("paper", "he"),
    )
    val_fraction: float = _setting(
        0.1, "share of the training images kept for validation", **_between(0.01, 0.5)
    )

    epochs: int = _setting(30, "passes over the training images", **_at_least(1))
    batch_size: int = _setting(64, "images per step, over all processes", **_at_least(1))
    opt: str = _setting(
        "adamw", "optimiser", choices=("sgd", "adam", "adamw", "rmsprop", "rmsprop-tf")
    )
    lr: float = _setting(2e-3, "peak learning rate", **POSITIVE)
    momentum: float = _setting(0.9, "momentum of sgd, rmsprop and rmsprop-tf", **_between(0, 0.999))
    nesterov: bool = _setting(False, "Nesterov momentum")
    eps: float = _setting(
        1e-8,
        "epsilon of adam, adamw and rmsprop (beside the root) and rmsprop-tf (inside it)",
        **POSITIVE,
    )
    alpha: float = _setting(
        0.99, "what rmsprop and rmsprop-tf keep of the mean of squares", **_between(0, 0.9999)
    )
    weight_decay: float = _setting(
        0.02, "weight decay (decoupled for adamw, L2 for the others)", **_at_least(0)
    )
    decay_norm: bool = _setting(
        True, "weight decay on biases, and on the scale and shift of norms, too"
    )
    clip_grad: float = _setting(0.0, "largest norm of the gradient; 0 is no limit", **_at_least(0))
    accumulate: int = _setting(
        1, "parts in which a batch is passed, to use less memory", **_at_least(1)
    )
    ema: float = _setting(
        0.0,
        "average the weights, keeping this share at each step; the average is measured and "
        "saved; 0 is off",
        **_between(0, 0.99999),
    )
    sched: str = _setting(
        "cosine",
        "learning-rate schedule",
        choices=("constant", "cosine", "step", "plateau", "polynomial", "exponential"),
    )
    warmup_epochs: float = _setting(1.0, "epochs of linear warm-up", **_at_least(0))
    warmup_lr: float = _setting(0.0, "learning rate at which the warm-up begins", **_at_least(0))
    milestones: tuple[float, ...] = _setting(
        (), "epochs after which sched=step multiplies the rate by gamma", **INCREASING
    )
    gamma: float = _setting(
        0.1, "factor of sched=step, plateau and exponential", **_between(1e-6, 1)
    )
    decay_epochs: float = _setting(
        2.0, "epochs between two decays of sched=exponential", **POSITIVE
    )
    power: float = _setting(1.0, "power of sched=polynomial; 1 is linear", **POSITIVE)
    patience: int = _setting(
        5, "epochs without a better validation accuracy before sched=plateau acts", **_at_least(0)
    )

    loss: str = _setting(
        "cross-entropy",
        "map is LeNet-5's Eq. (9), squared-error the 1989 papers' targets of +-1",
        choices=("cross-entropy", "map", "squared-error"),
    )
    label_smoothing: float = _setting(
        0.0, "label smoothing of the cross-entropy", **_between(0, 0.9)
    )

    weights: str = _setting(
        "", "start from these weights: a file, `torchvision`, or `hub:owner/name`", path=True
    )
    freeze: tuple[str, ...] = _setting((), "stages that are kept as they are")
    freeze_bn: bool = _setting(False, "keep every batch norm as it is: statistics, scale and shift")
    sync_bn: bool = _setting(False, "batch norm over the batch of all processes, not of each")

    crop: str = _setting(
        "fit",
        "how images are cut: fit sets small ones into the field as they are and takes the "
        "middle of others; center scales to resize, then takes the middle; random takes any "
        "square of that; random-resized any part (evaluated, for both, as center)",
        choices=("fit", "center", "random", "random-resized"),
    )
    resize: tuple[int, ...] = _setting(
        (),
        "shorter side in pixels before cropping, 8/7 of the crop where nothing is "
        "said; two values are a range drawn for each image (scale jitter), and "
        "evaluation takes the first",
        **SHORTER,
    )
    crop_scale: tuple[float, ...] = _setting(
        (0.08, 1.0), "range of the share of the image that crop=random-resized takes", **_range(1)
    )
    crop_ratio: tuple[float, ...] = _setting(
        (0.75, 1.3333), "range of the width / height of crop=random-resized", **_range(100)
    )
    sizes: tuple[int, ...] = _setting(
        (),
        "multi-scale training: sides in pixels, of which every step draws one",
        allowed="sides of 2 or more",
        check=lambda sides: min(sides, default=2) > 1,
    )
    pad: int = _setting(0, "pad by this many pixels, then crop at random", **_at_least(0))
    flip: bool = _setting(False, "mirror half of the images")
    shift: float = _setting(0.0, "move by up to this many pixels, sub-pixel", **_at_least(0))
    rotate: float = _setting(0.0, "turn by up to this many degrees", **_between(0, 180))
    scale: float = _setting(0.0, "enlarge or shrink by up to this fraction", **_between(0, 0.9))
    squeeze: float = _setting(
        0.0, "make wider and lower, or the reverse, by up to this fraction", **_between(0, 0.9)
    )
    shear: float = _setting(0.0, "shear horizontally by up to this fraction", **_between(0, 1))
    auto_augment: str = _setting(
        "",
        "a policy of operations: RandAugment (2 operations of magnitude 9), AutoAugment "
        "(as found on ImageNet, or on CIFAR-10) or TrivialAugment",
        choices=("", "randaugment", "autoaugment", "autoaugment-cifar", "trivialaugment"),
    )
    color_jitter: float = _setting(
        0.0,
        "brightness, contrast and saturation by up to this fraction, in any order",
        **_between(0, 1),
    )
    lighting: float = _setting(
        0.0, "deviation of noise along the principal colours (AlexNet: 0.1)", **_between(0, 10)
    )
    random_erasing: float = _setting(
        0.0, "share of the images of which a part is covered", **_between(0, 1)
    )
    mixup: float = _setting(
        0.0,
        "mix neighbours of a batch and their labels: alpha of the Beta distribution",
        **_between(0, 100),
    )
    cutmix: float = _setting(
        0.0,
        "put a part of one image into another and mix the labels: alpha; with mixup too, "
        "either half of the time",
        **_between(0, 100),
    )

    test_crops: str = _setting(
        "center",
        "what is tested of an image: its middle, ten crops (AlexNet), 144 "
        "(GoogLeNet), or all of it (dense, VGG)",
        choices=("center", "10", "144", "dense"),
    )
    test_sizes: tuple[int, ...] = _setting(
        (),
        "shorter sides in pixels at which images are tested; none: as "
        "trained, or the paper's for the crops",
        allowed="1 to 4096 each",
        check=lambda sizes: all(1 <= size <= 4096 for size in sizes),
    )

    seed: int = _setting(
        0,
        "seed of the weights, the validation split, the order and the augmentation",
        **_between(0, 2**31 - 1),
    )
    amp: bool = _setting(False, "bf16 autocast")
    channels_last: bool = _setting(False, "channels_last memory layout")
    compile: bool = _setting(False, "torch.compile the network")
    autotune: bool = _setting(
        False,
        "try layouts and precisions (and compiling, with compile) before the first step, "
        "and keep what is fastest here; the run's recipe.toml says which",
    )
    device: str = _setting(
        "auto",
        "auto is cuda when there is one, else mps (a Mac's own GPU) when there is one, else cpu",
        choices=("auto", "cpu", "cuda", "mps"),
        runtime=True,
    )
    threads: int = _setting(
        0, "threads of the processor; 0 is one for a small network, else all", **_between(0, 1024)
    )
    workers: int = _setting(0, "processes that read images", runtime=True, **_between(0, 256))
    save_every: float = _setting(15.0, "seconds between checkpoints", runtime=True, **_at_least(0))
    timeout: float = _setting(
        600.0, "seconds that the processes of one run wait for each other", runtime=True, **POSITIVE
    )

    def __post_init__(self):
        for f in fields(self):
            value = _of_type(f, getattr(self, f.name))
            if f.metadata["path"]:
                value = os.path.expanduser(value)
            if not f.metadata["check"](value):
                raise RecipeError(
                    f"{f.name} = {value!r} is not allowed; allowed: {f.metadata['allowed']}"
                )
            object.__setattr__(self, f.name, value)
        if self.sched == "step" and not self.milestones:
            raise RecipeError("sched = 'step' needs milestones, for example milestones = [30, 60]")
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


def _of_type(f: Any, value: Any) -> Any:
    """The value as the field's type; whole numbers serve as floats and lists as tuples, nothing
    else is converted.
    """
    wanted = f.type
    if get_origin(wanted) is tuple:
        if isinstance(value, (list, tuple)) and all(
            _fits(item, get_args(wanted)[0]) for item in value
        ):
            return tuple(get_args(wanted)[0](item) for item in value)
        kind = "names" if get_args(wanted)[0] is str else "numbers"
        raise RecipeError(f"{f.name} = {value!r} must be a list of {kind}")
    if _fits(value, wanted):
        return wanted(value)
    kind = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text"}[
        wanted
    ]
    raise RecipeError(f"{f.name} = {value!r} must be {kind}")


def _fits(value: Any, wanted: type) -> bool:
    if wanted in (bool, str):
        return type(value) is wanted
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) if wanted is int else abs(value) < float("inf")
