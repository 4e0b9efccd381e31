"""What a step does, against the same steps written out in plain torch: equal to the bit, on
whatever processor this is. Row 27 of the fault matrix.

Each case gives its recipe to the Trainer, and to the loop below what the recipe should mean: an
optimiser made by hand, the rate of each step as a formula, the loss as a function.
"""

import hashlib
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.registry import create_model
from convatlas.training import Recipe
from convatlas.training.optimisers import RMSpropTF
from convatlas.training.trainer import Trainer

CLASSES, PER_EPOCH = 5, 5
NORMS = (nn.BatchNorm2d,)


@dataclass(frozen=True)
class Case:
    recipe: Recipe
    optimiser: Callable[[nn.Module], torch.optim.Optimizer]
    rate: Callable[[int], float]  # of a step, from 0
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy
    heads: tuple[float, ...] = (1.0,)  # the weight of each head's loss
    parts: tuple[slice, ...] = (slice(0, 4),)  # of a batch, one backward pass each
    keep: Callable[[int], float] | None = None  # what update n keeps of the average
    clip: float = 0.0
    soft: bool = False  # labels are shares of classes
    frozen_norms: bool = False
    frozen: str = ""
    amp: bool = False
    layout: torch.memory_format = torch.contiguous_format
    side: int = 64
    steps: int = 20
    scores: list[float] = field(default_factory=lambda: [0.1, 0.2, 0.3, 0.4])


