"""A run from its recipe to its folder: open or resume, train, pick by validation, test once, write what it found."""
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from convatlas.data import Feed
from convatlas.evaluate import Evaluation, Views, evaluate
from convatlas.saved import describe_model, weights_file
from convatlas.train import plots
from convatlas.train.checkpoint import Checkpoint, CheckpointError, load_newest, remove_leftovers, save_step, steps
from convatlas.train.fastest import Trials, form_of, try_forms, with_form
from convatlas.train.fine_tune import start_from
from convatlas.train.folder import RunError, RunFolder, default_path
from convatlas.train.forecast import Forecast, forecast
from convatlas.train.prepare import Prepared, device_of, device_type, macs, prepare, threads, views_of
from convatlas.train.processes import LAUNCHER_GRACE, Processes, processes, were_launched
from convatlas.train.provenance import provenance
from convatlas.train.recipe import Recipe, differences
from convatlas.train.session import Session
from convatlas.train.stop import StopRequest
from convatlas.train.watch import Watcher

FAILED_SAVES = 3            # in a row, then the run stops: its work could no longer be kept
SAVING_SHARE = 20           # a save may take one part in this many of the time between saves


class Stopped(Exception):
    """A signal asked the run to leave; it has saved, and can be resumed."""


def train(recipe: Recipe, output: str | Path | None = None, resume: bool = False,
          watcher: Watcher | None = None) -> dict:
    """Run the recipe in the folder `output` (default: runs/DATE-network-data); returns what metrics.json holds.

    With `resume`, a folder that holds a run is continued from its newest good checkpoint, to the same bits as if it
    had never stopped. Raises RunError, CheckpointError, DataError, UnknownNetwork or Stopped.
    """
    kind = device_type(recipe)
    with processes(recipe.timeout, kind) as team:
        watching = watcher if watcher and team.is_first else Watcher()
        ready = team.together(lambda: prepare(recipe, team, watching.checking))     # a wrong name leaves no folder
        path = _path(recipe, output, team)
        start = team.from_first(lambda: _start(recipe, ready, path))
        with ExitStack() as stack:
            folder = team.together(lambda: stack.enter_context(RunFolder(path, is_writer=team.is_first)))
            stack.enter_context(threads(recipe))
            stop = stack.enter_context(StopRequest(LAUNCHER_GRACE if were_launched() else 0.0))
            recipe, trials = team.from_first(lambda: _settle(recipe, ready, folder, device_of(kind, team)))
            run = _Run(recipe, folder, ready, team, stop, watching)
            if trials:
                watching.tried(trials)
            run.session.start = start
            for text in _warnings(recipe, ready):
                watching.warn(text)
            finished = run.open(resume or team.restarts > 0)
            metrics = finished if finished else run.go()
            run.watcher.end(metrics)
    return metrics


def _path(recipe: Recipe, output: str | Path | None, team: Processes) -> Path:
    """The run's folder, one for all processes and for all their restarts."""
    if output:
        return Path(output)
    return Path(team.remembered("folder", lambda: str(default_path(recipe))))


def _settle(recipe: Recipe, ready: Prepared, folder: RunFolder, device: torch.device) -> tuple[Recipe, Trials | None]:
    """The recipe with the fastest form where that is asked for: found now, or when the run began."""
    if not recipe.fastest:
        return recipe, None
    if folder.holds_a_run:
        return with_form(recipe, form_of(folder.recipe())), None
    trials = try_forms(recipe, ready.net, ready.train, macs(recipe, ready.prep.side), device)
    return with_form(recipe, trials.winner), trials


def _start(recipe: Recipe, ready: Prepared, path: Path) -> dict:
    """The recipe's weights, where it names some and there is no checkpoint to go on from."""
    if not recipe.weights or steps(path / "checkpoints"):
        return {}
    return start_from(ready.net, recipe.weights)


def _warnings(recipe: Recipe, ready: Prepared) -> Iterator[str]:
    """What a person should know before the first step."""
    cores = os.cpu_count() or 1
    if recipe.workers > cores:
        yield f"{recipe.workers} workers read pictures; more than this machine's cores, {cores}, gain nothing"
    for found in ready.skipped:
        yield f"skipped: {found.file!r} {found.problem}"


