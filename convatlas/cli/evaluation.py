"""eval: how good a finished run is, in the ways the papers tested."""

import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convatlas.cli.exported import is_export, require_plain
from convatlas.cli.flags import Bf16, Device, Engine, Source, Weights
from convatlas.cli.importing import quick_imports
from convatlas.errors import RecipeError
from convatlas.printable import printable

if TYPE_CHECKING:
    from convatlas.evaluation import Evaluation
    from convatlas.finished_run import Measurement


def eval_(
    run: Path,
    *,
    data: str | None = None,
    data_root: str | None = None,
    split: str | None = None,
    crops: str | None = None,
    sizes: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    workers: Annotated[int, Parameter(name=["--workers", "-j"])] = 0,
    weights: Weights = None,
    source: Source = None,
    of: Path | None = None,
    device: Device = "cpu",
    engine: Engine = None,
    bf16: Bf16 = False,
    json: bool = False,
    max_megapixels: float | None = None,
) -> int:
    """Measure a finished run on its test images, or on other images of its classes.

    Parameters
    ----------
    run: Path
        The folder of a finished run, a compressed file (.dc), or an exported one; or with --weights
        and --data the name of a network.
    data: str
        Another data set, or a folder, of which all is measured [the run's own]. Where it holds the
        run's own images, they are split as in training.
    data_root: str
        Where named data sets lie [the run's own].
    split: str
        test, val, train or all [test; of a folder of other images all].
    crops: str
        center, 10 (AlexNet), 144 (GoogLeNet) or dense (VGG) [the run's own].
    sizes: list[int]
        Shorter sides in pixels to which images are scaled before they are cropped [the run's own,
        or the paper's].
    workers: int
        Processes that read images.
    of: Path
        With an exported file: the run that it must have been made of, on whose test images it is
        measured. A file of other weights, classes or preparation of pictures is refused.
    json: bool
        Print JSON.
    max_megapixels: float
        The largest image of a folder that is read [the run's own].
    """
    with quick_imports():
        from convatlas.cli.opening import formed, opened, require_run
        from convatlas.finished_run import measure

    if is_export(run):
        require_plain(
            run,
            crops=crops,
            sizes=sizes,
            workers=workers,
            weights=weights,
            source=source,
            device=device != "cpu",
            engine=engine,
            bf16=bf16,
        )
        from convatlas.deploy.measuring import measure_export

        return _print(measure_export(run, of, data, data_root, split, max_megapixels), json)
    if of:
        raise RecipeError("--of goes with an exported file, such as lenet5.onnx; leave it out")
    if weights and not data:
        raise RecipeError(
            "which images? published weights have none of their own; give --data FOLDER, with one "
            "folder a class"
        )
    if not weights:
        require_run(run, source)
    place = opened(run, weights, source, device) if weights else run
    ways = (split, crops, sizes, workers, max_megapixels, device, formed(engine, bf16))
    return _print(measure(place, data, data_root, *ways), json)


def _print(found: "Measurement", json: bool) -> int:
    lines = [json_.dumps(_as_json(found))] if json else map(printable, _as_text(found))
    print("\n".join(lines))
    return 0


def _as_json(measured: "Measurement") -> dict:
    found, classes = measured.evaluation, measured.saved.classes
    per_class = [
        {"class": name} | counts for name, counts in zip(classes, found.per_class, strict=True)
    ]
    about = {
        "network": measured.saved.network,
        "data": measured.data,
        "split": measured.split,
        "images": measured.counts,
        "notes": measured.notes,
        "crops": measured.views.crops,
        "sizes": _sizes(measured),
        "loss_function": measured.loss,
    }
    return (
        about
        | found.to_dict()
        | {
            "per_class": per_class,
            "calibration": found.calibration,
            "classes": classes,
            "confusion": _confusion(found),
        }
    )


def _confusion(found: "Evaluation") -> list[list[int]] | dict[str, list[int]]:
    """Row by row; of many classes what is not zero, in three columns."""
    from convatlas.training.answers_file import MOST_DENSE

    if found.num_classes <= MOST_DENSE:
        return found.confusion.tolist()
    columns = found.cells().T.tolist()
    return dict(zip(("class", "answer", "count"), columns, strict=True))


def _sizes(measured: "Measurement") -> list[int]:
    """The shorter sides that were tested; none where images were fitted as in training."""
    views = measured.views
    return [] if views.as_trained else list(views.sizes_for(measured.saved.preprocess.side))


def _as_text(measured: "Measurement") -> list[str]:
    from convatlas.evaluation import BINS, chance_line
    from convatlas.training.progress import percent

    found, crops, sizes = measured.evaluation, measured.views.crops, _sizes(measured)
    way = f", {crops} crops" if crops != "center" else ""
    way += f" at {', '.join(map(str, sizes))} pixels" if sizes else ""
    network, data = measured.saved.network, measured.data
    more = len(measured.saved.classes) > 5  # of five classes the five likeliest say nothing
    top5 = [f"  top-5    {percent(found.top5 / found.count)}"] if more else []
    lines = [
        f"{network} on {data}, {_images(measured)}{way}",
        *(f"  note: {note}" for note in measured.notes),
        (
            f"  accuracy {percent(found.accuracy)}  ({found.correct:,} right, "
            f"{found.count - found.correct:,} wrong)"
        ),
        *top5,
        f"  loss     {found.loss:7.4f}  ({measured.loss})",
        (
            f"  expected calibration error, {BINS} equal bins: "
            f"{percent(found.calibration_error).strip()}"
        ),
    ]
    lines += [
        f"    confidence {100 * row['low']:3.0f} to {100 * row['high']:3.0f} %: promised "
        f"{percent(row['confidence'])}, right {percent(row['accuracy'])}  of {row['count']}"
        for row in found.calibration
    ]
    if line := chance_line(found.seen, found.correct):
        lines.append(f"  {line}")
    return lines + [
        _class_line(name, row)
        for name, row in zip(measured.saved.classes, found.per_class, strict=True)
        if row["count"]
    ]


def _images(measured: "Measurement") -> str:
    """540 test images; all 30 images; all 30 images (train 20, test 10)."""
    count, parts = measured.evaluation.count, measured.counts
    images = "image" if count == 1 else "images"
    if measured.split != "all":
        return f"{count:,} {measured.split} {images}"
    each = ", ".join(f"{name} {number:,}" for name, number in parts.items() if name != "all")
    return f"all {count:,} {images}{f' ({each})' if each else ''}"


def _class_line(name: str, row: dict) -> str:
    from convatlas.training.progress import percent

    answered = (
        f"right when answered {percent(row['precision'])}  of {row['answered']}"
        if row["answered"]
        else "never answered"
    )
    return f"  {name:>20}  {percent(row['recall'])}  of {row['count']}; {answered}"
