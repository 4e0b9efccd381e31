"""From what was typed to recipes: the fields to vary and their values, and the recipe of each
network on each data set in each setting. Imports no torch.
"""

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, get_origin

from convatlas.errors import RecipeError
from convatlas.settings import shown
from convatlas.study.plan import Asked
from convatlas.training import builtin, effect
from convatlas.training.recipe import DECIDING, DEFAULTS, Recipe

RECIPE = "recipe"  # what may be varied besides fields: whole recipes, by name or file
NEVER = {  # fields that cannot be chosen by validation, and why
    "network": "networks stand before the flags",
    "data": "data sets are what --data takes, one or more",
    "seed": "--seeds says how many there are",
    "val_fraction": "it changes the images that the choice is made by",
    "test_from": "it changes the images that the choice is made by",
    "missing_classes": "it changes the images that the choice is made by",
    "bad_images": "it changes the images that the choice is made by",
    "max_megapixels": "it changes the images that the choice is made by",
    "test_crops": "only the test images are looked at so, and these choose nothing",
    "test_sizes": "only the test images are looked at so, and these choose nothing",
}
SEVERAL = tuple(f.name for f in fields(Recipe) if get_origin(f.type) is tuple)
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def values_of(texts: Iterable[str]) -> dict[str, list]:
    """lr=1e-3,3e-3 as {"lr": [1e-3, 3e-3]}. RecipeError for what cannot be varied."""
    found: dict[str, list] = {}
    for text in texts:
        name, equals, listed = text.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not equals:
            raise RecipeError(
                f"--vary takes a field and its values, as in lr=1e-3,3e-3, not {shown(text)}"
            )
        if name in found:
            raise RecipeError(f"--vary gives {name} twice; put all its values into one list")
        require_variable(name)
        found[name] = [_value(name, word.strip()) for word in listed.split(",")]
    require_several(found)
    return found


def require_variable(name: str) -> None:
    """RecipeError where validation cannot choose among values of this field."""
    known = [RECIPE, *(field for field in DECIDING if field not in NEVER and field not in SEVERAL)]
    if name in known:
        return
    if name in NEVER:
        raise RecipeError(f"--vary cannot take {name}: {NEVER[name]}")
    if name in SEVERAL:
        raise RecipeError(
            f"--vary cannot take {name}, whose every value is a list; write one recipe for each, "
            "and give --vary recipe=ONE.toml,OTHER.toml"
        )
    if name in DEFAULTS:
        raise RecipeError(f"--vary cannot take {name}, which does not change the result")
    near = difflib.get_close_matches(name[:200], known, n=1)
    offer = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"
    raise RecipeError(f"there is no field {shown(name)} to vary; {offer}")


def require_several(vary: Mapping[str, list]) -> None:
    """RecipeError where there is nothing to choose, or twice the same."""
    for name, values in vary.items():
        if len(values) < 2:
            raise RecipeError(
                f"--vary {name} has one value; give several, or the one as {effect.as_flag(name)}"
            )
        if len(set(values)) < len(values):
            raise RecipeError(f"--vary {name} has the same value twice: {shown(values)}")


def _value(name: str, word: str) -> Any:
    kind = str if name == RECIPE else type(DEFAULTS[name])
    try:
        if kind is bool:
            return WORDS[word.lower()]
        return kind(word)
    except (ValueError, KeyError):
        wanted = {int: "whole numbers", float: "numbers", bool: "true or false"}[kind]
        raise RecipeError(f"--vary {name} takes {wanted}, not {shown(word)}") from None


def settings_of(asked: Asked) -> Iterator[dict[str, Any]]:
    """Every combination of the values; one that is empty where nothing varies."""
    for values in itertools.product(*asked.vary.values()):
        yield dict(zip(asked.vary, values, strict=True))


def recipe_of(
    asked: Asked,
    network: str,
    place: str,
    setting: Mapping[str, Any],
    spell: effect.Speller = effect.as_flag,
) -> Recipe:
    """The recipe with which `convatlas train` would train this network on these images, with seed
    0, changed by the setting. RecipeError or UnknownNetwork where there is none.
    """
    changes = {name: value for name, value in setting.items() if name != RECIPE}
    given = {**asked.given, **changes, "network": network, "data": place, "seed": 0}
    name = setting.get(RECIPE) or asked.recipe or _matching(asked, network, place)
    recipe = builtin.read(name, given, spell) if name else Recipe().merge(given, spell)
    if recipe.remote_sync:
        raise RecipeError(
            "remote_sync is the place of one run, and a study has many; leave it out of the recipe"
        )
    return recipe if recipe.threads else recipe.change(threads=1)


def said(setting: Mapping[str, Any]) -> str:
    """A setting in words: "lr = 0.001, ema = 0.9"; "" where nothing varies."""
    return ", ".join(effect.as_field(name, value) for name, value in setting.items())


def _matching(asked: Asked, network: str, place: str) -> str | None:
    return builtin.matching(network, place, str(asked.given.get("weights", "")))


def recipes_said(asked: Asked) -> list[str]:
    """By which recipe each network is trained: "lenet5 by lenet5_digits"."""
    if asked.recipe or RECIPE in asked.vary:
        return [f"all by {asked.recipe or ' or '.join(asked.vary[RECIPE])}"]
    return [
        f"{network} by {' or '.join(dict.fromkeys(names))}"
        for network in asked.networks
        for names in [
            [_matching(asked, network, images.place) or "the defaults" for images in asked.data]
        ]
    ]
