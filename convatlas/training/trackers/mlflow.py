"""MLflow: where MLFLOW_TRACKING_URI says, else in the run's folder."""

import os
import time

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from convatlas.training.trackers import PROJECT, About

TAG = "convatlas.run"
LONGEST = 500  # letters of a parameter; MLflow refuses longer ones
AT_ONCE = 100  # parameters; MLflow takes no more


class Tracker:
    def __init__(self, about: About):
        place = os.environ.get("MLFLOW_TRACKING_URI") or (about.folder / "mlruns").as_uri()
        self.client = MlflowClient(place)
        experiment = self._experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT))
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

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        return found.experiment_id if found else self.client.create_experiment(name)

    def log(self, step: int, values: dict[str, float]) -> None:
        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        self.client.log_batch(self.run, metrics=metrics)

    def result(self, values: dict[str, float]) -> None:
        self.log(0, values)

    def close(self, done: bool) -> None:
        self.client.set_terminated(self.run, "FINISHED" if done else "KILLED")
