"""How many convolutions Xception has, and where its ReLUs are and are not."""

import pytest
import torch.nn as nn

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


@pytest.fixture
def net():
    with shapes_only():
        return create_model("xception").eval()


def test_36_convolutions_before_the_classifier(net):
    """Sec. 3: a SeparableConv counts as one, and shortcuts do not count."""
    single = [
        path
        for path, m in net.named_modules()
        if isinstance(m, nn.Conv2d)
        and m.groups == 1
        and "pointwise" not in path
        and "shortcut" not in path
    ]
    separable = [
        path for path, m in net.named_modules() if isinstance(m, nn.Conv2d) and m.groups > 1
    ]
    assert (len(single), len(separable)) == (2, 34)


def test_relus(net):
    """One before each SeparableConv of a block but the very first, one after each of the last two;
    none inside.
    """
    kinds = [
        type(m).__name__
        for m in net.modules()
        if isinstance(m, nn.ReLU | nn.Conv2d) and m is not net.fc
    ]
    assert kinds.count("ReLU") == 2 + 5 + 24 + 2 + 2
    for path, module in net.named_modules():
        if path.endswith(("depthwise", "pointwise")):
            assert not any(isinstance(m, nn.ReLU) for m in module.modules())
    assert next(iter(net.entry_flow.block1.branch.convs.named_children()))[0] == "sepconv1"
    assert next(iter(net.entry_flow.block2.branch.convs.named_children()))[0] == "relu1"


def test_widths_grow_first_on_the_way_in_and_last_on_the_way_out(net):
    def widths(branch):
        return [
            m.out_channels for path, m in branch.named_modules() if path.endswith("pointwise.conv")
        ]

    flows = [
        *(net.entry_flow.get_submodule(f"block{i}") for i in (1, 2, 3)),
        net.middle_flow[0],
        net.exit_flow.block,
    ]
    assert [widths(flow.branch) for flow in flows] == [
        [128, 128],
        [256, 256],
        [728, 728],
        [728, 728, 728],
        [728, 1024],
    ]
    assert len(net.middle_flow) == 8
