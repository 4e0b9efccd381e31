"""What a network says of one image. Imports nothing, for exported files answer without torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes of one image, best first; or why it could not be read."""

    name: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    problem: str = ""
