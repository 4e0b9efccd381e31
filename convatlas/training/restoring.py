"""Whether a checkpoint can be taken up: every number and tensor in it is looked at first, so that a
damaged or a foreign one is refused by name and never taken up by half.
"""

import math

import torch
from torch import Tensor, nn

from convatlas.errors import CheckpointError
from convatlas.training.checkpoint import Checkpoint
from convatlas.training.optimisers import optimiser
from convatlas.training.recipe import Recipe
from convatlas.training.tensor_file import LARGEST_HEADER

REMEDY = "restore the file, or begin another run with --output"
COPIES = 5  # of the network's tensors in train_state: moments, the best weights, the average
Shapes = dict[str, tuple[tuple[int, ...], torch.dtype]]


def under(kind: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those named KIND.something, as something."""
    return {
        name.removeprefix(f"{kind}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{kind}.")
    }


def limits(net: nn.Module) -> dict[str, int]:
    """The most bytes that each file of tensors of a checkpoint of this network can have."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in net.state_dict().values())
    return {
        "model.safetensors": size + LARGEST_HEADER,
        "train_state.safetensors": COPIES * size + LARGEST_HEADER,
    }


def require_progress(checkpoint: Checkpoint, steps_per_epoch: int) -> dict:
    """The checked numbers of state.json's progress. CheckpointError for any that no run can have
    written.
    """
    found = checkpoint.state.get("progress")
    if not isinstance(found, dict):
        raise CheckpointError("state.json has no progress")
    counts = {name: _count(found, name) for name in ("epoch", "batch", "step", "seen", "correct")}
    best, scores = found.get("best_epoch"), found.get("scores")
    if type(best) is not int or not isinstance(scores, list) or not all(map(_is_share, scores)):
        raise CheckpointError("state.json has scores or a best_epoch that no run can have")
    if len(scores) != counts["epoch"] or not (
        0 <= best < len(scores) or (best == -1 and not scores)
    ):
        raise CheckpointError("the scores of state.json are not those of its epochs")
    if counts["step"] != checkpoint.step:
        raise CheckpointError(f"state.json is of step {counts['step']}")
    if counts["step"] != counts["epoch"] * steps_per_epoch + counts["batch"]:
        raise CheckpointError(
            f"state.json counts {counts['step']} steps in {counts['epoch']} epochs and "
            f"{counts['batch']} steps, and an epoch has {steps_per_epoch}"
        )
    if counts["correct"] > counts["seen"]:
        raise CheckpointError("state.json counts more right answers than images")
    return counts | {
        "scores": list(map(float, scores)),
        "best_epoch": best,
        "loss_sum": _number(found, "loss_sum", -math.inf),
        "seconds": _number(found, "seconds", 0.0),
    }


def _count(found: dict, name: str) -> int:
    value = found.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise CheckpointError(f"{name} in state.json is not a count")
    return value


def _number(found: dict, name: str, low: float) -> float:
    value = found.get(name)
    if type(value) not in (int, float) or not math.isfinite(value) or value < low:
        raise CheckpointError(f"{name} in state.json is not a number of {low:g} or more")
    return float(value)


def _is_share(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def require_words(state: dict) -> None:
    """CheckpointError unless what state.json says beside the numbers has the types it must have."""
    about, log, start = state.get("about"), state.get("log", []), state.get("start", {})
    if not isinstance(about, dict) or not isinstance(start, dict):
        raise CheckpointError("state.json does not say what it is about")
    classes, data = about.get("classes"), about.get("data")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise CheckpointError("state.json has no list of classes")
    if not isinstance(data, str):
        raise CheckpointError("state.json has no fingerprint of the images")
    if not isinstance(log, list) or not all(map(_is_record, log)):
        raise CheckpointError("the log in state.json is not one of epochs")


def _is_record(line: object) -> bool:
    return isinstance(line, dict) and type(line.get("epoch")) is int and line["epoch"] > 0


def require_tensors(
    checkpoint: Checkpoint,
    recipe: Recipe,
    net: nn.Module,
    average: nn.Module | None,
    parameters: list[nn.Parameter],
) -> None:
    """CheckpointError, naming what differs, unless each tensor is one that this network and recipe
    save, in name, shape and type.
    """
    tensors, said = checkpoint.train_state, checkpoint.state.get("tensors")
    if said not in (None, len(tensors)):  # older versions did not count them
        raise CheckpointError(
            f"the checkpoint of step {checkpoint.step} holds {len(tensors)} tensors of the "
            f"optimiser and the best weights instead of {said}; {REMEDY}"
        )
    _require_fit(net, checkpoint.model, "the network")
    if average is not None:
        _require_fit(average, under("average", tensors), "the average")
    best = under("best", tensors)
    if best or checkpoint.state["progress"].get("scores"):
        _require_fit(net, best, "the best weights")
    _require_moments(recipe, under("optimiser", tensors), parameters)


def _require_fit(net: nn.Module, tensors: dict[str, Tensor], what: str) -> None:
    """All tensors or none: names, shapes and types must be the network's own."""
    wanted, found = _shapes(net.state_dict()), _shapes(tensors)
    wrong = [
        f"{name} is {_shaped(found.get(name))}, not {_shaped(wanted.get(name))}"
        for name in sorted({*wanted, *found})
        if wanted.get(name) != found.get(name)
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise CheckpointError(
            f"the checkpoint does not fit {what}: {'; '.join(wrong[:3])}{more}; {REMEDY}"
        )


def _shapes(tensors: dict[str, Tensor]) -> Shapes:
    return {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}


def _shaped(tensor: tuple | None) -> str:
    return (
        f"{'x'.join(map(str, tensor[0])) or 'a scalar'} {str(tensor[1])[6:]}"
        if tensor
        else "absent"
    )


def _require_moments(
    recipe: Recipe, found: dict[str, Tensor], parameters: list[nn.Parameter]
) -> None:
    """A parameter has all moments of its optimiser, or none where it never had a gradient."""
    wanted = _moments(recipe)
    groups: dict[str, dict[str, Tensor]] = {}
    for key, tensor in found.items():
        index, _, name = key.partition(".")
        groups.setdefault(index, {})[name] = tensor
    indices = {str(index): parameter for index, parameter in enumerate(parameters)}
    for index, moments in groups.items():
        if index not in indices or {*moments} != {*wanted}:
            raise CheckpointError(
                f"the checkpoint does not fit the optimiser: parameter {index[:20]} has "
                f"{', '.join(sorted(moments))[:200]}, not {', '.join(sorted(wanted)) or 'none'}; "
                f"{REMEDY}"
            )
        for name, moment in moments.items():
            shape = indices[index].shape if wanted[name] else ()
            if moment.shape != shape or not moment.dtype.is_floating_point:
                raise CheckpointError(
                    f"the checkpoint does not fit the optimiser: {name} of parameter {index} is "
                    f"{_shaped((tuple(moment.shape), moment.dtype))}; {REMEDY}"
                )


def _moments(recipe: Recipe) -> dict[str, bool]:
    """Name -> whether it has its parameter's shape, of what this recipe's optimiser keeps; seen on
    a network of one layer.
    """
    net = nn.Linear(2, 3, bias=False)
    one = optimiser(recipe, net)
    net.weight.grad = torch.zeros_like(net.weight)
    one.step()
    kept = one.state[net.weight].items()
    return {name: value.ndim > 0 for name, value in kept if isinstance(value, Tensor)}
