"""A checkpoint of one library as a checkpoint of another, through the network itself."""

from pathlib import Path

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights import Certificate, save_weights
from convatlas.weights.averages import open_checkpoint
from convatlas.weights.filling import fill
from convatlas.weights.fitting import shapes_in
from convatlas.weights.loading import choose


def convert(
    path: str | Path,
    network: str,
    output: str | Path,
    to: str = "safetensors",
    source: str | None = None,
    ema: bool = False,
) -> Certificate:
    """Read a checkpoint into the network, with the file's own classes and channels, and write it
    for `to`.

    `to` is "safetensors" (our names), "torchvision" or "timm"; with `ema` the running average is
    read of a file that holds one beside the raw weights. Raises WeightsError where the file
    is refused or the other library has no such network, UnknownNetwork for a name that is not in
    the atlas.
    """
    with shapes_only():
        own = shapes_in(create_model(network).state_dict())
    found = choose(open_checkpoint(Path(path).expanduser(), ema), network, source, own, ema)
    kind, tensors = found.kind, found.file.tensors
    of_classes, of_channels = kind.axes
    classes = next((tensors[name].shape[of_classes] for name in kind.head if name in tensors), None)
    channels = tensors[kind.stem].shape[of_channels] if kind.stem else None
    net = create_model(network, num_classes=classes, in_channels=channels)
    certificate = fill(net, found)
    save_weights(net, output, to)
    return certificate
