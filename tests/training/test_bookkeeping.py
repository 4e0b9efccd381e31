"""What a trainer counts beside the weights: hits of the main head, an epoch's own images, the weights
that scored best.
"""

import pytest
import torch
from torch import Tensor, nn

from convatlas.training import Recipe
from convatlas.training.optimisers import OPTIMISERS, optimiser
from convatlas.training.trainer import Trainer

PLAIN = Recipe(
    opt="sgd",
    lr=0.1,
    momentum=0.0,
    weight_decay=0.0,
    warmup_epochs=0,
    sched="constant",
    batch_size=4,
)


class TwoHeads(nn.Module):
    """A main head that says class 0 of everything, and an auxiliary one that says class 1."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight + torch.tensor([5.0, 0.0]).expand(len(x), 2)

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        return [(self(x), 1.0), (self(x).flip(1), 0.3)]


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.flatten(1))


def batch() -> tuple[Tensor, Tensor]:
    dice = torch.Generator().manual_seed(0)
    return torch.randn(4, 1, 2, 2, generator=dice), torch.tensor([0, 1, 0, 1])


def test_hits_are_the_main_head_s():
    trainer = Trainer(PLAIN, TwoHeads(), 2, torch.device("cpu"))
    trainer.step(batch()[0], torch.zeros(4, dtype=torch.int64))
    assert trainer.progress.correct == 4


def test_an_epoch_counts_its_own_images_only():
    trainer = Trainer(PLAIN, TwoHeads(), 2, torch.device("cpu"))
    labels = [torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)]
    records = []
    for epoch_labels in labels:
        for _ in range(2):
            trainer.step(batch()[0], epoch_labels)
        records.append(trainer.end_epoch(0.5))
    assert [record["train_accuracy"] for record in records] == [1.0, 0.0]
    assert records[0]["train_loss"] == pytest.approx(0.0067 + 0.3 * 5.0067, abs=1e-3)
    assert records[1]["train_loss"] == pytest.approx(5.0067 + 0.3 * 0.0067, abs=1e-3)


def test_the_best_weights_are_the_average_s_where_there_is_one():
    trainer = Trainer(PLAIN.change(ema=0.9), Linear(), 2, torch.device("cpu"))
    for _ in range(2):
        trainer.step(*batch())
    trainer.end_epoch(0.5)
    assert torch.equal(trainer.best["fc.weight"], trainer.average.module.fc.weight)
    assert not torch.equal(trainer.best["fc.weight"], trainer.net.fc.weight)


def test_a_worse_epoch_leaves_the_best_weights_alone():
    trainer = Trainer(PLAIN, Linear(), 1, torch.device("cpu"))
    kept = []
    for score in (0.5, 0.5, 0.25):
        trainer.step(*batch())
        trainer.end_epoch(score)
        kept.append(trainer.best["fc.weight"].clone())
    assert not torch.equal(kept[0], kept[1]), "of equal scores the later one counts"
    assert torch.equal(kept[1], kept[2])
    assert trainer.progress.best_epoch == 1


@pytest.mark.parametrize("decay_norm", [True, False])
@pytest.mark.parametrize("opt", OPTIMISERS)
def test_every_optimiser_decays_the_weights_that_the_recipe_says(opt, decay_norm):
    net = Linear()
    held = optimiser(PLAIN.change(opt=opt, weight_decay=0.03, decay_norm=decay_norm), net)
    decay = {
        id(weight): group["weight_decay"]
        for group in held.param_groups
        for weight in group["params"]
    }
    assert decay[id(net.fc.weight)] == 0.03
    assert decay[id(net.fc.bias)] == (0.03 if decay_norm else 0.0)
