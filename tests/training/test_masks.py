"""What a step draws of chance is its own: another in every step, and in every epoch."""

import torch
from torch import nn

from convatlas.data import Augment, Loader, fit_preprocess, open_data
from convatlas.training import Recipe
from convatlas.training.trainer import Trainer


class Noted(nn.Module):
    """A network whose dropout is looked at."""

    side = 28

    def __init__(self):
        super().__init__()
        self.scores = nn.Linear(28 * 28, 10)
        self.drop = nn.Dropout(0.5)
        self.masks = []

    def forward(self, x):
        kept = self.drop(torch.ones(64))
        self.masks.append(tuple(kept.tolist()))
        return self.scores(x.flatten(1)) * kept.mean()


def masks_of(epochs: int, start: int = 0, seed: int = 0) -> list[tuple[float, ...]]:
    """Of two steps in each epoch; begun at epoch `start` as a run that is resumed there."""
    data = open_data("digits")
    recipe = Recipe(batch_size=4, seed=seed)
    loader = Loader(data.train, fit_preprocess(data, 28), 4, augment=Augment())
    trainer = Trainer(recipe, Noted(), 2, torch.device("cpu"))
    trainer.progress.step, trainer.progress.epoch = 2 * start, start
    for epoch in range(start, epochs):
        for (x, y, _), _ in zip(loader.epoch(epoch), range(2), strict=False):
            trainer.step(x, y)
        trainer.end_epoch(0.5)
    return trainer.net.masks


def test_no_two_steps_of_a_run_have_the_same_dropout():
    """The first steps of all epochs had one, when masks were seeded by the step in the epoch."""
    masks = masks_of(4)
    assert len(masks) == len(set(masks)) == 8


def test_masks_depend_on_the_seed_and_not_on_where_the_run_began():
    assert masks_of(4, start=2) == masks_of(4)[4:]
    assert not set(masks_of(2)) & set(masks_of(2, seed=1))
