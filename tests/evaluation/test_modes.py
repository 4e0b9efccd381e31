"""Measuring a network changes nothing about it, and is done without what only training does."""

import pytest
import torch
from torch import nn

from convatlas.data import Loader, Preprocess
from convatlas.data.split import ArraySplit
from convatlas.evaluation import evaluate
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


@pytest.fixture
def loader() -> Loader:
    dice = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 1, 6, 6), generator=dice, dtype=torch.uint8)
    split = ArraySplit(images, torch.arange(12) % 3, [str(i) for i in range(12)])
    return Loader(split, Preprocess(1, 6, (0.5,), (0.25,), "resize", 6), 4)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3)
    )


@pytest.mark.parametrize("training", [True, False])
def test_measuring_is_done_in_evaluation_mode_and_leaves_the_network_as_it_was(loader, training):
    net = network().train(training)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    found = evaluate(net, loader, 3)
    assert net.training is training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    net.eval()
    with torch.no_grad():
        answers = torch.cat([net(x) for x, _, _ in loader.all()])
    assert found.correct == int((answers.argmax(1) == loader.split.labels).sum())
    assert found.loss == pytest.approx(
        float(nn.functional.cross_entropy(answers.double(), loader.split.labels)), rel=1e-6
    )


@pytest.mark.parametrize("training", [True, False])
def test_a_fresh_classifier_is_in_the_mode_of_the_old_one(training):
    with shapes_only():
        net = create_model("alexnet", num_classes=3).train(training)
    net.reset_classifier(5)
    assert net.classifier.training is training
