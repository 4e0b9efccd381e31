"""Networks that are built for their shapes: the same ones, and no time spent on numbers."""

import pytest
import torch

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


@pytest.mark.parametrize("name", ["lenet5", "inception_v3_released", "efficientnet_b0"])
def test_it_is_the_network_without_its_numbers(name):
    before = torch.get_rng_state()
    with shapes_only():
        net = create_model(name)
    assert torch.equal(torch.get_rng_state(), before)
    assert {tensor.device.type for tensor in net.state_dict().values()} == {"meta"}
    real = create_model(name)
    assert {key: (t.shape, t.dtype) for key, t in net.state_dict().items()} == {
        key: (t.shape, t.dtype) for key, t in real.state_dict().items()
    }


def test_tensors_with_room_for_numbers_are_drawn_all_the_same():
    with shapes_only():
        x = torch.zeros(1000, device="cpu")
        torch.nn.init.normal_(x)
        torch.nn.init.trunc_normal_(y := torch.zeros(1000, device="cpu"))
        z = torch.zeros(1000, device="cpu").uniform_()
    assert all(t.unique().numel() > 900 for t in (x, y, z))
