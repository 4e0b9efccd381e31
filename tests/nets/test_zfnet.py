"""Sizes that round up, and where ZFNet's normalisation stands."""

import pytest
import torch

from convatlas.registry import create_model


def blueprint(name: str = "zfnet") -> torch.nn.Module:
    with torch.device("meta"):
        return create_model(name)


def test_layers_and_pools_round_their_sizes_up():
    """1 + ceil((H - window) / 2), as cuda-convnet's layers do."""
    net = blueprint()
    for side in range(net.smallest, net.largest + 1):
        conv1 = 1 + -(-(side - 7) // 2)
        pool1 = 1 + -(-(conv1 - 3) // 2)
        x = net.conv1(torch.empty(1, 3, side, 224, device="meta"))
        assert x.shape == (1, 96, conv1, 110)
        assert net.pool1(x).shape == (1, 96, pool1, 55)
        conv2 = 1 + -(-(pool1 - 5) // 2)
        assert net.conv2(net.pool1(x)).shape == (1, 256, conv2, 26)


def test_responses_are_normalised_after_the_pool():
    """Figure 3: rectified, pooled, contrast normalised; the third pool is not followed by it."""
    net = blueprint()
    order = []
    names = ["conv1", "pool1", "norm1", "conv2", "pool2", "norm2", "conv5", "pool5", "fc6"]
    for name in names:
        net.get_submodule(name).register_forward_hook(lambda *_, name=name: order.append(name))
    net(torch.empty(1, 3, 224, 224, device="meta"))
    assert order == names


@pytest.mark.parametrize("side", [203, 236])
def test_the_next_size_does_not_fit(side):
    net = blueprint()
    sizes = []
    net.pool5.register_forward_hook(lambda layer, read, maps: sizes.append(maps.shape[2:]))
    net.check_size = lambda height, width: None
    with pytest.raises(RuntimeError):
        net(torch.empty(1, 3, side, side, device="meta"))
    assert sizes == [(5, 5) if side == 203 else (7, 7)]
