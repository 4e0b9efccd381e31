"""A network of ours with everything in it at random, beside another construction of it that gets
the same weights.
"""

from math import prod

import torch
from plain import Weights
from torch import Tensor, nn

from convatlas import create_model
from convatlas.shapes_only import shapes_only

DRAWN = 500_000
CLASSES = 7


class Dice:
    """Normal random numbers of a fixed seed; what is longer than DRAWN repeats them, out of step
    with its rows.
    """

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.drawn = torch.randn(2 * DRAWN + 1, generator=generator, dtype=torch.float64)
        self.at = 0

    def fill(self, value: Tensor, scale: float) -> Tensor:
        for part in value.view(-1).split(DRAWN):
            part.copy_(self.drawn[self.at : self.at + len(part)]).mul_(scale)
            self.at = (self.at + len(part)) % (DRAWN + 1)
        return value

    def normal(self, like: Tensor) -> Tensor:
        return self.fill(torch.empty_like(like), 1)

    def even(self, like: Tensor, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.special.ndtr(self.normal(like))


@torch.no_grad()
def filled(net: nn.Module, x: Tensor) -> nn.Module:
    """Everything in `net` at random, signs too; the statistics near those of `x`, so that signals
    neither fade nor burst on a long way.
    """
    dice = Dice()
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for name, value in net.state_dict().items():
        leaf = name.rpartition(".")[2]
        if value.dtype == torch.int64:
            value.zero_()
        elif leaf in ("weight", "codes") and value.dim() > 1:
            dice.fill(value, (2 / prod(value.shape[1:])) ** 0.5)
        else:
            dice.fill(value, 0.5)
    for norm in norms:
        if norm.weight is not None:
            norm.weight.mul_(2).add_(norm.weight.sign())  # few near zero, half of them negative
        norm.running_var.abs_()  # of heads, which are not run here
        norm.momentum = 1.0
        norm.train()
    if norms:
        net(x)
    for norm in norms:
        size = norm.running_mean.square().mean()
        norm.running_mean.add_(dice.normal(norm.running_mean) * norm.running_var.sqrt() * 0.2)
        norm.running_var.mul_(dice.even(norm.running_var, 0.5, 1.5))
        norm.running_var.add_(norm.running_var.mean() * 0.1 + 1e-3)  # a dead map has none
        norm.running_var.add_(size * 0.1)  # two images' averages are almost one
    return net.eval()


def sizes(net: nn.Module) -> list[tuple[int, int]]:
    """The smallest square that is near what the paper reads, and one that is no square."""
    small = max(net.smallest, min(net.side // 2, 64))
    return sorted({(small, small), (min(small + 13, net.largest or small + 13), small)})


def images(net: nn.Module, height: int, width: int) -> Tensor:
    dice = torch.Generator().manual_seed(height)
    return 3 * torch.randn(2, net.in_channels, height, width, generator=dice, dtype=torch.float64)


def network(name: str) -> nn.Module:
    with shapes_only():
        net = create_model(name, num_classes=CLASSES)
    net = net.to(torch.float64).to_empty(device="cpu").eval()
    return filled(net, images(net, *sizes(net)[0]))


def assert_equal(ours: Tensor, theirs: Tensor, where: str):
    assert ours.shape == theirs.shape, f"{where}: {tuple(ours.shape)}, {tuple(theirs.shape)}"
    largest = theirs.abs().max()
    assert torch.isfinite(theirs).all() and largest > 0, f"{where}: no number to compare"
    difference = (ours - theirs).abs().max() / largest
    assert difference <= 1e-10, f"{where}: {difference:.1e} of the largest value"


def assert_answers_differ(logits: Tensor, name: str):
    assert (logits[0] - logits[1]).abs().max() > 1e-3 * logits.abs().max(), (
        f"{name}: two images, one answer: nothing was compared"
    )


def assert_stages_equal(
    net: nn.Module, second, x: Tensor, name: str, stepwise: bool = False
) -> set[str]:
    """Compares logits and all that the second construction calls a stage; gives what it read.
    `stepwise`: behind each stage both go on with ours, as rounding grows from layer to layer.
    """
    weights, stages = Weights(net.state_dict()), {}
    theirs = second(weights, x)
    hooks = [
        net.get_submodule(stage).register_forward_hook(
            lambda module, args, out, stage=stage: stages.update({stage: out})
        )
        for stage in weights.stages
    ]
    ours = net(x)
    for hook in hooks:
        hook.remove()
    if stepwise:
        weights = Weights(net.state_dict(), stages)
        theirs = second(weights, x)
    for stage, out in weights.stages.items():
        assert_equal(stages[stage], out, f"{name}, {stage}, at {tuple(x.shape[2:])}")
    assert_equal(ours, theirs, f"{name} at {tuple(x.shape[2:])}")
    assert_answers_differ(theirs, name)
    return weights.read


def to_be_read(net: nn.Module) -> set[str]:
    """All that decides the outputs."""
    return {key for key in net.state_dict() if not key.endswith("num_batches_tracked")}
