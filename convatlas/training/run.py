"""A run from its recipe to its folder: open or resume, train, pick by validation, test once."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from torch import nn

from convatlas import strict_json
from convatlas.data import Loader
from convatlas.data.finding import said
from convatlas.data.telling import Listener
from convatlas.errors import RunError, Stopped
from convatlas.evaluation import Evaluation, MultiCrop, Noting, evaluate
from convatlas.training import answers_file, resuming, torchrun
from convatlas.training.autotune import config_of, tuned, with_threads
from convatlas.training.callbacks import Callback, Guarded
from convatlas.training.checkpoint import Checkpoint
from convatlas.training.determinism import deterministic
from convatlas.training.distributed import ProcessGroup, process_group
from convatlas.training.epochs import end_of_epoch, steps_of_epoch
from convatlas.training.fine_tune import said_of, start_from
from convatlas.training.folder import RunFolder, default_path, lend_temporary_folder
from convatlas.training.forecast import Forecast, forecast
from convatlas.training.identity import Identity
from convatlas.training.location import on_this_machine
from convatlas.training.memory import Lack, explained
from convatlas.training.prepare import (
    Gathered,
    Prepared,
    device_of,
    device_type,
    gather,
    macs,
    multi_crop_of,
    prepare,
    readers,
    threads,
    threads_of,
)
from convatlas.training.recipe import Recipe
from convatlas.training.remote_sync import WAIT, Sync, met, put_result
from convatlas.training.report import draw, metrics_of, trained_of, write_report
from convatlas.training.resuming import Opening
from convatlas.training.saving import Saver
from convatlas.training.step_folders import steps
from convatlas.training.tracking import makers, tracked
from convatlas.training.trainer import Trainer
from convatlas.training.unused import require_use, warnings

SAVING_SHARE = 20  # a save may take one part in this many of the time between saves
LOG_KEPT = 10_000  # newest lines of the log that a checkpoint repeats


def run_recipe(recipe: Recipe, output: str | Path | None, resume: bool, callback: Callback) -> dict:
    """What convatlas.train does, once it has a recipe and somebody to tell."""
    kind = device_type(recipe)
    lend_temporary_folder(Path(output or "").expanduser())
    with deterministic(recipe.deterministic, kind), process_group(recipe.timeout, kind) as group:
        callback = Guarded(callback) if group.is_first else Callback()
        if unclear := torchrun.misunderstanding():
            callback.warn(unclear)
        resume = resume or group.restarts > 0
        trackers = group.together(lambda: makers(recipe.log_to) if group.is_first else {})
        path = _path(recipe, output, group)
        place = met(recipe, path, resume, group)
        found = group.from_first(lambda: resuming.opening(path, recipe, resume))
        if found.metrics:
            put_result(place, path, callback.warn)
            callback.end(found.metrics)
            return found.metrics
        if group.is_first:
            recipe = found.recipe
        else:
            recipe = on_this_machine(found.recipe, recipe, found.before)
        ready, start = _readied(recipe, group, path, found.identity, callback.preparing)
        with ExitStack() as stack:  # a wrong name leaves no folder
            folder = group.together(
                lambda: stack.enter_context(RunFolder(path, is_writer=group.is_first))
            )
            other_threads = stack.enter_context(threads(recipe))
            stack.enter_context(group.stop)
            device = device_of(kind, group)
            recipe, trials = group.from_first(
                lambda: tuned(recipe, ready, device, 0 if group.size > 1 else other_threads)
            )
            stack.enter_context(with_threads(config_of(recipe)))
            ready.read_by(readers(recipe, group, ready.data.train, busy=threads_of(recipe)))
            callback = stack.enter_context(tracked(callback, trackers, recipe))
            counts = ready.data.counts()
            trainer = Trainer(recipe, ready.net, len(ready.train), device, group, start, counts)
            wait = min(WAIT, recipe.timeout / 2)  # other processes wait for this one
            sync = stack.enter_context(Sync(place, folder, callback.warn, wait))
            run = _Run(recipe, folder, ready, trainer, callback, sync)
            stack.enter_context(run.saver)
            stack.enter_context(explained(recipe, ready.train.part, lambda: run.lack))
            if trials:
                callback.tried(trials)
            for text in (*warnings(recipe, ready, group), *_skipped(ready)):
                callback.warn(text)
            if finished := run.open(resume):
                callback.end(finished)
                return finished
            return run.go()


def _path(recipe: Recipe, output: str | Path | None, group: ProcessGroup) -> Path:
    """The run's folder, one for all processes and for all their restarts."""
    if output:
        return Path(output).expanduser()
    return Path(group.remembered("folder", lambda: str(default_path(recipe))))


