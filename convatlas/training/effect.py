"""Which fields of a recipe have an effect, given its other fields: a recipe means what it says.

Imports no torch, and no recipe: a recipe is anything with its fields.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from convatlas.errors import RecipeError
from convatlas.settings import shown

PUBLISHED = ("mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn")
BUILT_IN = ("digits",)
Speller = Callable[[str, Any], str]


@dataclass(frozen=True)
class Use:
    """A field has an effect only where `holds`, which `decider` decides; `remedy` says with which
    values, as ("field", value) pairs to be spelled, or in words.
    """

    decider: str
    holds: Callable[[Any], bool]
    remedy: tuple = ()
    hint: str = ""


def _with(decider: str, *values: Any, hint: str = "") -> Use:
    return Use(decider, lambda recipe: getattr(recipe, decider) in values, values, hint)


_ADAPTIVE = _with("opt", "adam", "adamw", "rmsprop", "rmsprop-tf")
_CLASSES = _with("loss", "cross-entropy")
_PAIRS = Use("batch_size", lambda recipe: recipe.batch_size > 1, (2,), "images are mixed in pairs")
_PART = _with("crop", "random-resized")
_TRIED = _with("autotune", False, hint="autotune tries it by itself")
_FOLDER = Use(
    "data",
    lambda recipe: recipe.data not in (*PUBLISHED, *BUILT_IN),
    hint="it is for folders of images",
)
_NAMED = Use("data", lambda recipe: recipe.data in PUBLISHED, hint="it is for sets known by name")

USES: dict[str, tuple[Use, ...]] = {
    "data_root": (_NAMED,),
    "download": (_NAMED,),
    "bad_images": (_FOLDER,),
    "check": (_FOLDER,),
    "max_megapixels": (_FOLDER,),
    "white": (_FOLDER,),
    "missing_classes": (_FOLDER,),
    "test_from": (_FOLDER,),
    "momentum": (_with("opt", "sgd", "rmsprop", "rmsprop-tf"),),
    "nesterov": (
        _with("opt", "sgd"),
        Use("momentum", lambda recipe: recipe.momentum > 0, (0.9,)),
    ),
    "eps": (_ADAPTIVE,),
    "alpha": (_with("opt", "rmsprop", "rmsprop-tf"),),
    "decay_norm": (Use("weight_decay", lambda recipe: recipe.weight_decay > 0, (0.02,)),),
    "warmup_lr": (Use("warmup_epochs", lambda recipe: recipe.warmup_epochs > 0, (1,)),),
    "milestones": (_with("sched", "step"),),
    "gamma": (_with("sched", "step", "plateau", "exponential"),),
    "decay_epochs": (_with("sched", "exponential"),),
    "power": (_with("sched", "polynomial"),),
    "patience": (_with("sched", "plateau", hint="to end a run early, use {early_stopping}"),),
    "label_smoothing": (_CLASSES,),
    "mixup": (_CLASSES, _PAIRS),
    "cutmix": (_CLASSES, _PAIRS),
    "source": (
        Use("weights", lambda recipe: bool(recipe.weights), hint="it says whose file {weights} is"),
    ),
    "weights_ema": (
        Use(
            "weights",
            lambda recipe: bool(recipe.weights),
            hint="it says which part of {weights} is read",
        ),
    ),
    "sync_bn": (_with("freeze_bn", False),),
    "resize": (
        _with("crop", "center", "random", "random-resized", hint="{size} is the side of the input"),
    ),
    "crop_scale": (_PART,),
    "crop_ratio": (_PART,),
    "amp": (_TRIED,),
    "channels_last": (_TRIED,),
}


def as_field(name: str, value: Any = None) -> str:
    """lr = 0.1, as Python and TOML have it; without a value, the name."""
    if value is None:
        return name
    return f"{name} = {shown(list(value) if isinstance(value, tuple) else value)}"


def as_flag(name: str, value: Any = None) -> str:
    """--lr 0.1, as it is typed; without a value, the flag."""
    flag = "--" + name.replace("_", "-")
    if value is None or value is True:
        return flag
    if value is False:
        return flag.replace("--", "--no-", 1)
    typed = value if isinstance(value, tuple) else (value,)
    return " ".join([flag, *map(_typed, typed)])


def _typed(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return shown(int(value) if whole else value).strip("'") or "''"


def inert(recipe: Any, names: Iterable[str]) -> dict[str, Use]:
    """Those of the fields that have no effect whatever their value, and what each lacks."""
    found = {}
    for name in names:
        lacking = [use for use in USES.get(name, ()) if not use.holds(recipe)]
        if lacking:
            found[name] = lacking[0]
    return found


def refuse(recipe: Any, given: Iterable[str], spell: Speller = as_field) -> None:
    """Raises RecipeError for a given field that has no effect, with what would give it one."""
    for name, use in inert(recipe, given).items():
        raise RecipeError(_sentence(recipe, name, use, spell))
    if "resize" in given and len(set(recipe.resize)) == 2 and recipe.crop != "random":
        raise RecipeError(
            f"the second value of {spell('resize', recipe.resize)} has no effect with "
            f"{spell('crop', recipe.crop)}; give one value, or {spell('crop', 'random')}"
        )
    late = out_of_reach(recipe, spell)
    for name in given:
        if name in late:
            raise RecipeError(late[name])


def _sentence(recipe: Any, name: str, use: Use, spell: Speller) -> str:
    decided = spell(use.decider, getattr(recipe, use.decider))
    others = [spell(use.decider, value) for value in use.remedy if value is not False]
    offer = f", or give {' or '.join(others)}" if others else ""
    if False in use.remedy and getattr(recipe, use.decider) is True:
        offer = f", or leave {spell(use.decider)} out"
    named = {"early_stopping": spell("early_stopping", 5)}
    hint = use.hint.format(**named, size=spell("size"), weights=spell("weights"))
    return (
        f"{spell(name, getattr(recipe, name))} has no effect with {decided}; leave it out{offer}"
        f"{hint and f' ({hint})'}"
    )


def out_of_reach(recipe: Any, spell: Speller = as_field) -> dict[str, str]:
    """Fields that count more epochs than the run has, each with a sentence that says so."""
    epochs, found = recipe.epochs, {}
    run = spell("epochs", epochs)
    longer = f"lower it, or give more than {run}"
    if recipe.warmup_epochs > epochs:
        share = epochs / recipe.warmup_epochs
        found["warmup_epochs"] = (
            f"{spell('warmup_epochs', recipe.warmup_epochs)} is longer than {run}: the rate would "
            f"only rise to {share:.0%} of {spell('lr', recipe.lr)}; {longer}"
        )
    if recipe.sched == "step" and recipe.milestones and recipe.milestones[-1] >= epochs:
        found["milestones"] = (
            f"{spell('milestones', recipe.milestones)} is not reached by {run}, so the rate falls "
            f"{sum(at < epochs for at in recipe.milestones)} times only; {longer}"
        )
    if recipe.sched == "exponential" and recipe.decay_epochs >= epochs:
        found["decay_epochs"] = (
            f"{spell('decay_epochs', recipe.decay_epochs)} is not reached by {run}, so the rate "
            f"never falls; {longer}"
        )
    if recipe.sched == "plateau" and recipe.patience + 2 >= epochs:
        found["patience"] = (
            f"{spell('patience', recipe.patience)} is too long for {run}, so the rate never "
            f"falls; {longer}"
        )
    if recipe.early_stopping and recipe.early_stopping + 1 >= epochs:
        found["early_stopping"] = (
            f"{spell('early_stopping', recipe.early_stopping)} is too long for {run}, so the run "
            f"never ends early; {longer}"
        )
    return found
