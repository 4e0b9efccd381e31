"""torch.export of every network and torch.compile of ten of them: the same logits as from the
network itself.

Weights are the paper's initial ones; batch norms get scales, shifts and statistics that keep both
images of the batch apart up to the logits, for logits that no image moves would hide any fault.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
import torch._inductor.config
import torch.nn as nn
from networks import SMALLEST_OF_A_PAPER, first
from torch._dynamo.utils import counters

from convatlas.layers import Network
from convatlas.registry import create_model, entries

TOLERANCE = 1e-5  # of the largest logit
APART = 30 * TOLERANCE  # and more: how far the logits of the two images are apart

# so little of an image comes through its sigmoids that no logit tells two apart
MUTE = {"bn_inception_sigmoid"}
every_network = first(
    SMALLEST_OF_A_PAPER.values(), [name for name in entries() if name not in MUTE]
)


def backend() -> str:
    """inductor where it finds what it needs, a C++ compiler and Python's headers; else the same
    graph without it.
    """
    compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return "inductor" if shutil.which(compiler) and headers.exists() else "aot_eager"


BACKEND = backend()
TEN = [
    "lenet5",
    *(
        pytest.param(name, marks=pytest.mark.full)
        for name in (
            "resnet20_cifar",
            "squeezenet1_1",
            "googlenet",
            "densenet121",
            "mobilenet_v2",
            "mobilenet_v3_small",
            "shufflenet_v2",
            "efficientnet_b0",
            "se_resnet50",
        )
    ),
]


def settle(norm: nn.BatchNorm2d, args: tuple[torch.Tensor], shift: float = 0.5) -> None:
    """Statistics from what comes in, so that images stay apart; and shifts that keep most ReLUs
    open.

    Without the shifts, or with each channel scaled by its own statistics, deep networks of random
    weights are chaotic: one rounding more or less moves the logits by a tenth.
    """
    variance, mean = torch.var_mean(args[0], (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.uniform_(0.5, 1.5).mul_(variance.mean() + mean.square().mean())
    if norm.weight is not None:
        norm.weight.uniform_(0.5, 1.5)
    norm.bias.normal_(shift, 0.1)


def ready(name: str, settle: Callable = settle) -> tuple[Network, torch.Tensor, torch.Tensor]:
    """A network in evaluation mode, two small images of loud noise, and its logits for them."""
    torch.manual_seed(0)
    net = create_model(name).eval()
    side = max(net.smallest, min(net.side, 32))
    x = 10 * torch.randn(8, net.in_channels, side, side)
    handles = [
        m.register_forward_pre_hook(settle) for m in net.modules() if isinstance(m, nn.BatchNorm2d)
    ]
    with torch.no_grad():
        if handles:
            net(x)
        for handle in handles:
            handle.remove()
        logits = net(x[:2])
    assert (logits[0] - logits[1]).abs().max() > APART * logits.abs().max()
    return net, x[:2], logits


def assert_same(logits: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(
        logits, expected, rtol=0, atol=TOLERANCE * float(expected.abs().max())
    )


@every_network
def test_an_exported_network_gives_the_same_logits(name):
    net, x, expected = ready(name)
    with torch.no_grad():
        exported = torch.export.export(net, (x,))
    assert_same(exported.module()(x), expected)


def test_a_network_exported_in_training_mode_is_caught():
    net, x, expected = ready("resnet20_cifar")
    with torch.no_grad():
        exported = torch.export.export(net.train(), (x,))
    with pytest.raises(AssertionError, match="not close"):
        assert_same(exported.module()(x), expected)


def test_logits_that_no_image_moves_are_caught():
    def mute(norm, args):
        norm.weight.zero_()

    with pytest.raises(AssertionError):
        ready("resnet20_cifar", mute)


@pytest.mark.parametrize("name", TEN, ids=lambda name: f"{name}-{BACKEND}")
def test_a_compiled_network_is_one_graph_and_gives_the_same_logits(name):
    net, x, expected = ready(name, partial(settle, shift=1.0))  # a compiler sums in another order
    torch._dynamo.reset()
    counters.clear()
    with (
        torch.no_grad(),
        torch._inductor.config.patch(compile_threads=1),
    ):  # no processes that outlive the test
        logits = torch.compile(net, backend=BACKEND, fullgraph=True)(x)
    assert counters["stats"]["unique_graphs"] == 1
    assert_same(logits, expected)
