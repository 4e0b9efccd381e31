"""matplotlib without a screen, by its own defaults, and without a word of its own."""

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator

from convatlas.plotting.lettering import lettering

WIDEST = 56  # columns of a title


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """matplotlib by its own defaults, and silent: no TeX in names, no fonts, styles or warnings of
    whoever started us.
    """
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        _import_matplotlib()
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams["text.parse_math"] = False
            yield


def new_figure(width: float, height: float):
    """An empty figure of so many inches, drawn by no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure, dpi: int = 130) -> bytes:
    """The figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return file.getvalue()


def write_name(write: Callable, text: str, longest: int = WIDEST, **font: object) -> None:
    """A title in which a name of the user's stands; `write` takes the text and its fonts."""
    drawn = lettering([text], longest=longest, is_numbered=False)
    write(drawn.labels[0], family=drawn.families, **font)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """It logs that it has no home to write to, and that it looks for fonts."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _import_matplotlib() -> None:
    """Also where a notebook exports a backend that is not installed here, which it would refuse."""
    backend = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    import matplotlib

    if backend is not None:
        os.environ["MPLBACKEND"] = backend
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
