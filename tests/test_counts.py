"""What every network costs, to the unit: a row a network, one test.

The numbers stem from the papers, from the authors' releases, from independent implementations and
from arithmetic by hand, not from this code. A new file in nets/ needs no row, since `verify` holds
it to what its paper prints; a file with rows here has one for each of its networks.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convatlas.registry import entries
from convatlas.verification import blueprint, measure

# name: (trainable parameters, {side of the image: multiply-adds of convolutions and matrix
# products})
COUNTS = {
    "lenet1989_zip": (9_760, {16: 63_660}),
    "lenet1989": (2_578, {28: 91_520}),
    "lenet5": (60_000, {32: 326_520}),
    "lenet5_tutorial": (61_706, {28: 416_520}),
    "lenet5_tutorial_32": (62_006, {32: 651_720}),
    "lenet_caffe": (431_080, {28: 2_293_000}),
    "alexnet": (60_965_224, {224: 724_406_816, 227: 724_406_816}),
    "alexnet_owt": (61_100_840, {224: 714_188_480}),
    "alexnet_tutorial": (62_378_344, {224: 1_135_256_096}),
    "alexnet_tutorial_padding1": (46_764_746, {224: 938_146_176}),
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
    "resnet34_option_c": (22_716_840, {224: 3_830_747_136}),
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
    # torchvision's ResNet (groups, width_per_group), timm and the authors' models/resnext.lua
    "resnext50_2x40d": (25_425_000, {224: 4_124_508_160}),
    "resnext50_4x24d": (25_292_968, {224: 4_159_832_064}),
    "resnext50_8x14d": (25_603_016, {224: 4_267_409_408}),
    "resnext50_32x4d": (25_028_904, {224: 4_230_479_872}),
    "resnext101_2x40d": (44_456_296, {224: 7_843_553_280}),
    "resnext101_4x24d": (44_363_432, {224: 7_885_701_120}),
    "resnext101_8x14d": (45_104_328, {224: 8_076_871_680}),
    "resnext101_32x4d": (44_177_704, {224: 7_969_996_800}),
    "resnext101_2x64d": (84_198_184, {224: 15_123_087_360}),
    "resnext101_64x4d": (83_455_272, {224: 15_460_270_080}),
    "resnext101_32x8d": (88_791_336, {224: 16_414_015_488}),
    "resnext29_8x64d_cifar": (34_426_698, {32: 5_387_266_048}),
    "resnext29_16x64d_cifar": (68_155_210, {32: 10_688_866_304}),
    # timm's ResNetV2 for ImageNet (multiply-adds as of ResNet, whose convolutions these are), the
    # authors' resnet-pre-act.lua for CIFAR
    "preresnet50": (25_549_352, {224: 3_857_973_248}),
    "preresnet101": (44_541_480, {224: 7_570_194_432}),
    "preresnet152": (60_185_128, {224: 11_282_415_616}),
    "preresnet200": (64_666_152, {224: 14_776_270_848}),
    "preresnet110_cifar_one_layer": (1_727_962, {32: 252_887_680}),
    "preresnet110_cifar": (1_727_962, {32: 252_887_680}),
    "preresnet164_cifar": (1_703_258, {32: 244_500_992}),
    "preresnet1001_cifar": (10_327_706, {32: 1_487_849_984}),
    # the authors' prototxts, independent implementations and arithmetic by hand
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
    # as senet154; for CIFAR 1,727,962 and 252,887,680, or 1,703,258 and 244,500,992, without the
    # gates, whose weights are 12,096 or 193,536
    "se_preresnet18": (11_776_928, {224: 1_814_160_384}),
    "se_preresnet34": (21_957_204, {224: 3_663_918_592}),
    "se_preresnet50": (28_080_472, {224: 3_860_488_192}),
    "se_preresnet101": (49_319_320, {224: 7_574_937_600}),
    "se_preresnet152": (66_814_296, {224: 11_288_993_792}),
    "se_preresnet110_cifar": (1_742_200, {32: 252_899_776}),
    "se_preresnet164_cifar": (1_905_362, {32: 244_694_528}),
    "se_resnet110_cifar": (1_744_952, {32: 253_161_920}),
    "se_bn_inception": (11_931_622, {224: 2_033_239_424}),
    "se_bn_inception_released": (11_931_622, {224: 2_033_239_424}),
    # the authors' prototxt, two independent implementations and arithmetic by hand
    "sknet26": (16_746_408, {224: 2_586_877_952}),
    "sknet50": (27_479_784, {224: 4_462_710_784}),
    "sknet101": (48_736_040, {224: 8_448_724_992}),
    # the authors' release, an independent implementation and arithmetic by hand
    "res2net50_48w2s": (25_287_304, {224: 4_159_832_064}),
    "res2net50_26w4s": (25_699_120, {224: 4_255_166_464}),
    "res2net50_14w8s": (25_059_816, {224: 4_178_898_944}),
    "res2net50_26w6s": (37_051_448, {224: 6_295_523_328}),
    "res2net50_26w8s": (48_403_776, {224: 8_335_880_192}),
    "res2net50_18w4s": (18_095_104, {224: 2_898_407_424}),
    "res2net101_26w4s": (45_206_688, {224: 8_066_974_464}),
    "res2next50": (24_671_464, {224: 4_172_677_120}),
    "res2net50_v1b_26w4s": (25_718_352, {224: 4_494_807_040}),
    "res2net101_v1b_26w4s": (45_225_920, {224: 8_306_615_040}),
    # the release's 21,145,544 and 17,330,456 without three projections whose results it throws
    # away: 1x1, 128 to 256 on 28x28 and twice 256 to 512 on 14x14, with their batch norms
    # timm, whose form has no projections that nothing reads
    "dla60": (22_036_632, {224: 4_235_878_400}),
    "dla60x": (17_352_344, {224: 3_516_555_264}),
    "res2net_dla60": (
        21_145_544 - 33_280 - 2 * 132_096,
        {224: 4_199_751_680 - 3 * 256 * 512 * 14 * 14},
    ),
    "res2next_dla60": (
        17_330_456 - 33_280 - 2 * 132_096,
        {224: 3_535_822_848 - 3 * 256 * 512 * 14 * 14},
    ),
    # the authors' release, independent implementations and arithmetic by hand
    "resnest14": (10_611_688, {224: 2_749_405_184}),
    "resnest26": (17_069_448, {224: 3_623_391_232}),
    "resnest50": (27_483_240, {224: 5_371_160_576}),
    "resnest101": (48_275_016, {256: 13_321_472_000, 224: 10_200_565_760}),
    "resnest200": (70_201_544, {320: 35_519_694_848}),
    "resnest269": (110_929_480, {416: 77_348_702_208}),
    "resnest50_fast_1s1x64d": (26_217_896, {224: 4_329_459_712}),
    "resnest50_fast_2s1x64d": (27_483_240, {224: 4_330_711_040}),
    "resnest50_fast_4s1x64d": (31_912_712, {224: 4_335_112_192}),
    "resnest50_fast_1s2x40d": (25_946_680, {224: 4_364_642_816}),
    "resnest50_fast_2s2x40d": (26_943_792, {224: 4_365_622_336}),
    "resnest50_fast_4s2x40d": (30_417_592, {224: 4_369_060_736}),
    "resnest50_fast_1s4x24d": (25_677_000, {224: 4_399_827_456}),
    "resnest101_fast": (48_170_472, {224: 8_044_603_392}),
    # torchvision's DenseNet class, pytorchcv and arithmetic by hand
    "densenet121": (7_978_856, {224: 2_834_161_664}),
    "densenet161": (28_681_000, {224: 7_727_907_072}),
    "densenet169": (14_149_480, {224: 3_359_843_328}),
    "densenet201": (20_013_928, {224: 4_291_365_888}),
    "densenet264": (33_337_704, {224: 5_751_653_376}),
    "densenet264_k48_checkpointed": (72_686_632, {224: 12_850_693_632}),
    "densenet40_k12_cifar": (1_019_722, {32: 264_812_928}),
    "densenet100_k12_cifar": (6_979_642, {32: 1_769_516_448}),
    "densenet100_k24_cifar": (27_249_082, {32: 6_889_347_744}),
    "densenet_bc100_k12_cifar": (769_162, {32: 287_929_692}),
    "densenet_bc250_k24_cifar": (15_324_406, {32: 5_418_785_724}),
    "densenet_bc190_k40_cifar": (25_624_430, {32: 9_301_945_740}),
    "wide_densenet_bc40_k36_cifar": (1_542_682, {32: 647_298_936}),
    "wide_densenet_bc40_k48_cifar": (2_733_130, {32: 1_149_867_168}),
    "wide_densenet_bc40_k60_cifar": (4_261_690, {32: 1_795_836_360}),
    # 64 x 3 x 49 x 112^2, then blocks 9 x 32 x (448, 576, 640, 672) and transitions (192, 224,
    # 240)^2 / 2 on 55, 27, 13, 6 pixels squared, then 248 x 10
    "densenet_tutorial": (764_498, {224: 746_276_912}),
    # with the auxiliary heads; without them: see below
    "googlenet": (13_378_280, {224: 1_582_671_872}),
    "googlenet_separable": (13_371_584, {224: 1_498_677_248}),
    "googlenet_torchvision": (13_004_888, {224: 1_498_376_192}),
    "googlenet_bn_32": (6_166_250, {32: 1_521_756_160}),
    "inception_v3": (27_161_264, {299: 5_713_216_096}),
    # SENet's Caffe file has the first, the Caffe zoo the last
    "bn_inception": (11_285_224, {224: 2_032_600_064}),
    "bn_inception_separable": (11_278_528, {224: 1_948_605_440}),
    "bn_inception_caffe": (11_295_240, {224: 2_032_600_064}),
    "inception_v4": (42_679_816, {299: 12_253_974_624}),
    "inception_resnet_v1": (22_756_328, {299: 6_206_361_696}),
    "inception_resnet_v2": (32_433_928, {299: 9_257_953_632}),
    "inception_resnet_v2_released": (55_843_464, {299: 13_155_794_016}),
    "inception_resnet_v2_slim": (59_179_952, {299: 13_155_794_016}),
    # Table 3 prints the parameters to the unit
    "xception": (22_855_952, {299: 8_357_403_496}),
    "squeezenet1_0": (1_248_424, {227: 832_667_936, 224: 818_924_576}),
    "squeezenet1_0_simple_bypass": (1_248_424, {227: 832_667_936}),
    "squeezenet1_0_complex_bypass": (1_589_672, {227: 1_183_953_184}),
    "squeezenet1_1": (1_235_496, {227: 387_747_520, 224: 349_151_936}),
    # pytorchcv and timm; the full and the shallow network from arithmetic by hand
    "mobilenet_v1": (
        4_231_976,
        {224: 568_740_352, 192: 418_121_728, 160: 290_675_200, 128: 186_400_768},
    ),
    "mobilenet_v1_x0_75": (
        2_585_560,
        {224: 325_400_448, 192: 239_273_472, 160: 166_396_800, 128: 106_770_432},
    ),
    "mobilenet_v1_x0_5": (
        1_331_592,
        {224: 149_497_088, 192: 109_970_432, 160: 76_524_800, 128: 49_160_192},
    ),
    "mobilenet_v1_x0_25": (
        470_072,
        {224: 41_030_272, 192: 30_212_608, 160: 21_059_200, 128: 13_570_048},
    ),
    "mobilenet_v1_full_conv": (29_294_088, {224: 4_867_293_184}),
    "mobilenet_v1_shallow": (2_887_976, {224: 307_323_392}),
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
    # timm, whose channel multiplier is the authors'; torchvision agrees at width 1 and reduced
    # tails
    "mobilenet_v3_large": (5_483_032, {224: 216_589_760}),
    "mobilenet_v3_large_x0_35": (2_132_216, {224: 43_887_824}),
    "mobilenet_v3_large_x0_5": (2_689_904, {224: 73_663_088}),
    "mobilenet_v3_large_x0_75": (3_993_528, {224: 154_560_624}),
    "mobilenet_v3_large_x1_25": (7_551_976, {224: 355_221_920}),
    "mobilenet_v3_large_minimalistic": (3_924_288, {224: 209_136_704}),
    "mobilenet_v3_large_reduced_tail": (2_569_352, {224: 182_302_720}),
    "mobilenet_v3_small": (2_542_856, {224: 56_510_400}),
    "mobilenet_v3_small_x0_35": (1_358_808, {224: 15_951_968}),
    "mobilenet_v3_small_x0_5": (1_593_224, {224: 24_188_688}),
    "mobilenet_v3_small_x0_75": (2_041_872, {224: 43_399_344}),
    "mobilenet_v3_small_x1_25": (3_205_384, {224: 90_800_864}),
    "mobilenet_v3_small_minimalistic": (2_044_736, {224: 52_288_448}),
    "mobilenet_v3_small_reduced_tail": (1_099_672, {224: 43_763_584}),
    # the authors' code with its groups generalised; those at 0.25 from arithmetic
    "shufflenet_v1_g1": (1_530_936, {224: 143_078_976}),
    "shufflenet_v1_g1_x0_25": (208_908, {224: 13_162_320}),
    "shufflenet_v1_g1_x0_5": (533_484, {224: 38_517_408}),
    "shufflenet_v1_g1_x1_5": (2_992_032, {224: 308_096_352}),
    "shufflenet_v1_g1_x2_0": (4_917_744, {224: 550_334_592}),
    "shufflenet_v1_g2": (1_732_848, {224: 140_836_512}),
    "shufflenet_v1_g2_x2_0": (5_256_896, {224: 539_138_624}),
    "shufflenet_v1_g3": (1_864_728, {224: 137_460_672}),
    "shufflenet_v1_g3_x0_25": (305_124, {224: 13_300_656}),
    "shufflenet_v1_g3_x0_5": (717_324, {224: 37_589_856}),
    "shufflenet_v1_g3_x1_5": (3_441_168, {224: 292_443_552}),
    "shufflenet_v1_g3_x2_0": (5_449_776, {224: 524_045_184}),
    "shufflenet_v1_g4": (1_967_344, {224: 134_339_776}),
    "shufflenet_v1_g4_x2_0": (5_592_528, {224: 510_289_536}),
    "shufflenet_v1_g8": (2_433_768, {224: 138_365_952}),
    "shufflenet_v1_g8_x0_25": (453_504, {224: 12_426_240}),
    "shufflenet_v1_g8_x0_5": (1_010_448, {224: 40_469_760}),
    "shufflenet_v1_g8_x1_5": (4_268_952, {224: 290_188_800}),
    "shufflenet_v1_g8_x2_0": (6_521_232, {224: 521_942_016}),
    # the authors' code, torchvision, and for the 50 layers arithmetic by hand
    "shufflenet_v2_x0_5": (1_365_792, {224: 40_476_448}),
    "shufflenet_v2": (2_278_760, {224: 145_814_296}),
    "shufflenet_v2_x1_5": (3_506_720, {224: 298_970_656}),
    "shufflenet_v2_x2_0": (7_402_600, {224: 590_783_000}),
    "shufflenet_v2_50": (16_576_898, {224: 2_314_702_176}),
    "shufflenet_v2_torchvision_x0_5": (1_366_792, {224: 40_476_448}),
    "shufflenet_v2_torchvision": (2_278_604, {224: 144_907_992}),
    "shufflenet_v2_torchvision_x1_5": (3_503_624, {224: 295_759_392}),
    "shufflenet_v2_torchvision_x2_0": (7_393_996, {224: 583_253_464}),
    # torchvision and timm, which agree
    "efficientnet_b0": (5_288_548, {224: 385_814_752}),
    "efficientnet_b1": (7_794_184, {240: 686_802_832}),
    "efficientnet_b2": (9_109_994, {260: 993_561_872}),
    "efficientnet_b3": (12_233_232, {300: 1_827_141_392}),
    "efficientnet_b4": (19_341_616, {380: 4_393_771_024}),
    "efficientnet_b5": (30_389_784, {456: 10_266_384_752}),
    "efficientnet_b6": (43_040_704, {528: 19_067_593_536}),
    "efficientnet_b7": (66_347_960, {600: 37_745_884_192}),
}
# the same layers in another form
ALIKE = {
    "_checkpointed": (
        "densenet121",
        "densenet201",
        "densenet_bc100_k12_cifar",
        "densenet_bc190_k40_cifar",
    ),
    "_dropout": ("densenet40_k12_cifar", "densenet_bc100_k12_cifar"),
    "_torchvision": tuple(f"efficientnet_b{i}" for i in range(8)),
}
COUNTS |= {f"{name}{form}": COUNTS[name] for form, names in ALIKE.items() for name in names}
WITHOUT_HEADS = {  # parameters without the heads that only training reads
    "googlenet": 6_998_552,
    "googlenet_separable": 6_991_856,
    "googlenet_torchvision": 6_624_904,
    "inception_v3": 23_834_568,
    "inception_resnet_v2_slim": 55_813_192,  # Keras's, whose norms have no scales either
}


def by_torch(net: torch.nn.Module, side: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.empty(1, net.in_channels, side, side, device="meta"))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_multiply_adds(name):
    params, macs = COUNTS[name]
    net = blueprint(name)
    assert measure(name).params == params
    heads = tuple(path.split(".")[0] + "." for path in net.auxiliary_paths)
    assert sum(
        p.numel() for path, p in net.named_parameters() if not path.startswith(heads)
    ) == WITHOUT_HEADS.get(name, params)
    at = {side: "" if side == net.side else f"{side}x{side}" for side in macs}
    assert {side: measure(name, at[side]).macs for side in macs} == macs
    assert net.side in macs


SMALLEST = {entries()[name].family: name for name in sorted(COUNTS, key=lambda n: -COUNTS[n][0])}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in SMALLEST.values() else [pytest.mark.full])
        for name in COUNTS
    ],
)
def test_torch_counts_the_same(name):
    """By its own counter, which knows nothing of our layer tables."""
    net = blueprint(name)
    assert by_torch(net, net.side) == COUNTS[name][1][net.side]


def test_no_network_of_a_file_with_rows_is_left_out():
    files = {entries()[name].family for name in COUNTS}
    assert {entry.name for entry in entries().values() if entry.family in files} == set(COUNTS)
