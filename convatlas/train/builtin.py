"""The recipes that come with convatlas, by name and by what they train."""
import difflib
from importlib import resources
from pathlib import Path

from convatlas.train.recipe import Recipe, RecipeError


def names() -> list[str]:
    """lenet5_mnist, resnet20_cifar10, ...: the files of convatlas/recipes without their ending."""
    return sorted(file.name.removesuffix(".toml") for file in resources.files("convatlas.recipes").iterdir()
                  if file.name.endswith(".toml"))


def read(name_or_path: str) -> Recipe:
    """A recipe that comes with convatlas, or one in a file. Raises RecipeError when there is neither."""
    if name_or_path in names():
        return _builtin(name_or_path)
    if Path(name_or_path).suffix or Path(name_or_path).exists():
        return Recipe.read(name_or_path)
    near = difflib.get_close_matches(name_or_path, names(), n=3)
    raise RecipeError(f"there is no recipe called {name_or_path!r}; "
                      + (f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names())}")
                      + " A file of your own ends in .toml")


def matching(network: str, data: str) -> str | None:
    """The name of the recipe made for this network on this data."""
    for name in names():
        recipe = _builtin(name)
        if (recipe.network, recipe.data) == (network, data):
            return name
    return None


def _builtin(name: str) -> Recipe:
    return Recipe.from_toml((resources.files("convatlas.recipes") / f"{name}.toml").read_text(encoding="utf-8"), name)
