"""Inception-v4: the kernels of its modules, and how often each comes."""

import pytest
import torch

from convatlas.nets.inception_v4 import BOX
from convatlas.registry import create_model

REPEATS = {"inception_a": 4, "inception_b": 7, "inception_c": 3}


@pytest.fixture
def net():
    with torch.device("meta"):
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


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1x7 224", ("1", "7", "224", None, None)),
        ("3x3 96 /2 V", ("3", "3", "96", "2", " V")),
        ("3x3 192 V", ("3", "3", "192", None, " V")),
    ],
)
def test_a_box_reads_as_printed(text, read):
    assert BOX.fullmatch(text).groups() == read


@pytest.mark.parametrize("text", ["3x3", "3x3 96 V /2", "96", "3x3 96 /2V", "3x3 96 /2 v"])
def test_what_is_no_box(text):
    assert BOX.fullmatch(text) is None
