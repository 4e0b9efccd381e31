"""The files of a trained network's place on the hub, as bytes."""

from collections.abc import Mapping
from pathlib import Path

import tomli_w

from convatlas.errors import PublishingError
from convatlas.model_file import describe_model, weights_file
from convatlas.publishing.card import card
from convatlas.publishing.facts import Facts
from convatlas.training.plain_files import write_durably


def files_of(facts: Facts, repo: str = "", license: str = "") -> dict[str, bytes]:
    """model.safetensors and model.json, which load_model proves to fit; README.md, the model card;
    recipe.toml, where a recipe is known. The same network gives the same bytes.
    """
    saved = facts.saved
    weights = weights_file(saved.net.state_dict())
    description = describe_model(
        saved.network, saved.classes, saved.preprocess, saved.provenance, weights, saved.widths
    )
    files = {
        "README.md": card(facts, repo, license).encode(),
        "model.json": description.encode(),
        "model.safetensors": weights,
    }
    recipe = _recipe(saved.provenance.get("recipe"))
    return files | ({"recipe.toml": recipe} if recipe else {})


def _recipe(fields: object) -> bytes:
    """As `train --recipe` reads it: the fields that decide, and no place of anybody's data."""
    if not isinstance(fields, Mapping):
        return b""
    kept = {
        str(name): value
        for name, value in fields.items()
        if isinstance(value, str | int | float | list)
    }
    try:
        return tomli_w.dumps(kept).encode()
    except (TypeError, ValueError):  # no recipe of ours
        return b""


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Into a folder that is new or empty. PublishingError where it is neither, or cannot be
    written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise PublishingError(f"{folder} is not empty; give the name of a new folder")
        for name, content in files.items():
            write_durably(folder / name, content)
    except OSError as error:
        raise PublishingError(
            f"cannot write {folder} ({error.strerror}); give another folder"
        ) from None


def write_new(path: Path, content: bytes) -> None:
    """PublishingError where there is such a file, or it cannot be written."""
    try:
        write_durably(path, content)
    except FileExistsError:
        raise PublishingError(f"{path} exists; give another name") from None
    except OSError as error:
        raise PublishingError(
            f"cannot write {path} ({error.strerror}); give another name"
        ) from None
