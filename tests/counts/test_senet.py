"""What the squeeze-and-excitation networks cost, to the unit, and how their gates behave.

The numbers stem from the authors' prototxts, from independent implementations and from arithmetic
by hand.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convatlas.layers import SqueezeExcite
from convatlas.nets import se_ablation, se_bn_inception, se_preresnet, se_resnet_cifar, senet
from convatlas.nets.bn_inception import MODULES
from convatlas.registry import create_model

# name: (trainable parameters, {side of the image: multiply-adds of convolutions and matrix
# products})
COUNTS = {
    "se_resnet18": (11_778_592, {224: 1_814_160_384}),
    "se_resnet34": (21_958_868, {224: 3_663_918_592}),
    "se_resnet50": (28_088_024, {224: 3_860_488_192}),
    "se_resnet101": (49_326_872, {224: 7_574_937_600}),
    "se_resnet152": (66_821_848, {224: 11_288_993_792}),
    "se_resnext50_32x4d": (27_559_896, {224: 4_232_994_816}),
    "se_resnext101_32x4d": (48_955_416, {224: 7_974_739_968}),
    "senet154": (115_088_984, {224: 20_688_363_520}),
    "se_resnet50_v15": (28_088_024, {224: 4_091_699_200}),
    "se_resnet101_v15": (49_326_872, {224: 7_806_148_608}),
    "se_resnet152_v15": (66_821_848, {224: 11_520_204_800}),
    # 25,557,032 and 3,857,973,248 without gates; a gate of c channels adds 2 c^2 / r to both, here
    # without biases
    "se_resnet50_r2": (45_676_584, {224: 3_878_092_800}),
    "se_resnet50_r4": (35_616_808, {224: 3_868_033_024}),
    "se_resnet50_r8": (30_586_920, {224: 3_863_003_136}),
    "se_resnet50_r16": (28_071_976, {224: 3_860_488_192}),
    "se_resnet50_r32": (26_814_504, {224: 3_859_230_720}),
    "se_resnet50_stage2": (25_581_608, {224: 3_857_997_824}),
    "se_resnet50_stage3": (25_688_104, {224: 3_858_104_320}),
    "se_resnet50_stage4": (26_343_464, {224: 3_858_759_680}),
    "se_resnet50_3x3": (25_714_216, {224: 3_858_130_432}),
    "se_resnet50_pre": (27_548_200, {224: 3_859_964_416}),
    "se_resnet50_post": (28_071_976, {224: 3_860_488_192}),
    "se_resnet50_identity": (28_071_976, {224: 3_860_488_192}),
    "se_resnet50_no_squeeze": (28_071_976, {224: 4_269_015_040}),
    "se_preresnet18": (11_776_928, {224: 1_814_160_384}),
    "se_preresnet34": (21_957_204, {224: 3_663_918_592}),
    "se_preresnet50": (28_080_472, {224: 3_860_488_192}),
    "se_preresnet101": (49_319_320, {224: 7_574_937_600}),
    "se_preresnet152": (66_814_296, {224: 11_288_993_792}),
    # 1,727,962 and 252,887,680, or 1,703,258 and 244,500,992, without the gates, whose weights are
    # 12,096 or 193,536
    "se_preresnet110_cifar": (1_742_200, {32: 252_899_776}),
    "se_preresnet164_cifar": (1_905_362, {32: 244_694_528}),
    "se_resnet110_cifar": (1_744_952, {32: 253_161_920}),
    "se_bn_inception": (11_931_622, {224: 2_033_239_424}),
}


def multiply_adds(net: torch.nn.Module, side: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.empty(1, net.in_channels, side, side, device="meta"))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    params, macs = COUNTS[name]
    with torch.device("meta"):
        net = create_model(name)
    assert sum(p.numel() for p in net.parameters()) == params
    assert {side: multiply_adds(net, side) for side in macs} == macs
    assert net.side in macs


def test_no_network_of_these_files_is_left_out():
    files = (senet, se_ablation, se_preresnet, se_resnet_cifar, se_bn_inception)
    assert {name for file in files for name in file.VARIANTS} == set(COUNTS)


@pytest.mark.parametrize("gate", [SqueezeExcite, se_ablation.SqueezeExcite])
def test_a_gate_scales_each_channel_by_the_average_of_all(gate):
    torch.manual_seed(0)
    se, u = gate(32), torch.randn(2, 32, 5, 4)
    z = u.mean((2, 3))
    hidden = torch.relu(z @ se.w1.weight.T + (0 if se.w1.bias is None else se.w1.bias))
    s = torch.sigmoid(hidden @ se.w2.weight.T + (0 if se.w2.bias is None else se.w2.bias))
    assert hidden.shape == (2, 2)
    torch.testing.assert_close(se(u), u * s.view(2, 32, 1, 1))


def test_no_squeeze_gates_each_pixel_by_itself():
    torch.manual_seed(0)
    gate, u = se_ablation.NoSqueeze(32), torch.randn(1, 32, 3, 3)
    torch.testing.assert_close(gate(u)[..., 1:, 1:], gate(u[..., 1:, 1:]))
    other = se_ablation.SqueezeExcite(32)
    assert not torch.allclose(other(u)[..., 1:, 1:], other(u[..., 1:, 1:]))


def gates(name: str) -> list[str]:
    with torch.device("meta"):
        net = create_model(name)
    return [path for path, _ in net.named_modules() if path.split(".")[-1] == "se"]


@pytest.mark.parametrize(
    ("name", "where", "count"),
    [
        ("se_resnet50", "branch.se", 16),
        ("se_resnet50_3x3", "branch.se", 16),
        ("se_resnet50_pre", "branch.se", 16),
        ("se_resnet50_post", "se", 16),
        ("se_resnet50_identity", "shortcut.se", 16),
        ("se_resnet50_stage3", "branch.se", 4),
        ("se_preresnet164_cifar", "branch.se", 54),
        ("senet154", "branch.se", 50),
    ],
)
def test_where_the_gates_are(name, where, count):
    found = gates(name)
    assert len(found) == count
    assert {path.split(".", 2)[2] for path in found} == {where}


def test_every_inception_module_is_gated():
    modules = [path.removesuffix(".se") for path in gates("se_bn_inception")]
    assert modules == [row.part for row in MODULES]
    assert len(modules) == 10


def test_the_place_of_a_gate_inside_its_branch():
    def order(unit):
        return [name for name, _ in unit(64, 64, 1)[0].branch.named_children()]

    assert order(se_ablation.se_3x3)[-2:] == ["se", "conv3"]
    assert order(se_ablation.se_pre)[0] == "se"
    assert order(senet.se_bottleneck)[-2:] == ["conv3", "se"]
    assert order(senet.se_154)[-1] == "se"
