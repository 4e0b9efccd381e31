"""The sizes of SqueezeNet v1.1, and which fire modules are bypassed."""

import pytest
import torch
import torch.nn as nn

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

V1_1 = {
    "conv1": (64, 113, 113),
    "maxpool1": (64, 56, 56),
    "fire2": (128, 56, 56),
    "fire3": (128, 56, 56),
    "maxpool3": (128, 28, 28),
    "fire4": (256, 28, 28),
    "fire5": (256, 28, 28),
    "maxpool5": (256, 14, 14),
    "fire6": (384, 14, 14),
    "fire7": (384, 14, 14),
    "fire8": (512, 14, 14),
    "fire9": (512, 14, 14),
    "conv10": (1000, 14, 14),
    "avgpool10": (1000, 1, 1),
}
FIRES = {f"fire{i}" for i in range(2, 10)}


def blueprint(name: str):
    with shapes_only():
        return create_model(name).eval()


def test_the_sizes_of_v1_1():
    net, seen = blueprint("squeezenet1_1"), {}
    for path, module in net.named_children():
        module.register_forward_hook(
            lambda m, args, out, path=path: seen.update({path: tuple(out.shape[1:])})
        )
    net(torch.empty(1, 3, 227, 227, device="meta"))
    seen.pop("dropout")
    assert seen == V1_1
    assert list(seen) == list(V1_1)


@pytest.mark.parametrize(
    ("name", "identities", "convolutions"),
    [
        ("squeezenet1_0", set(), set()),
        ("squeezenet1_0_simple_bypass", {"fire3", "fire5", "fire7", "fire9"}, set()),
        (
            "squeezenet1_0_complex_bypass",
            {"fire3", "fire5", "fire7", "fire9"},
            {"fire2", "fire4", "fire6", "fire8"},
        ),
    ],
)
def test_bypasses(name, identities, convolutions):
    net = blueprint(name)
    shortcuts = {path: getattr(net.get_submodule(path), "shortcut", None) for path in FIRES}
    assert {path for path, s in shortcuts.items() if isinstance(s, nn.Identity)} == identities
    assert {path for path, s in shortcuts.items() if isinstance(s, nn.Conv2d)} == convolutions


def test_a_bypass_is_added_behind_the_relus():
    torch.manual_seed(0)
    net = create_model("squeezenet1_0_simple_bypass").eval()
    x = torch.randn(1, 128, 3, 3)
    with torch.no_grad():
        out, fire = net.fire3(x), net.fire3.fire(x)
    assert (fire >= 0).all()
    torch.testing.assert_close(out - x, fire)
    assert (out < 0).any()


def test_pools_round_up_and_are_not_padded_and_scores_are_never_negative():
    net = create_model("squeezenet1_1").eval()
    pools = [m for m in net.modules() if isinstance(m, nn.MaxPool2d)]
    assert [(p.kernel_size, p.stride, p.padding, p.ceil_mode) for p in pools] == [
        (3, 2, 0, True)
    ] * 3
    with torch.no_grad():
        scores = net(torch.randn(2, 3, 64, 64))
    assert (scores >= 0).all() and scores.any()
