"""What is compressed, a finished run with its images; and the way back."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from convatlas.compression.compressed_file import unpack
from convatlas.compression.deep_compression import Teaching
from convatlas.compression.published import SUFFIX as PUBLISHED
from convatlas.compression.published import open_published
from convatlas.data import Augment, Loader
from convatlas.errors import ModelFileError
from convatlas.evaluation import Evaluation, evaluate
from convatlas.finished_run import open_run
from convatlas.model_file import Saved, describe_model, weights_file
from convatlas.run_images import RunImages
from convatlas.training.loss import balanced, loss_function, weighted
from convatlas.training.recipe import Recipe

BATCH = 256


@dataclass(frozen=True)
class Run:
    """A finished run, and the images that it is taught and tested with."""

    saved: Saved
    recipe: Recipe
    images: RunImages

    def teaching(self, workers: int = 0) -> Teaching:
        """Its own training images, augmented as its recipe says. RecipeError where the images have
        no training part.
        """
        split = self.images.of(self.images.split("train"))
        augment = Augment(**{f.name: getattr(self.recipe, f.name) for f in fields(Augment)})
        loader = Loader(
            *(split, self.saved.preprocess, self.recipe.batch_size, self.recipe.seed, augment),
            workers=workers,
            classes=len(self.saved.classes),
        )
        loss = loss_function(self.recipe.loss, self.recipe.label_smoothing)
        if self.recipe.class_weights == "balanced":
            counts = split.labels.bincount(minlength=len(self.saved.classes))
            loss = weighted(loss, balanced(counts.tolist()))
        return Teaching(loader, loss)

    def accuracy(self, saved: Saved, workers: int = 0, split: str | None = None) -> Evaluation:
        """How good a network is on the run's test images, or on another split of them."""
        split = self.images.of(self.images.split(split))
        loader = Loader(split, saved.preprocess, BATCH, workers=workers)
        loss = loss_function(self.recipe.loss, self.recipe.label_smoothing)
        return evaluate(saved.net, loader, len(saved.classes), loss)


def of_run(folder: str | Path, data: str | None = None) -> Run:
    """A run's network, recipe and images, which may lie at `data` now."""
    return Run(*open_run(folder, data))


def restore(file: str | Path, folder: str | Path) -> None:
    """model.json and model.safetensors of a compressed file, ours or that of SqueezeNet's authors,
    in a new folder that predict and load_model read. ModelFileError where the file is refused, or
    the folder exists.
    """
    file, folder = Path(file), Path(folder).expanduser()
    if file.suffix == PUBLISHED:
        saved = open_published(file)
        weights = weights_file(saved.net.state_dict())
        about = (saved.network, saved.classes, saved.preprocess, saved.provenance)
        text = describe_model(*about, weights)
    else:
        found = unpack(file)
        weights = weights_file(found.tensors)
        text = json.dumps(found.model, indent=1)
    try:
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(weights)
        (folder / "model.json").write_text(text, encoding="utf-8")
    except FileExistsError:
        raise ModelFileError(f"{folder} exists; give a new folder with --output") from None
    except OSError as error:
        raise ModelFileError(
            f"cannot write {folder} ({error.strerror}); check the place and its free space"
        ) from None
