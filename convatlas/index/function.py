"""The function of each network as the index holds it: functions/NAME.json, by image, then by part.

Two images of small legal sizes, whose maps become odd on their way down and which are not square
where that is legal: padding and rounding show at their borders.
"""

import json
from collections.abc import Collection
from pathlib import Path

import torch.nn as nn

from convatlas import registry
from convatlas.anatomy.function import Fingerprint, Size, difference, fingerprints, fixed_buffers
from convatlas.anatomy.table import by
from convatlas.verification import blueprint

FOLDER = Path(__file__).parent / "functions"
DIGITS = 12  # significant, of each value

Function = dict[str, Fingerprint]  # by image: "3x49x67"; "1x16x16, image 1" is another one


def images(net: nn.Module) -> list[tuple[Size, int]]:
    """(size, content) of the two images that a network is measured with."""
    low = net.smallest
    high = net.largest
    if high is not None:
        sides = [(high, (low + high + 1) // 2), (low, low)]
    elif net.side <= 32:
        sides = [(low + 12, low + 17), (low + 9, low + 7)]
    else:
        sides = [(low + 48, low + 66), (low + 47, low + 35)]
    if hasattr(net, "training_outputs"):  # heads pool smaller maps otherwise than the paper's
        sides[0] = (net.side, net.side + 16)
    again = sides[0] == sides[1]
    return [
        ((net.in_channels, height, width), int(again and number))
        for number, (height, width) in enumerate(sides)
    ]


def function(name: str) -> Function:
    """What a network computes, measured now."""
    net = blueprint(name)
    if fixed_buffers(net):
        net = registry.create_model(name)
    return of(net)


def of(net: nn.Module) -> Function:
    """The same of any network that states its legal sizes."""
    chosen = images(net)
    return dict(zip(map(key, chosen), fingerprints(net, chosen), strict=True))


def stored(name: str, folder: Path = FOLDER) -> Function:
    """What the index holds; nothing of a network that it does not know."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def first_difference(held: Function, measured: Function) -> str:
    """Image and part that differ first, and by how much, in words; "" where nothing does."""
    for image in {**held, **measured}:
        if image not in held or image not in measured:
            return f"the image {image} is {'new' if image in measured else 'gone'}"
        if changed := difference(held[image], measured[image]):
            return f"at {image}: {changed}"
    return ""


def write(functions: dict[str, Function], names: Collection[str], folder: Path = FOLDER) -> None:
    """Renews the files of what changed, so that another processor's rounding changes none; drops
    those of networks that are not among `names`.
    """
    folder.mkdir(exist_ok=True)
    for name, measured in functions.items():
        if first_difference(stored(name, folder), measured):
            (folder / f"{name}.json").write_bytes(_text(measured).encode())
    for gone in {path.stem for path in folder.glob("*.json")} - {*names}:
        (folder / f"{gone}.json").unlink()


def key(image: tuple[Size, int]) -> str:
    """What an image is called in the index."""
    size, content = image
    return by(size) + (f", image {content}" if content else "")


def _text(measured: Function) -> str:
    images = (
        f"{json.dumps(image)}:{{\n"
        + ",\n".join(
            f"{json.dumps(part)}:[{','.join(f'{value:.{DIGITS}g}' for value in values)}]"
            for part, values in parts.items()
        )
        + "}"
        for image, parts in measured.items()
    )
    return "{" + ",\n".join(images) + "}\n"
