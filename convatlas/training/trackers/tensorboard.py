"""TensorBoard's event files, in the run's folder: `tensorboard --logdir runs` shows all runs."""

from torch.utils.tensorboard import SummaryWriter

from convatlas import strict_json
from convatlas.training.trackers import About


class Tracker:
    def __init__(self, about: About):
        # what a killed run told of steps that are done again is not shown twice
        again = about.step + 1 if about.step else None
        self.writer = SummaryWriter(str(about.folder / "tensorboard"), purge_step=again)
        self.step = about.step
        text = strict_json.dumps(about.settings, indent=1)
        self.writer.add_text("recipe", "".join(f"    {line}\n" for line in text.splitlines()))

    def log(self, step: int, values: dict[str, float]) -> None:
        self.step = step
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def result(self, values: dict[str, float]) -> None:
        self.log(self.step, values)

    def close(self, done: bool) -> None:
        self.writer.close()
