"""Where a ResNeXt projects and strides; that a grouped block is the sum of its transformations."""

import pytest
import torch
import torch.nn.functional as F

from convatlas.nets import resnext, resnext_cifar
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def blueprint(name: str) -> torch.nn.Module:
    with shapes_only():
        return create_model(name).eval()


@pytest.mark.parametrize("name", [*resnext.VARIANTS, *resnext_cifar.VARIANTS])
def test_only_the_first_block_of_a_stage_projects_and_only_its_3x3_strides(name):
    net = blueprint(name)
    projections = {path for path, _ in net.named_modules() if path.endswith("shortcut.conv")}
    assert projections == {f"{stage}.0.shortcut.conv" for stage in net.stages[1:]}
    strided = {
        path
        for path, m in net.named_modules()
        if getattr(m, "stride", 1) == (2, 2) and "branch" in path
    }
    assert strided == {f"{stage}.0.branch.conv2.conv" for stage in net.stages[2:]}


def test_a_block_is_the_sum_of_its_transformations():
    """Figure 3: form (c), a grouped convolution, gives what form (a) gives, C separate bottlenecks
    added up.
    """
    torch.manual_seed(0)
    block = create_model("resnext50_8x14d").conv2_x[1].eval()
    x = torch.randn(1, 256, 5, 5)
    one, three, last = (getattr(block.branch, name) for name in ("conv1", "conv2", "conv3"))
    for bn in (one.bn, three.bn, last.bn):
        torch.nn.init.uniform_(bn.running_mean)
    with torch.no_grad():
        total = 0
        for i in range(8):
            mine = slice(14 * i, 14 * (i + 1))
            y = batch_norm(F.conv2d(x, one.conv.weight[mine]), one.bn, mine).relu()
            y = batch_norm(F.conv2d(y, three.conv.weight[mine], padding=1), three.bn, mine).relu()
            total = total + F.conv2d(y, last.conv.weight[:, mine])
        expected = (x + last.bn(total)).relu()
        torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-5)


def batch_norm(x: torch.Tensor, bn: torch.nn.BatchNorm2d, channels: slice) -> torch.Tensor:
    return F.batch_norm(
        x,
        bn.running_mean[channels],
        bn.running_var[channels],
        bn.weight[channels],
        bn.bias[channels],
    )
