"""Weights & Biases: written into the run's folder, and sent nowhere unless WANDB_MODE says so;
`wandb sync` sends it later.
"""

import os

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # before it is imported
os.environ.setdefault("WANDB_SILENT", "true")

import wandb

from convatlas.training.trackers import PROJECT, About


class Tracker:
    def __init__(self, about: About):
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=os.environ.get("WANDB_NAME", about.name),
            id=about.run,
            resume="allow",
            dir=os.environ.get("WANDB_DIR", str(about.folder)),
            mode=os.environ.get("WANDB_MODE", "offline"),
            config=about.settings,
            settings=wandb.Settings(console="off", disable_git=True, x_disable_stats=True),
        )
        self.run.define_metric("*", step_metric="step")  # a resumed run may go back in it

    def log(self, step: int, values: dict[str, float]) -> None:
        self.run.log({"step": step, **values})

    def result(self, values: dict[str, float]) -> None:
        self.run.summary.update(values)

    def close(self, done: bool) -> None:
        self.run.finish(exit_code=0 if done else 1)
