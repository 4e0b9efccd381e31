"""timm's models (github.com/huggingface/pytorch-image-models, 1.0) that have the graph of one of
our networks.

A tag after the name (`resnet50.a1_in1k`) says how it was trained; the network is the name before
the point.
"""

from convatlas.weights.names import Convolved, Ones, Rules, Table, Twin, counted
from convatlas.weights.torchvision import (
    DENSENET,
    INCEPTION_V3,
    RESNET,
    SHORTCUT,
    STAGES,
    STEM,
    UNITS,
    VGG_CONVOLUTIONS,
    vgg_features,
)

# What descends from ResNet
DEEP_STEM: Rules = (  # three convolutions; the last norm stands outside
    (r"^conv1\.conv1\.conv\.", "conv1.0."),
    (r"^conv1\.conv1\.bn\.", "conv1.1."),
    (r"^conv1\.conv2\.conv\.", "conv1.3."),
    (r"^conv1\.conv2\.bn\.", "conv1.4."),
    (r"^conv1\.conv3\.conv\.", "conv1.6."),
    (r"^conv1\.conv3\.bn\.", "bn1."),
)
POOLED_SHORTCUT: Rules = (  # their place 0 is the pool
    (r"\.shortcut\.projection\.conv\.", ".downsample.1."),
    (r"\.shortcut\.projection\.bn\.", ".downsample.2."),
)
RESNET_C = DEEP_STEM + STAGES + UNITS + SHORTCUT
RESNET_D = DEEP_STEM + STAGES + UNITS + POOLED_SHORTCUT
SE_RESNET = (*RESNET, (r"\.branch\.se\.w(\d)\.", r".se.fc\1."))
SPLITS: Rules = (
    (r"\.branch\.splits\.k(\d)\.conv\.", counted(".convs.{}.", -2)),
    (r"\.branch\.splits\.k(\d)\.bn\.", counted(".bns.{}.", -2)),
)
RES2NET = RESNET + SPLITS
RES2NET_D = DEEP_STEM + STAGES + UNITS + POOLED_SHORTCUT + SPLITS
RESNEST = (
    *DEEP_STEM,
    *STAGES,
    *UNITS,
    *POOLED_SHORTCUT,
    (r"\.branch\.splat\.conv\.conv\.", ".conv2.conv."),
    (r"\.branch\.splat\.conv\.bn\.", ".conv2.bn0."),
    (r"\.branch\.splat\.", ".conv2."),
)
SKNET = (
    *STEM,
    *STAGES,
    *SHORTCUT,
    (r"\.branch\.sk\.k3\.", ".conv2.paths.0."),
    (r"\.branch\.sk\.k5\.", ".conv2.paths.1."),
    (r"\.branch\.sk\.fuse\.w\.", ".conv2.attn.fc_reduce."),
    (r"\.branch\.sk\.fuse\.bn\.", ".conv2.attn.bn."),
    (r"\.branch\.sk\.select\.", ".conv2.attn.fc_select."),
    (r"\.branch\.", "."),
)

# The legacy ones are Cadene's ports of the SENet authors' release
LEGACY_UNITS = (
    *STAGES,
    *UNITS,
    *SHORTCUT,
    (r"\.branch\.se\.w(\d)\.", r".se_module.fc\1."),
    (r"^fc\.", "last_linear."),
)
LEGACY_SE_RESNET = (
    (r"^conv1\.conv\.conv\.", "layer0.conv1."),
    (r"^conv1\.conv\.bn\.", "layer0.bn1."),
    *LEGACY_UNITS,
)
LEGACY_SENET154 = (
    (r"^conv1\.conv(\d)\.conv\.", r"layer0.conv\1."),
    (r"^conv1\.conv(\d)\.bn\.", r"layer0.bn\1."),
    *LEGACY_UNITS,
)

DLA = (
    (r"^(base_layer|level[01])\.conv\.conv\.", r"\1.0."),
    (r"^(base_layer|level[01])\.conv\.bn\.", r"\1.1."),
    (r"\.project\.conv\.", ".project.0."),
    (r"\.project\.bn\.", ".project.1."),
    *UNITS,
)
RES2NET_DLA = DLA + SPLITS

