"""Each network that no other library or authors' code has, written a second time from what its
paper prints, by another author and in plain torch.nn.functional: the same weights must give the
same logits, and the same outputs of the stages that the second construction names.
"""

import ast
import importlib
from math import prod
from pathlib import Path

import lenet
import pytest
import torch
import torch.nn.functional as F
from plain import Weights, across_channels, cat, norm
from torch import Tensor, nn

from convatlas import create_model, list_models
from convatlas.weights import timm, torchvision
from convatlas.weights.authors import CIFAR_RESNETS

HERE = Path(__file__).parent
FILES = sorted(file for file in HERE.glob("*.py") if not file.stem.startswith("test_"))
PAPERS = [importlib.import_module(file.stem) for file in FILES if file.stem != "plain"]
SECOND = {name: make for paper in PAPERS for name, make in paper.NETWORKS.items()}
WITH_HEADS = {  # logits and weights of all that a network trains, auxiliary heads too
    name: make for paper in PAPERS for name, make in getattr(paper, "HEADS", {}).items()
}
SLOW = {name for paper in PAPERS for name in getattr(paper, "SLOW", ())}  # for `make test-all`
STEPWISE = {  # deep ones in which rounding grows with each layer: each stage begins with ours
    name for paper in PAPERS for name in getattr(paper, "STEPWISE", ())
}
PEERS = {  # tests/parity runs them beside another library's network, or the authors' own code
    twin.ours for table in (timm.TWINS, torchvision.TWINS, CIFAR_RESNETS) for twin in table.values()
}
STILL_WITHOUT: set[str] = set()
ENOUGH = 1_000_000  # random numbers; larger weights repeat them, in rows that do not line up
CLASSES = 7