def _readied(
    recipe: Recipe,
    group: ProcessGroup,
    path: Path,
    identity: Identity | None,
    telling: Listener,
) -> tuple[Prepared, dict]:
    """What the first step needs; and what is known of the weights that the run starts from, {}
    where these are fresh.
    """
    gathered = group.together(lambda: gather(recipe, group, telling))
    start = group.from_first(lambda: _start(recipe, gathered, path, identity))
    pictures = start.get("pictures")
    return group.together(lambda: prepare(recipe, group, gathered, pictures, telling)), start


def _start(
    recipe: Recipe, gathered: Gathered, path: Path, identity: Identity | None = None
) -> dict:
    """What the run begins with: the recipe's weights, where it names some, and what is remembered
    of them where there is a checkpoint to go on from. A new run asks for nothing in vain.
    """
    folder = RunFolder(path)
    if not folder.holds_a_run:
        require_use(recipe, gathered)
    if not recipe.weights:
        return {}
    if steps(folder.checkpoints):
        return resuming.remembered(folder, identity, gathered.net)
    start = start_from(gathered.net, recipe.weights, recipe.source, recipe.weights_ema)
    resuming.require_same_weights(folder, identity, start)
    return start


def _lasting(recipe: Recipe) -> Recipe:
    """The recipe as it is remembered: that the test images are left for later holds this once."""
    return recipe if recipe.test else recipe.change(test=True)


def _skipped(ready: Prepared) -> Iterator[str]:
    for found in ready.skipped:
        yield f"skipped: {found.file!r} {found.problem}"
    yield from said(ready.data.problems)


