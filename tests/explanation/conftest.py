"""A small run, trained once, and pictures of its kind."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import convatlas


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Path:
    """The folder of a run on the built-in digits, which makes mistakes."""
    folder = tmp_path_factory.mktemp("explained") / "run"
    changes = {"network": "lenet1989", "data": "digits", "epochs": 1}
    convatlas.train("modern", folder, callback=convatlas.Callback(), **changes)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """A folder of a 3, a 7 in colour, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    digits = load_digits()
    for label in (3, 7):
        image = digits.images[digits.target == label][0] * 15
        picture = Image.fromarray(image.astype(np.uint8)).resize((40, 40))
        picture.convert("RGB" if label == 7 else "L").save(folder / f"{label}.png")
    (folder / "none.png").write_bytes(b"no picture")
    return folder