def test_a_network_without_a_peer_has_a_second_construction():
    without = set(list_models()) - PEERS - SECOND.keys()
    assert without == STILL_WITHOUT, (
        f"{sorted(without ^ STILL_WITHOUT)}: neither timm, torchvision nor authors' code run beside"
        " them: write each in tests/second from its paper alone, and add it to NETWORKS there"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_written_without_ours(file):
    nodes = list(ast.walk(ast.parse(file.read_text())))
    named = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    named |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not any(name.startswith("convatlas") for name in named)


class Dice:
    """Normal random numbers of a fixed seed."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(0)
        self.drawn = torch.randn(ENOUGH + 1, generator=self.generator, dtype=torch.float64)
        self.at = 0

    def normal(self, like: Tensor) -> Tensor:
        n = like.numel()
        rows = self.drawn[self.at : self.at + n]
        if len(rows) < n:
            rows = self.drawn.repeat(-(-n // len(self.drawn)))[:n]
        self.at = (self.at + n) % (len(self.drawn) // 2)
        return rows.view(like.shape)

    def even(self, like: Tensor, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.special.ndtr(self.normal(like))


@torch.no_grad()
def filled(net: nn.Module, x: Tensor) -> nn.Module:
    """Everything in `net` at random, signs too; the statistics near those of `x`, so that signals
    neither fade nor burst on a long way.
    """
    dice = Dice()
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for name, value in net.state_dict().items():
        leaf = name.rpartition(".")[2]
        if value.dtype == torch.int64:
            value.zero_()
        elif leaf in ("weight", "codes") and value.dim() > 1:
            value.copy_(dice.normal(value) * (2 / prod(value.shape[1:])) ** 0.5)
        else:
            value.copy_(dice.normal(value) * 0.5)
    for norm in norms:
        norm.weight.mul_(2).add_(norm.weight.sign())  # few near zero, half of them negative
        norm.momentum = 1.0
        norm.train()
    if norms:
        net(x)
    for norm in norms:
        size = norm.running_mean.square().mean()
        norm.running_mean.add_(dice.normal(norm.running_mean) * norm.running_var.sqrt() * 0.2)
        norm.running_var.mul_(dice.even(norm.running_var, 0.5, 1.5))
        norm.running_var.add_(norm.running_var.mean() * 0.1 + 1e-3)  # a dead map has none
        norm.running_var.add_(size * 0.1)  # two images' averages are almost one
    return net.eval()


def sizes(net: nn.Module) -> list[tuple[int, int]]:
    """The smallest square that is near what the paper reads, and one that is no square."""
    small = max(net.smallest, min(net.side // 2, 64))
    odd = 13 if small < 200 else 12
    return sorted({(small, small), (min(small + odd, net.largest or small + odd), small)})


def images(net: nn.Module, height: int, width: int) -> Tensor:
    dice = torch.Generator().manual_seed(height)
    return 3 * torch.randn(2, net.in_channels, height, width, generator=dice, dtype=torch.float64)


def network(name: str) -> nn.Module:
    with torch.device("meta"):
        net = create_model(name, num_classes=CLASSES)
    net = net.to(torch.float64).to_empty(device="cpu").eval()
    return filled(net, images(net, *sizes(net)[0]))


def assert_equal(ours: Tensor, theirs: Tensor, where: str):
    assert ours.shape == theirs.shape, f"{where}: {tuple(ours.shape)}, {tuple(theirs.shape)}"
    largest = theirs.abs().max()
    assert torch.isfinite(theirs).all() and largest > 0, f"{where}: no number to compare"
    difference = (ours - theirs).abs().max() / largest
    assert difference <= 1e-10, f"{where}: {difference:.1e} of the largest value"


def assert_answers_differ(logits: Tensor, name: str):
    assert (logits[0] - logits[1]).abs().max() > 1e-3 * logits.abs().max(), (
        f"{name}: two images, one answer: nothing was compared"
    )


def assert_stages_equal(net: nn.Module, second, x: Tensor, name: str):
    weights, stages = Weights(net.state_dict()), {}
    theirs = second(weights, x)
    hooks = [
        net.get_submodule(stage).register_forward_hook(
            lambda module, args, out, stage=stage: stages.update({stage: out})
        )
        for stage in weights.stages
    ]
    ours = net(x)
    for hook in hooks:
        hook.remove()
    if name in STEPWISE:
        weights = Weights(net.state_dict(), stages)
        theirs = second(weights, x)
    for stage, out in weights.stages.items():
        assert_equal(stages[stage], out, f"{name}, {stage}, at {tuple(x.shape[2:])}")
    assert_equal(ours, theirs, f"{name} at {tuple(x.shape[2:])}")
    assert_answers_differ(theirs, name)
    return weights.read


def read_by_all(net: nn.Module) -> set[str]:
    return {
        key
        for key in net.state_dict()
        if not key.endswith("num_batches_tracked") and not key.startswith("aux")
    }


@torch.no_grad()
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.full] if name in SLOW else []) for name in SECOND],
)
def test_second_construction_gives_the_same_logits(name):
    net = network(name)
    for size in sizes(net):
        read = assert_stages_equal(net, SECOND[name], images(net, *size), name)
        assert read == read_by_all(net), f"{name}: {sorted(read ^ read_by_all(net))}"


@torch.no_grad()
@pytest.mark.parametrize("name", WITH_HEADS)
@pytest.mark.parametrize("size", [(224, 96), (64, 77)])
def test_all_heads_give_the_same_logits(name, size):
    net = network(name)
    x, weights = images(net, *size), Weights(net.state_dict())
    ours, theirs = net.training_outputs(x), WITH_HEADS[name](weights, x)
    assert [share for _, share in ours] == [share for _, share in theirs]
    for i, ((a, _), (b, _)) in enumerate(zip(ours, theirs, strict=True)):
        assert_equal(a, b, f"{name}, output {i} of training_outputs at {size}")
        assert_answers_differ(b, name)
    assert weights.read == {
        key for key in net.state_dict() if not key.endswith("num_batches_tracked")
    }


def swapped(table: str, a: int, b: int) -> str:
    """The table with two columns exchanged."""
    rows = [row.split() for row in table.split("\n") if row]
    for row in rows:
        row[a], row[b] = row[b], row[a]
    return "\n".join(" ".join(row) for row in rows)


MISREAD = [  # a word of a paper read wrongly: network, file, word, how it is misread
    ("nin_cifar10", "nin", "max_pool", lambda x, kernel, stride, up: F.max_pool2d(x, 3, 2)),
    ("nin_cifar10", "nin", "mean", lambda x: x.amax((2, 3))),
    (
        "googlenet",
        "googlenet",
        "across_channels",
        lambda x, *rest: across_channels(x, *rest[:3], 1),
    ),
    ("bn_inception", "bn_inception", "cat", lambda *branches: cat(*branches[::-1])),
    ("densenet_tutorial", "densenet", "norm", lambda w, x, name: norm(w, x, name, eps=2e-5)),
    ("lenet5", "lenet", "squash", torch.tanh),
    ("lenet5", "lenet", "TABLE_I", swapped(lenet.TABLE_I, 12, 13)),
    ("lenet1989", "lenet", "TABLE_1", swapped(lenet.TABLE_1, 0, 3)),
]


@torch.no_grad()
@pytest.mark.parametrize(("name", "file", "word", "misread"), MISREAD)
def test_a_word_misread_is_seen(name, file, word, misread, monkeypatch):
    net = network(name)
    monkeypatch.setattr(importlib.import_module(file), word, misread)
    with pytest.raises(AssertionError, match="of the largest value"):
        assert_stages_equal(net, SECOND[name], images(net, *sizes(net)[-1]), name)
