"""How good an exported file is on labelled pictures, which it is given raw, as they are read."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from convatlas.data import Preprocess, Split
from convatlas.deploy.engines import Opened, open_export
from convatlas.deploy.proof import batches_of
from convatlas.deploy.record import Record
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError, RecipeError
from convatlas.evaluation import Evaluation, MultiCrop
from convatlas.finished_run import Measurement, open_run
from convatlas.model_file import Saved
from convatlas.training.loss import loss_function

SAME = ("network", "classes", "preprocess", "weights")  # in a file and the run that it is made of


def measure_export(
    path: str | Path,
    run: str | Path | None = None,
    data: str | Path | None = None,
    data_root: str | Path | None = None,
    split: str | None = None,
    max_megapixels: float | None = None,
) -> Measurement:
    """The file on its run's test images, or on those of `data`, as finished_run.measure does it.

    Raises ExportError for a file that was altered, or was not made of `run`; RecipeError where
    neither a run nor data is given; and what open_run raises.
    """
    opened = open_export(path)
    if run is None and data is None:
        raise RecipeError(
            f"which images? {path} has none of its own; give --data FOLDER, or --of with the "
            "folder of the run that it was made of"
        )
    saved, recipe, images = open_run(
        _described(opened.record) if run is None else run, data, data_root, max_megapixels
    )
    if run is not None:
        require_made_of(opened.record, saved, path, run)
    split = images.split(split)
    loss = loss_function(recipe.loss, recipe.label_smoothing)
    found = _counted(opened, images.of(split), loss)
    notes = images.notes
    if recipe.test_crops != "center" or recipe.test_sizes:
        notes += ("each picture is shown once, as the file prepares it, not as the run tests",)
    about = (saved, images.name, split, images.counts(split), MultiCrop())
    return Measurement(found, *about, recipe.loss, notes)


def require_made_of(record: Record, saved: Saved, path: str | Path, run: str | Path) -> None:
    """ExportError unless the file answers for this run: the same network, classes, preparation of
    pictures and, by their sha256, weights.
    """
    theirs, ours = (json.loads(one.to_json()) for one in (record, record_of(saved)))
    if odd := [name for name in SAME if theirs[name] != ours[name]]:
        raise ExportError(
            f"{path} was not made of {run}: it is of other {' and '.join(odd)}; export the run "
            "again, or name the run that the file was made of"
        )


def _described(record: Record) -> Saved:
    """What is known of the network without its run."""
    prepare = Preprocess.from_dict(record.preprocess)
    return Saved(torch.nn.Identity(), record.network, record.classes, prepare, record.provenance)


def _counted(opened: Opened, split: Split, loss: Callable[[Tensor, Tensor], Tensor]) -> Evaluation:
    named = len(opened.record.classes)
    white = Preprocess.from_dict(opened.record.preprocess).white
    found = []
    for pictures, classes in batches_of(split, white, len(split)):
        logits, labels = torch.from_numpy(opened(pictures)[0]), torch.from_numpy(classes)
        if logits.shape[1] != named:
            raise ExportError(
                f"the file gives {logits.shape[1]:,} answers and names {named:,} classes; export "
                "the network again"
            )
        found.append(Evaluation.of(logits, labels, float(loss(logits.double(), labels))))
    return Evaluation.sum(named, found)
