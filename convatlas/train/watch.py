"""What a run tells whoever looks on. The command line prints it; the default listens to nothing."""
from convatlas.train.session import Progress


class Watcher:
    def begin(self, facts: dict) -> None:
        """Once: folder, network, params, device, processes, batch_size (of a step, over all processes), classes,
        pictures in each split, steps_per_epoch, epochs, resumed.
        """

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        """After each step: how far, this batch's loss, the learning rate."""

    def epoch(self, record: dict) -> None:
        """After each validation: the line that was written to log.jsonl."""

    def warn(self, text: str) -> None:
        """Something went wrong that the run survives."""

    def end(self, metrics: dict) -> None:
        """Once, with what metrics.json holds."""
