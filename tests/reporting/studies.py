"""Studies whose truth is known: each answer is wrong where a sum of normal numbers is large enough.

What is in the sum: how hard the picture is for all networks, how hard for this one, how well this
training went, and what is left to chance.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from convatlas.reporting.verdicts import Results

SHARED = 1.5  # the standard deviation of how hard pictures are for all


@dataclass(frozen=True)
class Luck:
    own: float  # standard deviations: of how hard pictures are for one network alone
    training: float  # of how well a training goes, on all pictures alike
    rest: float  # of what is left

    def study(
        self,
        draw: np.random.Generator,
        errors: list[float],
        seeds: int,
        pictures: int,
        answers: bool = True,
    ) -> list[Results]:
        """Networks with these true mean errors, called n0, n1, ..."""
        k = len(errors)
        total = (SHARED**2 + self.own**2 + self.training**2 + self.rest**2) ** 0.5
        hard = SHARED * draw.normal(size=pictures)
        hard = hard + self.own * draw.normal(size=(k, 1, pictures))
        hard = hard + self.training * draw.normal(size=(k, seeds, 1))
        hard = hard + self.rest * draw.normal(size=(k, seeds, pictures))
        wrong = hard > total * norm.isf(errors)[:, None, None]
        return [
            Results(f"n{i}", tuple(range(seeds)), w.mean(axis=1), pictures, w if answers else None)
            for i, w in enumerate(wrong)
        ]


LUCKS = {  # which kind of luck is greatest
    "rest": Luck(own=0.1, training=0.02, rest=1.0),
    "pictures": Luck(own=1.0, training=0.02, rest=0.3),
    "training": Luck(own=0.1, training=0.3, rest=0.3),
    "all": Luck(own=0.7, training=0.1, rest=0.7),
}