class _Run:
    def __init__(self, recipe: Recipe, folder: RunFolder, ready: Prepared, team: Processes, stop: StopRequest,
                 watcher: Watcher):
        self.recipe, self.folder, self.ready, self.team = recipe, folder, ready, team
        self.data, self.stop, self.watcher = ready.data, stop, watcher
        team.asked = lambda: bool(stop.name)
        self.session = Session(recipe, ready.net, len(ready.train), device_of(device_type(recipe), team), team)
        self.saved_at, self.failed_saves, self.last_save_took = time.monotonic(), 0, 0.0

    def about(self) -> dict:
        """What must be the same for a run to be continued."""
        return {"network": self.recipe.network, "classes": list(self.data.classes), "data": self.data.fingerprint}

    def open(self, resume: bool) -> dict | None:
        """A new folder, or the state of an old one; the metrics where the run had already finished."""
        metrics, checkpoint = self.team.from_first(lambda: self._find(resume))
        if metrics:
            return metrics
        if checkpoint:
            self.session.restore(checkpoint)
        if self.team.is_first:
            self.folder.write("recipe.toml", self.recipe.to_toml())
            self.folder.cut_log(self.session.progress.log_length)
        self._announce(resumed=bool(checkpoint))
        return None

    def _find(self, resume: bool) -> tuple[dict | None, Checkpoint | None]:
        """What a finished run found, or the newest good checkpoint of an unfinished one."""
        folder = self.folder
        if folder.holds_a_run and not resume:
            raise RunError(f"{folder.path} already holds a run; continue it with --resume {folder.path}, or choose "
                           f"another folder with --output")
        if folder.holds_a_run and (changed := differences(folder.recipe(), self.recipe)):
            raise RunError(f"the run in {folder.path} was begun with another recipe ({'; '.join(changed)}); continue "
                           f"it without these flags, or begin another with --output")
        if folder.is_finished:
            return json.loads((folder.path / "metrics.json").read_text()), None
        remove_leftovers(folder.checkpoints)
        checkpoint = load_newest(folder.checkpoints, self.watcher.warn) if folder.holds_a_run else None
        if checkpoint:
            self._check_same(checkpoint.state["about"])
        elif folder.holds_a_run:
            self.watcher.warn(f"{folder.path} was stopped before its first checkpoint; it begins at step 0")
        return None, checkpoint

    def _check_same(self, before: dict) -> None:
        now = self.about()
        if before["classes"] != now["classes"]:
            raise RunError(f"the run in {self.folder.path} was begun with {len(before['classes'])} classes "
                           f"({', '.join(before['classes'])}), and {self.recipe.data} now has {len(now['classes'])} "
                           f"({', '.join(now['classes'])}); restore the data, or begin another run with --output")
        if before["data"] != now["data"]:
            raise RunError(f"the pictures of {self.recipe.data} changed since the run in {self.folder.path} began; "
                           f"restore them, or begin another run with --output")

    def _announce(self, resumed: bool) -> None:
        data, net = self.data, self.session.net
        pictures = {name: len(getattr(data, name)) for name in ("train", "val", "test")}
        self.watcher.begin({
            "folder": str(self.folder.path), "network": self.recipe.network, "data": data.name,
            "params": sum(p.numel() for p in net.parameters()), "device": str(self.session.device),
            "processes": self.team.size, "batch_size": self.ready.per_step,
            "classes": data.classes, "channels": data.channels, "side": self.ready.prep.side,
            "epochs": self.recipe.epochs, "pictures": pictures, "counts": data.counts(),
            "fingerprint": data.fingerprint, "ignored": len(data.ignored), "skipped": len(self.ready.skipped),
            "smallest": net.smallest, "forecast": self._forecast(pictures),
            "steps_per_epoch": len(self.ready.train), "step": self.session.progress.step, "resumed": resumed})

    def _forecast(self, pictures: dict[str, int]) -> Forecast | None:
        return forecast(self.recipe, self.session.net, self.ready.train, pictures,
                        macs(self.recipe, self.ready.prep.side), self.session.device,
                        self.recipe.epochs - self.session.progress.epoch, self.team)

    def go(self) -> dict:
        session = self.session
        while session.progress.epoch < self.recipe.epochs:
            self._train_epoch()
            self._end_epoch()
        self._save()
        return self._finish()

    def _train_epoch(self) -> None:
        session = self.session
        for x, y, _ in self.ready.train.epoch(session.progress.epoch, start=session.progress.batch):
            rate = session.learning_rate
            loss = session.step(x, y, self.ready.per_step)
            self.watcher.step(session.progress, loss, rate)
            self._save_if_due()

    def _end_epoch(self) -> None:
        found = self._evaluate(self.ready.val)
        record = self.session.end_epoch(found.accuracy) | {"val_loss": found.loss}
        if self.team.is_first:
            self.session.progress.log_length = self.folder.append_log(record)
        self.watcher.epoch(record)

    def _evaluate(self, feed: Feed, views: Views | None = None) -> Evaluation:
        return evaluate_together(self.team, self.session.result, feed, len(self.data.classes), self.session.loss, views)

    def _save_if_due(self) -> None:
        if self.team.stopping:
            self.team.together(self._save)      # nobody leaves before it is done
            self.stop.leave()
            raise self._stopped()
        due = max(self.recipe.save_every, SAVING_SHARE * self.last_save_took)
        if time.monotonic() - self.saved_at >= due:
            self._save()

    def _stopped(self) -> Stopped:
        stopped = Stopped(f"stopped by {self.stop.name or 'a signal to another process'} at step "
                          f"{self.session.progress.step}, saved; continue with convatlas train --resume "
                          f"{self.folder.path}")
        stopped.quiet = not self.team.is_first
        return stopped

    def _save(self) -> None:
        if not self.team.is_first:
            return
        began = time.monotonic()
        try:
            save_step(self.folder.checkpoints, self.session.snapshot({"about": self.about()}))
            self.failed_saves = 0
        except CheckpointError as error:
            self.failed_saves += 1
            if self.team.stopping or self.failed_saves == FAILED_SAVES:
                raise RunError(f"{error}; free some space or make the folder writable, then continue with --resume "
                               f"{self.folder.path}") from error
            self.watcher.warn(f"{error}; training goes on, the earlier checkpoints are intact")
        self.saved_at = time.monotonic()
        self.last_save_took = self.saved_at - began

    def _finish(self) -> dict:
        """The best weights by validation, the test pictures for the first time, and the files that a reader wants."""
        session = self.session
        session.result.load_state_dict(session.best)
        seconds = session.seconds
        found = self._evaluate(self.ready.test, views_of(self.recipe))
        source = provenance(session.device) | {"processes": self.team.size}
        metrics = {
            "network": self.recipe.network, "data": self.data.name, "fingerprint": self.data.fingerprint,
            "date": f"{datetime.now(UTC):%Y-%m-%d}", "test": found.to_dict(),
            "validation": {"accuracy": session.progress.scores[session.progress.best_epoch],
                           "epoch": session.progress.best_epoch + 1, "pictures": len(self.data.val)},
            "epochs": session.progress.epoch, "steps": session.progress.step, "seconds": round(seconds, 2),
            "confusion": found.confusion.tolist(), "classes": list(self.data.classes),
            "skipped": [found.file for found in self.ready.skipped], "provenance": source}
        self.team.together(lambda: self._write(metrics, found) if self.team.is_first else None)
        return metrics

    def _write(self, metrics: dict, found: Evaluation) -> None:
        session, folder, data = self.session, self.folder, self.data
        weights = weights_file(session.best)
        title = f"{self.recipe.network} on {data.name}"
        origin = metrics["provenance"] | {"data": data.name, "fingerprint": data.fingerprint,
                                          "epoch": session.progress.best_epoch + 1, "seed": self.recipe.seed}
        if session.start:
            origin["started_from"] = session.start
        folder.write("model.safetensors", weights)
        folder.write("model.json", describe_model(self.recipe.network, data.classes, self.ready.prep, origin, weights))
        folder.write("curves.png", plots.curves(folder.log(), title))
        folder.write("confusion.png", plots.confusion(found.confusion, data.classes,
                                                      f"{title}, {found.count} test pictures"))
        folder.write("metrics.json", json.dumps(metrics, indent=1))


def evaluate_together(team: Processes, net: nn.Module, feed: Feed, num_classes: int, loss_of: Callable,
                      views: Views | None = None) -> Evaluation:
    """Every process measures its share of the pictures with rank 0's statistics; the counts are added."""
    team.share_buffers(net)
    return evaluate(net, feed, num_classes, loss_of, views).summed(team.sum_counts)
