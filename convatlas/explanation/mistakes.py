"""The worst mistakes of a network on a set: the wrong answers of which it was most certain."""

from dataclasses import dataclass

import numpy as np
import torch

from convatlas.data import Split
from convatlas.errors import InputError
from convatlas.explanation.colours import as_picture
from convatlas.explanation.explaining import GRADCAM, as_input, maps_of, require_method
from convatlas.explanation.neighbours import answers
from convatlas.model_file import Saved


@dataclass(frozen=True, eq=False)
class Likeness:
    """The picture of the true class, answered rightly, that is nearest to a mistake."""

    name: str
    picture: np.ndarray  # uint8 (H, W, 3)
    cosine: float  # between the embeddings before the classifier


@dataclass(frozen=True, eq=False)
class Mistake:
    """One picture that a network takes for something else."""

    index: int  # in the set
    name: str
    truth: int
    answer: int
    confidence: float  # the probability of the answer
    truth_probability: float
    picture: np.ndarray  # uint8 (H, W, 3), as the network saw it
    answer_heat: np.ndarray  # float32 (H, W) in [0, 1]: what speaks for the answer
    truth_heat: np.ndarray  # and for the true class
    right: Likeness | None  # None where no picture of the true class was answered rightly


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The worst mistakes, the most certain first, of so many wrong answers on so many pictures."""

    worst: tuple[Mistake, ...]
    wrong: int
    count: int


def worst_mistakes(
    saved: Saved,
    split: Split,
    count: int = 9,
    method: str = GRADCAM,
    layer: str | None = None,
    workers: int = 0,
) -> Mistakes:
    """The `count` wrong answers on `split` with the highest probability; `method` and `layer` as
    `explain` takes them.

    Raises InputError for a count below 1, DataError for pictures that cannot be read.
    """
    if count < 1:
        raise InputError(f"the number of mistakes must be 1 or more, not {count}")
    require_method(saved, method, layer)
    parts = list(answers(saved, split, workers))
    read, shares, labels = (torch.cat(each) for each in zip(*parts, strict=True))
    confidences, answered = shares.max(1)
    wrong = (answered != labels).nonzero().flatten()
    order = confidences[wrong].argsort(descending=True, stable=True)[:count]
    directions = torch.nn.functional.normalize(read, dim=1)
    found = []
    for index in wrong[order].tolist():
        truth, answer = int(labels[index]), int(answered[index])
        right = ((labels == truth) & (answered == truth)).nonzero().flatten()
        fitted = split.fitted(torch.tensor([index]), saved.preprocess)
        x = as_input(saved, fitted)
        heats = [
            maps_of(saved, x, method, number, layer).heat(tuple(fitted.shape[2:]))[0]
            for number in (answer, truth)
        ]
        found.append(
            Mistake(
                *(index, split.names[index], truth, answer),
                *(float(confidences[index]), float(shares[index, truth])),
                *(as_picture(fitted[0].numpy()), *heats),
                _nearest_of(saved, split, directions, index, right),
            )
        )
    return Mistakes(tuple(found), len(wrong), len(labels))


def _nearest_of(
    saved: Saved, split: Split, directions: torch.Tensor, index: int, among: torch.Tensor
) -> Likeness | None:
    if not len(among):
        return None
    cosines = directions[among] @ directions[index]
    best = int(cosines.argmax())
    number = int(among[best])
    fitted = split.fitted(torch.tensor([number]), saved.preprocess)
    return Likeness(split.names[number], as_picture(fitted[0].numpy()), float(cosines[best]))
