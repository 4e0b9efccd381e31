"""A finished run together with images to use it on: opened, and measured as the papers tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convatlas.data import Data, Loader, open_data
from convatlas.errors import ModelFileError, RecipeError
from convatlas.evaluation import Evaluation, MultiCrop
from convatlas.evaluation import evaluate as evaluate_network
from convatlas.model_file import Saved, load_model
from convatlas.training.loss import loss_function
from convatlas.training.recipe import Recipe

BATCH = 256
SPLITS = ("test", "val", "train")


@dataclass(frozen=True)
class Measurement:
    """What was measured of a run, and how."""

    evaluation: Evaluation
    saved: Saved
    data: str  # the set's name
    split: str
    views: MultiCrop
    loss: str  # the run's own: cross-entropy, map or squared-error; without a recipe the first


def open_run(
    run: str | Path, data: str | None = None, data_root: str | Path | None = None
) -> tuple[Saved, Recipe, Data]:
    """The trained network, its recipe, and its own images, split as in training, or others of the
    same classes. Where only the model was kept, without its recipe, `data` must be given.

    Raises ModelFileError where the run cannot be read or the classes differ, RecipeError for its
    recipe, DataError for the images.
    """
    saved = load_model(run)
    recipe = _recipe_of(run, data)
    images = open_data(
        data or recipe.data,
        root=data_root or recipe.data_root,
        seed=recipe.seed,
        val_fraction=recipe.val_fraction,
        missing_classes=recipe.missing_classes,
    )
    if images.classes != saved.classes:
        raise ModelFileError(
            f"{run} knows the classes {', '.join(saved.classes)}, and {images.name} has "
            f"{', '.join(images.classes)}; give images of the same classes"
        )
    return saved, recipe, images


def _recipe_of(run: str | Path, data: str | None) -> Recipe:
    file = Path(run).expanduser() / "recipe.toml"
    if file.exists():
        return Recipe.recorded(file)
    if data is None:
        raise RecipeError(
            f"there is no {file}, so the images of the run are not known: `convatlas eval` takes "
            "others with --data, convatlas.evaluate with data=..., and `convatlas predict` files"
        )
    return Recipe()


def evaluate(
    run: str | Path,
    data: str | None = None,
    *,
    data_root: str | Path | None = None,
    split: str = "test",
    crops: str | None = None,
    sizes: Sequence[int] | None = None,
    workers: int = 0,
) -> Evaluation:
    """How good a finished run is on its test images, or on other images of the same classes.

    `split` is test, val or train; `crops` center, 10 (AlexNet), 144 (GoogLeNet) or dense (VGG);
    `sizes` the shorter sides in pixels to which images are scaled before they are cropped. What is
    not given is the run's own. The loss is the run's own, too: metrics.json has the same figures.
    Raises ModelFileError, RecipeError, DataError or MultiCropError.
    """
    return measure(run, data, data_root, split, crops, sizes, workers).evaluation


def measure(
    run: str | Path,
    data: str | None = None,
    data_root: str | Path | None = None,
    split: str = "test",
    crops: str | None = None,
    sizes: Sequence[int] | None = None,
    workers: int = 0,
) -> Measurement:
    """The same, with what was measured and how."""
    if split not in SPLITS:
        raise RecipeError(f"split = {split!r} is not allowed; allowed: {' | '.join(SPLITS)}")
    saved, recipe, images = open_run(run, data, data_root)
    views = _views(recipe, crops, sizes)
    limit = {} if views.as_trained else {"memory_limit": 0}  # crops are cut from files when needed
    loader = Loader(getattr(images, split), saved.preprocess, BATCH, workers=workers, **limit)
    loss = loss_function(recipe.loss, recipe.label_smoothing)
    found = evaluate_network(saved.net, loader, len(saved.classes), loss, views)
    return Measurement(found, saved, images.name, split, views, recipe.loss)


def _views(recipe: Recipe, crops: str | None, sizes: Sequence[int] | None) -> MultiCrop:
    """The run's own way to test, changed by what was asked for; other crops alone bring their own
    sizes with them.
    """
    if crops is None and sizes is None:
        return MultiCrop(recipe.test_crops, recipe.test_sizes)
    return MultiCrop(crops or recipe.test_crops, tuple(sizes or ()))
