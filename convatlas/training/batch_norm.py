"""Maps of one pixel: a batch norm cannot learn from one value of a channel, nor a convolution
anything of neighbours. Found before the first step, without computing anything.
"""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from convatlas.errors import RunError
from convatlas.registry import create_model
from convatlas.training.recipe import Recipe

ONE = (1, 1)


def require_several_values(
    recipe: Recipe, smallest_part: int, processes: int, side: int, channels: int
) -> None:
    """RunError where a part of a step is one image, and the map of a batch norm that learns is one
    pixel. Of a batch each process gets `smallest_part` images or more, and takes them in
    recipe.accumulate parts.
    """
    one_image = smallest_part // recipe.accumulate == 1
    if not one_image or recipe.freeze_bn or (recipe.sync_bn and processes > 1):
        return
    small = min((side, *recipe.sizes))
    names = [
        name
        for name, (module, _, out) in _maps(recipe, small, channels).items()
        if isinstance(module, _BatchNorm)
        and out == ONE
        and not any(f"{name}.".startswith(f"{frozen}.") for frozen in recipe.freeze)
    ]
    if names:
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        raise RunError(
            f"the batch norm {names[0]} of {recipe.network}{more} would see one value of each "
            f"channel, for its map is 1x1 at --size {small} and {_share(recipe, processes)} one "
            f"image; {_remedy(recipe, smallest_part, processes)}"
        )


def far_too_small(recipe: Recipe, side: int, channels: int) -> str:
    """A sentence where most convolutions that look at neighbours see a single pixel; else ""."""
    small = min((side, *recipe.sizes))
    seen = [
        given
        for module, given, _ in _maps(recipe, small, channels).values()
        if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1
    ]
    alone = seen.count(ONE)
    if 2 * alone <= len(seen):
        return ""
    with torch.device("meta"):
        paper = create_model(recipe.network).side
    return (
        f"at --size {small}, {alone} of {len(seen)} convolutions of {recipe.network} that look at "
        f"neighbours see a map of one pixel, and learn little; the paper's --size is {paper}"
    )


def _maps(recipe: Recipe, side: int, channels: int) -> dict[str, tuple]:
    """(module, size of the map it reads, of the map it gives) of each convolution and batch norm in
    training at this side, by name.
    """
    found = {}
    with torch.device("meta"):
        net = create_model(recipe.network, num_classes=2, in_channels=channels)
        images = torch.empty(2, channels, side, side)
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d | _BatchNorm):
            module.register_forward_hook(
                lambda module, given, out, name=name: found.__setitem__(
                    name, (module, _pixels(given[0]), _pixels(out))
                )
            )
    with torch.no_grad():
        getattr(net.train(), "training_outputs", net)(images)
    return found


def _pixels(maps: torch.Tensor) -> tuple[int, int]:
    return (maps.shape[2], maps.shape[3]) if maps.ndim == 4 else ONE


def _share(recipe: Recipe, processes: int) -> str:
    if recipe.accumulate > 1:
        return f"each of the {recipe.accumulate} parts of --accumulate has"
    return f"each of {processes} processes has" if processes > 1 else "a step has"


def _remedy(recipe: Recipe, smallest_part: int, processes: int) -> str:
    """The nearest flags with which each part has two images."""
    larger = f"--batch-size {2 * recipe.accumulate * processes} or more"
    parts = smallest_part // 2
    if recipe.accumulate > 1 and parts:
        return f"give --accumulate {parts}, or {larger}"
    return f"give {larger}, or a larger --size"
