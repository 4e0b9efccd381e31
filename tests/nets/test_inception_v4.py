"""Inception-v4: the kernels of its modules, and how often each comes."""

import pytest
import torch

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

REPEATS = {"inception_a": 4, "inception_b": 7, "inception_c": 3}


@pytest.fixture
def net():
    with shapes_only():
        return create_model("inception_v4").eval()


def test_how_often_each_module_comes(net):
    assert {path: len(net.get_submodule(path)) for path in REPEATS} == REPEATS


def test_kernels_are_high_before_they_are_wide(net):
    """A box "1x7" is one pixel high; in the release the inner branch of
    Inception-B begins with it.
    """
    kernels = [
        m.kernel_size
        for m in net.inception_b[0].branch2.modules()
        if isinstance(m, torch.nn.Conv2d)
    ]
    assert kernels == [(1, 1), (1, 7), (7, 1)]
