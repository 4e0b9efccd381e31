"""One pass of a network in which a layer's maps are seen, and nothing of which is left behind."""

import contextlib
import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import InputError

FEW = 30  # layers that a sentence names one by one
Target = int | Sequence[int] | Tensor | None


class Watched(NamedTuple):
    """What a layer and the network gave out for a batch."""

    maps: Tensor  # (N, C, h, w)
    logits: Tensor  # (N, classes)


def called(net: nn.Module) -> str:
    """What sentences call it: a network of the atlas by its name, any other by its class."""
    return getattr(net, "name", "") or type(net).__name__


@contextlib.contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """In evaluation mode; afterwards each module is in its own mode again."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, was_training in modes:
            module.training = was_training


def layer_path(net: nn.Module, layer: str | nn.Module | None) -> str:
    """The dotted path of a layer, given by its path, by the end of it where no other layer's ends
    so (conv5_3 for conv5.conv5_3), or as the module; without one, of the layer that class
    activation maps read.

    Raises InputError, naming layers, where there is none of that name.
    """
    paths = {path: module for path, module in net.named_modules() if path}
    if layer is None:
        layer = getattr(net, "cam_layer", None)
        if layer is None:
            raise InputError(
                f"{called(net)} does not say which layer holds its last maps; give layer=, one of "
                f"{_listed(list(paths))}"
            )
    if isinstance(layer, str) and layer in paths:
        return layer
    found = [path for path, module in paths.items() if module is layer]
    ending = [path for path in paths if path.endswith(f".{layer}")]
    if found or len(ending) == 1:
        return (found or ending)[0]
    raise InputError(f"{called(net)} has no layer {str(layer)!r}; {_instead(net, layer, paths)}")


def watch(net: nn.Module, x: Tensor, path: str) -> Watched:
    """What the layer at `path` and the network answer to x, (N, C, H, W); no gradients.

    Raises InputError where the layer gives no maps, or never runs in evaluation.
    """
    with torch.no_grad():
        return _pass(net, x, path, lambda maps: (maps, maps))


def watch_with_gradients(net: nn.Module, x: Tensor, path: str) -> Watched:
    """The same, with `logits` a function of `maps` that autograd can follow. Nothing before the
    layer is recorded, and no parameter is asked for a gradient.
    """

    def leaf(maps: Tensor) -> tuple[Tensor, Tensor]:
        torch.set_grad_enabled(True)  # from here on; the context below sets it back
        kept = maps.detach().clone().requires_grad_()
        return kept, kept.clone()  # a network may change the second one in place

    with torch.inference_mode(False), torch.no_grad():
        return _pass(net, x.clone() if x.is_inference() else x, path, leaf)


def _pass(net: nn.Module, x: Tensor, path: str, take) -> Watched:
    """`take` of the layer's output gives what is kept, and what goes on through the network."""
    seen: list[Tensor] = []

    def hook(module, args, out):
        _require_maps(net, path, out)
        kept, goes_on = take(out)
        seen[:] = [kept]
        return goes_on

    handle = net.get_submodule(path).register_forward_hook(hook)
    try:
        with evaluating(net):
            logits = net(x)
    finally:
        handle.remove()
    if not seen:
        raise InputError(
            f"the layer {path!r} of {called(net)} does not run outside training; choose another"
        )
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise InputError(f"{called(net)} does not answer with one row of class scores an image")
    return Watched(seen[0], logits)


def _require_maps(net: nn.Module, path: str, out: object) -> None:
    if isinstance(out, Tensor) and out.ndim == 4:
        return
    what = f"a tensor {tuple(out.shape)}" if isinstance(out, Tensor) else type(out).__name__
    stages = getattr(net, "stages", ())
    raise InputError(
        f"the layer {path!r} of {called(net)} gives no maps, (N, C, h, w), but {what}; choose "
        f"{'one before it' if not stages else 'one of ' + ', '.join(stages)}"
    )


def targets_of(net: nn.Module, logits: Tensor, target: Target) -> Tensor:
    """The class that is asked about, for each image: int64 (N,); without a target the likeliest.

    Raises InputError for a number that is no class, and for a wrong count of them.
    """
    count, classes = logits.shape
    if target is None:
        return logits.argmax(1)
    chosen = torch.as_tensor(target, device=logits.device).reshape(-1)
    if len(chosen) == 1:
        chosen = chosen.expand(count)
    if len(chosen) != count or chosen.is_floating_point():
        raise InputError(f"give one class, or one for each of the {count} images, not {target!r}")
    for number in chosen.tolist():
        if not 0 <= number < classes:
            raise InputError(
                f"there is no class {number}; {called(net)} knows {classes}, counted from 0 to "
                f"{classes - 1}"
            )
    return chosen.long()


def _instead(net: nn.Module, layer: object, paths: dict[str, nn.Module]) -> str:
    near = difflib.get_close_matches(str(layer), paths, n=3) if isinstance(layer, str) else []
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    if len(paths) <= FEW:
        return f"{meant}its layers are {_listed(list(paths))}"
    stages = getattr(net, "stages", ())
    if not stages:
        return f"{meant}its layers are {_listed(list(paths))}"
    return (
        f"{meant}its stages are {', '.join(stages)}, and `convatlas show {called(net)} --layers` "
        "names every layer"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more