DPN: Rules = (
    (r"^conv1\.activation\.", "features.conv1_1."),
    (r"^conv1\.conv\.", "features.conv1_1.conv."),
    (r"^activation\.", "features.conv5_bn_ac."),
    (r"^conv2\.0\.shortcut\.", "conv2.0.c1x1_w_s1."),
    (r"\.shortcut\.", ".c1x1_w_s2."),
    (r"^conv([2-5])\.(\d+)\.", lambda m: f"features.conv{m[1]}_{int(m[2]) + 1}."),
    (r"\.branch\.conv1\.", ".c1x1_a."),
    (r"\.branch\.conv2\.", ".c3x3_b."),
    (r"\.branch\.conv3\.", ".c1x1_c."),
    (r"\.activation\.", "."),
    (r"^fc\.", "classifier."),
)
DPN_B = (
    (r"\.branch\.conv3\.convs\.residual\.", ".c1x1_c1."),
    (r"\.branch\.conv3\.convs\.dense\.", ".c1x1_c2."),
    *DPN,
)
DPN_HEAD = (Convolved(r"^classifier\.weight$", 1),)

VGG_CONVOLVED = (
    Convolved(r"^pre_logits\.fc1\.weight$", 7),
    Convolved(r"^pre_logits\.fc2\.weight$", 1),
)
VGG_HEAD: Rules = (
    (r"^fc6\.fc\.", "pre_logits.fc1."),
    (r"^fc7\.fc\.", "pre_logits.fc2."),
    (r"^fc8\.", "head.fc."),
)

# Cadene's ports of TensorFlow's checkpoints: branches and the layers in them count from 0, a lone
# layer has no number
NUMBERS: Rules = (
    (r"\.branch4\.convs\.conv1\.", ".branch4.1."),  # place 0 of their branch3 is the pool
    (r"\.branch(\d)\.", counted(".branch{}.", -1)),
    (r"\.conv(\d)\.(conv|bn)\.", counted(".{}.{}.", -1)),
)
INCEPTION_V4 = (
    (r"^stem\.convs\.conv(\d)\.", counted("features.{}.", -1)),
    (r"^stem\.concat1\.branch2\.conv1\.", "features.3.conv."),
    (r"^stem\.concat2\.", "features.4."),
    (r"^stem\.concat3\.branch1\.conv1\.", "features.5.conv."),
    (r"^(inception_.\.\d|reduction_a)\.branch1\.conv1\.", r"\1.branch1."),
    (r"^inception_a\.(\d)\.", counted("features.{}.", 6)),
    (r"^reduction_a\.", "features.10."),
    (r"^inception_b\.(\d)\.", counted("features.{}.", 11)),
    (r"^reduction_b\.", "features.18."),
    (r"^inception_c\.(\d)\.", counted("features.{}.", 19)),
    (r"\.branch2\.convs\.conv1\.", ".branch1_0."),
    (r"\.branch3\.convs\.conv(\d)\.", counted(".branch2_{}.", -1)),
    (r"\.branch2\.fork\.branch1\.conv1\.", ".branch1_1a."),
    (r"\.branch2\.fork\.branch2\.conv1\.", ".branch1_1b."),
    (r"\.branch3\.fork\.branch1\.conv1\.", ".branch2_3a."),
    (r"\.branch3\.fork\.branch2\.conv1\.", ".branch2_3b."),
    *NUMBERS,
    (r"^fc\.", "last_linear."),
)
INCEPTION_RESNET_V2 = (
    (r"^conv_2b\.conv1\.", "conv2d_1a."),
    (r"^conv_2b\.conv2\.", "conv2d_2a."),
    (r"^conv_2b\.conv3\.", "conv2d_2b."),
    (r"^conv_4a\.conv1\.", "conv2d_3b."),
    (r"^conv_4a\.conv2\.", "conv2d_4a."),
    (r"^conv_7b\.conv1\.", "conv2d_7b."),
    (r"\.branches\.", "."),
    (r"\.linear\.", ".conv2d."),
    (r"^((?:mixed_5b|mixed_6a|repeat.*|block8)\.branch1)\.conv1\.", r"\1."),
    *NUMBERS,
    (r"^fc\.", "classif."),
)


def separable(block: str, *places: int) -> Rules:
    """Places of a block's separable convolutions in their list; the norm takes the place after."""
    return tuple(
        rule
        for i, place in enumerate(places, start=1)
        for rule in (
            (rf"^({block})\.branch\.sepconv{i}\.pointwise\.bn\.", rf"\1.rep.{place + 1}."),
            (rf"^({block})\.branch\.sepconv{i}\.", rf"\1.rep.{place}."),
        )
    )


