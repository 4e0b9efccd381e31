"""torch.hub finds every network in hubconf.py at the root of the source tree."""

from pathlib import Path

import pytest
import torch

import convatlas
from convatlas.shapes_only import shapes_only

ROOT = str(Path(convatlas.__file__).parents[1])


def load(name: str, **arguments):
    return torch.hub.load(ROOT, name, source="local", **arguments)


@pytest.fixture
def downloaded(monkeypatch):
    """The source tree, as if torch.hub had just fetched it: list and help take no local folder."""
    monkeypatch.setattr(torch.hub, "_get_cache_or_reload", lambda *words, **flags: ROOT)


@pytest.mark.usefixtures("downloaded")
def test_every_network_is_listed_and_nothing_else():
    assert torch.hub.list("owner/convatlas") == sorted(convatlas.list_models())


@pytest.mark.parametrize("name", ["resnet50", "lenet5"])
def test_a_network_is_the_one_of_create_model(name):
    torch.manual_seed(0)
    net = load(name, num_classes=5)
    torch.manual_seed(0)
    held = convatlas.create_model(name, num_classes=5).state_dict()
    assert net.name == name
    assert all(torch.equal(held[key], tensor) for key, tensor in net.state_dict().items())


@pytest.mark.full
def test_every_network_is_loaded_by_its_name():
    with shapes_only():
        for name in convatlas.list_models():
            assert load(name).name == name


@pytest.mark.usefixtures("downloaded")
def test_help_tells_paper_counts_and_arguments():
    shown = torch.hub.help("owner/convatlas", "resnet50")
    for part in ("Deep Residual Learning", "2016", "25,557,032 parameters", "3x224x224", "weights"):
        assert part in shown


def test_weights_are_a_file(tmp_path):
    net = convatlas.create_model("lenet_caffe")
    convatlas.save_weights(net, tmp_path / "w.safetensors")
    found = load("lenet_caffe", weights=tmp_path / "w.safetensors")
    assert torch.equal(found.ip2.weight, net.ip2.weight)


def test_a_wrong_argument_is_refused_as_by_create_model():
    with pytest.raises(convatlas.Error, match="in_channels must be 1 or more"):
        load("resnet50", in_channels=0)
