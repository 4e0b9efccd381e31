"""Networks that are built for their shapes: the same ones, and no time spent on numbers."""

import pytest
import torch
from networks import SMALLEST

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


@pytest.mark.parametrize("name", sorted(SMALLEST.values()))
def test_all_that_a_network_computes_with_is_in_its_state(name):
    """So that one that was made without values has all of them once its weights are loaded."""
    with shapes_only():
        net = create_model(name)
    kept = {*net.state_dict()}
    assert {key for key, _ in (*net.named_parameters(), *net.named_buffers())} <= kept
    for part in net.modules():
        assert not [key for key, value in vars(part).items() if isinstance(value, torch.Tensor)]


def test_tensors_with_room_for_numbers_are_drawn_all_the_same():
    with shapes_only():
        x = torch.zeros(1000, device="cpu")
        torch.nn.init.normal_(x)
        torch.nn.init.trunc_normal_(y := torch.zeros(1000, device="cpu"))
        z = torch.zeros(1000, device="cpu").uniform_()
    assert all(t.unique().numel() > 900 for t in (x, y, z))
