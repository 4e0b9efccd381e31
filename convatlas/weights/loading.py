"""Checkpoints into networks: identify the file, refuse the wrong variant by name, fill."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch.nn as nn

from convatlas.errors import WeightsError
from convatlas.weights import probe
from convatlas.weights.fetching import fetch
from convatlas.weights.filling import Certificate, fill
from convatlas.weights.known import OURS, Known, identify
from convatlas.weights.reading import Checkpoint, read
from convatlas.weights.sources import SURPLUS, TABLES, up_to_date
from convatlas.weights.wrappers import unwrapped, without_wrappers

LARGEST_LABEL = 1_000_000  # bytes of a description beside the weights that are read at all


def load_weights(
    net: nn.Module,
    weights: str | Path,
    source: str | None = None,
    *,
    adapt_classes: bool = False,
    adapt_channels: bool = False,
) -> Certificate:
    """Fill a network of the atlas from a checkpoint of ours, torchvision's, timm's or a paper's
    authors.

    `weights` is a file, or the folder of a run; or "torchvision", its published weights for this network; or
    "hub:owner/name" of the Hugging Face hub. `source` is guessed from the names in the file; give
    it ("timm", or with the model, "timm:resnet50") where the file fits several. With
    `adapt_classes` a classifier of another size, or of the user's own, stays as it is; with
    `adapt_channels` the first convolution is averaged over its input channels and spread over the
    new ones.

    The network may be of any precision, inside DataParallel or torch.compile, or on the meta
    device, from where it comes to the processor. What was done is returned, and kept as
    `net.certificate`. Raises WeightsError, and leaves the network as it was, for a file that cannot
    be read safely, is of another variant (which is named), or does not answer as recorded in it.
    """
    net = unwrapped(net)
    network = getattr(net, "name", "") or type(net).__name__
    file = open_checkpoint(fetch(weights, network))
    kind = choose(file, network, source)
    return fill(net, file, kind, adapt_classes=adapt_classes, adapt_channels=adapt_channels)


def open_checkpoint(path: Path) -> Checkpoint:
    """The file, with its tensors under the names that their source gives them today. The folder of
    a finished run stands for the weights in it.
    """
    own = path / "model.safetensors"
    file = read(own if path.is_dir() and own.exists() else path)
    return Checkpoint(
        file.path, file.sha256, up_to_date(without_wrappers(file.tensors)), file.metadata
    )


def choose(file: Checkpoint, network: str, source: str | None = None) -> Known:
    """The kind of checkpoint that this file is, for that network; WeightsError where it is
    another's, or unclear.
    """
    kinds = next(filter(None, map(identify, _readings(file))), [])
    if not kinds:
        raise WeightsError(
            f"{file.path} fits no network of the atlas under any names that are known here "
            f"({', '.join([OURS, *TABLES])}); its first tensor is {next(iter(file.tensors))}"
        )
    kinds = _narrow(file, kinds, source)
    mine = [kind for kind in kinds if kind.ours == network]
    others = sorted({kind.ours for kind in kinds} - {network})
    if not mine:
        raise WeightsError(
            f"{file.path} holds {_either(kinds)}, not {network}; load it into {' or '.join(others)}"
        )
    if others:
        raise WeightsError(
            f"{file.path} fits {_either(kinds)}, which differ though their weights have the same "
            f"names and shapes; say which it is, such as {_asked(mine[0])}"
        )
    return mine[0]


def _readings(file: Checkpoint) -> Iterator[dict[str, tuple[int, ...]]]:
    """The file's names and shapes: all of them, then without what means nothing in one of the
    tables.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in file.tensors.items()}
    yield shapes
    for pattern in SURPLUS:
        yield {name: shape for name, shape in shapes.items() if not re.search(pattern, name)}


def _narrow(file: Checkpoint, kinds: list[Known], source: str | None) -> list[Known]:
    """Only the kinds that the caller names, or else that the file names itself."""
    wanted, theirs = (source or "").partition(":")[::2]
    if source and wanted not in {OURS, *TABLES}:
        raise WeightsError(
            f"there is no source called {wanted!r}; known are {', '.join([OURS, *TABLES])}"
        )
    label = (wanted, theirs) if source else _label(file)
    named = [
        kind
        for kind in kinds
        if label is None or (kind.source == label[0] and label[1] in ("", kind.theirs))
    ]
    if named:
        return named
    said = "it is said to be" if source else "it calls itself"
    raise WeightsError(
        f"{file.path} holds {_either(kinds)}, but {said} {label[0]}'s {label[1] or 'file'}; "
        f"if the names are right, give {_asked(kinds[0])}"
    )


def _label(file: Checkpoint) -> tuple[str, str] | None:
    """What the file, or the description that came with it, calls it: (source, their name)."""
    if probe.NETWORK in file.metadata:
        return OURS, file.metadata[probe.NETWORK]
    ours, timms = _beside(file, "model.json"), _beside(file, "config.json")
    if ours.get("sha256") == file.sha256 and isinstance(ours.get("network"), str):
        return OURS, ours["network"]
    return ("timm", timms["architecture"]) if isinstance(timms.get("architecture"), str) else None


def _beside(file: Checkpoint, name: str) -> Mapping:
    path = file.path.with_name(name)
    try:
        held = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_LABEL else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _asked(kind: Known) -> str:
    """How to say that a file is of this kind, wherever it is read."""
    said = f"{kind.source}:{kind.theirs}"
    return f"source={said!r} (on the command line --source {said})"


def _either(kinds: list[Known]) -> str:
    words = [str(kind) if kind.source == OURS else f"{kind} ({kind.ours} here)" for kind in kinds]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
