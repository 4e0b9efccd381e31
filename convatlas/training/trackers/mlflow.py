"""MLflow: where MLFLOW_TRACKING_URI says, else a database in the run's folder."""

import os
import time

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before it is imported
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from convatlas.training.trackers import PROJECT, About

TAG = "convatlas.run"
LONGEST = 500  # letters of a parameter; MLflow refuses longer ones
AT_ONCE = 100  # parameters; MLflow takes no more
WAITING = 500  # metrics, which go together: each transaction waits for the disk


class Tracker:
    def __init__(self, about: About):
        here = f"sqlite:///{about.folder / 'mlflow.db'}"
        self.client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or here)
        self.waiting: list[Metric] = []
        self.step = about.step
        experiment = self._experiment(about)
        found = self.client.search_runs([experiment], f"tags.`{TAG}` = '{about.run}'")
        if found:
            self.run = found[0].info.run_id
            self.client.update_run(self.run, status="RUNNING")
            return
        tags = {TAG: about.run}
        self.run = self.client.create_run(experiment, tags=tags, run_name=about.name).info.run_id
        params = [Param(name, str(value)[:LONGEST]) for name, value in about.settings.items()]
        for start in range(0, len(params), AT_ONCE):
            self.client.log_batch(self.run, params=params[start : start + AT_ONCE])

    def _experiment(self, about: About) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        if found := self.client.get_experiment_by_name(name):
            return found.experiment_id
        if os.environ.get("MLFLOW_TRACKING_URI"):
            return self.client.create_experiment(name)
        return self.client.create_experiment(name, (about.folder / "mlruns").as_uri())

    def log(self, step: int, values: dict[str, float]) -> None:
        now, self.step = int(1000 * time.time()), step
        self.waiting += [Metric(name, value, now, step) for name, value in values.items()]
        if "epoch" in values or len(self.waiting) >= WAITING:
            self._send()

    def result(self, values: dict[str, float]) -> None:
        self.log(self.step, values)

    def close(self, done: bool) -> None:
        self._send()
        self.client.set_terminated(self.run, "FINISHED" if done else "KILLED")

    def _send(self) -> None:
        waiting, self.waiting = self.waiting, []
        if waiting:
            self.client.log_batch(self.run, metrics=waiting)
