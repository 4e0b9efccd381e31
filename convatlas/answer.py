"""What a network says of one image. Needs nothing, for exported files answer without torch."""

from dataclasses import dataclass

from convatlas.notebook import Bar, heading, paragraph, table


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes of one image, best first; or why it could not be read."""

    name: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    problem: str = ""

    def _repr_html_(self) -> str:
        if self.problem:
            return heading(self.name) + paragraph(self.problem)
        rows = zip(self.classes, map(Bar, self.probabilities), strict=True)
        return heading(self.name) + table(("class", "probability"), rows)
