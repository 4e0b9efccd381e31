"""Trackio: a database where TRACKIO_DIR says, else in its usual place; `trackio show` opens it."""

import os

import trackio

from convatlas.training.trackers import PROJECT, About


class Tracker:
    def __init__(self, about: About):
        self.run = trackio.init(
            project=os.environ.get("TRACKIO_PROJECT", PROJECT),
            name=f"{about.name}-{about.run[:6]}",
            resume="allow",
            config=about.settings,
            embed=False,
        )

    def log(self, step: int, values: dict[str, float]) -> None:
        self.run.log(values, step=step)

    def result(self, values: dict[str, float]) -> None:
        self.run.log(values)

    def close(self, done: bool) -> None:
        self.run.finish()
