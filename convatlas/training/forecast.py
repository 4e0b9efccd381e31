"""What a run will need, told before its first step: from three steps of a copy of the network on a
few images.

Time is that of a small batch times its share of the whole one; memory is counted, tensor by tensor.
"""

import copy
import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convatlas.data import Loader
from convatlas.errors import RunError
from convatlas.machine import cores, highest, resident
from convatlas.training.distributed import ProcessGroup
from convatlas.training.memory import Lack, free
from convatlas.training.recipe import Recipe
from convatlas.training.trainer import Trainer

PROBE = (
    6e9  # multiply-adds that one probing step may cost, forward; a fifth of a second on one core
)
EVALUATION = 1 / 3  # of a training step's time: forward alone
PASSING = (
    3  # chosen on resnet18 and mobilenet_v2, whose peaks lay 19 and 11 % higher than what is kept
)
STEPS = 2  # timed, after one that is not


@dataclass(frozen=True)
class Forecast:
    # bytes: the process at its peak, or what is allocated on the device; None: not known here
    memory: int | None
    step: float  # seconds
    epoch: float  # seconds, with validation
    rest: float  # seconds until the last epoch is done
    lack: Lack | None = None  # where the memory is more than there is


def forecast(
    recipe: Recipe,
    net: nn.Module,
    loader: Loader,
    images: dict[str, int],
    macs: float,
    device: torch.device,
    epochs: int,
    group: ProcessGroup | None = None,
) -> Forecast | None:
    """For `epochs` more epochs of this recipe. `macs` for one image; `images` in train, val and
    test.

    Several processes measure at once, as they will train; the slowest and the largest of them
    count. The network is left as it is. None where the copy's loss is not finite: the run itself
    will say so.
    """
    group = group or ProcessGroup()
    before, batch = resident(), loader.part
    few = int(max(2, min(batch, PROBE // max(macs, 1))))
    x, y, reading = _timed_sample(loader, few)
    whole = recipe.change(compile=False, accumulate=1)  # few images cannot be parted
    probe = Trainer(whole, copy.deepcopy(net), 1, device)
    try:
        saved = _saved_bytes(probe, x, y) / len(y)
        compute = sum(step_seconds(probe, x, y) for _ in range(STEPS)) / (STEPS * len(y))
    except RunError:
        saved = compute = math.inf
    compute, reading, saved = group.greatest([compute, reading, saved])
    if compute == math.inf:
        return None
    exchange = (
        _exchange_seconds(recipe, net, x, y, compute * len(y), device, group)
        if group.size > 1
        else 0.0
    )
    step = exchange + _with_reading(
        batch * compute, batch * reading, 0 if loader.in_memory else loader.workers, device
    )
    epoch = len(loader) * step + EVALUATION * compute * images["val"] / group.size
    memory, lack = _memory_and_lack(recipe, probe, batch, saved, x, before)
    if memory is not None and group.size > 1:
        memory = int(group.greatest([memory + _gradients(net)])[0])
    return Forecast(
        memory,
        step,
        epoch,
        epochs * epoch + EVALUATION * compute * images["test"] / group.size,
        lack,
    )


def _exchange_seconds(
    recipe: Recipe,
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    alone: float,
    device: torch.device,
    group: ProcessGroup,
) -> float:
    """What a step takes longer than the `alone` seconds that it takes by itself, for gradients go
    round.
    """
    whole = recipe.change(compile=False, accumulate=1)
    probe = Trainer(whole, copy.deepcopy(net), 1, device, group)
    probe.step(x, y)
    joined = sum(step_seconds(probe, x, y) for _ in range(STEPS)) / STEPS
    return max(0.0, group.greatest([joined])[0] - alone)


def _timed_sample(loader: Loader, count: int) -> tuple[Tensor, Tensor, float]:
    """Images, labels, and seconds for one image; the first time warms libraries up."""
    loader.sample(2)
    began = time.perf_counter()
    x, y, _ = loader.sample(count)
    return x, y, (time.perf_counter() - began) / len(y)


def step_seconds(probe: Trainer, x: Tensor, y: Tensor) -> float:
    began = time.perf_counter()
    probe.step(x, y)
    return time.perf_counter() - began


def _with_reading(compute: float, reading: float, workers: int, device: torch.device) -> float:
    """One after the other without workers; with them side by side, as far as there are cores."""
    if not workers:
        return compute + reading
    if device.type == "cpu":
        return max(
            compute, reading / workers, (compute * torch.get_num_threads() + reading) / cores()
        )
    return max(compute, reading / workers)


def _saved_bytes(probe: Trainer, x: Tensor, y: Tensor) -> int:
    """What a step keeps for its backward pass, each storage once, without the network's own
    weights; and the room for what passes through it, gradients and the library's scratch space,
    as so many copies of the largest.
    """
    own = {p.untyped_storage().data_ptr() for p in probe.net.parameters()}
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        probe.step(x, y)
    return sum(sizes.values()) + PASSING * max(sizes.values(), default=0)


def _memory(probe: Trainer, batch: int, saved: float, x: Tensor, before: int | None) -> int | None:
    """A step's peak over the bytes that the process held before the probe: a save is written from
    where the tensors are. `saved` bytes for the backward pass of one part of the batch.
    """
    needed = _needed(probe, batch, saved, x)
    if probe.device.type != "cpu":
        return needed
    return None if before is None else max(highest(), before + needed)


def _needed(probe: Trainer, batch: int, saved: float, x: Tensor) -> int:
    """The same, without what the process holds already; on another device all that is there."""
    weights = sum(p.numel() * p.element_size() for p in probe.net.state_dict().values())
    moments = sum(
        v.numel() * v.element_size()
        for state in probe.optimiser.state.values()
        for v in state.values()
        if isinstance(v, Tensor)
    )
    images = batch * x[0].numel() * x.element_size()
    # twice: the gradients; and the best so far, or on another device the network itself
    return int(2 * weights + moments + saved + images)


def _memory_and_lack(
    recipe: Recipe, probe: Trainer, batch: int, saved: float, x: Tensor, before: int | None
) -> tuple[int | None, Lack | None]:
    """The memory of a step of `batch` images, each of which keeps `saved` bytes; and, where more is
    needed than this process may still take, what would fit.
    """
    part = math.ceil(batch / recipe.accumulate)
    memory, left = _memory(probe, batch, part * saved, x, before), free(probe.device)
    needed = _needed(probe, batch, part * saved, x)
    if left is None or needed <= left:
        return memory, None
    each = saved + x[0].numel() * x.element_size()
    return memory, Lack(batch, int(part - (needed - left) / each), needed, left)


def _gradients(net: nn.Module) -> int:
    """Bytes of all gradients: processes keep them once more, to send."""
    return sum(p.numel() * p.element_size() for p in net.parameters() if p.requires_grad)
