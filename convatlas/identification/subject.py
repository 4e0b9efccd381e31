"""What is to be identified: a module at hand, or a network that another process holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import nn

from convatlas.anatomy.habits import Habits
from convatlas.anatomy.steps import Walk
from convatlas.identification.running import Process
from convatlas.identification.sizes import Size, first_that_runs, sizes_of


class Subject(Protocol):
    """Gives its graph, and what it does in training only, at the first of these sizes that it runs
    on; of none, of its own. Raises IdentifyError where it runs on none.
    """

    name: str
    exported: bool  # by programs that fold norms into the layers before them

    def walk(self, sizes: Sequence[Size]) -> Walk: ...


@dataclass(frozen=True)
class Here:
    """A module of the caller's."""

    net: nn.Module
    exported = False

    @property
    def name(self) -> str:
        name = getattr(self.net, "name", "")
        return name if name and isinstance(name, str) else type(self.net).__name__

    def walk(self, sizes: Sequence[Size]) -> Walk:
        graph = first_that_runs(self.net, sizes or sizes_of(self.net))
        return Walk(graph, Habits.of(self.net, graph))


@dataclass(frozen=True)
class There:
    """One of the networks of a process."""

    process: Process
    number: int
    name: str

    @property
    def exported(self) -> bool:
        return self.process.target.kind == "onnx"

    def walk(self, sizes: Sequence[Size]) -> Walk:
        graph, habits = self.process.traced(self.number, sizes)
        return Walk(graph, habits)
