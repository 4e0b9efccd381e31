"""The pictures of a set that a network takes for most alike, by what its classifier reads."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from convatlas.data import Loader, Split
from convatlas.errors import InputError
from convatlas.explanation.explaining import as_input
from convatlas.explanation.inside import answer
from convatlas.model_file import Saved

BATCH = 256


class Neighbours(NamedTuple):
    """For each of N pictures the nearest of a set, nearest first."""

    indices: np.ndarray  # int64 (N, count), in the set
    cosines: np.ndarray  # float32 (N, count): 1 for the same direction of the embedding


def nearest(
    saved: Saved, fitted: Tensor, split: Split, count: int = 5, workers: int = 0
) -> Neighbours:
    """The `count` pictures of `split` nearest to each of `fitted`, uint8 (N, C, side, side) as
    `saved.preprocess` fits them: by the cosine between the embeddings before the classifier.

    Where two are equally near, the earlier comes first. Raises InputError for a count below 1,
    DataError for pictures of the set that cannot be read.
    """
    if count < 1:
        raise InputError(f"the number of nearest pictures must be 1 or more, not {count}")
    asked = _directions(answer(saved.net, as_input(saved, fitted))[0])
    cosines = torch.cat(
        [asked @ _directions(batch.read).T for batch in answers(saved, split, workers)], 1
    )
    order = cosines.sort(dim=1, descending=True, stable=True)
    return Neighbours(
        order.indices[:, :count].numpy(),
        order.values[:, :count].numpy(),
    )


class Answers(NamedTuple):
    """What a network says of a batch of a set."""

    read: Tensor  # float32 (N, features): what the classifier reads
    shares: Tensor  # float64 (N, classes): probabilities
    labels: Tensor  # int64 (N,)


def answers(saved: Saved, split: Split, workers: int = 0) -> Iterator[Answers]:
    """Every picture of a set once, in its order."""
    device = next(saved.net.parameters()).device
    for x, labels, _ in Loader(split, saved.preprocess, BATCH, workers=workers).all():
        with torch.inference_mode():
            read, logits = answer(saved.net, x.to(device))
        yield Answers(read.cpu(), logits.cpu().double().softmax(1), labels)


def _directions(embeddings: Tensor) -> Tensor:
    """Of length 1; 0 stays 0."""
    return torch.nn.functional.normalize(embeddings.float().cpu(), dim=1)
