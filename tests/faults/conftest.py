"""What the tests of small runs share."""

import shutil
from pathlib import Path

import pytest
from small_runs import SMALL, Note

from convatlas.training import plots, train


@pytest.fixture
def undrawn(monkeypatch):
    """Without figures, most of a short run's time."""
    for figure in ("curves", "confusion"):
        monkeypatch.setattr(plots, figure, lambda *_: b"")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A small run that nobody stopped."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(SMALL, folder, callback=Note())
    return folder


@pytest.fixture
def copy(cut, tmp_path) -> Path:
    """The test file's own stopped run, to be changed."""
    return shutil.copytree(cut, tmp_path / "run")
