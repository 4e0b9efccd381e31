"""A small network that files are made of."""

import pytest
import torch

from convatlas.data import Preprocess
from convatlas.model_file import Saved
from convatlas.registry import create_model


@pytest.fixture(scope="module")
def saved() -> Saved:
    torch.manual_seed(0)
    net = create_model("lenet5").eval()
    classes = tuple("abcdefghij")
    return Saved(net, "lenet5", classes, Preprocess(1, 32, (0.4,), (0.3,), "pad", 28), {"run": "x"})
