"""A run from its recipe to its folder: open or resume, train, pick by validation, test once, write
what it found.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from convatlas.data import Loader
from convatlas.errors import CheckpointError, RunError, Stopped
from convatlas.evaluation import Evaluation, MultiCrop, evaluate
from convatlas.model_file import describe_model, weights_file
from convatlas.training import plots
from convatlas.training.autotune import Trials, autotune, config_of, with_config
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import (
    Checkpoint,
    load_newest,
    remove_leftovers,
    save_step,
    steps,
)
from convatlas.training.distributed import (
    LAUNCHER_GRACE,
    ProcessGroup,
    process_group,
    were_launched,
)
from convatlas.training.fine_tune import start_from
from convatlas.training.folder import RunFolder, default_path
from convatlas.training.forecast import Forecast, forecast
from convatlas.training.prepare import (
    Prepared,
    device_of,
    device_type,
    macs,
    multi_crop_of,
    prepare,
    threads,
)
from convatlas.training.provenance import provenance
from convatlas.training.recipe import Recipe, differences
from convatlas.training.signals import StopRequest
from convatlas.training.trainer import Trainer

FAILED_SAVES = 3  # in a row, then the run stops: its work could no longer be kept
SAVING_SHARE = 20  # a save may take one part in this many of the time between saves


def train(
    recipe: Recipe,
    output: str | Path | None = None,
    resume: bool = False,
    callback: Callback | None = None,
) -> dict:
    """Run the recipe in the folder `output` (default: runs/DATE-network-data); returns what
    metrics.json holds.

    With `resume`, a folder that holds a run is continued from its newest good checkpoint, to the
    same bits as if it had never stopped. Raises RunError, CheckpointError, DataError,
    UnknownNetwork or Stopped.
    """
    kind = device_type(recipe)
    with process_group(recipe.timeout, kind) as group:
        callback = callback if callback and group.is_first else Callback()
        ready = group.together(
            lambda: prepare(recipe, group, callback.checking)
        )  # a wrong name leaves no folder
        path = _path(recipe, output, group)
        start = group.from_first(lambda: _start(recipe, ready, path))
        with ExitStack() as stack:
            folder = group.together(
                lambda: stack.enter_context(RunFolder(path, is_writer=group.is_first))
            )
            stack.enter_context(threads(recipe))
            stop = stack.enter_context(StopRequest(LAUNCHER_GRACE if were_launched() else 0.0))
            recipe, trials = group.from_first(
                lambda: _settle(recipe, ready, folder, device_of(kind, group))
            )
            run = _Run(recipe, folder, ready, group, stop, callback)
            if trials:
                callback.tried(trials)
            run.trainer.start = start
            for text in _warnings(recipe, ready):
                callback.warn(text)
            finished = run.open(resume or group.restarts > 0)
            metrics = finished if finished else run.go()
            run.callback.end(metrics)
    return metrics


def _path(recipe: Recipe, output: str | Path | None, group: ProcessGroup) -> Path:
    """The run's folder, one for all processes and for all their restarts."""
    if output:
        return Path(output).expanduser()
    return Path(group.remembered("folder", lambda: str(default_path(recipe))))


def _settle(
    recipe: Recipe, ready: Prepared, folder: RunFolder, device: torch.device
) -> tuple[Recipe, Trials | None]:
    """The recipe with the fastest form where that is asked for: found now, or when
    the run began.
    """
    if not recipe.autotune:
        return recipe, None
    if folder.holds_a_run:
        return with_config(recipe, config_of(folder.recipe())), None
    trials = autotune(recipe, ready.net, ready.train, macs(recipe, ready.prep.side), device)
    return with_config(recipe, trials.winner), trials


def _start(recipe: Recipe, ready: Prepared, path: Path) -> dict:
    """The recipe's weights, where it names some and there is no checkpoint to go on from."""
    if not recipe.weights or steps(path / "checkpoints"):
        return {}
    return start_from(ready.net, recipe.weights)


def _warnings(recipe: Recipe, ready: Prepared) -> Iterator[str]:
    """What a person should know before the first step."""
    cores = os.cpu_count() or 1
    if recipe.workers > cores:
        yield (
            f"{recipe.workers} workers read images; more than this machine's cores, {cores}, "
            "gain nothing"
        )
    for found in ready.skipped:
        yield f"skipped: {found.file!r} {found.problem}"


