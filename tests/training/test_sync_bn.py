"""Batch norm over all processes, with one of them: then it is plain batch norm, with a scale or
without. Several processes are in tests/faults/test_distributed.py.
"""

import copy

import pytest
import torch
import torch.distributed as dist
from torch import nn

from convatlas.layers import ShiftNorm
from convatlas.training.sync_bn import SyncBatchNorm2d, synchronise


@pytest.fixture
def alone(tmp_path):
    dist.init_process_group(
        "gloo", store=dist.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1
    )
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(4), ShiftNorm(4, momentum=0.2)], ids=repr)
def test_one_process_learns_as_plain_batch_norm(norm, alone):
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), copy.deepcopy(norm)).double()
    joined = copy.deepcopy(plain)
    synchronise(joined)
    assert type(joined[1]) is SyncBatchNorm2d
    x = torch.randn(5, 3, 6, 6, dtype=torch.float64)
    for net in (plain, joined):
        (net(x) * x[:, :1, 1:5, 1:5]).sum().backward()
    torch.testing.assert_close(plain(x), joined(x))
    for (name, ours), (_, expected) in zip(
        joined.named_parameters(), plain.named_parameters(), strict=True
    ):
        torch.testing.assert_close(ours.grad, expected.grad, msg=name)
    torch.testing.assert_close(joined.state_dict(), plain.state_dict())
