"""What the weights of a checkpoint expect to see, and what their answers mean: the preparation of
pictures and the names of classes that go with its kind.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from torch import nn

from convatlas.data import Preprocess
from convatlas.errors import DataError
from convatlas.weights.descriptions import beside
from convatlas.weights.fitting import Found
from convatlas.weights.known import OURS
from convatlas.weights.names import Pixels
from convatlas.weights.published import (
    IMAGENET,
    Published,
    imagenet_classes,
    of_hub,
    of_torchvision,
    row,
)
from convatlas.weights.standardised import WITH_BACKGROUND

IMAGENETS_MEAN, IMAGENETS_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
USUAL = (256, 224)  # a shorter side, and the middle of it that most networks of ImageNet are shown
PREPROCESS, CLASSES = "convatlas.preprocess", "convatlas.classes"  # of a file's metadata
BACKGROUND = "background"


@dataclass(frozen=True)
class Pictures:
    """How a picture becomes the network's input, what its outputs are called, and who says so."""

    preprocess: Preprocess | None  # None where nothing is known of it
    classes: tuple[str, ...]  # none where the classifier is not the file's
    said: str


DAMAGED = Pictures(None, (), "what the file records of its pictures is not what was written")


def pictures(net: nn.Module, found: Found, weights: str) -> Pictures:
    """Of a network that was filled from what was found, and from these words."""
    own = net.certificate
    classes = _outputs(net, found)
    if recorded := _recorded(found):
        prepare = recorded.preprocess
        return Pictures(
            prepare and _for_channels(prepare, net.in_channels),
            recorded.classes if classes == len(recorded.classes) else (),
            recorded.said,
        )
    entry, said = _entry(found, weights)
    if entry is None and classes not in (IMAGENET, WITH_BACKGROUND):
        return Pictures(None, _names(classes, own.background), "nothing is known of its pictures")
    if net.in_channels != len(IMAGENETS_MEAN) and not own.adapted:
        return Pictures(None, _names(classes, own.background), "it reads no colours")
    prepare = _prepared(entry) if entry else _usual(net)
    if own.standardised:
        prepare = _standardised(prepare, own.standardised)
    prepare = _for_channels(prepare, net.in_channels)
    named = _labels(found, classes) or _names(classes, own.background)
    return Pictures(prepare, named, said)


def _outputs(net: nn.Module, found: Found) -> int:
    """How many classes the file's classifier has; 0 where the network's is not from the file."""
    fresh, path = net.certificate.fresh, getattr(net, "classifier_path", "")
    if any(name.startswith(f"{path}.") for name in fresh):
        return 0
    heads = [found.file.tensors[name] for name in found.kind.head if name in found.file.tensors]
    return heads[-1].shape[found.kind.axes[0]] if heads else 0


def _recorded(found: Found) -> Pictures | None:
    """What a file of ours, or the model.json of the run beside it, says itself."""
    metadata, run = found.file.metadata, beside(found.file, "model.json")
    try:
        if PREPROCESS in metadata:
            values, classes = (json.loads(metadata[key]) for key in (PREPROCESS, CLASSES))
            said = "as the file records"
        elif found.kind.source == OURS and run.get("sha256") == found.file.sha256:
            values, classes = run["preprocess"], run["classes"]
            said = "as the run was trained"
        else:
            return None
        names = tuple(classes)
        if not all(isinstance(name, str) for name in names) or len({*names}) < len(names):
            return DAMAGED
        return Pictures(Preprocess.from_dict(values), names, said)
    except (DataError, KeyError, TypeError, ValueError, RecursionError):
        return DAMAGED


def _entry(found: Found, weights: str) -> tuple[Published | None, str]:
    """The published entry that the file is, or that is nearest, and how that is known."""
    source, theirs = found.kind.source, found.kind.theirs
    if source == "torchvision":
        entries = of_torchvision(theirs)
        for entry in entries:
            if entry.sha256 and found.file.sha256.startswith(entry.sha256):
                return entry, f"as torchvision measured {entry.words.partition(':')[2]}"
        return entries[0], (
            f"as torchvision measured {entries[0].words.partition(':')[2]} of {theirs}, though the "
            "file is none that it publishes"
        )
    if source == "timm":
        if entry := _configured(found):
            return entry, "as the config.json beside the file says"
        if entry := of_hub(weights):
            return entry, f"as timm measures {weights.partition(':')[2]}"
    return None, (
        "as is usual for ImageNet, for nothing that came with the file says how its pictures were "
        "prepared"
    )


def _configured(found: Found) -> Published | None:
    """What the hub's description of a timm model says, where it stands beside the file."""
    config = _config(found).get("pretrained_cfg")
    try:
        _, height, width = config["input_size"]
        if height != width:
            return None  # no network here is shown such pictures
        side, shorter, interpolation, squash, mean, std, classes = row(config)
        entry = Published("", side, shorter, interpolation, squash, mean, std, int(classes))
        _prepared(entry)
    except (DataError, TypeError, KeyError, ValueError, IndexError, ArithmeticError):
        return None
    return entry


def _labels(found: Found, classes: int) -> tuple[str, ...]:
    """The names that such a description gives, one for each class, or none."""
    names = _config(found).get("label_names")
    right = isinstance(names, list) and len(set(map(str, names))) == len(names) == classes
    return tuple(map(str, names)) if right else ()


def _config(found: Found) -> Mapping:
    """timm's description beside the file; nothing where it is of another file."""
    about = beside(found.file, "config.json")
    theirs = found.kind.theirs
    return about if about.get("architecture", theirs) == theirs else {}


def _prepared(entry: Published) -> Preprocess:
    return Preprocess.from_dict(
        {
            "channels": len(entry.mean),
            "side": entry.side,
            "mean": entry.mean,
            "std": entry.std,
            "fit": "squash" if entry.squash else "whole",
            "content": entry.shorter,
            "interpolation": entry.interpolation,
        }
    )


def _usual(net: nn.Module) -> Preprocess:
    larger, side = USUAL
    shorter = round(net.side * larger / side)
    return Preprocess(3, net.side, IMAGENETS_MEAN, IMAGENETS_STD, "whole", shorter)


def _standardised(prepare: Preprocess, pixels: Pixels) -> Preprocess:
    """The same with other numbers, one for each channel."""
    mean, std = pixels
    means = mean if isinstance(mean, tuple) else (mean,) * prepare.channels
    return replace(prepare, mean=means, std=(std,) * prepare.channels)


def _for_channels(prepare: Preprocess, channels: int) -> Preprocess | None:
    """The same for a first convolution that was adapted: of a colour's channels the mean, or one
    for each. None where a picture has no such channels.
    """
    if channels == prepare.channels:
        return prepare
    if channels not in (1, len(IMAGENETS_MEAN)):
        return None
    mean, std = (sum(each) / len(each) for each in (prepare.mean, prepare.std))
    return replace(prepare, channels=channels, mean=(mean,) * channels, std=(std,) * channels)


def _names(classes: int, background: bool) -> tuple[str, ...]:
    """ImageNet's names where there are as many classes, else numbers."""
    if classes == IMAGENET:
        return imagenet_classes()
    if classes == WITH_BACKGROUND and background:
        return BACKGROUND, *imagenet_classes()
    return tuple(f"class {number}" for number in range(classes))


def record(preprocess: Preprocess | None, classes: Iterable[str]) -> dict[str, str]:
    """For the metadata of a file of ours."""
    if preprocess is None:
        return {}
    return {PREPROCESS: json.dumps(preprocess.to_dict()), CLASSES: json.dumps(list(classes))}