XCEPTION = (
    (r"^entry_flow\.conv(\d)\.conv\.", r"conv\1."),
    (r"^entry_flow\.conv(\d)\.bn\.", r"bn\1."),
    (r"^entry_flow\.", ""),
    (r"^middle_flow\.(\d)\.", counted("block{}.", 4)),
    (r"^exit_flow\.block\.", "block12."),
    (r"^exit_flow\.sepconv(\d)\.pointwise\.bn\.", counted("bn{}.", 2)),
    (r"^exit_flow\.sepconv(\d)\.", counted("conv{}.", 2)),
    (r"\.shortcut\.conv\.", ".skip."),
    (r"\.shortcut\.bn\.", ".skipbn."),
    (r"\.branch\.convs\.", ".branch."),
    *separable("block1", 0, 3),
    *separable(r"block\d+", 1, 4, 7),  # the others begin with a ReLU
    (r"\.depthwise\.", ".conv1."),
    (r"\.pointwise\.conv\.", ".pointwise."),
)

# EfficientNet's builder, which also makes the MobileNets. Blocks of the first stage have no
# expansion: they count less
EXPANDED: Rules = (
    (r"\.layers\.expand\.conv\.", ".conv_pw."),
    (r"\.layers\.expand\.bn\.", ".bn1."),
    (r"\.layers\.depthwise\.conv\.", ".conv_dw."),
    (r"\.layers\.depthwise\.bn\.", ".bn2."),
    (r"\.layers\.project\.conv\.", ".conv_pwl."),
    (r"\.layers\.project\.bn\.", ".bn3."),
    (r"^fc\.", "classifier."),
)
BLOCKS: Rules = (
    (r"^blocks\.0\.(\d+)\.layers\.depthwise\.bn\.", r"blocks.0.\1.bn1."),
    (r"^blocks\.0\.(\d+)\.layers\.project\.conv\.", r"blocks.0.\1.conv_pw."),
    (r"^blocks\.0\.(\d+)\.layers\.project\.bn\.", r"blocks.0.\1.bn2."),
    *EXPANDED,
)
GATES: Rules = (
    (r"\.layers\.se\.squeeze\.", ".se.conv_reduce."),
    (r"\.layers\.se\.excite\.", ".se.conv_expand."),
)
MOBILENET_V2 = (
    (r"^conv1\.conv\.conv\.", "conv_stem."),
    (r"^conv1\.conv\.bn\.", "bn1."),
    (r"^bottleneck(\d)\.", counted("blocks.{}.", -1)),
    (r"^conv9\.conv\.conv\.", "conv_head."),
    (r"^conv9\.conv\.bn\.", "bn2."),
    *BLOCKS,
)
MNASNET = (
    (r"^conv1\.conv\.conv\.", "conv_stem."),
    (r"^conv1\.conv\.bn\.", "bn1."),
    (r"^conv2\.conv\.conv\.", "conv_head."),
    (r"^conv2\.conv\.bn\.", "bn2."),
    (r"^block(\d)\.", counted("blocks.{}.", -1)),
    (r"\.layers\.se\.squeeze\.", ".se.conv_reduce."),
    (r"\.layers\.se\.excite\.", ".se.conv_expand."),
    *BLOCKS,
)
EFFICIENTNET = (
    (r"^stage1\.conv\.conv\.", "conv_stem."),
    (r"^stage1\.conv\.bn\.", "bn1."),
    (r"^stage9\.conv\.conv\.", "conv_head."),
    (r"^stage9\.conv\.bn\.", "bn2."),
    (r"^stage(\d)\.", counted("blocks.{}.", -2)),
    *GATES,
    *BLOCKS,
)
EFFICIENTNET_V2 = (
    (r"^stage0\.conv\.conv\.", "conv_stem."),
    (r"^stage0\.conv\.bn\.", "bn1."),
    (r"^stage\d\.conv\.conv\.", "conv_head."),
    (r"^stage\d\.conv\.bn\.", "bn2."),
    (r"^stage(\d)\.", counted("blocks.{}.", -1)),
    (r"^(blocks\.0\.\d+)\.layers\.project\.conv\.", r"\1.conv."),
    (r"^(blocks\.0\.\d+)\.layers\.project\.bn\.", r"\1.bn1."),
    (r"^(blocks\.[12]\.\d+)\.layers\.expand\.conv\.", r"\1.conv_exp."),
    (r"^(blocks\.[12]\.\d+)\.layers\.project\.bn\.", r"\1.bn2."),
    *GATES,
    *EXPANDED,
)
REGNETX = (
    (r"^stem\.conv\.", "stem."),
    (r"^stage(\d)\.(\d+)\.", lambda match: f"s{match[1]}.b{int(match[2]) + 1}."),
    (r"\.branch\.", "."),
    (r"\.shortcut\.", ".downsample."),
    (r"^fc\.", "head.fc."),
)
REGNETY = (*REGNETX, (r"\.se\.squeeze\.", ".se.fc1."), (r"\.se\.excite\.", ".se.fc2."))

