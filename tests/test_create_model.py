"""create_model: one file is imported, a checkpoint is one line away, and what was done is kept."""

import subprocess
import sys

import pytest
import torch

from convatlas import registry
from convatlas.errors import InputError, UnknownNetwork, WeightsError
from convatlas.registry import create_model, stored_facts
from convatlas.shapes_only import shapes_only
from convatlas.weights import save_weights


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Weights of a network of 10 classes and 3 channels, and their file."""
    torch.manual_seed(1)
    net = create_model("resnet20_cifar")
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_weights(net, file)
    return net.state_dict(), file


def imported(name: str) -> set[str]:
    """The files of nets/ that a fresh Python imports to create a network."""
    code = (
        "import sys\nfrom convatlas import create_model\n"
        f"with __import__('torch').device('meta'): create_model({name!r})\n"
        "print(*(m for m in sys.modules if m.startswith('convatlas.nets.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {module.removeprefix("convatlas.nets.") for module in done.stdout.split()}


def test_one_file_is_imported_and_the_one_that_it_builds_on():
    assert imported("vgg11") == {"vgg"}
    assert imported("resnext50_32x4d") == {"resnext", "resnet"}


def test_a_file_that_the_index_does_not_know_is_found(monkeypatch):
    """As for a network that was added, or moved to another file, since the index was made."""
    facts = dict(stored_facts())
    del facts["lenet5"]
    facts |= {"resnet18": facts["resnet18"] | {"family": "vgg"}}
    facts |= {"nin_mnist": facts["nin_mnist"] | {"family": "no_such_file"}}
    facts |= {"gone": facts["resnet18"]}
    monkeypatch.setattr(registry, "stored_facts", lambda: facts)
    for name in ("lenet5", "resnet18", "nin_mnist"):
        with shapes_only():
            assert create_model(name).name == name
    with pytest.raises(UnknownNetwork, match="no network called 'gone'"):
        create_model("gone")


def test_fresh_without_weights():
    net = create_model("lenet5")
    assert net.certificate is None
    for counts in ({"num_classes": -1}, {"in_channels": -1}):
        with pytest.raises(InputError, match=r"lenet5: \w+ must be 1 or more"):
            create_model("lenet5", **counts)


def test_counts_that_differ_are_adapted_and_said(digits):
    held, file = digits
    torch.manual_seed(0)
    net = create_model("resnet20_cifar", 4, 1, weights=file, source="convatlas")
    said = str(net.certificate)
    assert net.certificate.adapted == ("conv1.conv.conv.weight",)
    assert "adapted to other channels: conv1.conv.conv.weight" in said
    assert net.certificate.fresh == ("fc.weight", "fc.bias")
    assert "not from the file, as they were: fc.weight, fc.bias" in said
    torch.testing.assert_close(
        net.state_dict()["conv1.conv.conv.weight"],
        held["conv1.conv.conv.weight"].sum(1, keepdim=True),
    )
    assert torch.equal(
        net.stage3[2].branch.conv1.conv.weight, held["stage3.2.branch.conv1.conv.weight"]
    )
    assert net(torch.randn(2, 1, 32, 32)).shape == (2, 4)


def test_counts_that_agree_are_kept(digits):
    held, file = digits
    net = create_model("resnet20_cifar", num_classes=10, in_channels=3, weights=file)
    assert all(torch.equal(tensor, held[key]) for key, tensor in net.state_dict().items())
    assert (net.certificate.adapted, net.certificate.fresh) == ((), ())
    assert net.certificate.difference <= 1e-12


def test_a_classifier_is_left_fresh_only_where_its_classes_were_given(tmp_path):
    save_weights(create_model("resnet20_cifar", num_classes=3), tmp_path / "three.safetensors")
    with pytest.raises(WeightsError, match=r"tells 3 classes apart.*; give num_classes=3"):
        create_model("resnet20_cifar", weights=tmp_path / "three.safetensors")
    net = create_model("resnet20_cifar", num_classes=3, weights=tmp_path / "three.safetensors")
    assert net.certificate.fresh == ()


def test_the_source_that_a_refusal_names_is_the_remedy(tmp_path):
    torch.save(create_model("lenet5_tutorial").state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"fits .* lenet5_tutorial_32") as refused:
        create_model("lenet5_tutorial", weights=tmp_path / "w.pth")
    source = str(refused.value).partition("source='")[2].partition("'")[0]
    net = create_model("lenet5_tutorial", weights=tmp_path / "w.pth", source=source)
    assert net.certificate.kind == "lenet5_tutorial"