class _Run:
    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        ready: Prepared,
        trainer: Trainer,
        callback: Callback,
        sync: Sync,
    ):
        self.sync = sync
        self.recipe, self.folder, self.ready, self.data = recipe, folder, ready, ready.data
        self.trainer, self.group, self.callback = trainer, trainer.group, callback
        self.lack: Lack | None = None  # of memory, as forecast
        self.saver = Saver(folder, callback.warn, sync.tell)
        self.log: list[dict] = []
        trainer.optimiser.register_step_pre_hook(self.saver.let_go)
        trainer.again = folder.again(recipe)

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
        with self.group.preparing():  # an older fingerprint may be of very many files
            opening, identity, checkpoint = self.group.from_first(lambda: self._find(resume))
        if opening.metrics:
            return opening.metrics
        self.identity = identity.starting(self.trainer.start)
        if checkpoint:
            self.trainer.restore(checkpoint)
        self.group.together(lambda: self._record(opening, checkpoint))
        self.sync.tell()
        self._announce(resumed=bool(checkpoint))
        return None

    def _find(self, resume: bool) -> tuple[Opening, Identity | None, Checkpoint | None]:
        """What the folder holds, now that nobody else writes in it."""
        opening = resuming.opening(self.folder.path, self.recipe, resume)
        if opening.metrics:
            return opening, None, None
        return opening, *resuming.newest_checkpoint(
            self.folder, opening, self.trainer, self.data, self.callback.warn
        )

    def _record(self, opening: Opening, checkpoint: Checkpoint | None) -> None:
        """The folder says what is being run, from now on."""
        if not self.group.is_first:
            return
        folder, before, warn = self.folder, opening.before, self.callback.warn
        if before and before.epochs != self.recipe.epochs:
            self.identity = self.identity.lengthened(self.recipe.epochs)
            warn(resuming.what_longer_means(before, self.trainer))
            if folder.is_finished:
                folder.set_aside_metrics(before.epochs)
        folder.write("run.json", self.identity.text())
        folder.write("recipe.toml", _lasting(self.recipe).to_toml())
        known = checkpoint.state.get("log", []) if checkpoint else []
        self.log = folder.restore_log(known, self.trainer.progress.epoch, warn)

    def _announce(self, resumed: bool) -> None:
        data, net = self.data, self.trainer.net
        images = {name: len(getattr(data, name)) for name in ("train", "val", "test")}
        coming = None if self.trainer.is_over else self._forecast(images)
        self.callback.begin(
            {
                "folder": str(self.folder.path),
                "run": self.identity.run,
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
                "splits": dict(data.splits),
                "test_from": self.recipe.test_from,
                "counts": data.counts(),
                "fingerprint": data.fingerprint,
                "ignored": len(data.ignored),
                "ignored_kinds": data.ignored_kinds,
                "notes": said(data.notes),
                "skipped": len(self.ready.skipped),
                "smallest": net.smallest,
                "certificate": self.ready.net.certificate,
                "standardised": said_of(
                    self.trainer.start.get("pictures"), data.channels, bool(self.recipe.weights)
                ),
                "forecast": coming,
                "reading": self.ready.reading,
                "remote_sync": self.recipe.remote_sync,
                "steps_per_epoch": len(self.ready.train),
                "step": self.trainer.progress.step,
                "resumed": resumed,
            }
        )
        if coming and coming.lack:
            self.lack = coming.lack
            self.callback.warn(self.lack.warning(self.recipe))

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
        """What train returns, once the callback knows it."""
        trainer = self.trainer
        while not trainer.is_over:
            self._train_epoch()
            if self.ready.train.forks or self.ready.val.forks:
                self.saver.finish()  # the readers to come would keep its files open
            self._end_epoch()
            if not trainer.is_over:
                self._save_if_due()
        self._save()
        self.saver.finish()
        trained = trained_of(self.identity.run, self.recipe, self.ready, trainer)
        if self.recipe.test:
            metrics = self._finish(trained)
            self.sync.finish()
            self.callback.end(metrics)
            return metrics
        self.sync.finish()
        self.callback.trained(trained)
        return trained

    def _train_epoch(self) -> None:
        for loss, rate in steps_of_epoch(self.trainer, self.ready):
            self.callback.step(self.trainer.progress, loss, rate)
            self._stop_if_asked()
            if self.trainer.progress.batch < self.trainer.steps_per_epoch:
                self._save_if_due()  # else once the epoch has ended, which needs the best weights

    def _end_epoch(self) -> None:
        found = self._evaluate(self.ready.val)
        self.saver.let_best_go()
        record = end_of_epoch(self.trainer, found, self.callback.warn)
        if self.group.is_first:
            self.folder.append_log(record)
            self.log.append(record)
        self.callback.epoch(record)

    def _evaluate(
        self, loader: Loader, views: MultiCrop | None = None, noting: Noting | None = None
    ) -> Evaluation:
        trainer, classes = self.trainer, len(self.data.classes)
        return evaluate_together(
            self.group, trainer.result, loader, classes, trainer.loss, views, noting
        )

    def _stop_if_asked(self) -> None:
        if self.group.stopping:
            self.group.together(self._save_and_finish)  # nobody leaves before it is done
            self.group.stop.leave()
            raise Stopped(
                f"stopped by {self.group.stopped_by} at step {self.trainer.progress.step}, saved; "
                f"continue with {self.folder.resume_command}",
                quiet=not self.group.is_first,
            )

    def _save_if_due(self) -> None:
        self.saver.look()
        self.sync.look()
        if self.saver.is_due(self.recipe.save_every, SAVING_SHARE):
            self._save()

    def _save_and_finish(self) -> None:
        self._save()
        self.saver.finish(leaving=True)
        self.sync.finish()

    def _save(self) -> None:
        if self.group.is_first:
            about = self.about() | self.identity.about(self.recipe.epochs)
            state = {"about": about, "log": self.log[-LOG_KEPT:]}
            self.saver.begin(self.trainer.snapshot(state))

    def _finish(self, trained: dict) -> dict:
        """The best weights by validation, the test images for the first time, and the files that a
        reader wants.
        """
        trainer, test = self.trainer, self.data.test
        trainer.result.load_state_dict(trainer.best)
        noting = Noting(len(test))
        found = self._evaluate(self.ready.test, multi_crop_of(self.recipe), noting)
        if math.isnan(found.loss):
            raise RunError(
                "the best network's outputs on the test images are not finite numbers, so there is "
                f"no result; begin again with a lower --lr: {trainer.again}",
                quiet=not self.group.is_first,
            )
        answers = answers_file.text_of(test.names, test.labels.numpy(), noting.table.numpy())
        metrics = metrics_of(trained, self.ready, trainer, found, answers)
        metrics["sha256"] = strict_json.digest(metrics)

        def write() -> None:
            if self.group.is_first:
                write_report(self.folder, self.recipe, self.ready, trainer, metrics, answers)
                draw(self.folder, self.log, self.ready, metrics, found, self.callback.warn)

        self.group.together(write)
        return metrics


def evaluate_together(
    group: ProcessGroup,
    net: nn.Module,
    loader: Loader,
    num_classes: int,
    loss_of: Callable,
    views: MultiCrop | None = None,
    noting: Noting | None = None,
) -> Evaluation:
    """Every process measures its share of the images with rank 0's statistics; the counts are
    added, and what was noted is put together.
    """
    group.share_buffers(net)
    found = evaluate(net, loader, num_classes, loss_of, views, noting)
    found = found.summed(group.sum_counts, group.join_rows)
    if noting:
        noting.gather(group.sum_counts)
    return found
