"""The tutorials' listings: what their readers build, and where it is not what the paper prints."""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.nets import (
    googlenet_tutorial,
    mobilenet_v3_tutorial,
    resnet_32_tutorial,
    shufflenet_v1_tutorial,
)
from convatlas.registry import create_model
from convatlas.verification import measure

# parameters and multiply-adds of the listings themselves, counted when each was run as it is
# printed; a condition where that was not with the classes that its network has here
LISTINGS = {
    "lenet5_tutorial": (61_706, None, ""),
    "lenet5_tutorial_32": (62_006, None, ""),
    "lenet5_tutorial_max": (62_006, 754_320, ""),
    "alexnet_owt": (57_044_810, 710_133_440, "10 classes"),
    "alexnet_tutorial": (62_378_344, 1_135_256_096, ""),
    "alexnet_tutorial_padding1": (50_820_776, None, "1000 classes"),
    "vgg16": (138_356_392, None, "1x224x224"),
    "vgg16_bn_32": (14_728_266, None, ""),
    "vgg19_bn_32": (20_040_522, None, ""),
    "googlenet_bn_32": (6_166_250, None, ""),
    "nin_tutorial": (1_992_166, None, ""),
    "resnet18_32_tutorial": (11_173_962, 725_292_032, ""),
    "densenet_tutorial": (764_498, None, ""),
    "efficientnet_b0": (5_288_548, None, ""),
    "efficientnet_b1": (7_794_184, None, ""),
    "mobilenet_v1": (4_231_976, None, ""),
    "mobilenet_v2": (3_504_872, None, ""),
    "mobilenet_v3_large_tutorial": (5_152_518, 248_776_032, ""),
    "mobilenet_v3_small_tutorial": (3_111_462, 60_285_408, ""),
    "senet18_tutorial": (36_344_224, 27_240_637_440, ""),
    "shufflenet_v1_g1_tutorial": (1_507_681, None, ""),
    "shufflenet_v1_g2_tutorial": (1_742_200, None, ""),
    "shufflenet_v1_g3_tutorial": (1_875_760, None, ""),
    "shufflenet_v1_g4_tutorial": (1_979_720, None, ""),
    "shufflenet_v1_g8_tutorial": (2_450_848, None, ""),
    "shufflenet_v2_torchvision_x0_5": (1_366_792, None, ""),
    "shufflenet_v2_torchvision": (2_278_604, None, ""),
    "shufflenet_v2_torchvision_x1_5": (3_503_624, None, ""),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_has_the_counts_of_its_network(name):
    params, macs, at = LISTINGS[name]
    counted = measure(name, at)
    assert counted.params == params
    assert macs in (None, counted.macs)


def test_the_body_and_a_head_of_googlenet_count_as_listed():
    with torch.device("meta"):
        net = create_model("googlenet_tutorial", num_classes=1000)
    sizes = {path: p.numel() for path, p in net.named_parameters()}
    assert sum(n for path, n in sizes.items() if not path.startswith("aux_")) == 6_998_552
    assert sum(n for path, n in sizes.items() if path.startswith("aux_4a.")) == 3_188_840


def strangers(module: nn.Module) -> nn.Module:
    """With weights that matter everywhere, those of norms and their statistics too; in evaluation
    and double precision.
    """
    torch.manual_seed(0)
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            for tensor in (m.weight, m.bias, m.running_mean):
                nn.init.uniform_(tensor, -1, 1)
            nn.init.uniform_(m.running_var, 0.5, 2)
    return module.double().eval()


def normed(x: Tensor, conv: nn.Conv2d, bn: nn.BatchNorm2d) -> Tensor:
    x = F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, groups=conv.groups)
    return F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias)


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@torch.no_grad()
def test_nothing_stands_between_the_layers_of_the_lenet_with_max_pools():
    """Without biases it would keep every positive factor, and no sign."""
    net, x = create_model("lenet5_tutorial_max").double(), torch.randn(2, 3, 32, 32).double()
    for path, p in net.named_parameters():
        if path.endswith("bias"):
            p.zero_()
    close(net(3 * x), 3 * net(x))
    assert {type(m) for m in net.children()} == {nn.Conv2d, nn.MaxPool2d, nn.Linear}
    sides = [y.shape[-1] for y in (net.conv1(x), net.pool1(net.conv1(x)))]
    assert sides == [30, 15]


