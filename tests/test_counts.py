"""What the classic networks cost, to the unit.

The numbers stem from the papers, from independent implementations and from arithmetic by hand, not
from this code.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convatlas.registry import create_model, entries

# name: (trainable parameters, {side of the image: multiply-adds of convolutions and matrix
# products})
COUNTS = {
    "lenet1989_zip": (9_760, {16: 63_660}),
    "lenet1989": (2_578, {28: 91_520}),
    "lenet5": (60_000, {32: 326_520}),
    "lenet5_tutorial": (61_706, {28: 416_520}),
    "lenet5_tutorial_32": (62_006, {32: 651_720}),
    "lenet_caffe": (431_080, {28: 2_293_000}),
    "alexnet": (60_965_224, {227: 724_406_816}),
    "alexnet_owt": (61_100_840, {224: 714_188_480}),
    "alexnet_tutorial": (62_378_344, {224: 1_135_256_096}),
    "nin_mnist": (349_674, {28: 50_699_712}),
    "nin_cifar10": (966_986, {32: 222_486_528}),
    "nin_imagenet": (7_595_176, {224: 1_100_188_800}),
    "nin_tutorial": (1_992_166, {224: 762_297_352}),
    "vgg11": (132_863_336, {224: 7_609_090_048}),
    "vgg11_lrn": (132_863_336, {224: 7_609_090_048}),
    "vgg13": (133_047_848, {224: 11_308_466_176}),
    "vgg16_c": (133_638_952, {224: 11_770_888_192}),
    "vgg16": (138_357_544, {224: 15_470_264_320}),
    "vgg19": (143_667_240, {224: 19_632_062_464}),
    "vgg11_bn": (132_868_840, {224: 7_609_090_048}),
    "vgg13_bn": (133_053_736, {224: 11_308_466_176}),
    "vgg16_c_bn": (133_647_400, {224: 11_770_888_192}),
    "vgg16_bn": (138_365_992, {224: 15_470_264_320}),
    "vgg19_bn": (143_678_248, {224: 19_632_062_464}),
    "vgg16_bn_32": (14_728_266, {32: 313_201_664}),
    "vgg19_bn_32": (20_040_522, {32: 398_136_320}),
    "resnet18": (11_689_512, {224: 1_814_073_344}),
    "resnet34": (21_797_672, {224: 3_663_761_408}),
    "resnet18_option_a": (11_515_688, {224: 1_794_805_760}),
    "resnet34_option_a": (21_623_848, {224: 3_644_493_824}),
    "resnet50": (25_557_032, {224: 3_857_973_248}),
    "resnet101": (44_549_160, {224: 7_570_194_432}),
    "resnet152": (60_192_808, {224: 11_282_415_616}),
    "resnet50_v15": (25_557_032, {224: 4_089_184_256}),
    "resnet101_v15": (44_549_160, {224: 7_801_405_440}),
    "resnet152_v15": (60_192_808, {224: 11_513_626_624}),
    "resnet20_cifar": (269_722, {32: 40_551_040}),
    "resnet32_cifar": (464_154, {32: 68_862_592}),
    "resnet44_cifar": (658_586, {32: 97_174_144}),
    "resnet56_cifar": (853_018, {32: 125_485_696}),
    "resnet110_cifar": (1_727_962, {32: 252_887_680}),
    "resnet1202_cifar": (19_421_274, {32: 2_829_238_912}),
    "resnet18_32": (11_173_962, {32: 555_422_720}),
    "mobilenet_v2": (
        3_504_872,
        {224: 300_774_272, 192: 221_316_608, 160: 154_083_200, 128: 99_074_048, 96: 56_289_152},
    ),
    "mobilenet_v2_x0_35": (
        1_677_128,
        {224: 59_285_808, 192: 43_896_512, 160: 30_874_800, 128: 20_220_672, 96: 11_934_128},
    ),
    "mobilenet_v2_x0_5": (
        1_968_680,
        {224: 97_131_840, 192: 71_701_760, 160: 50_184_000, 128: 32_578_560, 96: 18_885_440},
    ),
    "mobilenet_v2_x0_75": (
        2_636_424,
        {224: 209_069_792, 192: 153_941_888, 160: 107_295_200, 128: 69_129_728, 96: 39_445_472},
    ),
    "mobilenet_v2_x1_3": (5_386_792, {224: 509_374_560}),
    "mobilenet_v2_x1_4": (6_108_776, {224: 582_195_824}),
}
FAMILIES = {
    "lenet1989",
    "lenet1989_zip",
    "lenet5",
    "lenet5_tutorial",
    "lenet_caffe",
    "alexnet",
    "nin",
    "vgg",
    "vgg_32",
    "resnet",
    "resnet_v15",
    "resnet_cifar",
    "resnet_32",
    "mobilenet_v2",
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
    assert {entry.name for entry in entries().values() if entry.family in FAMILIES} == set(COUNTS)
