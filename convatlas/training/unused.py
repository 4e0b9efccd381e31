"""What a recipe asks for and its network, its images or this machine have no use for."""

from collections.abc import Iterator

from torch.nn.modules.batchnorm import _BatchNorm

from convatlas.data import Data
from convatlas.errors import RunError
from convatlas.machine import cores
from convatlas.training.batch_norm import far_too_small
from convatlas.training.distributed import ProcessGroup
from convatlas.training.effect import as_flag, out_of_reach
from convatlas.training.prepare import Gathered, Prepared
from convatlas.training.recipe import DEFAULTS, Recipe


def require_use(recipe: Recipe, ready: Gathered) -> None:
    """RunError for what a new run asks for in vain."""
    net, side = ready.net, ready.side
    if not any(isinstance(part, _BatchNorm) for part in net.modules()):
        for name in ("freeze_bn", "sync_bn"):
            if getattr(recipe, name):
                raise RunError(
                    f"{as_flag(name)} has no effect, for {recipe.network} has no batch norm; "
                    "leave it out"
                )
    if recipe.compile and hasattr(net, "training_outputs"):
        raise RunError(
            f"--compile has no effect on {recipe.network}, whose auxiliary heads train as they "
            "are; leave it out"
        )
    parts = dict(net.named_modules())
    for name in recipe.freeze:
        if name in parts and not any(True for _ in parts[name].parameters()):
            raise RunError(
                f"--freeze {name} has no effect, for {name} of {recipe.network} has no weights; "
                f"its stages are {', '.join(net.stages)}"
            )
    if recipe.crop in ("center", "random-resized") and recipe.resize and recipe.resize[0] < side:
        raise RunError(
            f"{as_flag('resize', recipe.resize)} has no effect, for the {side} pixels of --size "
            f"are cut out of it; give --resize {side} or more"
        )
    if recipe.val_fraction != DEFAULTS["val_fraction"] and not _val_is_drawn(ready.data):
        raise RunError(
            f"{as_flag('val_fraction', recipe.val_fraction)} has no effect, for {ready.data.name} "
            "has a validation set of its own; leave it out"
        )


def warnings(recipe: Recipe, ready: Prepared, group: ProcessGroup) -> Iterator[str]:
    """What has no use here, and may have elsewhere."""
    yield from out_of_reach(recipe, as_flag).values()
    if small := far_too_small(recipe, ready.prep.side, ready.data.channels):
        yield small
    if recipe.workers > cores():
        yield (
            f"{recipe.workers} workers read images; more than this machine's cores, {cores()}, "
            "gain nothing"
        )
    images = len(ready.data.train)
    if recipe.batch_size > images and recipe.batch_size != DEFAULTS["batch_size"]:
        yield (
            f"--batch-size {recipe.batch_size} is more than the {images:,} training images; each "
            "epoch is one step of all of them"
        )
    if recipe.body_lr != DEFAULTS["body_lr"] and not recipe.weights:
        yield (
            f"{as_flag('body_lr', recipe.body_lr)} is for layers that are trained already, and "
            "this run begins without --weights"
        )
    if group.size == 1 and recipe.sync_bn:
        yield "--sync-bn changes nothing in one process; torchrun starts several"
    if group.size == 1 and recipe.timeout != DEFAULTS["timeout"]:
        yield "--timeout is for several processes, and this run has one"


def _val_is_drawn(data: Data) -> bool:
    """Whether validation images were drawn from those for training: then they share folders."""
    train = {name.rpartition("/")[0] for name in data.train.names}
    return any(name.rpartition("/")[0] in train for name in data.val.names)
