"""akamaster's CIFAR ResNets, written here after their code: zeros on both sides of the old
channels.
"""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights.authors import CIFAR_RESNETS
from convatlas.weights.names import Twin
from convatlas.weights.translating import to_ours, translated

State = dict[str, torch.Tensor]


class Block(nn.Module):
    def __init__(self, c_in: int, c: int, stride: int):
        super().__init__()
        self.stride, self.side = stride, (c - c_in) // 2
        self.conv1, self.bn1 = nn.Conv2d(c_in, c, 3, stride, 1, bias=False), nn.BatchNorm2d(c)
        self.conv2, self.bn2 = nn.Conv2d(c, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c)

    def forward(self, x):
        shortcut = F.pad(
            x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.side, self.side)
        )
        return (self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())) + shortcut).relu()


class Akamaster(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(n)))
        self.layer2 = nn.Sequential(Block(16, 32, 2), *(Block(32, 32, 1) for _ in range(n - 1)))
        self.layer3 = nn.Sequential(Block(32, 64, 2), *(Block(64, 64, 1) for _ in range(n - 1)))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(x.mean((2, 3)))


def carry(twin: Twin, theirs: State, keys) -> State:
    return {key: to_ours(twin, key, theirs[name]) for key, name in twin.names(keys).items()}


@pytest.mark.parametrize("name", CIFAR_RESNETS)
def test_names_and_shapes_are_theirs(name):
    twin, n = CIFAR_RESNETS[name], (int(name.removeprefix("resnet")) - 2) // 6
    with shapes_only():
        ours, theirs = create_model(twin.ours).state_dict(), Akamaster(n).state_dict()
    assert {name: ours[key].shape for key, name in twin.names(ours).items()} == {
        name: value.shape for name, value in theirs.items()
    }


@pytest.fixture
def pair():
    torch.manual_seed(0)
    theirs, ours = Akamaster(3).double().eval(), create_model("resnet20_cifar").double().eval()
    for key, value in theirs.state_dict().items():
        if value.dtype.is_floating_point:
            value.copy_(
                torch.rand_like(value) + 0.5
                if "running_var" in key
                else torch.randn_like(value) * 0.3
            )
    return CIFAR_RESNETS["resnet20"], ours, theirs


def logits_differ(ours: nn.Module, theirs: nn.Module) -> float:
    with torch.no_grad():
        x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
        a, b = ours(x), theirs(x)
    assert (b[0] - b[1]).abs().max() > 1e-3 * b.abs().max()
    return float((a - b).abs().max() / b.abs().max())


def test_the_logits_are_theirs(pair):
    twin, ours, theirs = pair
    ours.load_state_dict(carry(twin, theirs.state_dict(), ours.state_dict()))
    assert logits_differ(ours, theirs) <= 1e-10


def test_the_way_back_is_exact(pair):
    twin, ours, theirs = pair
    carried = carry(twin, theirs.state_dict(), ours.state_dict())
    back = translated(twin, carried)
    assert back.keys() == theirs.state_dict().keys()
    assert all(torch.equal(back[name], value) for name, value in theirs.state_dict().items())


@pytest.mark.parametrize("left_out", range(6))
def test_every_reordering_is_needed(pair, left_out):
    twin, ours, theirs = pair
    fewer = Twin(
        twin.ours, twin.rules, reordered=twin.reordered[:left_out] + twin.reordered[left_out + 1 :]
    )
    ours.load_state_dict(carry(fewer, theirs.state_dict(), ours.state_dict()))
    assert logits_differ(ours, theirs) > 1e-3
