"""pack: a set of very many images, written into a few large files."""

from pathlib import Path
from typing import Literal

from convatlas.cli.checking import progress
from convatlas.cli.printing import say
from convatlas.errors import DataError


def pack(
    source: Path,
    out: Path,
    *more: Path,
    size: int = 0,
    quality: int = 90,
    bad_images: Literal["error", "skip"] = "error",
    missing_classes: Literal["error", "allow"] = "error",
    workers: int = 0,
    max_megapixels: float = 64,
) -> int:
    """Write a set of images into a few large files, for a network disk or an object store.

    SOURCE is a folder of class folders; or several files, all of them WebDataset's tars or all of
    them the Parquet files of a Hugging Face set. The last place named, OUT, is a new folder, which
    `train --data OUT` reads, or `--data s3://BUCKET/PATH` once it is copied there. Every image is
    decoded once; OUT is complete, or not there.

    Parameters
    ----------
    source: Path
        A folder of class folders, a .tar or a .parquet.
    out: Path
        The new folder; of several files, the next one.
    more: Path
        More files, and at the end the new folder.
    size: int
        Scale images down to this shorter side, as JPEG; smaller ones stay as they are [none are
        touched].
    quality: int
        Of these JPEGs, 1 to 100.
    bad_images: error | skip
        What to do about images that cannot be read.
    missing_classes: error | allow
        Whether val and test may be without some of train's classes.
    workers: int
        Processes that decode; 0 is one for each core.
    max_megapixels: float
        The largest image that is read, as in the recipe.
    """
    from convatlas.data.packed.place import place_of
    from convatlas.data.packed.writing import pack as write
    from convatlas.data.telling import told_to
    from convatlas.object_store import is_remote

    if workers < 0:
        raise DataError(f"--workers {workers} makes no sense; give 0 or more")
    *sources, place = source, out, *more
    if is_remote(place):
        raise DataError(
            f"{place_of(place).name} is an object store; pack into a folder, and copy this there: "
            "aws s3 cp --recursive OUT s3://BUCKET/PATH"
        )
    with told_to(progress()):
        done = write(
            sources,
            place,
            size,
            quality,
            bad_images,
            workers,
            missing_classes,
            max_megapixels,
        )
    for sentence in done.skipped:
        say(f"left out: {sentence}")
    smaller = f", {done.smaller:,} of them made smaller" if done.smaller else ""
    shards = "1 file" if done.shards == 1 else f"{done.shards:,} files"
    say(f"{done.images:,} images{smaller}, {done.bytes / 1e6:,.1f} MB in {shards}: {place}")
    return 0
