"""The recorded answer: a fixed image and the logits a network gave for it, kept in the metadata of
its file.
"""

import copy
import json
from collections.abc import Mapping

import torch
import torch.nn as nn
from torch import Tensor

NETWORK = "convatlas.network"  # keys of the metadata
ANSWER = "convatlas.answer"
MANY = 1000  # logits kept


def image(size: tuple[int, int, int]) -> Tensor:
    """A fixed image of waves and no randomness, about as large as a normalised
    one.  (1, C, H, W)
    """
    channels, height, width = size
    c, y, x = torch.meshgrid(
        torch.arange(channels), torch.arange(height), torch.arange(width), indexing="ij"
    )
    return (torch.sin(0.37 * x + 1.1 * c) + torch.cos(0.23 * y - 0.7 * c))[None].float()


def answer(net: nn.Module, state: Mapping[str, Tensor] | None = None) -> list[float]:
    """The logits for the fixed image of the network's printed size, in evaluation mode; with other
    weights than its own where a `state` is given.

    In double precision: in single, a deep network with gates may differ by 4e-5 from one kernel to
    another.
    """
    with torch.no_grad():
        exact = copy.deepcopy(net)
        if state is not None:
            exact.load_state_dict(state, strict=False, assign=True)
        exact = exact.cpu().double().eval()
        return exact(image(net.input_size).double())[0, :MANY].tolist()


def record(net: nn.Module) -> dict[str, str]:
    """The metadata that names the network and keeps its answer."""
    return {NETWORK: net.name, ANSWER: json.dumps(answer(net))}


def recorded(metadata: Mapping[str, str]) -> list[float] | None:
    """The answer that a file keeps, if it keeps one that can be read."""
    try:
        held = json.loads(metadata[ANSWER])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return (
        held
        if isinstance(held, list) and held and all(type(value) is float for value in held)
        else None
    )


def difference(net: nn.Module, expected: list[float], state: Mapping[str, Tensor]) -> float:
    """The largest difference of the network's logits, with the weights `state`, from the expected
    ones, over the largest of these.
    """
    measured = torch.tensor(answer(net, state), dtype=torch.float64)
    recorded = torch.tensor(expected, dtype=torch.float64)
    if measured.shape != recorded.shape:
        return float("inf")
    largest = float(recorded.abs().max()) or 1.0  # of a classifier that begins at zero
    return float((measured - recorded).abs().max()) / largest  # NaN where one of either is
