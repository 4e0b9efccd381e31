"""Inception-v3: its auxiliary head, and the width of each of its modules."""

import pytest
import torch

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

WIDTHS = {
    "5b": (256, 35),
    "5c": (288, 35),
    "5d": (288, 35),
    "6a": (768, 17),
    "6b": (768, 17),
    "6c": (768, 17),
    "6d": (768, 17),
    "6e": (768, 17),
    "7a": (1280, 8),
    "7b": (2048, 8),
    "7c": (2048, 8),
}


@pytest.fixture
def net():
    with shapes_only():
        return create_model("inception_v3")


def test_what_comes_out_of_each_module(net):
    seen = {}
    for path, module in net.named_children():
        module.register_forward_hook(
            lambda m, args, out, path=path: seen.update({path: tuple(out.shape[1:])})
        )
    net.eval()(torch.empty(1, 3, 299, 299, device="meta"))
    assert {path: out for path, out in seen.items() if path.startswith("mixed")} == {
        f"mixed_{part}": (c, side, side) for part, (c, side) in WIDTHS.items()
    }
    assert "aux" not in seen


def test_the_head_on_the_side(net):
    """On 6e: 5x5/3 average pool, 128 maps of 5x5, 768 numbers; its loss weighs 0.4."""
    seen = {}
    for path, module in net.aux.named_modules(prefix="aux"):
        module.register_forward_hook(
            lambda m, args, out, path=path: seen.update(
                {path: (tuple(args[0].shape[1:]), tuple(out.shape[1:]))}
            )
        )
    outputs = net.training_outputs(torch.empty(2, 3, 299, 299, device="meta"))
    assert [(tuple(y.shape), weight) for y, weight in outputs] == [
        ((2, 1000), 1.0),
        ((2, 1000), 0.4),
    ]
    assert seen["aux"] == ((768, 17, 17), (1000,))
    assert seen["aux.convs.conv1"] == ((768, 5, 5), (128, 5, 5))
    assert seen["aux.convs.conv2"] == ((128, 5, 5), (768, 1, 1))


def test_which_kernels_follow_each_other_at_17x17(net):
    def kernels(branch):
        return [m.kernel_size for m in branch.modules() if isinstance(m, torch.nn.Conv2d)]

    for module, width in (
        (net.mixed_6b, 128),
        (net.mixed_6c, 160),
        (net.mixed_6d, 160),
        (net.mixed_6e, 192),
    ):
        branches = dict(module.named_children())
        assert kernels(branches["7x7"]) == [(1, 1), (1, 7), (7, 1)]
        assert kernels(branches["double_7x7"]) == [(1, 1), (7, 1), (1, 7), (7, 1), (1, 7)]
        assert branches["7x7"].conv1.conv.out_channels == width
