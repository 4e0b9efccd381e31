"""Runs of eight steps, and somebody who listens to them and stops them."""

import hashlib
import json
import os
import signal
from pathlib import Path

from short_runs import SMALL

from convatlas.training import train
from convatlas.training.callbacks import Callback


class Note(Callback):
    """What a run says, until it is sent SIGTERM after step `stop_at`."""

    def __init__(self, stop_at: int = 0):
        self.stop_at, self.facts = stop_at, {}
        self.warnings, self.records = [], []

    def begin(self, facts):
        self.facts = facts

    def step(self, progress, loss, rate):
        if progress.step == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    def epoch(self, record):
        self.records.append(record)

    def warn(self, text):
        self.warnings.append(text)


def resumed(run: Path) -> list[str]:
    """What it warned of."""
    note = Note()
    train(SMALL, run, resume=True, callback=note)
    return note.warnings


def signed(step: Path, name: str, content: bytes) -> None:
    """A file of a checkpoint, and the manifest of somebody who knows how to write one."""
    (step / name).write_bytes(content)
    manifest = json.loads((step / "MANIFEST.json").read_text())
    manifest["files"][name] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    (step / "MANIFEST.json").write_text(json.dumps(manifest, indent=1))
