"""A disk that stands still, or is slow, where a run's save is written."""

import threading

from convatlas.training.tensor_file import TensorFile

WITHIN = 30  # seconds for what happens at once


class Gate:
    """The part of a save that has this name begins only when `open` is set."""

    def __init__(self, monkeypatch, name: str):
        self.open, self.reached = threading.Event(), threading.Event()
        real = getattr(TensorFile, name)

        def wait(file, *arguments):
            self.reached.set()
            assert self.open.wait(WITHIN)
            return real(file, *arguments)

        monkeypatch.setattr(TensorFile, name, wait)


def slowed(monkeypatch, name: str, seconds: float) -> None:
    """So long before this part of each file's save."""
    real = getattr(TensorFile, name)

    def slow(file, *arguments):
        threading.Event().wait(seconds)
        return real(file, *arguments)

    monkeypatch.setattr(TensorFile, name, slow)
