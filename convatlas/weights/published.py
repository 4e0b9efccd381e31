"""How the pictures were prepared with which published weights were measured, and what came out.

Of torchvision's entries the installed torchvision says it; of timm's published.json, which is
generated (`python -m convatlas.index`) from the timm that is installed then.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from convatlas.weights import hub, timm, torchvision

STORED = Path(__file__).with_name("published.json")
IMAGENET = 1000  # classes
HASH = re.compile(r"-([0-9a-f]{8,})\.")  # in the name of each file that torchvision publishes


@dataclass(frozen=True)
class Published:
    """One entry of published weights."""

    words: str  # that fetch it: "torchvision:IMAGENET1K_V1", "hub:timm/resnet50.a1_in1k"
    side: int  # pixels that the network is given
    shorter: int  # to which the shorter side is scaled before the middle is cut out
    interpolation: str
    squash: bool  # whether both sides are scaled to `shorter`
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: int  # 0: a trunk without a classifier
    top1: float | None = None  # per cent of ImageNet's validation images; None where not said
    top5: float | None = None
    sha256: str = ""  # how that of the file begins; "" where its name does not say it


def published(network: str) -> list[Published]:
    """All entries for a network of ours, torchvision's first."""
    return [
        entry
        for table, entries in ((torchvision.TWINS, of_torchvision), (timm.TWINS, of_timm))
        for theirs, twin in table.items()
        if twin.ours == network
        for entry in entries(theirs)
    ]


def published_networks() -> set[str]:
    """The networks that may have an entry; tells it without importing torchvision."""
    hubs = hub.published()
    ours = {twin.ours for twin in torchvision.TWINS.values()}
    return ours | {twin.ours for theirs, twin in timm.TWINS.items() if hubs.get(theirs)}


def of_torchvision(theirs: str) -> list[Published]:
    """torchvision's entries for its model of that name, the oldest first."""
    from torchvision.models import get_model_weights

    return [_of_torchvision(entry) for entry in get_model_weights(theirs)]


def _of_torchvision(entry) -> Published:
    prepare, measured = entry.transforms(), entry.meta["_metrics"].get("ImageNet-1K", {})
    sha256 = HASH.search(entry.url)
    return Published(
        f"torchvision:{entry.name}",
        prepare.crop_size[0],
        prepare.resize_size[0],
        prepare.interpolation.value,
        False,
        tuple(prepare.mean),
        tuple(prepare.std),
        len(entry.meta["categories"] or ()),
        *(_said(measured.get(key)) for key in ("acc@1", "acc@5")),
        sha256[1] if sha256 else "",
    )


def _said(share: float | None) -> float | None:
    """torchvision writes NaN for weights without a classifier."""
    return None if share is None or math.isnan(share) else share


def imagenet_classes() -> tuple[str, ...]:
    """The names of ImageNet's thousand classes, as torchvision spells them, in its order."""
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    return tuple(_IMAGENET_CATEGORIES)


def of_timm(theirs: str) -> list[Published]:
    """timm's entries for its model of that name, on the Hugging Face hub."""
    rows = _stored()["timm"]
    return [_of_timm(words, rows[words]) for words in hub.published().get(theirs, ())]


def of_hub(words: str) -> Published | None:
    """The entry that these words fetch, of any revision."""
    words = words.partition("@")[0]
    row = _stored()["timm"].get(words)
    return _of_timm(words, row) if row else None


def _of_timm(words: str, row: list) -> Published:
    side, shorter, interpolation, squash, mean, std, classes = row
    return Published(words, side, shorter, interpolation, squash, tuple(mean), tuple(std), classes)


def synsets() -> tuple[str, ...]:
    """WordNet's numbers of ImageNet's thousand classes, as its folders are named, in order."""
    return tuple(_stored()["imagenet"])


@cache
def _stored() -> dict:
    return json.loads(STORED.read_bytes())


def text(models: Iterable[str]) -> str:
    """published.json, as the installed timm has it; one entry a line."""
    from timm.data import ImageNetInfo

    rows = ",\n".join(f"  {json.dumps(words)}: {json.dumps(row)}" for words, row in _rows(models))
    numbers = ",\n".join(f"  {json.dumps(name)}" for name in ImageNetInfo().label_names())
    return f'{{\n "timm": {{\n{rows}\n }},\n "imagenet": [\n{numbers}\n ]\n}}\n'


def _rows(models: Iterable[str]) -> Iterator[tuple[str, list]]:
    import timm as library

    for model in sorted(models):
        for name in library.list_pretrained(f"{model}.*"):
            config = library.get_pretrained_cfg(name)
            if config.hf_hub_id:
                yield hub.words(config.hf_hub_id, name), row(config.to_dict())


def row(config: dict) -> list:
    """What counts of timm's description of an entry. timm's own rule: the side over the share of
    the crop, rounded down.
    """
    side = config["input_size"][-1]
    return [
        side,
        math.floor(side / config["crop_pct"]),
        config["interpolation"],
        config.get("crop_mode") == "squash",
        list(config["mean"]),
        list(config["std"]),
        config["num_classes"],
    ]
