"""Checkpoints into networks: identify, refuse the wrong variant by name, translate strictly,
certify.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import WeightsError
from convatlas.weights import probe
from convatlas.weights.fetching import fetch
from convatlas.weights.known import COUNTER, OURS, Known, identify
from convatlas.weights.names import Twin
from convatlas.weights.reading import Checkpoint, read, without_wrappers
from convatlas.weights.sources import TABLES, up_to_date
from convatlas.weights.translating import to_ours

LARGEST_LABEL = 1_000_000  # bytes of a description beside the weights that are read at all
TOLERANCE = 1e-8  # of the largest logit, in double precision


@dataclass(frozen=True)
class Certificate:
    """What was loaded, from where, and what is known of its correctness. `str` says it in a few
    lines.
    """

    network: str
    path: Path
    sha256: str
    kind: str  # "torchvision's resnet50"
    tensors: int  # read from the file into the network
    adapted: tuple[str, ...] = ()  # the first convolution, where it was given other channels
    fresh: tuple[str, ...] = ()  # weights of ours that the file did not give
    difference: float | None = (
        None  # from the recorded answer, over its largest logit; None: none is recorded
    )

    def __str__(self) -> str:
        lines = [
            f"{self.network} holds {self.kind}: {self.tensors} tensors of {self.path.name}",
            f"sha256 {self.sha256}",
        ]
        lines += [f"adapted to other channels: {name}" for name in self.adapted]
        if self.fresh:
            lines.append(f"not in the file, freshly initialised: {', '.join(self.fresh)}")
        lines.append(
            "no answer is recorded in the file"
            if self.difference is None
            else f"answers as recorded, within {self.difference:.1e} of the largest logit"
        )
        return "\n".join(lines)


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

    `weights` is a file; or "torchvision", its published weights for this network; or
    "hub:owner/name" of the Hugging Face hub. `source` is guessed from the names in the file; give
    it ("timm", or with the model, "timm:resnet50") where the file fits several. With
    `adapt_classes` a classifier of another size stays freshly initialised; with `adapt_channels`
    the first convolution is averaged over its input channels and spread over the new ones. Raises
    WeightsError, and leaves the network as it was, for a file that cannot be read safely, is of
    another variant (which is named), or does not answer as recorded in it.
    """
    network = getattr(net, "name", "") or type(net).__name__
    file = open_checkpoint(fetch(weights, network))
    kind = choose(file, network, source)
    return fill(net, file, kind, adapt_classes=adapt_classes, adapt_channels=adapt_channels)


def open_checkpoint(path: Path) -> Checkpoint:
    """The file, with its tensors under the names that their source gives them today."""
    file = read(path)
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
            f"{file.path} holds {_either(kinds)}, not {network}; load it into "
            f"{' or '.join(f'create_model({other!r})' for other in others)}"
        )
    if others:
        raise WeightsError(
            f"{file.path} fits {_either(kinds)}, which differ though their weights have the same "
            "names and shapes; say which it is, such as "
            f"source={f'{mine[0].source}:{mine[0].theirs}'!r}"
        )
    return mine[0]


def _readings(file: Checkpoint) -> Iterator[dict[str, tuple[int, ...]]]:
    """The file's names and shapes: all of them, then without what means nothing in one of the
    tables.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in file.tensors.items()}
    yield shapes
    for pattern in sorted(
        {twin.surplus for table in TABLES.values() for twin in table.values()} - {""}
    ):
        yield {name: shape for name, shape in shapes.items() if not re.search(pattern, name)}


def fill(
    net: nn.Module,
    file: Checkpoint,
    kind: Known,
    *,
    adapt_classes: bool = False,
    adapt_channels: bool = False,
) -> Certificate:
    """Load the file's tensors into the network, all or none; see load_weights."""
    state, twin = net.state_dict(), twin_of(kind)
    names = twin.names(state)
    loaded, adapted, fresh = {}, [], [key for key in state if key not in names]
    for key, name in names.items():
        if name not in file.tensors and name.endswith(COUNTER):
            continue
        tensor, wanted = to_ours(twin, key, file.tensors[name]), state[key].shape
        if tensor.shape == wanted:
            loaded[key] = tensor
        elif name in kind.head and adapt_classes:
            fresh.append(key)
        elif name == kind.stem and adapt_channels:
            loaded[key] = _with_channels(tensor, wanted[1])
            adapted.append(key)
        else:
            raise WeightsError(_mismatch(net, file, kind, name, tensor, wanted))
    before = {key: tensor.clone() for key, tensor in state.items()}
    net.load_state_dict(loaded, strict=False)
    recorded = None if adapted or fresh else probe.recorded(file.metadata)
    difference = None if recorded is None else probe.difference(net, recorded)
    if difference is not None and not difference <= TOLERANCE:
        net.load_state_dict(before)
        raise WeightsError(
            f"{file.path} does not answer as recorded in it: {difference:.1e} of the largest logit "
            "off; write it again with this version of convatlas"
        )
    return Certificate(
        kind.ours,
        file.path,
        file.sha256,
        str(kind),
        len(loaded),
        tuple(adapted),
        tuple(fresh),
        difference,
    )


def twin_of(kind: Known) -> Twin:
    """The rules that translate this kind of checkpoint."""
    return Twin(kind.ours, ()) if kind.source == OURS else TABLES[kind.source][kind.theirs]


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
        f"if the names are right, give source={f'{kinds[0].source}:{kinds[0].theirs}'!r}"
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


def _either(kinds: list[Known]) -> str:
    words = [str(kind) if kind.source == OURS else f"{kind} ({kind.ours} here)" for kind in kinds]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _with_channels(weight: Tensor, channels: int) -> Tensor:
    """A first convolution for other images: every channel gets the mean slice, so that a grey image
    answers alike.

    (c_out, c_in, kh, kw) -> (c_out, channels, kh, kw)
    """
    mean = weight.to(torch.float64).sum(1, keepdim=True) / channels
    return mean.expand(-1, channels, -1, -1).to(weight.dtype).contiguous()


def _mismatch(
    net: nn.Module, file: Checkpoint, kind: Known, name: str, tensor: Tensor, wanted: torch.Size
) -> str:
    if name in kind.head:
        return (
            f"{file.path} tells {tensor.shape[0]} classes apart, this {kind.ours} {wanted[0]}; "
            f"give num_classes={tensor.shape[0]} to create_model, or adapt_classes=True for a "
            "fresh classifier"
        )
    return (
        f"{file.path} reads images of {tensor.shape[1]} channels, this {kind.ours} of {wanted[1]}; "
        f"give in_channels={tensor.shape[1]} to create_model, or adapt_channels=True"
    )
