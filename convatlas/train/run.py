"""A run from its recipe to its folder: open or resume, train, pick by validation, test once, write what it found."""
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import torch

from convatlas.data import Augment, Data, Feed, Preprocess, fit_preprocess, open_data, usable
from convatlas.evaluate import Evaluation, Views, evaluate, require_views
from convatlas.registry import create_model, index
from convatlas.saved import describe_model, weights_file
from convatlas.train import plots
from convatlas.train.checkpoint import CheckpointError, load_newest, remove_leftovers, save_step
from convatlas.train.folder import RunError, RunFolder, default_path
from convatlas.train.forecast import forecast
from convatlas.train.initial import start_by_he
from convatlas.train.provenance import provenance
from convatlas.train.recipe import Recipe, differences
from convatlas.train.session import Session, seed_for
from convatlas.train.stop import StopRequest
from convatlas.train.watch import Watcher

SMALL_STEP = 200e6          # multiply-adds below which one thread is faster: threads that wait for each other cost more
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
    watcher = watcher or Watcher()
    device = _device(recipe)
    side = _side(recipe)                            # a wrong name or size should not leave a folder behind
    data = open_data(recipe.data, root=recipe.data_root, download=recipe.download, seed=recipe.seed,
                     val_fraction=recipe.val_fraction)
    data, skipped = usable(data, recipe.bad_images, recipe.workers, watcher.checking)
    prep = fit_preprocess(data, side, recipe.workers, shorter=_augment(recipe).shorter_side(side))
    torch.manual_seed(seed_for(recipe.seed, "weights"))
    net = create_model(recipe.network, num_classes=len(data.classes), in_channels=data.channels)
    if recipe.init == "he":
        start_by_he(net)
    require_views(net, side, _test_views(recipe))
    feeds = _Feeds.of(recipe, data, prep)           # decoded now, so that broken pictures show before the first step
    where = RunFolder(Path(output) if output else default_path(recipe))
    with where as folder, StopRequest() as stop, _threads(recipe):
        run = _Run(recipe, folder, data, feeds, net, device, stop, watcher)
        for found in skipped:
            watcher.warn(f"skipped: {found.file!r} {found.problem}")
        run.skipped = [found.file for found in skipped]
        finished = run.open(resume)
        metrics = finished if finished else run.go()
        watcher.end(metrics)
    return metrics


class _Feeds(NamedTuple):
    train: Feed
    val: Feed
    test: Feed

    @classmethod
    def of(cls, recipe: Recipe, data: Data, prep: Preprocess) -> "_Feeds":
        batch = max(64, recipe.batch_size)
        return cls(Feed(data.train, prep, recipe.batch_size, recipe.seed, _augment(recipe), recipe.workers,
                        classes=len(data.classes)),
                   Feed(data.val, prep, batch, workers=recipe.workers),
                   Feed(data.test, prep, batch, workers=recipe.workers))


