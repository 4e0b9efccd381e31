"""What the tests of short runs share."""

from pathlib import Path

import pytest
from short_runs import SMALL

from convatlas.training import plots, train
from convatlas.training.callbacks import Callback


@pytest.fixture(scope="module")
def undrawn():
    """Without figures, most of a short run's time."""
    with pytest.MonkeyPatch.context() as patch:
        for figure in ("curves", "confusion"):
            patch.setattr(plots, figure, lambda *_: b"")
        yield


@pytest.fixture(scope="module")
def whole(undrawn, tmp_path_factory) -> Path:
    """A short run that nobody stopped or tracked, tested at once."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(SMALL, folder, callback=Callback())
    return folder
