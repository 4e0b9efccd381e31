"""What the ResNeXts cost, to the unit, and that a grouped block is the sum of its transformations.

The counts stem from torchvision's ResNet (groups, width_per_group), timm and the authors'
models/resnext.lua.
"""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from convatlas.registry import create_model, entries

COUNTS = {  # name: (trainable parameters, {side of the image: multiply-adds})
    "resnext50_2x40d": (25_425_000, {224: 4_124_508_160}),
    "resnext50_4x24d": (25_292_968, {224: 4_159_832_064}),
    "resnext50_8x14d": (25_603_016, {224: 4_267_409_408}),
    "resnext50_32x4d": (25_028_904, {224: 4_230_479_872}),
    "resnext101_32x4d": (44_177_704, {224: 7_969_996_800}),
    "resnext101_2x64d": (84_198_184, {224: 15_123_087_360}),
    "resnext101_64x4d": (83_455_272, {224: 15_460_270_080}),
    "resnext101_32x8d": (88_791_336, {224: 16_414_015_488}),
    "resnext29_8x64d_cifar": (34_426_698, {32: 5_387_266_048}),
    "resnext29_16x64d_cifar": (68_155_210, {32: 10_688_866_304}),
}


def blueprint(name: str) -> torch.nn.Module:
    with torch.device("meta"):
        return create_model(name).eval()


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    params, macs = COUNTS[name]
    net = blueprint(name)
    assert sum(p.numel() for p in net.parameters()) == params
    for side, expected in macs.items():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(torch.empty(1, 3, side, side, device="meta"))
        assert counter.get_total_flops() == 2 * expected


def test_no_network_of_these_files_is_left_out():
    families = {"resnext", "resnext_cifar"}
    assert {entry.name for entry in entries().values() if entry.family in families} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
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
