"""explain: what a network looks at, as a PNG or a page."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convatlas.cli import output as streams
from convatlas.cli.exported import is_export
from convatlas.cli.flags import Device, Source, Weights
from convatlas.cli.importing import quick_imports
from convatlas.errors import RecipeError
from convatlas.printable import printable
from convatlas.registry import stored_facts

if TYPE_CHECKING:
    from convatlas.cli.explained import Asked

PLACE = Path("explained.html")


def explain(
    run: Path,
    images: list[Path] | None = None,
    *,
    method: str = "gradcam",
    layer: str | None = None,
    class_: Annotated[str | None, Parameter(name="--class")] = None,
    maps: Annotated[list[str] | None, Parameter(negative=())] = None,
    filters: Annotated[list[str] | None, Parameter(negative=())] = None,
    field: Annotated[list[str] | None, Parameter(negative=())] = None,
    nearest: bool = False,
    worst: int = 0,
    test: int = 0,
    split: str | None = None,
    data: str | None = None,
    data_root: str | None = None,
    workers: Annotated[int, Parameter(name=["--workers", "-j"])] = 0,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = PLACE,
    top: int = 3,
    weights: Weights = None,
    source: Source = None,
    device: Device = "cpu",
    max_megapixels: float | None = None,
) -> int:
    """Show what a network looks at: the evidence for a class on a picture, and what lies inside.

    Parameters
    ----------
    run: Path
        The folder of a finished run, or a compressed file (.dc); with --weights the name of a
        network; with --field alone the name is enough.
    images: list[Path]
        Image files, and folders of them.
    method: str
        gradcam, gradcam++, cam (of networks that end in a global average and one linear layer) or
        occlusion.
    layer: str
        The layer whose maps gradcam reads [the network's last maps].
    class_: str
        The class that is asked about, by name or number [each picture's likeliest].
    maps: list[str]
        Also all feature maps of this layer; may be repeated.
    filters: list[str]
        The filters of this convolution; needs no picture; may be repeated.
    field: list[str]
        Also the receptive field of this unit, LAYER for the middle one or LAYER@ROW,COLUMN; may be
        repeated.
    nearest: bool
        Also the five nearest pictures among those the run was trained with.
    worst: int
        This many of the run's worst mistakes, on its validation pictures or those of --split.
    test: int
        Instead of files, take this many of the run's own test pictures.
    split: str
        With --worst: test, val, train or all [val; of a folder of other pictures all].
    data: str
        Where the pictures of --worst, --test and --nearest are: the folder to which the run's own
        moved, or others of its classes.
    data_root: str
        Where named data sets lie [the run's own].
    workers: int
        Processes that read the pictures of --worst and --nearest.
    output: Path
        A file that ends in .html or .png, or a new folder.
    top: int
        How many classes to name.
    max_megapixels: float
        The largest image file that is read [64, or for a run's own pictures its limit].
    """
    _require_sense(run, images, filters, field, nearest, worst, test, split, data, weights)
    with quick_imports():
        from convatlas.cli.explained import Asked, from_atlas, sheet_of
        from convatlas.explanation.sheet_files import require_place, write_sheet

    require_place(output)
    asked = Asked(
        *(run, tuple(images or ()), method, layer, class_),
        *(tuple(maps or ()), tuple(filters or ()), tuple(field or ()), nearest, worst, test),
        *(split, data, data_root, workers, top, weights, source, device, max_megapixels),
    )
    bare = weights is None and str(run) in stored_facts() and not run.exists()
    sheet, problems = from_atlas(asked) if bare and _is_geometry(asked) else sheet_of(asked)
    written = write_sheet(sheet, output)
    for line in _lines(asked, problems, written):
        print(printable(line))
    streams.settle()
    return 1 if problems else 0


def _require_sense(
    run: Path, images, filters, field, nearest, worst, test, split, data, weights
) -> None:
    """RecipeError, which says what to type, where flags do not go together."""
    if is_export(run):
        raise RecipeError(
            f"{run} is an exported file, into which nobody can look; give the folder of the run "
            "that it was made of"
        )
    if worst < 0 or test < 0:
        raise RecipeError(f"--worst and --test must be 0 or more, not {worst} and {test}")
    if images and test:
        raise RecipeError(
            f"--test {test} takes the run's own test pictures, and the files named beside it would "
            "not be looked at; leave out one or the other"
        )
    if not (images or test or worst or filters):
        raise RecipeError(
            "which pictures? give files or folders, or --test 4 for four of the run's test "
            "pictures, --worst 9 for its worst mistakes, --filters LAYER for what needs none"
        )
    if split and not worst:
        raise RecipeError("--split says of which pictures --worst is; give that too")
    if data and not (worst or test or nearest):
        raise RecipeError(
            "--data says where the pictures of --worst, --test and --nearest are; other pictures "
            "stand after the run: `convatlas explain RUN IMAGE…`"
        )
    if weights and test:
        raise RecipeError("--test takes a run's own test pictures; with --weights, name files")
    if nearest and not (images or test):
        raise RecipeError("--nearest is of pictures; name files, or give --test 4")


def _is_geometry(asked: "Asked") -> bool:
    """Whether only what an untrained network can show is asked for."""
    needs_weights = (asked.maps, asked.filters, asked.nearest, asked.worst, asked.test, asked.label)
    return bool(asked.field) and not any(needs_weights)


def _lines(asked: "Asked", problems: list[str], written: list[Path]) -> Iterator[str]:
    yield from problems
    more = f" and {len(written) - 1} pictures beside it" if len(written) > 1 else ""
    yield f"written: {written[0]}{more}"
