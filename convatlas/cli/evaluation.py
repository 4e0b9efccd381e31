"""eval: how good a finished run is, in the ways the papers tested."""

import json as json_
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from convatlas.errors import RecipeError
from convatlas.training.recipe import Recipe


def eval_(
    run: Path,
    *,
    data: str | None = None,
    data_root: str | None = None,
    split: str = "test",
    crops: str | None = None,
    sizes: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    workers: Annotated[int, Parameter(name=["--workers", "-j"])] = 0,
    json: bool = False,
) -> int:
    """Measure a finished run on its test images, or on other images of the same classes.

    Parameters
    ----------
    run: Path
        The folder of a finished run.
    data: str
        Another data set or folder [the run's own].
    data_root: str
        Where named data sets lie [the run's own].
    split: str
        test, val or train.
    crops: str
        center, 10 (AlexNet), 144 (GoogLeNet) or dense (VGG) [the run's own].
    sizes: list[int]
        Shorter sides in pixels to which images are scaled before they are cropped [the run's own,
        or the paper's].
    workers: int
        Processes that read images.
    json: bool
        Print JSON.
    """
    if split not in ("train", "val", "test"):
        raise RecipeError(f"split = {split!r} is not allowed; allowed: test | val | train")
    from convatlas.cli.open_run import open_run
    from convatlas.data import Loader
    from convatlas.evaluation import MultiCrop, evaluate

    saved, images = open_run(run, data, data_root)
    chosen = _chosen(Recipe.read(run / "recipe.toml"), crops, sizes)
    views = MultiCrop(chosen.test_crops, chosen.test_sizes)
    limit = (
        {} if views.as_trained else {"memory_limit": 0}
    )  # crops are cut from files as they are needed
    loader = Loader(getattr(images, split), saved.preprocess, 256, workers=workers, **limit)
    found = evaluate(saved.net, loader, len(saved.classes), views=views)
    about = {
        "network": saved.network,
        "data": images.name,
        "split": split,
        "crops": views.crops,
        "sizes": [] if views.as_trained else list(views.sizes_for(saved.preprocess.side)),
    }
    print(
        "\n".join(
            [json_.dumps(_as_json(about, saved.classes, found))]
            if json
            else _as_text(about, saved.classes, found)
        )
    )
    return 0


def _chosen(recipe: Recipe, crops: str | None, sizes: list[int] | None) -> Recipe:
    """The run's own way to test, changed by what was typed; other crops alone bring their own sizes
    with them.
    """
    if crops is None and sizes is None:
        return recipe
    return recipe.change(test_crops=crops or recipe.test_crops, test_sizes=tuple(sizes or ()))


def _as_json(about: dict, classes: tuple[str, ...], found) -> dict:
    per_class = [
        {"class": name} | counts for name, counts in zip(classes, found.per_class, strict=True)
    ]
    return (
        about
        | found.to_dict()
        | {
            "per_class": per_class,
            "calibration": found.calibration,
            "classes": classes,
            "confusion": found.confusion.tolist(),
        }
    )


def _as_text(about: dict, classes: tuple[str, ...], found) -> list[str]:
    from convatlas.evaluation import BINS
    from convatlas.training.progress import percent

    way = f", {about['crops']} crops" if about["crops"] != "center" else ""
    way += f" at {', '.join(map(str, about['sizes']))} pixels" if about["sizes"] else ""
    lines = [
        f"{about['network']} on {about['data']}, {found.count:,} {about['split']} images{way}",
        (
            f"  accuracy {percent(found.accuracy)}  ({found.correct:,} right, "
            f"{found.count - found.correct:,} wrong)"
        ),
        f"  top-5    {percent(found.top5 / found.count)}",
        f"  loss     {found.loss:7.4f}",
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
    return lines + [
        _class_line(name, row)
        for name, row in zip(classes, found.per_class, strict=True)
        if row["count"]
    ]


def _class_line(name: str, row: dict) -> str:
    from convatlas.training.progress import percent

    answered = (
        f"{percent(row['precision'])}  of {row['answered']}"
        if row["answered"]
        else "never answered"
    )
    return (
        f"  {name:>20}  {percent(row['recall'])}  of {row['count']}; right when answered {answered}"
    )
