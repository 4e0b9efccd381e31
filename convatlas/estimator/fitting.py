"""A recipe on arrays: the network that comes of it, its answers, and its files."""

import warnings
from pathlib import Path

import numpy as np
import torch

from convatlas.data.arrays import data_of_arrays
from convatlas.errors import RunError
from convatlas.model_file import Saved, describe_model, weights_file
from convatlas.training.folder import RunFolder
from convatlas.training.in_memory import learn
from convatlas.training.plain_files import make_durably
from convatlas.training.progress import Lines
from convatlas.training.recipe import Recipe

BATCH = 64
FILES = ("model.safetensors", "model.json")


class Told(Lines):
    """An epoch a line where that is asked for; warnings are Python's own."""

    def __init__(self, epochs: int, verbose: bool):
        super().__init__()
        self.epochs = epochs
        self.verbose = verbose

    def epoch(self, record: dict) -> None:
        if self.verbose:
            super().epoch(record)

    def warn(self, text: str) -> None:
        warnings.warn(text, UserWarning, stacklevel=2)


def fitted(
    recipe: Recipe, pictures: np.ndarray, labels: np.ndarray, names: tuple[str, ...], verbose: bool
) -> tuple[Saved, list[dict]]:
    """The network that the recipe makes of pictures (N, C, H, W) uint8 and labels (N,), numbers of
    `names`; and what each epoch was like. Raises RecipeError, RunError, DataError, InputError,
    WeightsError or UnknownNetwork.
    """
    arrays = torch.from_numpy(pictures), torch.from_numpy(labels).long()
    data = data_of_arrays(
        "arrays", names, arrays, seed=recipe.seed, val_fraction=recipe.val_fraction
    )
    learnt = learn(recipe, data, Told(recipe.epochs, verbose))
    saved = Saved(learnt.net, recipe.network, names, learnt.preprocess, learnt.provenance)
    return saved, learnt.log


def probabilities(saved: Saved, pictures: np.ndarray) -> np.ndarray:
    """float64 (N, classes) of uint8 (N, C, H, W), a batch at a time."""
    device = next(saved.net.parameters()).device
    answers = []
    with torch.inference_mode():
        for batch in torch.from_numpy(pictures).split(BATCH):
            seen = saved.preprocess.normalise(saved.preprocess.fit_images(batch))
            answers.append(saved.net(seen.to(device)).cpu().double().softmax(1))
    return torch.cat(answers).numpy()


def write(saved: Saved, folder: Path) -> None:
    """model.safetensors and model.json. RunError where there are such files already, where a class
    has no name to be written, or where the folder cannot be written.
    """
    if taken := next((name for name in FILES if (folder / name).exists()), None):
        raise RunError(f"{folder} already holds {taken}; choose another folder")
    if len({name for name in saved.classes if name}) < len(saved.classes):
        raise RunError(
            f"the labels {', '.join(map(repr, saved.classes))} are no names of classes, which are "
            "different texts; fit with other labels"
        )
    weights = weights_file(saved.net.state_dict())
    about = (saved.network, saved.classes, saved.preprocess, saved.provenance, weights)
    try:
        make_durably(folder)
    except OSError as error:
        raise RunError(f"cannot make {folder}: {error.strerror}; choose another folder") from None
    run = RunFolder(folder)
    run.write("model.safetensors", weights)
    run.write("model.json", describe_model(*about))
