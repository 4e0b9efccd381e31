"""Networks without a classifier: what they give out is what the classifier would have read."""

import copy
import pickle

import pytest
import torch
import torch.nn as nn
from networks import ALL_KINDS, META, SMALLEST, first, images

from convatlas.errors import InputError
from convatlas.layers.heads import TakenOff
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights import save_weights

LITTLE = 12_000_000  # parameters that a test fills with numbers
WIDTHS = {  # from the papers' tables: what the last layer reads
    "lenet5": 84,
    "lenet1989": 192,
    "lenet1989_zip": 30,
    "lenet_caffe": 500,
    "alexnet": 4096,
    "vgg16": 4096,
    "nin_cifar10": 192,
    "googlenet": 1024,
    "inception_v3": 2048,
    "inception_v4": 1536,
    "squeezenet1_0": 512,
    "resnet18": 512,
    "resnet50": 2048,
    "densenet121": 1024,
    "mobilenet_v1": 1024,
    "mobilenet_v2": 1280,
    "mobilenet_v3_small": 1024,
    "efficientnet_b0": 1280,
    "xception": 2048,
    "nasnet_a_4_1056": 1056,
    "resnet20_cifar": 64,
}


def without_numbers(name: str):
    with shapes_only():
        return create_model(name, num_classes=0)


def read_by_the_classifier(net, x: torch.Tensor) -> torch.Tensor:
    """What the classifier is given in a pass, averaged where that is a map."""
    seen = []
    handle = net.classifier.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net(x)
    handle.remove()
    return seen[0].mean((2, 3)) if seen[0].ndim == 4 else seen[0]


@first(ALL_KINDS)
def test_the_shape_is_what_num_features_says_and_a_classifier_comes_back(name):
    with shapes_only():
        whole = create_model(name)
    net = without_numbers(name)
    x = images(net, net.side)
    assert (net.num_classes, whole.num_classes) == (0, whole.eval()(x).shape[1])
    assert net.num_features == whole.num_features
    assert net.eval()(x).shape == (2, net.num_features)
    assert len(net.training_outputs(x) if hasattr(net, "training_outputs") else [1]) >= 1
    gone = {key for key in whole.state_dict() if key not in net.state_dict()}
    paths = (whole.classifier_path, *whole.auxiliary_paths)
    assert gone == {key for key in whole.state_dict() if key.rpartition(".")[0] in paths}
    net.reset_classifier(5)
    assert (net.num_classes, net(x).shape) == (5, (2, 5))
    assert {k: v.shape for k, v in net.state_dict().items() if k not in gone} == {
        k: v.shape for k, v in whole.state_dict().items() if k not in gone
    }
    assert [*map(type, net.modules())] == [*map(type, whole.modules())]


@first(ALL_KINDS, WIDTHS)
def test_widths_are_the_papers(name):
    assert without_numbers(name).num_features == WIDTHS[name]


@torch.no_grad()
@first(
    {"lenet1989", "lenet5", "squeezenet1_1", "nin_mnist", "mobilenet_v3_small"}, SMALLEST.values()
)
def test_the_numbers_are_those_that_the_classifier_would_read(name):
    torch.manual_seed(0)
    whole = create_model(name).eval()
    net = copy.deepcopy(whole)
    net.reset_classifier(0)
    x = images(net, max(net.smallest, min(net.side, 64)), device="cpu")
    found = net(x)
    assert found.shape == (2, net.num_features)
    torch.testing.assert_close(found, read_by_the_classifier(whole, x), rtol=1e-5, atol=1e-6)


def test_initial_weights_are_those_of_the_whole_network():
    torch.manual_seed(3)
    whole = create_model("resnet20_cifar")
    torch.manual_seed(3)
    net = create_model("resnet20_cifar", num_classes=0)
    held = net.state_dict()
    assert len(held) == len(whole.state_dict()) - 2
    assert all(torch.equal(held[key], whole.state_dict()[key]) for key in held)


@pytest.mark.parametrize("name", ["resnet20_cifar", "squeezenet1_1", "googlenet"])
def test_weights_are_read_whatever_classes_they_tell_apart(tmp_path, name):
    torch.manual_seed(0)
    theirs = create_model(name, num_classes=3)
    save_weights(theirs, tmp_path / "w.safetensors")
    net = create_model(name, num_classes=0, weights=tmp_path / "w.safetensors")
    held = theirs.state_dict()
    assert all(torch.equal(tensor, held[key]) for key, tensor in net.state_dict().items())
    assert (net.classes, net.certificate.network) == ((), name)


def test_a_copy_and_a_pickled_one_give_the_same_and_take_a_classifier():
    net = create_model("squeezenet1_1", num_classes=0).eval()
    x = images(net, 64, device="cpu")
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(x), net(x))
        twin.reset_classifier(4)
        assert twin(x).shape == (2, 4)
        assert isinstance(twin.conv10.relu, nn.ReLU)
    assert isinstance(net.classifier, TakenOff)
    net.reset_classifier(0)  # again
    assert net(x).shape == (2, 512)


def test_a_classifier_comes_back_in_the_networks_precision():
    net = create_model("resnet20_cifar", num_classes=0).to(torch.bfloat16).eval()
    net.reset_classifier(3)
    assert net.fc.weight.dtype == torch.bfloat16
    assert not net.fc.training


def test_fewer_than_no_class_is_refused():
    for call in (
        lambda: create_model("resnet18", num_classes=-1),
        lambda: without_numbers("resnet18").reset_classifier(-1),
    ):
        with pytest.raises(InputError, match="resnet18: num_classes must be 1 or more, or 0 for"):
            call()


def test_a_classifier_of_ones_own_has_no_width():
    with META:
        net = create_model("resnet18")
    net.fc = nn.Sequential(nn.Dropout(), nn.Linear(512, 3))
    with pytest.raises(InputError, match=r"resnet18: fc is no longer the network's own"):
        _ = net.num_features
