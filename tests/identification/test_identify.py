"""The verdict on modules."""

import re

import pytest
import torch
import torchvision
from sources import LENET, SMALL
from torch import nn

import convatlas
from convatlas.errors import IdentifyError, UnknownNetwork
from convatlas.identification.verdict import GROUPS
from convatlas.index import wirings

STORED = wirings.stored
pytestmark = pytest.mark.usefixtures("index")


def made(source: str, name: str) -> nn.Module:
    space: dict = {"__name__": "handed_in"}
    exec(source, space)
    return space[name]()


class Wrapped(nn.Module):
    """A network that states nothing of its own."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def groups(verdict) -> dict[str, int]:
    return {group: len(found) for group in GROUPS if (found := verdict.changes(group))}


def test_a_network_in_other_clothes_is_the_same():
    """Functional, with views for its flattening, under other names."""
    verdict = convatlas.identify(made(LENET, "Le"))
    assert verdict and verdict.kind == "same"
    assert (verdict.network, verdict.size, verdict.also) == ("lenet5_tutorial", (1, 28, 28), ())
    assert groups(verdict) == {"initialisation": 2}  # Glorot's there, torch's here
    assert verdict.sentence() == "Le is lenet5_tutorial: the same network at 1x28x28"
    assert verdict.page == "docs/papers/lenet5_tutorial.md"
    assert verdict.paper["year"] == convatlas.describe("lenet5_tutorial")["paper"]["year"]


def test_classes_and_channels_may_be_any():
    net = torchvision.models.resnet18(num_classes=10)
    net.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    verdict = convatlas.identify(net)
    assert (verdict.kind, verdict.network) == ("same", "resnet18")
    assert (verdict.classes, verdict.channels) == (10, 1)
    assert verdict.sentence() == (
        "ResNet is resnet18 for 10 classes, on 1 channel: the same network at 1x224x224"
    )
    with torch.device("meta"):
        plain = convatlas.identify(torchvision.models.resnet18())
    assert (plain.kind, plain.classes, plain.channels) == ("same", None, None)


def test_it_is_found_at_the_size_of_the_network_in_the_atlas():
    """It runs on 224 pixels, too, and is tried there first."""
    net = convatlas.create_model("resnet20_cifar")
    verdict = convatlas.identify(Wrapped(net))
    assert (verdict.kind, verdict.network, verdict.size) == ("same", "resnet20_cifar", (3, 32, 32))
    verdict = convatlas.identify(Wrapped(net), (3, 64, 64))
    assert (verdict.kind, verdict.network, verdict.size) == ("same", "resnet20_cifar", (3, 64, 64))


def test_what_differs_is_told_with_its_cost():
    net = convatlas.create_model("squeezenet1_1")
    net.fire2.expand3x3.conv = nn.Conv2d(16, 64, 5, padding=2)
    net.fire2.squeeze.relu = nn.ELU()
    verdict = convatlas.identify(net)
    assert (verdict.kind, verdict.network, bool(verdict)) == ("differs", "squeezenet1_1", False)
    found = groups(verdict)
    assert found["structure"] == found["activation"] == 1
    ((_, wider),) = verdict.changes("structure")
    assert (wider.a, wider.b, wider.params) == ("3x3", "5x5", 64 * 16 * (25 - 9))
    ((block, change),) = verdict.changes("activation")
    assert (change.a, change.b) == ("relu", "elu")
    assert block.where == ("fire2", "fire2")
    told = str(verdict)
    assert told.startswith("squeezenet1_1 is squeezenet1_1 at 3x227x227 but for 2 differences: ")
    assert "3x3 -> 5x5 (+16,384 parameters" in told
    difference = verdict.difference
    assert difference.b.params - difference.a.params == 16_384
    assert difference.b.params == sum(p.numel() for p in net.parameters())


def test_what_differs_names_all_networks_of_the_wiring_that_it_differs_from(index, monkeypatch):
    monkeypatch.setitem(index, "its_twin", index["resnet20_cifar"])
    net = convatlas.create_model("resnet20_cifar")
    net.conv1.relu = nn.ELU()
    verdict = convatlas.identify(net)
    assert (verdict.kind, verdict.network) == ("differs", "resnet20_cifar")
    assert verdict.also == ("its_twin",)


def test_what_only_trains_makes_no_other_network():
    net = torchvision.models.squeezenet1_1(dropout=0.1)  # 0.5 as printed
    verdict = convatlas.identify(net)
    assert verdict.kind == "same"
    assert "0.1" in " ".join(change.b for _, change in verdict.changes("training"))


def test_what_is_none_is_of_another_family():
    verdict = convatlas.identify(made(SMALL, "Net"))
    assert verdict.kind == "another family"
    assert not verdict
    assert "is no network of the atlas at 3x32x32; nearest is " in verdict.sentence()


def test_it_can_be_held_against_one():
    net = torchvision.models.resnet18()
    assert convatlas.identify(net, against="resnet18").kind == "same"
    verdict = convatlas.identify(net, against="resnet18_32")
    assert (verdict.kind, verdict.network) == ("differs", "resnet18_32")
    far = convatlas.identify(made(SMALL, "Net"), against="resnet18_32")
    assert re.search(r"is not resnet18_32 at 3x32x32: they share \d+% of their", far.sentence())
    assert groups(verdict)["structure"] >= 2  # the stem and its pool


def test_shared_weights_make_another_network():
    """Equal operations, wired alike, of which two have one kernel."""
    net = torchvision.models.resnet18()
    assert convatlas.identify(net).kind == "same"
    net.layer1[1].conv1.weight = net.layer1[0].conv1.weight
    verdict = convatlas.identify(net)
    assert verdict.kind == "differs"
    assert verdict.network == "resnet18"


def test_the_module_is_as_it_was():
    net = torchvision.models.squeezenet1_1().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.get_rng_state()
    convatlas.identify(net)
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_without_an_index_it_says_how_to_make_one(monkeypatch, tmp_path):
    assert STORED(tmp_path / "none.json") == {}
    monkeypatch.setattr(wirings, "stored", dict)
    with pytest.raises(IdentifyError, match=r"run `python -m convatlas.index --wirings`"):
        convatlas.identify(nn.Conv2d(3, 4, 3))


def test_what_cannot_be_said_is_a_sentence():
    net = nn.Sequential(nn.Flatten(), nn.Linear(77, 3))
    with pytest.raises(IdentifyError, match=r"Sequential runs on no size tried \(3x224x224, "):
        convatlas.identify(net)
    with pytest.raises(IdentifyError, match=r"no size tried \(1x7x12\).* give its own, such as"):
        convatlas.identify(net, (1, 7, 12))
    with pytest.raises(UnknownNetwork, match="there is no network called 'resnet17'"):
        convatlas.identify(net, against="resnet17")
    assert convatlas.identify(net, (1, 7, 11)).kind == "another family"
