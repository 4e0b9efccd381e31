"""Each network that no other library or authors' code has, written a second time from what its
paper prints, by another author and in plain torch.nn.functional: the same weights must give the
same logits, and the same outputs of the stages that the second construction names.
"""

import ast
import importlib
from pathlib import Path

import pytest
import torch
from comparing import (
    assert_answers_differ,
    assert_equal,
    assert_stages_equal,
    images,
    network,
    sizes,
    to_be_read,
)
from plain import Weights

from convatlas.registry import entries, stored_facts
from convatlas.weights import tensorflow, timm, torchvision
from convatlas.weights.authors import CIFAR_RESNETS

FILES = sorted(
    file
    for file in Path(__file__).parent.glob("*.py")
    if not file.stem.startswith("test_") and file.stem != "comparing"
)
PAPERS = [importlib.import_module(file.stem) for file in FILES if file.stem != "plain"]
SECOND = {name: make for paper in PAPERS for name, make in paper.NETWORKS.items()}
WITH_HEADS = {  # logits and weights of all that a network trains, auxiliary heads too
    name: make for paper in PAPERS for name, make in getattr(paper, "HEADS", {}).items()
}
SLOW = {name for paper in PAPERS for name in getattr(paper, "SLOW", ())}
STEPWISE = {name for paper in PAPERS for name in getattr(paper, "STEPWISE", ())}  # deep ones
PEERS = {  # tests/parity runs them beside another library's network, authors' code or its graph
    twin.ours
    for table in (timm.TWINS, torchvision.TWINS, CIFAR_RESNETS, tensorflow.TWINS)
    for twin in table.values()
} | {"xception_released"}


def in_time(names) -> list:
    """Slow ones wait for `make test-all`."""
    return [pytest.param(name, marks=[pytest.mark.full] if name in SLOW else []) for name in names]


def test_a_network_without_a_peer_has_a_second_construction():
    without = sorted(entries().keys() - PEERS - SECOND.keys())
    assert not without, (
        f"{without}: neither timm, torchvision nor authors' code run beside them: write each in"
        " tests/second from its paper alone, and add it to NETWORKS there"
    )
    twice = sum(len(paper.NETWORKS) for paper in PAPERS) - len(SECOND)
    assert not twice, f"{twice} networks stand in two files of tests/second"
    gone = sorted(SECOND.keys() - entries().keys())
    assert not gone, f"{gone}: in tests/second, but not in the atlas"


def test_heads_that_only_train_are_compared_too():
    """tests/parity compares those of torchvision's networks, and of the released Inceptions."""
    compared = {"inception_v3", "googlenet_torchvision"}
    compared |= {"inception_v3_released", "inception_v4_released", "inception_resnet_v2_slim"}
    with_heads = {name for name, facts in stored_facts().items() if facts["idle"]}
    assert with_heads <= WITH_HEADS.keys() | compared


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_written_without_ours(file):
    nodes = list(ast.walk(ast.parse(file.read_text())))
    named = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    named |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not any(name.startswith("convatlas") for name in named)


@torch.no_grad()
@pytest.mark.parametrize("name", in_time(SECOND))
def test_second_construction_gives_the_same_logits(name):
    net = network(name)
    for size in sizes(net):
        x = images(net, *size)
        read = assert_stages_equal(net, SECOND[name], x, name, stepwise=name in STEPWISE)
        wanted = {key for key in to_be_read(net) if not key.startswith("aux")}
        assert read == wanted, f"{name} was built without {sorted(wanted - read)}"


@torch.no_grad()
@pytest.mark.parametrize("name", in_time(WITH_HEADS))
@pytest.mark.parametrize("size", [(224, 96), (64, 77)])
def test_all_heads_give_the_same_logits(name, size):
    net = network(name)
    height, width = (max(side, net.smallest) for side in size)
    x, weights = images(net, height, width), Weights(net.state_dict())
    ours, theirs = net.training_outputs(x), WITH_HEADS[name](weights, x)
    assert [share for _, share in ours] == [share for _, share in theirs]
    for i, ((a, _), (b, _)) in enumerate(zip(ours, theirs, strict=True)):
        assert_equal(a, b, f"{name}, output {i} of training_outputs at {size}")
        assert_answers_differ(b, name)
    assert weights.read == to_be_read(net)
