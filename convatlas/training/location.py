"""Where a run's images and starting weights lie: recorded absolutely, and found again where they,
or the run, moved.
"""

import os
from pathlib import Path

from convatlas.data import SOURCES
from convatlas.errors import RunError
from convatlas.object_store import is_remote
from convatlas.training.recipe import Recipe


def is_folder(data: str) -> bool:
    """Whether the data of a recipe is a folder rather than a set with a name."""
    return data not in SOURCES


def located(recipe: Recipe) -> Recipe:
    """The same recipe with the places that it uses spelled absolutely, so that they can be told
    from any other folder.
    """
    places = {}
    if is_folder(recipe.data) and os.path.isdir(recipe.data):
        places["data"] = os.path.abspath(recipe.data)
    if not is_folder(recipe.data) and recipe.data != "digits":
        places["data_root"] = os.path.abspath(recipe.data_root)
    if os.path.isfile(recipe.weights) and recipe.weights != "torchvision":
        places["weights"] = os.path.abspath(recipe.weights)
    return recipe.change(**places)


def with_places_of(recorded: Recipe, asked: Recipe) -> Recipe:
    """`asked`, with the recorded spelling of what may lie elsewhere by now: a folder of images,
    which its fingerprint proves, and the same file of weights.
    """
    places = {}
    if is_folder(recorded.data) and is_folder(asked.data):
        places["data"] = recorded.data
    if recorded.weights and os.path.abspath(recorded.weights) == os.path.abspath(asked.weights):
        places["weights"] = recorded.weights
    return asked.change(**places)


def on_this_machine(agreed: Recipe, own: Recipe, recorded: Recipe | None) -> Recipe:
    """The recipe that the first process found, with the places that another process was given: its
    machine may keep the same images elsewhere.
    """
    kept = ["data_root", "weights"]
    if recorded is None or own.data != recorded.data:
        kept.append("data")
    places = {name: getattr(located(own), name) for name in kept}
    return agreed.change(
        **{name: place for name, place in places.items() if place != getattr(agreed, name)}
    )


def found_again(recorded: Recipe, asked: Recipe, run: Path) -> Recipe:
    """`asked`, with the folder of images that was typed, or the recorded one where it still is.

    Older runs recorded it as it was typed: it is looked for from here, then from the run's folder
    upwards. RunError, saying what to type, where it is gone.
    """
    if not is_folder(asked.data) or is_remote(asked.data):
        return asked
    places = [Path(asked.data)]
    if asked.data == recorded.data and not places[0].is_absolute():
        places += [above / asked.data for above in run.absolute().parents]
    for place in places:
        if place.is_dir():
            return asked.change(data=os.path.abspath(place))
    if asked.data != recorded.data:
        return asked  # whoever opens it says what is wrong with it
    raise RunError(
        f"the images of the run in {run} were in {recorded.data!r}, which is not there; say where "
        "they are now with --data FOLDER (in Python, data=FOLDER)"
    )