def decayed_and_not(net: nn.Module, decay: float) -> list[dict]:
    """Filters and matrices decay; biases, and the scale and shift of norms, do not."""
    filters = [m.weight for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    biases = [m.bias for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    norms = [weight for m in net.modules() if isinstance(m, NORMS) for weight in m.parameters()]
    rest = [weight for weight in (*biases, *norms) if weight is not None]
    return [{"params": filters, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


CASES = {
    "map loss, adamw, a warm-up, then a cosine": Case(
        Recipe(network="lenet5", loss="map", lr=2e-3, epochs=4, warmup_epochs=1),
        lambda net: torch.optim.AdamW(net.parameters(), weight_decay=0.02, fused=True),
        lambda step: (
            2e-3 * (step + 1) / 5
            if step < 5
            else 2e-3 * (0.5 * (1 + math.cos(math.pi * ((step / 5 - 1) / 3))))
        ),
        loss=lambda logits, labels: F.cross_entropy(F.pad(logits, (0, 1), value=-1.0), labels),
        side=32,
    ),
    "nesterov, norms that do not decay, milestones, smoothed labels, clipping": Case(
        Recipe(
            network="resnet20_cifar",
            **{"opt": "sgd", "lr": 0.1, "nesterov": True, "weight_decay": 0.01},
            **{"decay_norm": False, "clip_grad": 1.0, "label_smoothing": 0.1},
            **{"sched": "step", "milestones": (2, 3), "gamma": 0.5, "warmup_epochs": 0},
        ),
        lambda net: torch.optim.SGD(
            decayed_and_not(net, 0.01), momentum=0.9, nesterov=True, fused=True
        ),
        lambda step: 0.1 if step < 10 else 0.05 if step < 15 else 0.025,
        loss=lambda logits, labels: F.cross_entropy(logits, labels, label_smoothing=0.1),
        clip=1.0,
        side=32,
    ),
    "dropout, rmsprop of tensorflow, an average, a batch in two uneven parts": Case(
        Recipe(
            network="mobilenet_v2_x0_35",
            **{"opt": "rmsprop-tf", "lr": 0.01, "eps": 1e-3, "alpha": 0.9, "momentum": 0.8},
            **{"weight_decay": 1e-4, "accumulate": 2, "batch_size": 5, "ema": 0.5},
            **{"sched": "exponential", "gamma": 0.9, "decay_epochs": 0.6, "warmup_epochs": 0},
        ),
        lambda net: RMSpropTF(
            net.parameters(), lr=0.0, alpha=0.9, eps=1e-3, momentum=0.8, weight_decay=1e-4
        ),
        lambda step: 0.01 * 0.9 ** (step // 3),
        parts=(slice(0, 3), slice(3, 5)),
        keep=lambda update: min(0.5, (1 + update) / (10 + update)),
        steps=15,
    ),
    "shares of classes, adam, frozen norms and a frozen stage, a warm-up from above zero": Case(
        Recipe(
            network="shufflenet_v2_x0_5",
            **{"opt": "adam", "lr": 4e-3, "weight_decay": 1e-3, "freeze": ("Conv1",)},
            **{"freeze_bn": True, "sched": "polynomial", "power": 2.0, "epochs": 4},
            **{"warmup_epochs": 2, "warmup_lr": 1e-3},
        ),
        lambda net: torch.optim.Adam(
            [weight for weight in net.parameters() if weight.requires_grad],
            **{"weight_decay": 1e-3, "fused": True},
        ),
        lambda step: (
            1e-3 + (4e-3 - 1e-3) * (step + 1) / 10
            if step < 10
            else 4e-3 * (1 - (step / 5 - 2) / 2) ** 2
        ),
        soft=True,
        frozen_norms=True,
        frozen="Conv1",
    ),
    "auxiliary heads, rmsprop, a plateau": Case(
        Recipe(
            network="googlenet_torchvision",
            **{"opt": "rmsprop", "lr": 1e-3, "momentum": 0.5, "weight_decay": 0.0, "alpha": 0.95},
            **{"sched": "plateau", "patience": 0, "gamma": 0.5, "warmup_epochs": 0},
        ),
        lambda net: torch.optim.RMSprop(net.parameters(), alpha=0.95, momentum=0.5),
        lambda step: 1e-3 if step < 10 else 5e-4,  # the second score is not better than the first
        heads=(1.0, 0.3, 0.3),
        scores=[0.5, 0.5, 0.6],
        side=32,
        steps=12,
    ),
    "bf16, channels last": Case(
        Recipe(
            network="resnet20_cifar",
            **{"opt": "sgd", "lr": 0.05, "sched": "constant", "warmup_epochs": 0},
            **{"amp": True, "channels_last": True},
        ),
        lambda net: torch.optim.SGD(net.parameters(), momentum=0.9, weight_decay=0.02, fused=True),
        lambda step: 0.05,
        amp=True,
        layout=torch.channels_last,
        side=32,
        steps=5,
    ),
}


def seeded(what: str, number: int = 0) -> None:
    """All that is random in step n of a run with seed 0 comes from these bytes."""
    digest = hashlib.sha256(f"0/{what}/{number}".encode()).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def fresh(case: Case) -> nn.Module:
    seeded("weights")
    return create_model(case.recipe.network, num_classes=CLASSES, in_channels=3)


def batches(case: Case) -> list[tuple[Tensor, Tensor]]:
    dice = torch.Generator().manual_seed(7)
    size = case.parts[-1].stop
    found = []
    for n in range(case.steps):
        x = torch.randn(size, 3, case.side, case.side, generator=dice)
        y = (torch.arange(size) + n) % CLASSES
        found.append((x, F.one_hot(y, CLASSES) * 0.7 + 0.06 if case.soft else y))
    return found


def written_out(case: Case) -> tuple[list[float], dict[str, Tensor], dict[str, Tensor]]:
    """Each step's loss, and the weights and their average after the last step."""
    net, losses, average = fresh(case).to(memory_format=case.layout).train(), [], {}
    if case.frozen_norms:
        for norm in (module for module in net.modules() if isinstance(module, NORMS)):
            norm.eval().requires_grad_(False)
        net.get_submodule(case.frozen).eval().requires_grad_(False)
    optimiser = case.optimiser(net)
    for step, (x, y) in enumerate(batches(case)):
        seeded("step", step)
        for group in optimiser.param_groups:
            group["lr"] = case.rate(step)
        optimiser.zero_grad()
        total = 0.0
        for part in case.parts:
            images, labels = x[part].contiguous(memory_format=case.layout), y[part]
            with torch.autocast("cpu", torch.bfloat16) if case.amp else nullcontext():
                heads = [net(images)] if len(case.heads) == 1 else answers_of_all(net, images)
                loss = case.heads[0] * case.loss(heads[0], labels)
                for weight, logits in zip(case.heads[1:], heads[1:], strict=True):
                    loss = loss + weight * case.loss(logits, labels)
            (loss * (len(labels) / len(y))).backward()
            total += loss.item() * len(labels)
        losses.append(total / len(y))
        if case.clip:
            nn.utils.clip_grad_norm_(net.parameters(), case.clip)
        optimiser.step()
        if case.keep:
            follow(average, net, case.keep(step) if step else 0.0)
    return losses, net.state_dict(), average


def answers_of_all(net: nn.Module, images: Tensor) -> list[Tensor]:
    """The logits of the main head, then of the auxiliary ones; their weights are the case's."""
    return [logits for logits, _ in net.training_outputs(images)]


def follow(average: dict[str, Tensor], net: nn.Module, keep: float) -> None:
    for name, tensor in net.state_dict().items():
        if name in average and tensor.is_floating_point():
            average[name] = average[name].lerp(tensor, 1 - keep)
        else:
            average[name] = tensor.clone()


@pytest.mark.parametrize("name", CASES)
def test_the_steps_of_a_run_are_these_to_the_bit(name):
    case = CASES[name]
    trainer = Trainer(case.recipe, fresh(case), PER_EPOCH, torch.device("cpu"))
    losses, scores = [], iter(case.scores)
    for step, (x, y) in enumerate(batches(case), 1):
        losses.append(trainer.step(x, y))
        if step % PER_EPOCH == 0:
            trainer.end_epoch(next(scores))
    wanted, weights, average = written_out(case)
    assert losses == wanted
    assert len(set(losses)) > 1
    assert_equal(trainer.net.state_dict(), weights)
    assert_equal(trainer.result.state_dict(), average or weights)


def assert_equal(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), name
