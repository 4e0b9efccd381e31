"""Why a network answers as it does on a picture: the verb, on files, and what it gives back."""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data import find_images, read_image
from convatlas.data.image_file import require_limit
from convatlas.errors import DataError, InputError
from convatlas.explanation.activation_maps import ClassMaps, cam, grad_cam, grad_cam_pp
from convatlas.explanation.classes import class_number
from convatlas.explanation.colours import as_picture, overlay, png_bytes
from convatlas.explanation.occluding import occlusion
from convatlas.explanation.watching import layer_path
from convatlas.model_file import Saved, load_model

GRADCAM = "gradcam"
METHODS: dict[str, Callable[..., ClassMaps]] = {
    GRADCAM: grad_cam,
    "gradcam++": grad_cam_pp,
    "cam": cam,
    "occlusion": occlusion,
}
WITH_LAYER = (GRADCAM, "gradcam++")
NOTHING = np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where on one picture the evidence for a class lies; or the `problem` why it was not read."""

    name: str  # of the file
    picture: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))
    # uint8 (H, W, 3): as the network saw it
    heat: np.ndarray = field(default_factory=lambda: NOTHING)  # float32 (H, W) in [0, 1]
    maps: np.ndarray = field(default_factory=lambda: NOTHING)  # (h, w) in the method's own units
    target: int = -1  # the class that is asked about
    target_name: str = ""
    method: str = ""
    layer: str = ""  # whose maps; "" for occlusion
    classes: tuple[str, ...] = ()  # the likeliest, best first
    probabilities: tuple[float, ...] = ()
    problem: str = ""

    def overlay(self) -> np.ndarray:
        """uint8 (H, W, 3): the picture in grey, coloured where the evidence lies."""
        return overlay(self.picture, self.heat)

    def _repr_png_(self) -> bytes | None:
        return None if self.problem else png_bytes(self.overlay())

    def _repr_html_(self) -> str:
        from html import escape

        if self.problem:
            return f"<p>{escape(self.name)}: {escape(self.problem)}</p>"
        url = "data:image/png;base64," + base64.b64encode(png_bytes(self.overlay())).decode()
        said = f"{self.name}: {self.target_name} ({self.method})"
        return (
            f'<figure style="margin:0"><img src="{url}" alt="{escape(said, quote=True)}" '
            'style="width:256px;image-rendering:pixelated">'
            f"<figcaption>{escape(said)}</figcaption></figure>"
        )


def explain(
    model: Saved | str | Path,
    images: str | Path | Iterable[str | Path],
    method: str = GRADCAM,
    target: int | str | None = None,
    layer: str | None = None,
    top: int = 5,
    max_megapixels: float = 64,
) -> list[Explanation]:
    """Where on every image, of files and of folders of them, the evidence for a class lies.

    `model` is a finished run's folder, or what load_model or open_network gave. `method` is
    gradcam, gradcam++, cam or occlusion; `target` a class by name or number, by default each
    image's likeliest; `layer` the path of the layer whose maps gradcam reads, by default the
    network's cam_layer. An image that cannot be read gets its `problem`, and the others go on.
    Raises InputError for an unknown method, layer or class, DataError for a path that does not
    exist, ModelFileError for a run that cannot be read.
    """
    saved = model if isinstance(model, Saved) else load_model(model)
    paths = [images] if isinstance(images, str | Path) else list(images)
    files = find_images([Path(path) for path in paths])
    return list(explain_each(saved, files, method, target, layer, top, max_megapixels))


def explain_each(
    saved: Saved,
    files: Iterable[Path],
    method: str = GRADCAM,
    target: int | str | None = None,
    layer: str | None = None,
    top: int = 5,
    max_megapixels: float = 64,
) -> Iterator[Explanation]:
    """The same, one after the other as they are ready."""
    require_limit(max_megapixels)
    require_method(saved, method, layer)
    number = None if target is None else class_number(saved.classes, target)
    for file in files:
        try:
            image = read_image(file, white=saved.preprocess.white, max_megapixels=max_megapixels)
        except DataError as error:
            yield Explanation(str(file), problem=str(error))
            continue
        fitted = saved.preprocess.fit_image(image)
        yield explain_fitted(saved, fitted, str(file), method, number, layer, top)


def require_method(saved: Saved, method: str, layer: str | None) -> None:
    """InputError for a method or a layer that does not exist, or that do not go together."""
    if method not in METHODS:
        raise InputError(f"there is no method {method!r}; take {', '.join(METHODS)}")
    if layer is not None:
        if method not in WITH_LAYER:
            raise InputError(
                f"{method} reads no layer of your choice; leave the layer out, or take "
                f"{' or '.join(WITH_LAYER)}"
            )
        layer_path(saved.net, layer)


def explain_fitted(
    saved: Saved,
    fitted: Tensor,
    name: str,
    method: str = GRADCAM,
    target: int | None = None,
    layer: str | None = None,
    top: int = 5,
) -> Explanation:
    """The explanation of one picture as `saved.preprocess` fits it, uint8 (C, side, side)."""
    x = as_input(saved, fitted[None])
    with torch.no_grad():
        shares = saved.net(x).cpu().double().softmax(1)[0]
    best = shares.topk(min(top, len(saved.classes)))
    number = int(best.indices[0]) if target is None else target
    found = maps_of(saved, x, method, number, layer)
    return Explanation(
        name,
        as_picture(fitted.numpy()),
        found.heat(tuple(fitted.shape[1:]))[0],
        found.maps[0],
        number,
        saved.classes[number],
        method,
        found.layer,
        tuple(saved.classes[i] for i in best.indices.tolist()),
        tuple(best.values.tolist()),
    )


def maps_of(
    saved: Saved, x: Tensor, method: str, target: int | Tensor, layer: str | None
) -> ClassMaps:
    """What a method, by name, says of prepared images (N, C, H, W)."""
    given = {"layer": layer} if method in WITH_LAYER else {}
    return METHODS[method](saved.net, x, target, **given)


def as_input(saved: Saved, fitted: Tensor) -> Tensor:
    """uint8 (N, C, side, side) -> what the network reads, where it is."""
    device = next(saved.net.parameters()).device
    return saved.preprocess.normalise(fitted).to(device)
