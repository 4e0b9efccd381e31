"""Where images come from, and how they are checked, decoded, ordered, fitted and augmented. Imports
nothing of ours but the list of augmentations.

    data = open_data("digits")                          # or a published set's name, or a folder
    prep = fit_preprocess(data, side=32)                # stored with the weights
    loader = Loader(data.train, prep, batch_size=128, seed=0, augment=Augment(shift=1))
    for x, y, indices in loader.epoch(0): ...    # y: labels, or shares of classes

What belongs here: reading, and randomness by key. What a network does with the images does not.
Names are looked up on first use, so that an image is read without torch where none is needed.
"""

from importlib import import_module as _import
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors and type checkers see; a test holds it equal to _HOMES
    from convatlas.data.augment import Augment
    from convatlas.data.checking import Report, check_data
    from convatlas.data.folder import find_images
    from convatlas.data.image_file import read_image
    from convatlas.data.loader import Loader
    from convatlas.data.preprocess import STANDARD, Preprocess, fit_preprocess, shorter_side_at
    from convatlas.data.sources import SOURCES, open_data
    from convatlas.data.split import Data, Split
    from convatlas.data.survey import Finding, usable

__all__ = [
    "SOURCES",
    "STANDARD",
    "Augment",
    "Data",
    "Finding",
    "Loader",
    "Preprocess",
    "Report",
    "Split",
    "check_data",
    "find_images",
    "fit_preprocess",
    "open_data",
    "read_image",
    "shorter_side_at",
    "usable",
]

_HOMES = {
    "SOURCES": "sources",
    "STANDARD": "preprocess",
    "Augment": "augment",
    "Data": "split",
    "Finding": "survey",
    "Loader": "loader",
    "Preprocess": "preprocess",
    "Report": "checking",
    "Split": "split",
    "check_data": "checking",
    "find_images": "folder",
    "fit_preprocess": "preprocess",
    "open_data": "sources",
    "read_image": "image_file",
    "shorter_side_at": "preprocess",
    "usable": "survey",
}

if not TYPE_CHECKING:  # a checker that saw this would let every misspelt name pass

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.data' has no attribute {name!r}")
        return getattr(_import(f"convatlas.data.{_HOMES[name]}"), name)
