"""A folder's first look leaves its images in memory: what was decoded to see whether it can be is
not decoded again.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convatlas.data import image_cache
from convatlas.data.neighbours import neighbours
from convatlas.data.preprocess import Preprocess
from convatlas.data.readers import forks
from convatlas.data.split import Data, FileSplit
from convatlas.data.survey import LAZY_ABOVE, is_known


@dataclass(frozen=True)
class FirstLook:
    """Puts each image where training will look for it; called in the processes that decode."""

    prep: Preprocess
    images: Tensor  # of train, val and test, one after the other
    there: Tensor

    def __call__(self, i: int, pixels: np.ndarray) -> None:
        self.images[i] = self.prep.fit_image(torch.from_numpy(pixels))
        self.there[i] = 1


def is_due(data: Data, check: str) -> bool:
    """Whether all images are about to be looked at, and some for the first time: the same answer in
    all processes that prepare the set together.
    """
    if check not in ("auto", "all") or not isinstance(data.train, FileSplit) or not forks():
        return False
    parts = [data.train, data.val, data.test]
    if check == "auto" and sum(map(len, parts)) > LAZY_ABOVE:
        return False
    everything = FileSplit.joined(parts)
    return any(neighbours().say("" if is_known(everything) else "some are new"))


def first_look(data: Data, prep: Preprocess | None) -> FirstLook | None:
    """For `usable` to give to; None where memory does not hold the set, or where one of the
    processes that prepare it together, each of which calls this, does not know how images are
    fitted.
    """
    said = neighbours().say(repr(prep))
    if prep is None or said != [said[0]] * len(said):
        return None
    memory = image_cache.begin([data.train, data.val, data.test], prep)
    return FirstLook(prep, *memory) if memory else None
