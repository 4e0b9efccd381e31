"""Where images come from, and how they are checked, decoded, ordered, fitted and augmented. Imports
nothing of ours but the list of augmentations.

    data = open_data("digits")                          # or a published set's name, or a folder
    prep = fit_preprocess(data, side=32)                # stored with the weights
    loader = Loader(data.train, prep, batch_size=128, seed=0, augment=Augment(shift=1))
    for x, y, indices in loader.epoch(0): ...    # y: labels, or shares of classes

What belongs here: reading, and randomness by key. What a network does with the images does not.
"""

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
