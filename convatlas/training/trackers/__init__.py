"""Trackers: programs that keep the curves of many runs and show them side by side. `--log-to` names
the ones that a run tells what it does.

Each has a file here with one class, `Tracker`, which is made with an `About` once the run begins,
and has log(step, values), result(values) and close(done). The library is imported by that file
alone, and each is an extra of its own. None of them decides anything: training/tracking.py sees to
it that no failure of theirs reaches the run.
"""

from dataclasses import dataclass
from pathlib import Path

NAMES = ("tensorboard", "wandb", "mlflow", "trackio")
PROJECT = "convatlas"  # where the tracker has projects or experiments and nobody named one


@dataclass(frozen=True)
class About:
    """What a tracker is told of a run when it begins."""

    folder: Path
    run: str  # the run's own identifier, the same after a resume
    step: int  # the step at which it goes on: 0 for a new run
    settings: dict  # the recipe and what it was applied to, as plain JSON

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.folder.absolute().name
