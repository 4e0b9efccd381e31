"""ConvClassifier: arrays of pictures and labels in, a trained network's answers out."""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from convatlas.estimator.pictures import (
    Asked,
    extent,
    flat,
    in_bytes,
    layout_of,
    layout_of_rows,
    other_scale,
)

if TYPE_CHECKING:
    from convatlas.training import Recipe

SEEDS = 2**31 - 1
FIELDS = ("epochs", "batch_size", "opt", "lr", "weight_decay", "size", "weights")


class ConvClassifier(ClassifierMixin, BaseEstimator):
    """A network of the atlas that learns from arrays, in scikit-learn's way.

    X holds pictures of one size: (N, H, W) grey, (N, 1 or 3, H, W) or (N, H, W, 1 or 3); or flat
    rows (N, values) as scikit-learn's other estimators take them, each a grey square unless `shape`
    says otherwise. Bytes (uint8) are 0 for black, 255 for white. Of any other numbers the least and
    the greatest value that fit sees are black and white, and what lies between is rounded to 256
    levels. y holds labels of any kind, one a picture.

    network        a name from convatlas.list_models()
    recipe         how it learns: None for the modern recipe that suits the network, a name from
                   `convatlas recipes`, a TOML file, or a convatlas.Recipe; its data set is not used
    epochs, batch_size, opt, lr, weight_decay, size, weights
                   fields of the recipe; None leaves them as the recipe has them
    changes        other values for any of its other fields: {"rotate": 10, "ema": 0.99}
    shape          of a picture, where X is flat rows: (H, W), (3, H, W) or (H, W, 3); None for grey
                   squares; "fill" for squares that are filled up with black, for any table
    random_state   an int is the seed of a run: the same weights as `convatlas train --seed`; None
                   leaves the recipe's own, 0; a RandomState draws one
    device         auto, cpu, cuda or mps
    verbose        print a line an epoch

    A tenth of the pictures (val_fraction), drawn by lot, is held out, and the weights of the epoch
    that reads it best are kept. Nothing is written to disk.

    Attributes, once fitted: classes_; n_features_in_, the values of one picture; layout_, whose
    shape is (channels, height, width); value_range_, black and white; history_, a dict an epoch
    (loss, accuracy, rate); model_, a convatlas.Saved, which convatlas.predict takes.

    fit, predict and the others raise ValueError for what is wrong with X, y or a parameter, among
    them UnknownNetwork, RecipeError and InputError, and RunError for a run that cannot go on.
    """

    def __init__(
        self,
        network: str = "lenet_caffe",
        *,
        recipe: "Recipe | str | Path | None" = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        opt: str | None = None,
        lr: float | None = None,
        weight_decay: float | None = None,
        size: int | None = None,
        weights: str | None = None,
        changes: Mapping[str, Any] | None = None,
        shape: Asked = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        verbose: bool = False,
    ):
        self.network = network
        self.recipe = recipe
        self.epochs = epochs
        self.batch_size = batch_size
        self.opt = opt
        self.lr = lr
        self.weight_decay = weight_decay
        self.size = size
        self.weights = weights
        self.changes = changes
        self.shape = shape
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X, y) -> "ConvClassifier":
        """Learn from pictures X and their labels y (N,), from the beginning; returns itself."""
        from convatlas.estimator.fitting import fitted

        rows, shape = flat(X)
        rows, y = validate_data(self, rows, y)
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only, {classes[0]!r}, and a classifier needs two or more; add "
                "pictures of another class"
            )
        layout = layout_of(shape) if shape else layout_of_rows(rows.shape[1], self.shape)
        value_range = extent(rows)
        pictures = layout.pictures(in_bytes(rows, *value_range))
        names = tuple(map(str, classes))
        self.model_, self.history_ = fitted(self._recipe(), pictures, labels, names, self.verbose)
        self.classes_, self.layout_, self.value_range_ = classes, layout, value_range
        return self

    def predict(self, X) -> np.ndarray:
        """The likeliest label of each picture: (N,)."""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def predict_proba(self, X) -> np.ndarray:
        """The probability of each class in classes_: float64 (N, classes), rows that sum to 1."""
        from convatlas.estimator.fitting import probabilities

        check_is_fitted(self, "model_")
        return probabilities(self.model_, self._pictures(X))

    def save(self, folder: str | Path) -> None:
        """Write model.safetensors and model.json into a new folder: what `convatlas predict`,
        `export`, `serve` and convatlas.load_model read. What is black and white in a file of a
        picture is there what value_range_ was here. RunError where it cannot be written.
        """
        from convatlas.estimator.fitting import write

        check_is_fitted(self, "model_")
        write(self.model_, Path(folder).expanduser())

    def __getstate__(self) -> dict:
        """For pickle: the network in the processor's memory, for it is opened where there may be no
        GPU.
        """
        state = super().__getstate__()
        if "model_" not in state:
            return state
        net = copy.deepcopy(self.model_.net).cpu()
        return state | {"model_": replace(self.model_, net=net)}

    def _pictures(self, X) -> np.ndarray:
        """uint8 (N, channels, height, width) of an X of the kind that fit saw."""
        rows, shape = flat(X)
        layout = layout_of(shape) if shape else self.layout_
        if layout.shape != self.layout_.shape:
            raise ValueError(
                f"X holds pictures of (channels, height, width) = {layout.shape}, and fit saw "
                f"{self.layout_.shape}; bring them to that size first"
            )
        rows = validate_data(self, rows, reset=False)
        if unlike := other_scale(rows, *self.value_range_):
            warnings.warn(unlike, UserWarning, stacklevel=3)
        return layout.pictures(in_bytes(rows, *self.value_range_))

    def _recipe(self) -> "Recipe":
        from convatlas.training import Recipe, builtin

        given = {name: getattr(self, name) for name in FIELDS}
        given = {name: value for name, value in given.items() if value is not None}
        given |= {"network": self.network, "device": self.device} | dict(self.changes or {})
        if self.random_state is not None:
            given["seed"] = _seed(self.random_state)
        given = {name: _plain(value) for name, value in given.items()}
        if isinstance(self.recipe, Recipe):
            return self.recipe.change(**given)
        name = self.recipe
        if name is None:
            name = builtin.matching(given["network"], "", given.get("weights", ""))
        return builtin.read(str(name), given) if name else Recipe().change(**given)


def _seed(random_state: int | np.random.RandomState) -> int:
    """An int is the seed itself; a generator draws one."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(SEEDS))


def _plain(value: Any) -> Any:
    """A value as a recipe has it: searches hand out numpy's numbers."""
    return value.item() if isinstance(value, np.generic) else value
