"""A run's saves, beside its steps: one at a time, by a thread that writes while the next step is
computed already. Only what changes the weights waits, and only until they are in the file, all but
the last few hundred MB, which it copies.

The file is the copy: its bytes are in the system's hands as fast as they would be in a buffer, and
are the process's own memory no more. Where the disk stands still before those last ones, or the
system is short of memory itself, the step waits for the disk.
"""

import threading
import time
from collections.abc import Callable

from convatlas.errors import CheckpointError, RunError
from convatlas.training.checkpoint import Checkpoint, save_step
from convatlas.training.folder import RunFolder
from convatlas.training.unwritten import PULSE, Unwritten

FAILED_SAVES = 3  # in a row, then the run stops: its work could no longer be kept


class _Save(threading.Thread):
    """One checkpoint on its way to the disk."""

    def __init__(self, folder: RunFolder, checkpoint: Checkpoint, kept: Callable[[], None]):
        super().__init__(name="saving")
        self.folder, self.checkpoint, self.kept = folder, checkpoint, kept
        self.unwritten = Unwritten()
        self.error: BaseException | None = None
        self.began = self.ended = time.monotonic()

    def run(self) -> None:
        try:
            save_step(self.folder.checkpoints, self.checkpoint, self.unwritten)
            self.kept()
        except BaseException as error:
            self.error = error
        self.ended = time.monotonic()
        self.unwritten.end()


class Saver:
    """`warn` gets the sentence of a save that failed; the run goes on, with its older checkpoints,
    until FAILED_SAVES have failed in a row. `kept` is called, by the thread that saves, once a save
    is whole. Leaving it waits for the save under way.
    """

    def __init__(
        self,
        folder: RunFolder,
        warn: Callable[[str], None],
        kept: Callable[[], None] = lambda: None,
    ):
        self.folder, self.warn, self.kept = folder, warn, kept
        self.failed, self.took, self.ended = 0, 0.0, time.monotonic()
        self._save: _Save | None = None

    def __enter__(self) -> "Saver":
        return self

    def __exit__(self, *_) -> None:
        if self._save:
            self._save.join()

    def begin(self, checkpoint: Checkpoint) -> None:
        """Save it, once the save before is done: whatever steps change of its tensors must stay as
        it is until `let_go`, the best weights until `let_best_go`. RunError as `finish` raises it.
        """
        self.finish()
        self._save = _Save(self.folder, checkpoint, self.kept)
        self._save.start()

    def let_go(self, *_) -> None:
        """Return once the weights may change. An optimiser's hook before its step."""
        if self._save:
            self._save.unwritten.free()

    def let_best_go(self) -> None:
        """Return once the best weights may change, too."""
        if self._save:
            self._save.unwritten.free(lasting=True)

    def is_due(self, every: float, share: float) -> bool:
        """Whether `every` seconds have passed since the last save, and `share` times as many as it
        took. A save under way takes until now.
        """
        now, took, ended = time.monotonic(), self.took, self.ended
        if self._save and self._save.is_alive():
            took, ended = now - self._save.began, now
        return now - ended >= max(every, share * took)

    def look(self, leaving: bool = False) -> None:
        """As `finish`, where there is nothing to wait for."""
        if self._save and not self._save.is_alive():
            self.finish(leaving)

    def finish(self, leaving: bool = False) -> None:
        """Wait for the save under way. RunError where it is one failure too many, or where the
        run is `leaving`, whatever else the thread raised as it is.
        """
        save, self._save = self._save, None
        if save is None:
            return
        while save.is_alive():
            save.join(PULSE)
        self.took, self.ended = save.ended - save.began, save.ended
        if save.error is None:
            self.failed = 0
        elif isinstance(save.error, CheckpointError):
            self._fail(save.error, leaving)
        else:
            raise save.error

    def _fail(self, error: CheckpointError, leaving: bool) -> None:
        self.failed += 1
        if leaving or self.failed == FAILED_SAVES:
            raise RunError(
                f"{error}; free some space or make the folder writable, then continue with "
                f"{self.folder.resume_command}"
            ) from error
        self.warn(f"{error}; training goes on, the earlier checkpoints are intact")
