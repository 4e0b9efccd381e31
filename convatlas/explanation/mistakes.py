"""The worst mistakes of a network on a set: the wrong answers of which it was most certain."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cosine_similarity

from convatlas.data import Split
from convatlas.errors import InputError
from convatlas.explanation.colours import as_picture
from convatlas.explanation.explaining import GRADCAM, as_input, maps_of, require_method
from convatlas.explanation.neighbours import Answers, answers
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
    seen = Answers(*(torch.cat(each) for each in zip(*parts, strict=True)))
    confidences, answered = seen.shares.max(1)
    wrong = (answered != seen.labels).nonzero().flatten()
    order = confidences[wrong].argsort(descending=True, stable=True)[:count]
    worst = [_mistake(saved, split, seen, index, method, layer) for index in wrong[order].tolist()]
    return Mistakes(tuple(worst), len(wrong), len(split))


def _mistake(
    saved: Saved, split: Split, seen: Answers, index: int, method: str, layer: str | None
) -> Mistake:
    """One of them, with its picture and maps; `seen` is what was answered on all of the set."""
    shares = seen.shares[index]
    truth, answer = int(seen.labels[index]), int(shares.argmax())
    fitted = split.fitted(torch.tensor([index]), saved.preprocess)
    x = as_input(saved, fitted)
    heats = [
        maps_of(saved, x, method, number, layer).heat(tuple(fitted.shape[2:]))[0]
        for number in (answer, truth)
    ]
    return Mistake(
        *(index, split.names[index], truth, answer),
        *(float(shares[answer]), float(shares[truth])),
        *(as_picture(fitted[0].numpy()), *heats),
        _nearest_right(saved, split, seen, index, truth),
    )


def _nearest_right(
    saved: Saved, split: Split, seen: Answers, index: int, truth: int
) -> Likeness | None:
    """The nearest picture of a class among those that were answered rightly."""
    right = (seen.labels == truth) & (seen.shares.argmax(1) == truth)
    among = right.nonzero().flatten()
    if not len(among):
        return None
    cosines = cosine_similarity(seen.read[among], seen.read[index : index + 1])
    best = int(cosines.argmax())
    number = int(among[best])
    fitted = split.fitted(torch.tensor([number]), saved.preprocess)
    return Likeness(split.names[number], as_picture(fitted[0].numpy()), float(cosines[best]))
