"""Feature maps, filters and embeddings: what torch itself gives at the same places."""

import numpy as np
import pytest
import torch
import torch.nn as nn

from convatlas import create_model, features
from convatlas.errors import InputError
from convatlas.explanation import embedding, feature_maps, filters
from convatlas.explanation.classes import class_number
from convatlas.explanation.inside import convolution_path
from convatlas.nets.lenet5 import S2_TO_C3


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return create_model("resnet20_cifar", num_classes=4)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_feature_maps_are_the_stages_own(net, images):
    stages = features(net.eval(), images)
    net.train()
    for stage, expected in stages.items():
        np.testing.assert_array_equal(feature_maps(net, images, stage), expected.detach().numpy())
    np.testing.assert_array_equal(
        feature_maps(net, images), stages[net.stages[-1]].detach().numpy()
    )
    assert net.training


def test_an_embedding_is_what_the_classifier_reads(net, images):
    read = torch.from_numpy(embedding(net, images))
    assert read.shape == (2, net.classifier.in_features)
    with torch.no_grad():
        torch.testing.assert_close(net.classifier(read), net.eval()(images), rtol=0, atol=0)
    with pytest.raises(InputError, match="Linear has no `classifier`"):
        embedding(nn.Linear(2, 2), torch.zeros(1, 2))


def test_filters_are_the_weights_of_the_first_convolution_inside(net):
    assert convolution_path(net) == next(
        path for path, module in net.named_modules() if isinstance(module, nn.Conv2d)
    )
    found = filters(net, "conv1")
    np.testing.assert_array_equal(found, net.get_submodule(convolution_path(net)).weight.detach())
    found[:] = 0
    assert filters(net, "conv1").any()  # a copy
    with pytest.raises(InputError, match=r"the layer 'fc' of resnet20_cifar has no convolution"):
        filters(net, "fc")


def test_the_filters_of_a_table_of_maps_show_the_table():
    """LeNet-5's C3 computes its weights: where the table has no X, there is nothing."""
    net = create_model("lenet5")
    weights = filters(net, "C3")
    assert weights.shape == (16, 6, 5, 5)
    read = [tuple(np.flatnonzero(each.any((1, 2)))) for each in weights]
    assert read == [tuple(sorted(sources)) for sources in S2_TO_C3]
    assert convolution_path(net, "C3") == "C3"


@pytest.mark.parametrize(
    ("asked", "number"),
    [("cat", 1), ("CAT", 1), ("2", 2), (2, 2), ("0", 3), (0, 0), ("grey wolf", 2)],
)
def test_a_class_is_found_by_name_before_number(asked, number):
    assert class_number(("dog", "cat", "Grey wolf", "0"), asked) == number


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("wolf", "there is no class 'wolf'; did you mean 'Grey wolf'?"),
        ("dgo", "there is no class 'dgo'; did you mean 'dog'?"),
        ("xyzzy", "there is no class 'xyzzy'; the network knows 3: dog, cat, Grey wolf"),
        (3, "there is no class 3; the network knows 3, counted from 0 to 2: dog, cat, Grey wolf"),
        ("7", "there is no class 7; the network knows 3, counted from 0 to 2: dog, cat, Grey wolf"),
        (-1, "there is no class -1; the network knows 3, counted from 0 to 2: dog, cat, Grey wolf"),
    ],
)
def test_a_class_that_does_not_exist(asked, said):
    with pytest.raises(InputError) as caught:
        class_number(("dog", "cat", "Grey wolf"), asked)
    assert str(caught.value) == said
