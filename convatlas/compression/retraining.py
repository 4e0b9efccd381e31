"""Training what compression leaves: the weights that were not pruned, then the values they share.

The network runs with weights that are made of what is trained: weights times a mask, or a codebook
at its codes. So a pruned weight has no gradient, and a shared value has the sum of the gradients of
all weights that share it (Deep Compression, Sec. 3.3).
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from convatlas.compression.sharing import Shared
from convatlas.data import Loader
from convatlas.errors import RunError

Made = Callable[[], dict[str, Tensor]]  # the weights that the network runs with, by name


class _Outputs(nn.Module):
    """[(logits, weight)] of every head that is trained."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> list[tuple[Tensor, float]]:
        return _heads(self.net, x)


def _heads(net: nn.Module, x: Tensor) -> list[tuple[Tensor, float]]:
    many = getattr(net, "training_outputs", None)
    return many(x) if many else [(net(x), 1.0)]


def loss_of(
    net: nn.Module, x: Tensor, y: Tensor, loss: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """The loss of a batch, over all heads that are trained. RunError where it is no number."""
    total = sum(weight * loss(logits, y) for logits, weight in _heads(net, x))
    _require_finite(total)
    return total


def masked(net: nn.Module, masks: Mapping[str, Tensor]) -> tuple[list[Tensor], Made]:
    """What is trained of a pruned network, and the weights that it runs with: all of its own, those
    named in `masks` times their mask.
    """
    own = dict(net.named_parameters())
    return list(own.values()), lambda: {name: own[name] * mask for name, mask in masks.items()}


def shared(
    net: nn.Module, parts: Mapping[str, Shared]
) -> tuple[list[Tensor], Made, dict[str, Tensor]]:
    """What is trained of a network of shared weights, the weights that it runs with, and the
    codebooks among what is trained, by the names of their weights.
    """
    books = {name: torch.tensor(one.codebook, requires_grad=True) for name, one in parts.items()}
    codes = {name: torch.from_numpy(one.codes.astype("int64")) for name, one in parts.items()}
    places = {name: torch.from_numpy(one.places) for name, one in parts.items()}
    rest = [p for name, p in net.named_parameters() if name not in parts]

    def made() -> dict[str, Tensor]:
        return {
            name: torch.zeros(math.prod(one.shape))
            .index_put((places[name],), books[name][codes[name]])
            .reshape(one.shape)
            for name, one in parts.items()
        }

    return [*rest, *books.values()], made, books


def train(
    net: nn.Module,
    trained: list[Tensor],
    made: Made,
    loader: Loader,
    loss: Callable[[Tensor, Tensor], Tensor],
    epochs: int,
    rate: float,
    first: int = 0,
    before_step: Callable[[], None] = lambda: None,
) -> None:
    """`epochs` epochs of Adam, its rate falling from `rate` to 0 along a cosine; the loader's
    epochs are counted from `first`. `before_step` may raise, to leave. RunError where the loss is
    no number.
    """
    outputs = _Outputs(net).train()
    optimiser = torch.optim.Adam(trained, lr=rate)
    steps = max(1, epochs * len(loader))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(first, first + epochs):
        for x, y, _ in loader.epoch(epoch):
            before_step()
            optimiser.zero_grad(set_to_none=True)
            weights = {f"net.{name}": weight for name, weight in made().items()}
            heads = functional_call(outputs, weights, (x,))
            total = sum(weight * loss(logits, y) for logits, weight in heads)
            _require_finite(total)
            total.backward()
            optimiser.step()
            falling.step()
    net.eval()


def _require_finite(loss: Tensor) -> None:
    if not math.isfinite(value := float(loss.detach())):
        raise RunError(
            f"the loss became {value} while the smaller network was trained; give a lower --lr"
        )
