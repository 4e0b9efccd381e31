"""torchvision's GoogLeNet and Inception v3, as published, standardise their input anew: ours gives
their answers to pixels that are so standardised from the start, and says so.
"""

import warnings
from types import SimpleNamespace

import pytest
import timm
import torch
import torchvision.models as tv

from convatlas.conversion import convert
from convatlas.registry import create_model
from convatlas.training.fine_tune import start_from
from convatlas.weights import load_weights
from convatlas.weights.standardised import expected

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(-1, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(-1, 1, 1)
ADVICE = "pixels standardised with mean 0.5 and std 0.5 in every channel, not with ImageNet's"
NAMES = {
    "googlenet": ("googlenet_torchvision", 64),
    "inception_v3": ("inception_v3", 75),
}


@pytest.fixture(params=NAMES)
def saved(request, tmp_path, randomised):
    """torchvision's module as its builders make it with published weights, ours, a file, a side."""
    torch.manual_seed(0)
    name, (ours, side) = request.param, NAMES[request.param]
    theirs = tv.get_model(name, init_weights=False, transform_input=True, num_classes=9)
    randomised(theirs, torch.randn(2, 3, side, side))
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    return theirs, ours, tmp_path / "w.pth", side


def test_it_answers_as_torchvisions_and_says_what_to_give_it(saved, tmp_path):
    theirs, name, path, side = saved
    with pytest.warns(UserWarning, match=f"^{name}: give it {ADVICE}"):
        net = create_model(name, num_classes=9, weights=path).eval()
    pixels = torch.rand(2, 3, side, side)
    with torch.no_grad():
        expected = theirs((pixels - MEAN) / STD)
        mean, std = net.certificate.standardised
        answer, as_usual = net((pixels - mean) / std), net((pixels - MEAN) / STD)
    largest = expected.abs().max()
    assert (answer - expected).abs().max() < 1e-4 * largest
    assert (as_usual - expected).abs().max() > 1e-2 * largest
    assert ADVICE in str(net.certificate)
    assert ADVICE in str(convert(path, name, tmp_path / "ours.safetensors"))
    with pytest.warns(UserWarning, match=ADVICE):  # our own file keeps it
        again = load_weights(create_model(name, num_classes=9), tmp_path / "ours.safetensors")
    assert again.standardised == (0.5, 0.5)


def test_other_networks_say_nothing_and_training_says_it_once(tmp_path):
    torch.manual_seed(0)
    torch.save(tv.squeezenet1_1().state_dict(), tmp_path / "s.pth")
    torch.save(tv.googlenet(init_weights=False).state_dict(), tmp_path / "g.pth")
    net = create_model("googlenet_torchvision")
    with warnings.catch_warnings(action="error"):
        assert (
            create_model("squeezenet1_1", weights=tmp_path / "s.pth").certificate.standardised
            is None
        )
        start_from(net, tmp_path / "g.pth")
    assert ADVICE in str(net.certificate)


@pytest.mark.parametrize(
    ("source", "theirs"),
    [
        ("torchvision", "efficientnet_v2_l"),
        ("torchvision", "efficientnet_v2_s"),
        ("timm", "tf_efficientnetv2_xl"),
        ("timm", "tf_efficientnetv2_b2"),
    ],
)
def test_which_efficientnets_take_pixels_from_minus_one_to_one(source, theirs):
    """As each library's own settings of its published weights say."""
    kind = SimpleNamespace(source=source, theirs=theirs)
    found = SimpleNamespace(
        kind=kind, file=SimpleNamespace(metadata={}), fit=SimpleNamespace(tensors={})
    )
    mean = (
        timm.get_pretrained_cfg(theirs).mean
        if source == "timm"
        else tv.get_model_weights(theirs).DEFAULT.transforms().mean
    )
    assert (expected(found) == (0.5, 0.5)) is (tuple(mean) == (0.5, 0.5, 0.5))