class _Run:
    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        ready: Prepared,
        group: ProcessGroup,
        stop: StopRequest,
        callback: Callback,
    ):
        self.recipe, self.folder, self.ready, self.group = recipe, folder, ready, group
        self.data, self.stop, self.callback = ready.data, stop, callback
        group.asked = lambda: bool(stop.name)
        self.trainer = Trainer(
            recipe, ready.net, len(ready.train), device_of(device_type(recipe), group), group
        )
        self.saved_at, self.failed_saves, self.last_save_took = time.monotonic(), 0, 0.0

    def about(self) -> dict:
        """What must be the same for a run to be continued."""
        return {
            "network": self.recipe.network,
            "classes": list(self.data.classes),
            "data": self.data.fingerprint,
        }

    def open(self, resume: bool) -> dict | None:
        """A new folder, or the state of an old one; the metrics where the run had
        already finished.
        """
        metrics, checkpoint = self.group.from_first(lambda: self._find(resume))
        if metrics:
            return metrics
        if checkpoint:
            self.trainer.restore(checkpoint)
        if self.group.is_first:
            self.folder.write("recipe.toml", self.recipe.to_toml())
            self.folder.cut_log(self.trainer.progress.log_length)
        self._announce(resumed=bool(checkpoint))
        return None

    def _find(self, resume: bool) -> tuple[dict | None, Checkpoint | None]:
        """What a finished run found, or the newest good checkpoint of an unfinished one."""
        folder = self.folder
        if folder.holds_a_run and not resume:
            raise RunError(
                f"{folder.path} already holds a run; continue it with --resume {folder.path}, or "
                "choose another folder with --output"
            )
        if folder.holds_a_run and (changed := differences(folder.recipe(), self.recipe)):
            raise RunError(
                f"the run in {folder.path} was begun with another recipe ({'; '.join(changed)}); "
                "continue it without these flags, or begin another with --output"
            )
        if folder.is_finished:
            return json.loads((folder.path / "metrics.json").read_bytes()), None
        remove_leftovers(folder.checkpoints)
        checkpoint = (
            load_newest(folder.checkpoints, self.callback.warn) if folder.holds_a_run else None
        )
        if checkpoint:
            self._check_same(checkpoint.state["about"])
        elif folder.holds_a_run:
            self.callback.warn(
                f"{folder.path} was stopped before its first checkpoint; it begins at step 0"
            )
        return None, checkpoint

    def _check_same(self, before: dict) -> None:
        now = self.about()
        if before["classes"] != now["classes"]:
            raise RunError(
                f"the run in {self.folder.path} was begun with {len(before['classes'])} classes "
                f"({', '.join(before['classes'])}), and {self.recipe.data} now has "
                f"{len(now['classes'])} ({', '.join(now['classes'])}); restore the data, or begin "
                "another run with --output"
            )
        if before["data"] != now["data"]:
            raise RunError(
                f"the images of {self.recipe.data} changed since the run in {self.folder.path} "
                "began; restore them, or begin another run with --output"
            )

    def _announce(self, resumed: bool) -> None:
        data, net = self.data, self.trainer.net
        images = {name: len(getattr(data, name)) for name in ("train", "val", "test")}
        self.callback.begin(
            {
                "folder": str(self.folder.path),
                "network": self.recipe.network,
                "data": data.name,
                "params": sum(p.numel() for p in net.parameters()),
                "device": str(self.trainer.device),
                "processes": self.group.size,
                "batch_size": self.ready.per_step,
                "classes": data.classes,
                "channels": data.channels,
                "side": self.ready.prep.side,
                "epochs": self.recipe.epochs,
                "images": images,
                "counts": data.counts(),
                "fingerprint": data.fingerprint,
                "ignored": len(data.ignored),
                "skipped": len(self.ready.skipped),
                "smallest": net.smallest,
                "forecast": self._forecast(images),
                "steps_per_epoch": len(self.ready.train),
                "step": self.trainer.progress.step,
                "resumed": resumed,
            }
        )

    def _forecast(self, images: dict[str, int]) -> Forecast | None:
        return forecast(
            self.recipe,
            self.trainer.net,
            self.ready.train,
            images,
            macs(self.recipe, self.ready.prep.side),
            self.trainer.device,
            self.recipe.epochs - self.trainer.progress.epoch,
            self.group,
        )

    def go(self) -> dict:
        trainer = self.trainer
        while trainer.progress.epoch < self.recipe.epochs:
            self._train_epoch()
            self._end_epoch()
        self._save()
        return self._finish()

    def _train_epoch(self) -> None:
        trainer = self.trainer
        for x, y, _ in self.ready.train.epoch(trainer.progress.epoch, start=trainer.progress.batch):
            rate = trainer.learning_rate
            loss = trainer.step(x, y, self.ready.per_step)
            self.callback.step(trainer.progress, loss, rate)
            self._save_if_due()

    def _end_epoch(self) -> None:
        found = self._evaluate(self.ready.val)
        record = self.trainer.end_epoch(found.accuracy) | {"val_loss": found.loss}
        if self.group.is_first:
            self.trainer.progress.log_length = self.folder.append_log(record)
        self.callback.epoch(record)

    def _evaluate(self, loader: Loader, views: MultiCrop | None = None) -> Evaluation:
        return evaluate_together(
            self.group,
            self.trainer.result,
            loader,
            len(self.data.classes),
            self.trainer.loss,
            views,
        )

    def _save_if_due(self) -> None:
        if self.group.stopping:
            self.group.together(self._save)  # nobody leaves before it is done
            self.stop.leave()
            raise self._stopped()
        due = max(self.recipe.save_every, SAVING_SHARE * self.last_save_took)
        if time.monotonic() - self.saved_at >= due:
            self._save()

    def _stopped(self) -> Stopped:
        stopped = Stopped(
            f"stopped by {self.stop.name or 'a signal to another process'} at step "
            f"{self.trainer.progress.step}, saved; continue with convatlas train --resume "
            f"{self.folder.path}"
        )
        stopped.quiet = not self.group.is_first
        return stopped

    def _save(self) -> None:
        if not self.group.is_first:
            return
        began = time.monotonic()
        try:
            save_step(self.folder.checkpoints, self.trainer.snapshot({"about": self.about()}))
            self.failed_saves = 0
        except CheckpointError as error:
            self.failed_saves += 1
            if self.group.stopping or self.failed_saves == FAILED_SAVES:
                raise RunError(
                    f"{error}; free some space or make the folder writable, then continue with "
                    f"--resume {self.folder.path}"
                ) from error
            self.callback.warn(f"{error}; training goes on, the earlier checkpoints are intact")
        self.saved_at = time.monotonic()
        self.last_save_took = self.saved_at - began

    def _finish(self) -> dict:
        """The best weights by validation, the test images for the first time, and the files that a
        reader wants.
        """
        trainer = self.trainer
        trainer.result.load_state_dict(trainer.best)
        seconds = trainer.seconds
        found = self._evaluate(self.ready.test, multi_crop_of(self.recipe))
        source = provenance(trainer.device) | {"processes": self.group.size}
        metrics = {
            "network": self.recipe.network,
            "data": self.data.name,
            "fingerprint": self.data.fingerprint,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "test": found.to_dict(),
            "validation": {
                "accuracy": trainer.progress.scores[trainer.progress.best_epoch],
                "epoch": trainer.progress.best_epoch + 1,
                "images": len(self.data.val),
            },
            "epochs": trainer.progress.epoch,
            "steps": trainer.progress.step,
            "seconds": round(seconds, 2),
            "confusion": found.confusion.tolist(),
            "classes": list(self.data.classes),
            "skipped": [found.file for found in self.ready.skipped],
            "provenance": source,
        }
        self.group.together(lambda: self._write(metrics, found) if self.group.is_first else None)
        return metrics

    def _write(self, metrics: dict, found: Evaluation) -> None:
        trainer, folder, data = self.trainer, self.folder, self.data
        weights = weights_file(trainer.best)
        title = f"{self.recipe.network} on {data.name}"
        origin = metrics["provenance"] | {
            "data": data.name,
            "fingerprint": data.fingerprint,
            "epoch": trainer.progress.best_epoch + 1,
            "seed": self.recipe.seed,
        }
        if trainer.start:
            origin["started_from"] = trainer.start
        folder.write("model.safetensors", weights)
        folder.write(
            "model.json",
            describe_model(self.recipe.network, data.classes, self.ready.prep, origin, weights),
        )
        folder.write("curves.png", plots.curves(folder.log(), title))
        folder.write(
            "confusion.png",
            plots.confusion(found.confusion, data.classes, f"{title}, {found.count} test images"),
        )
        folder.write("metrics.json", json.dumps(metrics, indent=1))


def evaluate_together(
    group: ProcessGroup,
    net: nn.Module,
    loader: Loader,
    num_classes: int,
    loss_of: Callable,
    views: MultiCrop | None = None,
) -> Evaluation:
    """Every process measures its share of the images with rank 0's statistics; the counts are
    added.
    """
    group.share_buffers(net)
    return evaluate(net, loader, num_classes, loss_of, views).summed(group.sum_counts)