@torch.no_grad()
def test_the_second_convolution_of_a_late_block_strides():
    unit, c = resnet_32_tutorial.basic_late(4, 6, 2)
    strangers(unit)
    x, way = torch.randn(2, 4, 8, 8).double(), unit.branch
    y = F.relu(normed(x, way.conv1.conv, way.conv1.bn))
    assert y.shape == (2, 6, 8, 8)
    y = normed(y, way.conv2.conv, way.conv2.bn)
    assert (c, y.shape) == (6, (2, 6, 4, 4))
    close(unit(x), F.relu(y + normed(x, unit.shortcut.conv, unit.shortcut.bn)))


def hard_swish(x: Tensor) -> Tensor:
    return x * F.relu6(x + 3) / 6


def gated(x: Tensor, se: nn.Module) -> Tensor:
    s = F.relu(F.linear(x.mean((2, 3)), se.squeeze.weight, se.squeeze.bias))
    s = F.relu6(F.linear(s, se.excite.weight, se.excite.bias) + 3) / 6
    return x * s[..., None, None]


@torch.no_grad()
def test_a_block_of_the_draft_activates_its_projection_and_not_its_depthwise_layer():
    row = mobilenet_v3_tutorial.Row(k=5, exp_size=18, out=6, SE=True, NL=nn.Hardswish, s=1)
    block = strangers(mobilenet_v3_tutorial.Block(6, row))
    x, way = torch.randn(2, 6, 7, 7).double(), block.layers
    y = hard_swish(normed(x, way.expand, way.bn_e))
    y = gated(normed(y, way.depthwise, way.bn_d), way.se)
    close(block(x), x + hard_swish(normed(y, way.project, way.bn_p)))
    assert way.se.squeeze.out_features == 4  # 18 / 4, rounded down
    assert [conv.bias is None for conv in (way.expand, way.depthwise, way.project)] == [
        True,
        False,
        False,
    ]


@torch.no_grad()
def test_the_tail_of_the_small_draft_is_gated_before_its_norm():
    net = strangers(create_model("mobilenet_v3_small_tutorial"))
    x, way = torch.randn(2, 96, 7, 7).double(), net.conv2
    y = gated(F.conv2d(x, way.conv.weight, way.conv.bias), way.se)
    bn = way.bn
    y = F.batch_norm(y, bn.running_mean, bn.running_var, bn.weight, bn.bias)
    close(way(x), hard_swish(y))
    with torch.device("meta"):
        assert "se" not in dict(create_model("mobilenet_v3_large_tutorial").conv2.named_children())


@torch.no_grad()
@pytest.mark.parametrize("stride", [1, 2])
def test_a_copied_shuffle_unit_is_figure_2_with_biases(stride):
    unit = strangers(shufflenet_v1_tutorial.stage(12, 24, units=2, g_first=1, g=3))[2 - stride]
    x = torch.randn(2, 24 if stride == 1 else 12, 6, 6).double()
    way = unit.branch
    y = F.relu(normed(x, way.gconv1, way.bn1))[:, [0, 2, 4, 1, 3, 5]]
    y = normed(normed(y, way.dwconv, way.bn2), way.gconv2, way.bn3)
    pooled = F.avg_pool2d(x, 3, 2, padding=1)
    close(unit(x), F.relu(x + y if stride == 1 else torch.cat((pooled, y), 1)))
    assert [c.bias is None for c in (way.gconv1, way.dwconv, way.gconv2)] == [False, True, False]


@torch.no_grad()
def test_negative_values_pass_the_first_layer_of_the_copied_shufflenet():
    """No norm, no ReLU: what the first unit pools may be negative, and its ReLU cuts it."""
    net = create_model("shufflenet_v1_g1_tutorial").eval()
    assert net.maxpool(net.conv1(torch.randn(1, 3, 64, 64))).min() < 0


@torch.no_grad()
def test_an_assistant_drops_half_twice():
    head = googlenet_tutorial.Assistant(8, 10)
    drops = [m.p for m in head.modules() if isinstance(m, nn.Dropout)]
    assert drops == [0.5, 0.5]
    strangers(head)
    x = torch.randn(2, 8, 14, 14).double()
    y = F.avg_pool2d(x, 5, 3)
    y = F.relu(F.conv2d(y, head.conv.conv.weight, head.conv.conv.bias)).flatten(1)
    y = F.relu(F.linear(y, head.fc1.fc.weight, head.fc1.fc.bias))
    close(head(x), F.linear(y, head.fc2.weight, head.fc2.bias))


@torch.no_grad()
def test_a_copied_senet_flattens_seven_by_seven():
    with torch.device("meta"):
        net = create_model("senet18_tutorial").eval()
        maps = torch.empty(1, 512, 28, 28)
    assert net.pool(maps).flatten(1).shape == (1, net.fc.in_features) == (1, 25_088)
    assert {type(m) for m in net.conv5_x[-1].children()} == {nn.Sequential}  # no norm follows
