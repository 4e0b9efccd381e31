"""Checkpoints into networks: identify the file, refuse the wrong variant by name, fill."""

import warnings
from dataclasses import replace
from pathlib import Path

import torch.nn as nn

from convatlas.errors import WeightsError
from convatlas.weights import probe
from convatlas.weights.averages import AVERAGED, is_average, open_checkpoint, said
from convatlas.weights.descriptions import beside
from convatlas.weights.fetching import fetch
from convatlas.weights.filling import Certificate, fill
from convatlas.weights.fitting import Fit, Found, fits, shapes_in
from convatlas.weights.known import OURS, Known, Shapes
from convatlas.weights.nearness import refusal
from convatlas.weights.pictures import pictures
from convatlas.weights.reading import Checkpoint
from convatlas.weights.sources import TABLES
from convatlas.weights.standardised import advice
from convatlas.weights.wrappers import unwrapped


def load_weights(
    net: nn.Module,
    weights: str | Path,
    source: str | None = None,
    *,
    adapt_classes: bool = False,
    adapt_channels: bool = False,
    ema: bool = False,
) -> Certificate:
    """Fill a network of the atlas from a checkpoint of ours, of another library or of a paper's
    authors.

    `weights` is a file of safetensors, PyTorch, NumPy (.npz), TensorFlow (NAME.index, .tflite),
    Keras (.h5, .keras), Caffe (.caffemodel) or ONNX; or "torchvision", its published weights for
    this network ("torchvision:IMAGENET1K_V1" for an older entry); or "hub:owner/name" of the
    Hugging Face hub.
    `source` is guessed from the names in the file; give it ("timm", or with the model,
    "timm:resnet50") where the file fits several. With `adapt_classes` a classifier of another size,
    of the user's own, or one that the file lacks, stays as it is; with `adapt_channels` the first
    convolution is averaged over its input channels and spread over the new ones. With `ema` the
    running average is read of a file that holds one beside the raw weights.

    The network may be of any precision, inside DataParallel or torch.compile, or on the meta
    device, from where it comes to the processor. What was done is returned, and kept as
    `net.certificate`; how pictures must be prepared for these weights is `net.preprocess` (None
    where nothing is known), what the outputs are called `net.classes`. Raises WeightsError, and
    leaves the network as it was, for a file that cannot be read safely, is of another variant
    (which is named), or does not answer as recorded in it. Warns where the weights expect images
    standardised otherwise than ImageNet's are: torchvision's googlenet and inception_v3 answer as
    published to pixels of mean 0.5 and std 0.5 (`net.certificate.standardised`), for its own
    modules do that step themselves, and so do TF-slim's, whose class 0 is the background
    (`net.certificate.background`); Keras's VGGs and ResNets want Caffe's means. The norms of a
    .tflite are folded (`net.certificate.folded`).
    """
    net = unwrapped(net)
    network = getattr(net, "name", "") or type(net).__name__
    file = open_checkpoint(fetch(weights, network), ema)
    found = choose(file, network, source, shapes_in(net.state_dict()), ema)
    certificate = fill(net, found, adapt_classes=adapt_classes, adapt_channels=adapt_channels)
    seen = pictures(net, found, str(weights))
    net.preprocess, net.classes = seen.preprocess, seen.classes
    net.certificate = certificate = replace(certificate, pictures=seen.said)
    if certificate.standardised:
        warnings.warn(f"{network}: {advice(certificate.standardised, network)}", stacklevel=2)
    return certificate


def choose(
    file: Checkpoint,
    network: str,
    source: str | None = None,
    own: Shapes | None = None,
    ema: bool = False,
) -> Found:
    """The part of this file that is for that network, and what kind of checkpoint it is.

    `own` are the names and shapes of the network at hand, for a file that is less than whole.
    Raises WeightsError where the file is another network's, or unclear.
    """
    found = fits(file.tensors, network, own or {})
    if not found:
        raise WeightsError(refusal(file, network, own or {}))
    fit = _one(file, found, ema)
    kinds = _narrow(file, list(fit.kinds), source)
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
    average = said(file, fit.under, fit.beside)
    return Found(replace(file, tensors=fit.tensors), mine[0], fit, average)


def _one(file: Checkpoint, found: list[Fit], ema: bool) -> Fit:
    """The one network of those in the file that is meant: the raw one, or its average."""
    averages = [fit for fit in found if is_average(fit.under)]
    raw = [fit for fit in found if fit not in averages]
    there = averages if ema and averages else raw or averages
    if len(there) > 1:
        raise WeightsError(
            f"{file.path} holds several networks, under {' and '.join(f.under for f in there)}; "
            "save the state of the one that you mean on its own"
        )
    if ema and not said(file, there[0].under, ()).startswith(AVERAGED):
        raise WeightsError(
            f"{file.path} holds no average beside its weights; leave ema out (on the command line "
            "--ema, for training --weights-ema)"
        )
    return there[0]


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
    ours, timms = beside(file, "model.json"), beside(file, "config.json")
    if ours.get("sha256") == file.sha256 and isinstance(ours.get("network"), str):
        return OURS, ours["network"]
    return ("timm", timms["architecture"]) if isinstance(timms.get("architecture"), str) else None


def _asked(kind: Known) -> str:
    """How to say that a file is of this kind, wherever it is read."""
    said = f"{kind.source}:{kind.theirs}"
    return f"source={said!r} (on the command line --source {said})"


def _either(kinds: list[Known]) -> str:
    words = [str(kind) if kind.source == OURS else f"{kind} ({kind.ours} here)" for kind in kinds]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
