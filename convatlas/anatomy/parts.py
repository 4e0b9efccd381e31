"""How the modules of a network nest: stages, and the units in them, each with its steps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter

from convatlas.anatomy.steps import Step, Walk


@dataclass(frozen=True)
class Part:
    """A stage, a unit, or what the network itself does between its stages (path "")."""

    path: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @cached_property
    def told(self) -> Sequence[Step]:
        """The steps that say what this is: norms and activations only where there
        is nothing else.
        """
        return [
            step for step in self.steps if step.family not in ("norm", "activation")
        ] or self.steps

    @cached_property
    def kinds(self) -> set[str]:
        return {step.kind for step in self.told}

    @cached_property
    def bags(self) -> tuple[dict[object, float], dict[object, float]]:
        """The steps, exactly, and by kind and kernel, as shares."""
        return tuple(
            {key: count / len(self.told) for key, count in Counter(map(key_of, self.told)).items()}
            for key_of in (attrgetter("like"), attrgetter("kind", "kernel"))
        )


def shared(here: Mapping[object, float], there: Mapping[object, float]) -> float:
    """What two bags have in common. Added one by one: sum() rounds otherwise from Python 3.12 on,
    and a browser as this does.
    """
    total = 0.0
    for key, share in here.items():
        total += min(share, there.get(key, 0))
    return total


def stages_of(walk: Walk) -> list[Part]:
    def stage(step: Step) -> str:
        path, _, rest = step.name.partition(".")
        while path in walk.habits.opened and rest:
            head, _, rest = rest.partition(".")
            path = f"{path}.{head}"
        return path

    return [Part(path, tuple(steps)) for path, steps in groupby(walk.steps, key=stage)]


def units_of(stage: Part) -> list[Part]:
    def unit(step: Step) -> str:
        return ".".join(step.name.split(".")[: stage.path.count(".") + 2])

    return [Part(path, tuple(steps)) for path, steps in groupby(stage.steps, key=unit)]


def unit_of(walk: Walk) -> dict[int, str]:
    return {
        id(step): unit.path
        for stage in stages_of(walk)
        for unit in (units_of(stage) if stage.path in walk.habits.stacks else [stage])
        for step in unit.steps
    }


def within(name: str, unit: str) -> str:
    """The path of a module inside its unit; "" is the unit itself."""
    return "" if name == unit else name.removeprefix(f"{unit}.")
