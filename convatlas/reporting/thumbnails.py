"""Test pictures small enough for a page, where the run's images are at hand. Imports torch."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from convatlas.errors import Error
from convatlas.model_description import read_description
from convatlas.printable import cell
from convatlas.reporting import recorded
from convatlas.reporting.runs import Run

LARGEST = 160  # pixels of the longer side
CRISP = 64  # up to here a picture is kept as it is, and shown pixel by pixel


@dataclass(frozen=True)
class Thumbnail:
    """A picture as a page can hold it."""

    source: str  # data:image/...
    width: int
    height: int


def thumbnails(run: Run, wanted: Sequence[str]) -> tuple[dict[str, Thumbnail], str]:
    """The pictures of these names, as answers.csv has them; and why there is none, where the run's
    images are not at hand or are no longer those that it was tested with.
    """
    from convatlas.run_images import open_images

    if not wanted:
        return {}, ""
    try:
        about = read_description(run.folder / "model.json")
        recipe = recorded.recipe_of(run.folder)
        split = open_images(run.folder, about, recipe).of("test")
        places = {cell(name): i for i, name in enumerate(split.names)}
        white = about.preprocess.white
        found = {
            name: _small(split.read(places[name], at_least=LARGEST, white=white))
            for name in dict.fromkeys(wanted)
            if name in places
        }
    except (Error, OSError) as error:
        return {}, str(error).partition(";")[0]  # its remedy is one for training
    return found, ""


def _small(image) -> Thumbnail:
    """uint8 (1 or 3, H, W) -> a PNG of the same pixels, or a smaller JPEG."""
    from PIL import Image

    pixels = image.squeeze(0).numpy() if image.shape[0] == 1 else image.permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels)
    is_small = max(picture.size) <= CRISP
    file = io.BytesIO()
    if is_small:
        picture.save(file, "PNG", optimize=True)
    else:
        picture.thumbnail((LARGEST, LARGEST))
        picture.save(file, "JPEG", quality=85)
    kind = "png" if is_small else "jpeg"
    data = base64.b64encode(file.getvalue()).decode()
    return Thumbnail(f"data:image/{kind};base64,{data}", *picture.size)
