"""The optimisers that a recipe names, and which weights decay."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from convatlas.training.recipe import Recipe


class RMSpropTF(torch.optim.Optimizer):
    """RMSProp as TensorFlow's tf.train.RMSPropOptimizer computes it, which the papers after 2015
    used.

    The mean of squares starts at 1 rather than 0, epsilon stands inside the root, and the momentum
    holds steps already multiplied by the learning rate:
        s <- alpha s + (1 - alpha) g^2;  m <- momentum m + lr g / sqrt(s + eps);  w <- w - m
    """

    def __init__(
        self, parameters, lr: float, alpha: float, eps: float, momentum: float, weight_decay: float
    ):
        super().__init__(
            parameters,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "momentum": momentum,
                "weight_decay": weight_decay,
            },
        )

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._step(group, weights)

    def _step(self, group: dict, weights: list[Tensor]) -> None:
        for weight in weights:
            if not self.state[weight]:
                self.state[weight] = {
                    "square_avg": torch.ones_like(weight),
                    "momentum_buffer": torch.zeros_like(weight),
                }
        squares = [self.state[weight]["square_avg"] for weight in weights]
        steps = [self.state[weight]["momentum_buffer"] for weight in weights]
        gradients = [weight.grad for weight in weights]
        if group["weight_decay"]:
            gradients = torch._foreach_add(gradients, weights, alpha=group["weight_decay"])
        torch._foreach_mul_(squares, group["alpha"])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["alpha"])
        roots = torch._foreach_add(squares, group["eps"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(steps, group["momentum"])
        torch._foreach_addcdiv_(steps, gradients, roots, group["lr"])
        torch._foreach_sub_(weights, steps)


OPTIMISERS: dict[str, Callable] = {
    "sgd": lambda groups, r: torch.optim.SGD(
        groups, r.lr, r.momentum, weight_decay=r.weight_decay, nesterov=r.nesterov, fused=True
    ),
    "adam": lambda groups, r: torch.optim.Adam(
        groups, r.lr, eps=r.eps, weight_decay=r.weight_decay, fused=True
    ),
    "adamw": lambda groups, r: torch.optim.AdamW(
        groups, r.lr, eps=r.eps, weight_decay=r.weight_decay, fused=True
    ),
    "rmsprop": lambda groups, r: torch.optim.RMSprop(
        groups, r.lr, r.alpha, r.eps, r.weight_decay, r.momentum
    ),
    "rmsprop-tf": lambda groups, r: RMSpropTF(
        groups, r.lr, r.alpha, r.eps, r.momentum, r.weight_decay
    ),
}


def optimiser(recipe: Recipe, net: nn.Module) -> torch.optim.Optimizer:
    """The recipe's optimiser over the weights that are not frozen.

    Without `decay_norm`, weights of one dimension (biases, and the scale and shift of norms) do not
    decay. The `share` of a group is that of the learning rate with which it learns: `body_lr` of
    all but the classifiers.
    """
    heads = () if recipe.body_lr == 1 else _classifiers(net)
    parts: dict[float, list[Tensor]] = {recipe.body_lr: [], 1.0: []}
    for name, weight in net.named_parameters():
        if weight.requires_grad:
            parts[1.0 if name.startswith(heads) else recipe.body_lr].append(weight)
    groups = [group for share in parts for group in _decaying(recipe, parts[share], share)]
    return OPTIMISERS[recipe.opt]([group for group in groups if group["params"]], recipe)


def _decaying(recipe: Recipe, weights: list[Tensor], share: float) -> list[dict]:
    """Groups of these weights: what decays, and what does not."""
    if recipe.decay_norm:
        return [{"params": weights, "share": share}]
    return [
        {"params": [weight for weight in weights if weight.ndim > 1], "share": share},
        {
            "params": [weight for weight in weights if weight.ndim <= 1],
            "share": share,
            "weight_decay": 0.0,
        },
    ]


def _classifiers(net: nn.Module) -> tuple[str, ...]:
    """How the names of the weights of every classifier begin."""
    paths = (getattr(net, "classifier_path", ""), *getattr(net, "auxiliary_paths", ()))
    return tuple(f"{path}." for path in paths if path)