CONVNEXT_BLOCK: Rules = (
    (r"\.branch\.depthwise\.", ".conv_dw."),
    (r"\.branch\.norm\.", ".norm."),
    (r"\.branch\.expand\.", ".mlp.fc1."),
    (r"\.branch\.project\.", ".mlp.fc2."),
    (r"\.branch\.scale\.weight$", ".gamma"),
)
CONVNEXT = (
    (r"^stem\.conv\.", "stem.0."),
    (r"^stem\.norm\.", "stem.1."),
    (r"^(norm|fc)\.", r"head.\1."),
    (r"^res(\d)\.block(\d+)\.", lambda m: f"stages.{int(m[1]) - 2}.blocks.{int(m[2]) - 1}."),
    (r"^res(\d)\.downsample\.norm\.", counted("stages.{}.downsample.0.", -2)),
    (r"^res(\d)\.downsample\.conv\.", counted("stages.{}.downsample.1.", -2)),
    *CONVNEXT_BLOCK,
)
MATRICES = (Ones(r"\.mlp\.fc\d\.weight$", -2),)

GATE = (Convolved(r"\.se(_module)?\.fc\d\.weight$", 1),)
RESNEXTS = ("resnext50_32x4d", "resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d")
DPNS = ("dpn68", "dpn92", "dpn98", "dpn107", "dpn131")
RES2NETS = {
    "res2net50_26w_4s": "res2net50_26w4s",
    "res2net50_48w_2s": "res2net50_48w2s",
    "res2net50_14w_8s": "res2net50_14w8s",
    "res2net50_26w_6s": "res2net50_26w6s",
    "res2net50_26w_8s": "res2net50_26w8s",
    "res2net101_26w_4s": "res2net101_26w4s",
    "res2next50": "res2next50",
}
RESNESTS = {
    "resnest14d": "resnest14",
    "resnest26d": "resnest26",
    "resnest50d": "resnest50",
    "resnest101e": "resnest101",
    "resnest200e": "resnest200",
    "resnest269e": "resnest269",
    "resnest50d_1s4x24d": "resnest50_fast_1s4x24d",
    "resnest50d_4s2x40d": "resnest50_fast_4s2x40d",
}
MOBILENETS = {
    "mobilenetv2_035": "mobilenet_v2_x0_35",
    "mobilenetv2_050": "mobilenet_v2_x0_5",
    "mobilenetv2_075": "mobilenet_v2_x0_75",
    "mobilenetv2_100": "mobilenet_v2",
    "mobilenetv2_140": "mobilenet_v2_x1_4",
}
MNASNETS = {
    "semnasnet_050": "mnasnet_a1_x0_5",
    "semnasnet_075": "mnasnet_a1_x0_75",
    "semnasnet_100": "mnasnet_a1",
    "semnasnet_140": "mnasnet_a1_x1_4",
    "mnasnet_050": "mnasnet_b1_x0_5",
    "mnasnet_075": "mnasnet_b1_x0_75",
    "mnasnet_100": "mnasnet_b1",
    "mnasnet_140": "mnasnet_b1_x1_4",
    "mnasnet_small": "mnasnet_small_timm",
}
REGNETS = {  # hundreds of millions of multiply-adds
    "002": "200mf",
    "004": "400mf",
    "006": "600mf",
    "008": "800mf",
    "016": "1_6gf",
    "032": "3_2gf",
    "040": "4gf",
    "064": "6_4gf",
    "080": "8gf",
    "120": "12gf",
    "160": "16gf",
    "320": "32gf",
}
TWINS: Table = {
    **{
        f"vgg{n}{bn}": Twin(f"vgg{n}{bn}", vgg_features(counts, bool(bn)) + VGG_HEAD, VGG_CONVOLVED)
        for n, counts in VGG_CONVOLUTIONS.items()
        for bn in ("", "_bn")
    },
    **{f"resnet{n}": Twin(f"resnet{n}", RESNET) for n in (18, 34)},
    **{f"resnet{n}": Twin(f"resnet{n}_v15", RESNET) for n in (50, 101, 152)},
    "resnet50c": Twin("resnet50_c", RESNET_C),
    **{f"resnet{n}d": Twin(f"resnet{n}_d", RESNET_D) for n in (50, 101, 152)},
    **{name: Twin(name, RESNET) for name in RESNEXTS},
    **{f"seresnet{n}": Twin(f"se_resnet{n}_v15", SE_RESNET, GATE) for n in (50, 101, 152)},
    **{
        f"legacy_seresnet{n}": Twin(f"se_resnet{n}", LEGACY_SE_RESNET, GATE) for n in (50, 101, 152)
    },
    **{
        f"legacy_seresnext{n}_32x4d": Twin(f"se_resnext{n}_32x4d", LEGACY_SE_RESNET, GATE)
        for n in (50, 101)
    },
    "legacy_senet154": Twin("senet154", LEGACY_SENET154, GATE),
    "skresnext50_32x4d": Twin("sknet50", SKNET),
    **{name: Twin(ours, RES2NET) for name, ours in RES2NETS.items()},
    **{f"res2net{n}d": Twin(f"res2net{n}_v1b_26w4s", RES2NET_D) for n in (50, 101)},
    **{name: Twin(name, RESNET) for name in ("wide_resnet50_2", "wide_resnet101_2")},
    "dla60": Twin("dla60", DLA),
    "dla60x": Twin("dla60x", DLA),
    **{name: Twin(name, DPN, DPN_HEAD) for name in DPNS},
    "dpn68b": Twin("dpn68b", DPN_B, DPN_HEAD),
    "dla60_res2net": Twin("res2net_dla60", RES2NET_DLA),
    "dla60_res2next": Twin("res2next_dla60", RES2NET_DLA),
    **{name: Twin(ours, RESNEST) for name, ours in RESNESTS.items()},
    **{f"densenet{n}": Twin(f"densenet{n}", DENSENET) for n in (121, 161, 169, 201)},
    "inception_v3": Twin("inception_v3", INCEPTION_V3, absent=r"^aux\.", surplus=r"^AuxLogits\."),
    "inception_v4": Twin("inception_v4", INCEPTION_V4),
    "inception_resnet_v2": Twin("inception_resnet_v2_released", INCEPTION_RESNET_V2),
    "legacy_xception": Twin("xception", XCEPTION),
    **{name: Twin(ours, MOBILENET_V2) for name, ours in MOBILENETS.items()},
    **{name: Twin(ours, MNASNET) for name, ours in MNASNETS.items()},
    **{
        f"efficientnet_b{n}": Twin(f"efficientnet_b{n}_torchvision", EFFICIENTNET) for n in range(5)
    },
    **{
        f"convnext_{size}": Twin(f"convnext_{size}", CONVNEXT, ones=MATRICES)
        for size in ("tiny", "small", "base", "large", "xlarge")
    },
    **{f"tf_efficientnet_b{n}": Twin(f"efficientnet_b{n}", EFFICIENTNET) for n in range(8)},
    **{
        f"tf_efficientnetv2_{size}": Twin(f"efficientnet_v2_{size}", EFFICIENTNET_V2)
        for size in ("s", "m", "l", "xl", "b0", "b1", "b2", "b3")
    },
    **{f"regnetx_{n}": Twin(f"regnetx_{ours}", REGNETX) for n, ours in REGNETS.items()},
    **{f"regnety_{n}": Twin(f"regnety_{ours}", REGNETY) for n, ours in REGNETS.items()},
    "regnetx_004_tv": Twin("regnetx_400mf_torchvision", REGNETX),
    "regnety_008_tv": Twin("regnety_800mf_torchvision", REGNETY),
    "regnety_080_tv": Twin("regnety_8gf_torchvision", REGNETY),
}
