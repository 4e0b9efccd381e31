"""Which networks a test takes by default, and what several tests read of each."""

from collections.abc import Collection

import pytest
import torch
import torch.nn as nn

from convatlas.layers import Network
from convatlas.registry import entries, stored_facts
from convatlas.verification import measure

META = torch.device("meta")
BY_SIZE = sorted(stored_facts().items(), key=lambda item: item[1]["params"], reverse=True)
SMALLEST = {facts["family"]: name for name, facts in BY_SIZE}  # of each file in nets/
SMALLEST_OF_A_PAPER = {facts["paper"]["page"]: name for name, facts in BY_SIZE}

ALL_KINDS = {  # of heads and of stages
    *("lenet5", "lenet1989", "lenet1989_zip", "nin_mnist", "squeezenet1_1", "googlenet"),
    *("inception_v3", "resnet20_cifar", "mobilenet_v3_small"),
}


def first(few: Collection[str], names: Collection[str] = ()) -> pytest.MarkDecorator:
    """A test of the networks `names`, or of all: those that are not among `few` wait for
    `make test-all`.
    """
    return pytest.mark.parametrize(
        "name",
        [
            pytest.param(name, marks=[] if name in few else [pytest.mark.full])
            for name in names or entries()
        ],
    )


def images(net: Network, h: int, w: int | None = None, batch: int = 2, device=META) -> torch.Tensor:
    return torch.randn(batch, net.in_channels, h, h if w is None else w, device=device)


@torch.no_grad()
def outputs_of(net: nn.Module, x: torch.Tensor) -> list[tuple[str, torch.Tensor, int]]:
    """(path, output, its version when it came out) of every module, in the order in which they
    finish.
    """
    seen = []
    handles = [
        module.register_forward_hook(
            lambda m, args, out, path=path: seen.append((path, out, out._version))
        )
        for path, module in net.named_modules()
    ]
    net(x)
    for handle in handles:
        handle.remove()
    return seen


def shapes_in_order(name: str) -> dict[str, tuple[int, ...]]:
    """The shape, without the batch, that every module gives out at the printed size, in the order
    in which they finish.
    """
    return {path: part.output for path, part in measure(name).parts.items()}
