"""What explain shows: the pictures that were asked for, explained, as rows of a contact sheet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from convatlas.cli import answers, opening
from convatlas.cli.output import say_error
from convatlas.data import Preprocess, read_image
from convatlas.data.image_file import MAX_MEGAPIXELS, require_limit
from convatlas.errors import DataError, RecipeError
from convatlas.explanation.classes import class_number
from convatlas.explanation.colours import as_picture
from convatlas.explanation.explaining import (
    Explanation,
    as_input,
    explain_fitted,
    require_method,
)
from convatlas.explanation.mistakes import worst_mistakes
from convatlas.explanation.neighbours import nearest
from convatlas.explanation.sheets import (
    Panel,
    Row,
    Sheet,
    explanation_row,
    field_panel,
    filters_row,
    maps_panel,
    mistake_row,
    mistakes_note,
    unit_of,
)
from convatlas.explanation.watching import layer_path
from convatlas.model_file import Saved
from convatlas.printable import printable
from convatlas.registry import create_model
from convatlas.run_images import RunImages

NEAREST = 5
SPOKEN = {"val": "validation", "train": "training"}
SCALED = "each heat map is scaled to its own strongest place"
UNTRAINED = "of the network's wiring alone, which needs no weights"


@dataclass(frozen=True)
class Asked:
    """The flags of explain."""

    run: Path
    images: tuple[Path, ...]
    method: str
    layer: str | None
    label: str | None  # --class
    maps: tuple[str, ...]
    filters: tuple[str, ...]
    field: tuple[str, ...]
    nearest: bool
    worst: int
    test: int
    split: str | None
    data: str | None
    data_root: str | None
    workers: int
    top: int
    weights: str | None
    source: str | None
    device: str
    max_megapixels: float | None

    @property
    def limit(self) -> float:
        return MAX_MEGAPIXELS if self.max_megapixels is None else self.max_megapixels


def sheet_of(asked: Asked) -> tuple[Sheet, list[str]]:
    """(what to write, a sentence for each picture that could not be read)."""
    require_limit(asked.limit)
    files = answers.looked_for(list(asked.images)) if asked.images else []
    saved, images = _opened(asked)
    require_method(saved, asked.method, asked.layer)
    target = None if asked.label is None else class_number(saved.classes, asked.label)
    _require_layers(saved, asked)
    shown, problems = [], []
    for found, fitted in _explained(asked, saved, images, files, target):
        if found.problem:
            problems.append(f"{found.name}: {found.problem}")
            continue
        print(printable(_said(found)), flush=True)
        row = explanation_row(found, tuple(_more(asked, saved, found, fitted)))
        shown.append((row, fitted))
    near = _nearest_rows(asked, saved, images, [fitted for _, fitted in shown])
    rows = [each for (row, _), more in zip(shown, near, strict=True) for each in (row, *more)]
    rows += [filters_row(saved.net, path) for path in asked.filters]
    notes = [f"{saved.network}, {len(saved.classes):,} classes; {SCALED}"]
    if asked.worst:
        note, more = _mistakes(asked, saved, images)
        print(printable(note), flush=True)
        rows, notes = [*rows, *more], [*notes, note]
    return Sheet(f"What {saved.network} looks at", tuple(notes), tuple(rows)), problems


def from_atlas(asked: Asked) -> tuple[Sheet, list[str]]:
    """Receptive fields on pictures as the paper's network would be given them, for a network by
    name without weights.
    """
    require_limit(asked.limit)
    files = answers.looked_for(list(asked.images))
    with torch.device("meta"):
        net = create_model(str(asked.run))
    side = max(net.side, 2)
    zeros, ones = (0.0,) * net.in_channels, (1.0,) * net.in_channels
    prepare = Preprocess(net.in_channels, side, zeros, ones, "resize", side)
    rows, problems = [], []
    for file in files:
        try:
            image = read_image(file, max_megapixels=asked.limit)
        except DataError as error:
            problems.append(f"{file}: {error}")
            continue
        picture = as_picture(prepare.fit_image(image).numpy())
        panels = [field_panel(net, picture, unit, net.in_channels) for unit in asked.field]
        rows.append(Row(str(file), (Panel(picture, (f"{side}x{side} pixels",)), *panels)))
        for panel in panels:
            print(printable(f"{file}: {', '.join(panel.lines)}"), flush=True)
    title = f"What units of {asked.run} see"
    return Sheet(title, (f"{asked.run}: {UNTRAINED}",), tuple(rows)), problems


def _opened(asked: Asked) -> tuple[Saved, RunImages | None]:
    """The network, and the pictures of its run where they are needed."""
    if not (asked.worst or asked.test or asked.nearest):
        return opening.opened(asked.run, asked.weights, asked.source, asked.device), None
    from convatlas.finished_run import open_run

    if asked.weights is None:
        opening.require_run(asked.run, asked.source)
        place: Path | Saved = asked.run
    elif asked.data is None:
        raise RecipeError(
            "which pictures? published weights have none of their own; give --data FOLDER, with "
            "one folder a class"
        )
    else:
        place = opening.opened(asked.run, asked.weights, asked.source, asked.device)
    saved, _, images = open_run(
        place, asked.data, asked.data_root, asked.max_megapixels, asked.device
    )
    for note in images.notes:
        say_error(printable(f"note: {note}"))
    return saved, images


def _require_layers(saved: Saved, asked: Asked) -> None:
    """Before any picture is read: an error for a layer or a unit that does not exist."""
    for path in (*asked.maps, *asked.filters):
        layer_path(saved.net, path)
    size = (saved.preprocess.channels, saved.preprocess.side, saved.preprocess.side)
    for unit in asked.field:
        unit_of(saved.net, unit, size)


def _explained(
    asked: Asked, saved: Saved, images: RunImages | None, files: list[Path], target: int | None
) -> Iterator[tuple[Explanation, Tensor]]:
    """Each picture's explanation, with the picture as the network is given it."""
    for name, fitted, problem in _pictures(asked, saved, images, files):
        if problem:
            yield Explanation(name, problem=problem), fitted
            continue
        way = (asked.method, target, asked.layer, asked.top)
        yield explain_fitted(saved, fitted, name, *way), fitted


