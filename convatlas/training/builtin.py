"""The recipes that come with convatlas, by name and by what they train."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convatlas.errors import RecipeError
from convatlas.registry import require, stored_facts
from convatlas.settings import shown
from convatlas.training import effect, recipe_file
from convatlas.training.recipe import Recipe

LIGHT = 5e6  # multiply-adds for one image: the LeNets


def names() -> list[str]:
    """lenet5_mnist, resnet20_cifar10, ...: the files of convatlas/recipes without their ending."""
    return sorted(
        file.name.removesuffix(".toml")
        for file in resources.files("convatlas.recipes").iterdir()
        if file.name.endswith(".toml")
    )


def read(
    name_or_path: str,
    given: Mapping[str, Any] = MappingProxyType({}),
    spell: effect.Speller = effect.as_field,
) -> Recipe:
    """A recipe that comes with convatlas, or one in a file, with other values for the fields of
    `given`. Raises RecipeError when there is neither, or a value is not allowed or has no effect.
    """
    return Recipe.from_toml(_text(name_or_path), name_or_path, given, spell)


def written(name_or_path: str) -> dict:
    """The fields that the same recipe gives, as they stand there."""
    return recipe_file.parse(_text(name_or_path), name_or_path)


def _text(name_or_path: str) -> str:
    if name_or_path in names():
        return source(name_or_path)
    if Path(name_or_path).suffix or _exists(name_or_path):
        return recipe_file.text_of(name_or_path)
    raise RecipeError(f"{_unknown(name_or_path)} A file of your own ends in .toml")


def _exists(path: str) -> bool:
    return os.path.lexists(os.path.expanduser(path)) if "\0" not in path else False


def matching(network: str, data: str, weights: str = "") -> str | None:
    """The name of the recipe made for this network on this data; `finetune` where it begins with
    weights; else `modern`, but for light networks, which learn faster by the defaults of Recipe.
    Raises UnknownNetwork.
    """
    require(network, stored_facts())
    if weights:
        return "finetune"
    for name in names():
        made_for = about(name)
        if (made_for["network"], made_for["data"]) == (network, data):
            return name
    return "modern" if stored_facts()[network]["macs"] >= LIGHT else None


def about(name: str) -> dict:
    """For the list: {"name", "network", "data", "line"}; network and data are "" where the recipe
    serves any.
    """
    text = source(name)
    given = tomllib.loads(text)
    return {
        "name": name,
        "network": given.get("network", ""),
        "data": given.get("data", ""),
        "line": text.partition("\n")[0].removeprefix("# "),
    }


def source(name: str) -> str:
    """The file of a recipe that comes with convatlas, with its comments. Raises RecipeError when
    there is none.
    """
    if name not in names():
        raise RecipeError(_unknown(name))
    return (resources.files("convatlas.recipes") / f"{name}.toml").read_text(encoding="utf-8")


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name[:100], names(), n=3)
    offer = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names())}"
    return f"there is no recipe called {shown(name)}; {offer}"
