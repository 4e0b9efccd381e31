"""What lies inside a network for one batch or for none: feature maps, filters, embeddings."""

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from convatlas.errors import InputError
from convatlas.explanation.watching import called, evaluating, layer_path, watch


def feature_maps(net: nn.Module, x: Tensor, layer: str | nn.Module | None = None) -> np.ndarray:
    """(N, C, h, w): what a layer gives out for x, (N, C, H, W), in evaluation mode, in the
    network's own precision; by default the layer that class activation maps read.

    Raises InputError for an unknown layer, one that gives no maps, or that never runs.
    """
    return watch(net, x, layer_path(net, layer)).maps.cpu().numpy()


def filters(net: nn.Module, layer: str | nn.Module | None = None) -> np.ndarray:
    """(filters, channels of a group, height, width): the weights of a convolution; by default, and
    of a layer that is made of several, of the first one inside. One that computes its weights, as
    LeNet-5's C3 does from its table, is run on an empty picture to see them.

    Raises InputError for an unknown layer, and for one without a convolution of maps.
    """
    return _convolution(net, layer)[1].detach().cpu().numpy().copy()


def convolution_path(net: nn.Module, layer: str | nn.Module | None = None) -> str:
    """The path of the convolution whose weights `filters` gives."""
    return _convolution(net, layer)[0]


def _convolution(net: nn.Module, layer: str | nn.Module | None) -> tuple[str, Tensor]:
    path = "" if layer is None else layer_path(net, layer)
    for name, module in net.get_submodule(path).named_modules(prefix=path):
        if isinstance(module, nn.Conv2d):
            return name, module.weight
    if (weight := _computed(net, path)) is not None:
        return path, weight
    convolutions = [name for name, each in net.named_modules() if isinstance(each, nn.Conv2d)]
    shown = ", ".join(convolutions[:20]) + (", …" if len(convolutions) > 20 else "")
    raise InputError(
        f"the layer {path!r} of {called(net)} has no convolution inside; those are {shown}"
    )


class _Weights(TorchDispatchMode):
    """The weights of the convolutions that run while `running`."""

    def __init__(self):
        super().__init__()
        self.running = False
        self.found: list[Tensor] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if self.running and func.overloadpacket.__name__ == "convolution" and args[1].ndim == 4:
            self.found.append(args[1].detach().clone())
        return func(*args, **(kwargs or {}))

    def start(self, *_) -> None:
        self.running = True

    def stop(self, *_) -> None:
        self.running = False


@torch.no_grad()
def _computed(net: nn.Module, path: str) -> Tensor | None:
    """What the first convolution inside a layer multiplies with; None where none runs, or where
    the network does not say what it reads.
    """
    size = getattr(net, "input_size", None)
    weight = next(net.parameters(), None)
    if size is None or weight is None:
        return None
    seen, module = _Weights(), net.get_submodule(path)
    handles = [
        module.register_forward_pre_hook(seen.start),
        module.register_forward_hook(seen.stop),
    ]
    try:
        with evaluating(net), seen:
            if next(module.buffers(), None) is None:  # nothing that training would change:
                module.train()  # a table of maps is then one convolution, with zeros in it
            net(torch.zeros(1, *size, dtype=weight.dtype, device=weight.device))
    finally:
        for handle in handles:
            handle.remove()
    return seen.found[0] if seen.found else None


@torch.no_grad()
def embedding(net: nn.Module, x: Tensor) -> np.ndarray:
    """float32 (N, features): what the classifier reads of each image of x, (N, C, H, W), in
    evaluation mode; maps are laid out in a row.

    Raises InputError for a network that does not name its classifier, or never runs it.
    """
    return answer(net, x)[0].cpu().numpy()


@torch.no_grad()
def answer(net: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """(embedding float32 (N, features), logits (N, classes)), from one pass."""
    classifier = getattr(net, "classifier", None)
    if not isinstance(classifier, nn.Module):
        raise InputError(f"{called(net)} has no `classifier`, whose input would be the embedding")
    read: list[Tensor] = []
    handle = classifier.register_forward_pre_hook(lambda module, args: read.append(args[0].clone()))
    try:
        with evaluating(net):
            logits = net(x)
    finally:
        handle.remove()
    if not read:
        raise InputError(f"the classifier of {called(net)} does not run outside training")
    return read[-1].flatten(1).float(), logits
