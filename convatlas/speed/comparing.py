"""Whether a form answers as the network does, before its speed is of any interest."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from convatlas.deploy.proof import LIMITS, Limit, relative_error, share
from convatlas.deploy.sample_pictures import COUNT, sample_batches
from convatlas.model_file import Saved
from convatlas.speed.forms import Answer

BATCH = 16


@dataclass(frozen=True)
class Comparison:
    """A form's answers beside those of eager torch in float32."""

    pictures: int
    error: float  # largest difference of logits, relative to the largest logit
    agreement: float  # share of pictures with the same likeliest class
    limit: Limit

    @property
    def holds(self) -> bool:
        return self.is_near and self.agreement >= self.limit.agreement

    @property
    def is_near(self) -> bool:
        return self.error <= self.limit.error

    def __str__(self) -> str:
        """Which limit is missed."""
        if not self.is_near:
            return f"error {self.error:.1e} > {self.limit.error:.0e}"
        return f"same answer {100 * self.agreement:.1f} % < {100 * self.limit.agreement:.0f} %"


class Reference:
    """What a network answers to the built-in pictures, or as many of them as are asked for. Of
    drawn weights only the error counts: their classes are as close to one another as chance put
    them.
    """

    def __init__(self, saved: Saved, pictures: int = COUNT, is_drawn: bool = False):
        self.saved = saved
        self.images = _prepared(saved, pictures)
        self.is_drawn = is_drawn

    @cached_property
    def logits(self) -> np.ndarray:
        return _answers(self.saved.net, self.images)

    def compare(self, answer: Answer, precision: str) -> Comparison:
        """Of a form that counts in a precision."""
        found = _answers(answer, self.images)
        limit = LIMITS[precision]
        return Comparison(
            len(found),
            relative_error(found, self.logits),
            share(found.argmax(1) == self.logits.argmax(1)),
            replace(limit, agreement=0.0) if self.is_drawn else limit,
        )


def _prepared(saved: Saved, pictures: int) -> Tensor:
    prep = saved.preprocess
    fitted: Iterable[Tensor] = (
        image
        for batch in sample_batches()
        for image in prep.fit_images(torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous())
    )
    return prep.normalise(torch.stack([*islice(fitted, pictures)]))


def _answers(answer: Answer, images: Tensor) -> np.ndarray:
    with torch.inference_mode():
        return torch.cat([answer(part) for part in images.split(BATCH)]).numpy()
