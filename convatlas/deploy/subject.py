"""What is to be compressed: a finished run with its images, or published weights without any."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from convatlas.data import Augment, Loader, Preprocess
from convatlas.deploy.compressed_file import unpack
from convatlas.deploy.compression import Teaching
from convatlas.errors import ModelFileError
from convatlas.evaluation import Evaluation, evaluate
from convatlas.finished_run import open_run
from convatlas.model_file import Saved, weights_file
from convatlas.registry import create_model, stored_facts
from convatlas.run_images import RunImages
from convatlas.training.loss import loss_function
from convatlas.training.recipe import Recipe
from convatlas.weights import load_weights

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's pixels, as most published weights take them
STD = (0.229, 0.224, 0.225)
CENTRAL = 0.875  # side of the square that is cut out, of the shorter side
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
        return Teaching(loader, loss_function(self.recipe.loss, self.recipe.label_smoothing))

    def accuracy(self, saved: Saved, workers: int = 0) -> Evaluation:
        """How good a network is on the run's test images."""
        split = self.images.of(self.images.split(None))
        loader = Loader(split, saved.preprocess, BATCH, workers=workers)
        loss = loss_function(self.recipe.loss, self.recipe.label_smoothing)
        return evaluate(saved.net, loader, len(saved.classes), loss)


def of_run(folder: str | Path, data: str | None = None) -> Run:
    """A run's network, recipe and images, which may lie at `data` now."""
    return Run(*open_run(folder, data))


def of_weights(network: str, file: str | Path) -> Saved:
    """A network of the atlas with a checkpoint's weights. Classes are called by their numbers, and
    images are standardised as ImageNet's are unless the checkpoint says otherwise.

    Raises UnknownNetwork or WeightsError.
    """
    net = create_model(network)
    certificate = load_weights(net, file)
    said = certificate.standardised or {}
    channels = net.in_channels
    mean = tuple(said.get("mean", MEAN))[:channels]
    std = tuple(said.get("std", STD))[:channels]
    preprocess = Preprocess(channels, net.side, mean, std, "resize", round(net.side / CENTRAL))
    classes = tuple(map(str, range(stored_facts()[network]["num_classes"])))
    return Saved(net.eval(), network, classes, preprocess, {"weights": str(file)})


def restore(file: str | Path, folder: str | Path) -> None:
    """model.json and model.safetensors of a compressed file, in a new folder that predict and
    load_model read. ModelFileError where the file is refused, or the folder exists.
    """
    found, folder = unpack(file), Path(folder).expanduser()
    try:
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(weights_file(found.tensors))
        (folder / "model.json").write_text(json.dumps(found.model, indent=1), encoding="utf-8")
    except FileExistsError:
        raise ModelFileError(f"{folder} exists; give a new folder with --output") from None
    except OSError as error:
        raise ModelFileError(
            f"cannot write {folder} ({error.strerror}); check the place and its free space"
        ) from None