class _Run:
    def __init__(self, recipe: Recipe, folder: RunFolder, data: Data, feeds: _Feeds, net: torch.nn.Module,
                 device: torch.device, stop: StopRequest, watcher: Watcher):
        self.recipe, self.folder, self.data, self.feeds = recipe, folder, data, feeds
        self.prep, self.stop, self.watcher = feeds.train.prep, stop, watcher
        self.session = Session(recipe, net, len(feeds.train), device)
        self.skipped: list[str] = []
        self.saved_at, self.failed_saves, self.last_save_took = time.monotonic(), 0, 0.0

    def about(self) -> dict:
        """What must be the same for a run to be continued."""
        return {"network": self.recipe.network, "classes": list(self.data.classes), "data": self.data.fingerprint}

    def open(self, resume: bool) -> dict | None:
        """A new folder, or the state of an old one; the metrics where the run had already finished."""
        folder = self.folder
        if folder.holds_a_run and not resume:
            raise RunError(f"{folder.path} already holds a run; continue it with --resume {folder.path}, or choose "
                           f"another folder with --output")
        if folder.holds_a_run and (changed := differences(folder.recipe(), self.recipe)):
            raise RunError(f"the run in {folder.path} was begun with another recipe ({'; '.join(changed)}); continue "
                           f"it without these flags, or begin another with --output")
        if folder.is_finished:
            return json.loads((folder.path / "metrics.json").read_text())
        remove_leftovers(folder.checkpoints)
        checkpoint = load_newest(folder.checkpoints, self.watcher.warn) if folder.holds_a_run else None
        if checkpoint:
            self._check_same(checkpoint.state["about"])
            self.session.restore(checkpoint)
        elif folder.holds_a_run:
            self.watcher.warn(f"{folder.path} was stopped before its first checkpoint; it begins at step 0")
        folder.write("recipe.toml", self.recipe.to_toml())
        folder.cut_log(self.session.progress.log_length)
        self._announce(resumed=bool(checkpoint))
        return None

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
            "classes": data.classes, "channels": data.channels, "side": self.prep.side, "epochs": self.recipe.epochs,
            "pictures": pictures, "counts": data.counts(), "fingerprint": data.fingerprint,
            "ignored": len(data.ignored), "skipped": len(self.skipped), "smallest": net.smallest,
            "forecast": forecast(self.recipe, net, self.feeds.train, pictures, _macs(self.recipe, self.prep.side),
                                 self.session.device, self.recipe.epochs - self.session.progress.epoch),
            "steps_per_epoch": len(self.feeds.train), "step": self.session.progress.step, "resumed": resumed})

    def go(self) -> dict:
        session = self.session
        while session.progress.epoch < self.recipe.epochs:
            for x, y, _ in self.feeds.train.epoch(session.progress.epoch, start=session.progress.batch):
                rate = session.learning_rate
                loss = session.step(x, y)
                self.watcher.step(session.progress, loss, rate)
                self._save_if_due()
            self._end_epoch()
        self._save()
        return self._finish()

    def _end_epoch(self) -> None:
        found = self._evaluate(self.feeds.val)
        record = self.session.end_epoch(found.accuracy) | {"val_loss": found.loss}
        self.session.progress.log_length = self.folder.append_log(record)
        self.watcher.epoch(record)

    def _evaluate(self, feed: Feed, views: Views | None = None) -> Evaluation:
        return evaluate(self.session.net, feed, len(self.data.classes), self.session.loss, views)

    def _save_if_due(self) -> None:
        if self.stop.name:
            self._save()
            raise Stopped(f"stopped by {self.stop.name} at step {self.session.progress.step}, saved; continue with "
                          f"convatlas train --resume {self.folder.path}")
        due = max(self.recipe.save_every, SAVING_SHARE * self.last_save_took)
        if time.monotonic() - self.saved_at >= due:
            self._save()

    def _save(self) -> None:
        began = time.monotonic()
        try:
            save_step(self.folder.checkpoints, self.session.snapshot({"about": self.about()}))
            self.failed_saves = 0
        except CheckpointError as error:
            self.failed_saves += 1
            if self.stop.name or self.failed_saves == FAILED_SAVES:
                raise RunError(f"{error}; free some space or make the folder writable, then continue with --resume "
                               f"{self.folder.path}") from error
            self.watcher.warn(f"{error}; training goes on, the earlier checkpoints are intact")
        self.saved_at = time.monotonic()
        self.last_save_took = self.saved_at - began

    def _finish(self) -> dict:
        """The best weights by validation, the test pictures for the first time, and the files that a reader wants."""
        session, folder = self.session, self.folder
        session.net.load_state_dict(session.best)
        seconds = session.seconds
        found = self._evaluate(self.feeds.test, _test_views(self.recipe))
        source = provenance(session.device)
        weights = weights_file(session.best)
        title = f"{self.recipe.network} on {self.data.name}"
        log = folder.log()
        metrics = {
            "network": self.recipe.network, "data": self.data.name, "test": found.to_dict(),
            "validation": {"accuracy": session.progress.scores[session.progress.best_epoch],
                           "epoch": session.progress.best_epoch + 1, "pictures": len(self.data.val)},
            "epochs": session.progress.epoch, "steps": session.progress.step, "seconds": round(seconds, 2),
            "confusion": found.confusion.tolist(), "classes": list(self.data.classes), "skipped": self.skipped,
            "provenance": source}
        folder.write("model.safetensors", weights)
        folder.write("model.json", describe_model(self.recipe.network, self.data.classes, self.prep, source | {
            "data": self.data.name, "fingerprint": self.data.fingerprint, "epoch": session.progress.best_epoch + 1,
            "seed": self.recipe.seed}, weights))
        folder.write("curves.png", plots.curves(log, title))
        folder.write("confusion.png", plots.confusion(found.confusion, self.data.classes,
                                                      f"{title}, {found.count} test pictures"))
        folder.write("metrics.json", json.dumps(metrics, indent=1))
        return metrics


def _side(recipe: Recipe) -> int:
    """The input side: the paper's unless the recipe says another, which must be legal."""
    with torch.device("meta"):
        net = create_model(recipe.network)
    side = recipe.size or net.side
    for legal in (side, *recipe.sizes):
        net.check_size(legal, legal)
    return side


def _macs(recipe: Recipe, side: int) -> float:
    """Multiply-adds for one picture: those of the paper's size, times the share of the pixels."""
    facts = index()[recipe.network]
    return facts["macs"] * (side / facts["input_size"][-1] if side else 1) ** 2


def _augment(recipe: Recipe) -> Augment:
    return Augment(**{f.name: getattr(recipe, f.name) for f in fields(Augment)})


def _test_views(recipe: Recipe) -> Views:
    return Views(recipe.test_crops, recipe.test_sizes)


@contextmanager
def _threads(recipe: Recipe) -> Iterator[None]:
    """The recipe's number of threads, or one where a step is small; a busy neighbour makes waiting far dearer still."""
    before = torch.get_num_threads()
    small = _macs(recipe, recipe.size) * recipe.batch_size < SMALL_STEP
    torch.set_num_threads(recipe.threads or (1 if small else before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _device(recipe: Recipe) -> torch.device:
    if recipe.device == "cuda" and not torch.cuda.is_available():
        raise RunError("device = 'cuda', but this machine has no CUDA device that torch can use; leave --device out "
                       "to train on the processor")
    return torch.device("cuda" if recipe.device != "cpu" and torch.cuda.is_available() else "cpu")
