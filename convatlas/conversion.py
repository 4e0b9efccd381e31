"""A checkpoint of one library as a checkpoint of another, through the network itself."""

from pathlib import Path

import torch

from convatlas.registry import create_model
from convatlas.weights import Certificate, save_weights
from convatlas.weights.filling import fill
from convatlas.weights.loading import choose, open_checkpoint


def convert(
    path: str | Path,
    network: str,
    output: str | Path,
    to: str = "safetensors",
    source: str | None = None,
) -> Certificate:
    """Read a checkpoint into the network, with the file's own classes and channels, and write it
    for `to`.

    `to` is "safetensors" (our names), "torchvision" or "timm". Raises WeightsError where the file
    is refused or the other library has no such network, UnknownNetwork for a name that is not in
    the atlas.
    """
    file = open_checkpoint(Path(path).expanduser())
    kind = choose(file, network, source)
    classes = file.tensors[kind.head[0]].shape[0]
    channels = file.tensors[kind.stem].shape[1] if kind.stem else None
    with torch.device("meta"):  # a file may claim any number of classes: its own tensors are taken
        net = create_model(network, num_classes=classes, in_channels=channels)
    certificate = fill(net, file, kind)
    save_weights(net, output, to)
    return certificate