def _pictures(
    asked: Asked, saved: Saved, images: RunImages | None, files: list[Path]
) -> Iterator[tuple[str, Tensor, str]]:
    """(name, uint8 (C, side, side), why it could not be read)."""
    prepare = saved.preprocess
    if asked.test:
        split = images.of(images.split(None))
        count = min(asked.test, len(split))
        for i in (number * len(split) // count for number in range(count)):
            truth = saved.classes[int(split.labels[i])]
            fitted = prepare.fit_image(split.read(i, white=prepare.white))
            yield f"{split.names[i]} (truth: {truth})", fitted, ""
    for file in files:
        try:
            image = read_image(file, white=prepare.white, max_megapixels=asked.limit)
            yield str(file), prepare.fit_image(image), ""
        except DataError as error:
            yield str(file), torch.empty(0), str(error)


def _more(asked: Asked, saved: Saved, found: Explanation, fitted: Tensor) -> Iterator[Panel]:
    """The panels beside an explanation: feature maps, receptive fields."""
    x = as_input(saved, fitted[None])
    for path in asked.maps:
        yield maps_panel(saved.net, x, path)
    for unit in asked.field:
        yield field_panel(saved.net, found.picture, unit, saved.preprocess.channels)


def _nearest_rows(
    asked: Asked, saved: Saved, images: RunImages | None, fitted: list[Tensor]
) -> list[list[Row]]:
    """For each picture the row of those that it was trained with and are nearest; of others of its
    classes, of all of them. The set is read once.
    """
    if images is None or not asked.nearest or not fitted:
        return [[] for _ in fitted]
    part = "train" if "train" in images.parts else images.split(None)
    split = images.of(part)
    found = nearest(saved, torch.stack(fitted), split, NEAREST, asked.workers)
    rows = []
    for indices, cosines in zip(found.indices.tolist(), found.cosines.tolist(), strict=True):
        near = split.fitted(torch.tensor(indices), saved.preprocess).numpy()
        labels = [saved.classes[label] for label in split.labels[indices].tolist()]
        panels = [
            Panel(as_picture(picture), (label, f"cosine {cosine:.3f}"))
            for picture, label, cosine in zip(near, labels, cosines, strict=True)
        ]
        rows.append([Row(f"nearest of {len(split):,} {_spoken(part)}", tuple(panels))])
    return rows


def _mistakes(asked: Asked, saved: Saved, images: RunImages) -> tuple[str, list[Row]]:
    """(what they are of, a row for each). Without --split the validation pictures, for whoever
    looks at mistakes changes the network after them.
    """
    asked_split = asked.split or ("val" if "val" in images.parts else None)
    part = images.split(asked_split)
    way = (asked.worst, asked.method, asked.layer, asked.workers)
    found = worst_mistakes(saved, images.of(part), *way)
    where = f"{_spoken(part)} of {images.name}"
    rows = [mistake_row(each, saved.classes) for each in found.worst]
    return mistakes_note(found, where), rows


def _spoken(part: str) -> str:
    return "pictures" if part == "all" else f"{SPOKEN.get(part, part)} pictures"


def _said(found: Explanation) -> str:
    pairs = zip(found.classes, found.probabilities, strict=True)
    shares = "   ".join(f"{name} {100 * share:5.1f} %" for name, share in pairs)
    return f"{found.name}: {shares}"
