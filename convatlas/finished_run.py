"""A finished run together with images to use it on: opened, and measured as the papers tested."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convatlas.data import Loader
from convatlas.evaluation import Evaluation, MultiCrop
from convatlas.evaluation import evaluate as evaluate_network
from convatlas.model_file import Saved, load_model
from convatlas.run_images import RunImages, open_images
from convatlas.training import answers_file
from convatlas.training.loss import loss_function
from convatlas.training.memory import not_enough
from convatlas.training.recipe import Recipe
from convatlas.training.standing import require_tested

BATCH = 256
ONCE = 2**30  # bytes of decoded images that are worth holding for one look at each


@dataclass(frozen=True)
class Measurement:
    """What was measured of a run, and how."""

    evaluation: Evaluation
    saved: Saved
    data: str  # the set's name
    split: str  # test, val, train or all
    counts: dict[str, int]  # images of each part that was measured
    views: MultiCrop
    loss: str  # the run's own: cross-entropy, map or squared-error; without a recipe the first
    notes: tuple[str, ...] = ()  # what was left out, and why


def open_run(
    run: str | Path | Saved,
    data: str | Path | None = None,
    data_root: str | Path | None = None,
    max_megapixels: float | None = None,
    device: str = "cpu",
) -> tuple[Saved, Recipe, RunImages]:
    """The trained network, its recipe, and its own images, split as in training, or others of its
    classes. Where only the model was kept, without its recipe, or a network is given that is open
    already, `data` must be given. A compressed file (.dc) has the recipe of the run in whose folder
    it lies.

    Raises ModelFileError where the run cannot be read, RunError where it was trained and not yet
    tested, RecipeError for its recipe, DataError for the images.
    """
    is_open = isinstance(run, Saved)
    place = None if is_open else _folder_of(run)
    if place:
        require_tested(place)
    saved = run if is_open else load_model(run, device)
    recipe = None if place is None else _recipe_of(place)
    images = open_images(place, saved, recipe, data, data_root, max_megapixels)
    return saved, recipe or Recipe(), images


def _folder_of(run: str | Path) -> Path:
    place = Path(run).expanduser()
    return place.parent if place.is_file() else place


def _recipe_of(folder: Path) -> Recipe | None:
    file = folder / "recipe.toml"
    return Recipe.recorded(file) if file.exists() else None


def evaluate(
    run: str | Path | Saved,
    data: str | Path | None = None,
    *,
    data_root: str | Path | None = None,
    split: str | None = None,
    crops: str | None = None,
    sizes: Sequence[int] | None = None,
    workers: int = 0,
    max_megapixels: float | None = None,
    device: str = "cpu",
) -> Evaluation:
    """How good a finished run is on its test images, or on other images of its classes.

    A network that is open already, as load_model or open_network gave it, is measured where it is,
    and needs `data`; one of a run is put on `device` first.

    `data` is another set, or a folder: all of it is measured, under the run's names of classes, of
    which it may have fewer. Where it holds the run's own images, as their fingerprint tells, it is
    split as in training. `split` is test, val, train or all; `crops` center, 10 (AlexNet), 144
    (GoogLeNet) or dense (VGG); `sizes` the shorter sides in pixels to which images are scaled
    before they are cropped; `max_megapixels` the largest image of a folder. What is not given is
    the run's own. The loss is the run's own, too: metrics.json has the same figures. Raises
    ModelFileError, RecipeError, DataError or MultiCropError, and RunError where memory ends.
    """
    ways = (split, crops, sizes, workers, max_megapixels, device)
    return measure(run, data, data_root, *ways).evaluation


def measure(
    run: str | Path | Saved,
    data: str | Path | None = None,
    data_root: str | Path | None = None,
    split: str | None = None,
    crops: str | None = None,
    sizes: Sequence[int] | None = None,
    workers: int = 0,
    max_megapixels: float | None = None,
    device: str = "cpu",
    form: Callable[[Saved], Saved] = lambda saved: saved,
) -> Measurement:
    """The same, with what was measured and how; answered by what `form` makes of the network."""
    saved, recipe, images = open_run(run, data, data_root, max_megapixels, device)
    saved = form(saved)
    split = images.split(split)
    views = _views(recipe, crops, sizes)
    limit = ONCE if views.as_trained else 0  # crops are cut from files when needed
    loader = Loader(images.of(split), saved.preprocess, BATCH, workers=workers, memory_limit=limit)
    loss = loss_function(recipe.loss, recipe.label_smoothing)
    with not_enough(lambda: f"to measure {BATCH} images at a time; {_smaller(views)}"):
        found = evaluate_network(saved.net, loader, len(saved.classes), loss, views)
    notes = images.notes + _faults(None if isinstance(run, Saved) else Path(run).expanduser())
    return Measurement(
        found, saved, images.name, split, images.counts(split), views, recipe.loss, notes
    )


def _faults(folder: Path | None) -> tuple[str, ...]:
    """What is wrong beside the network: nothing here needs it, and a report does."""
    fault = answers_file.fault_of(folder) if folder else ""
    return (fault,) if fault else ()


def _smaller(views: MultiCrop) -> str:
    if views.as_trained:
        return "end other programs, or measure on a larger machine"
    return "give smaller --sizes, or --crops center"


def _views(recipe: Recipe, crops: str | None, sizes: Sequence[int] | None) -> MultiCrop:
    """The run's own way to test, changed by what was asked for; other crops alone bring their own
    sizes with them.
    """
    if crops is None and sizes is None:
        return MultiCrop(recipe.test_crops, recipe.test_sizes)
    return MultiCrop(crops or recipe.test_crops, tuple(sizes or ()))
