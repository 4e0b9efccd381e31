"""Models of timm and torchvision that are not in the atlas, the network here that is nearest, and
what sets theirs apart.

Read in the source of timm 1.0.31 and torchvision 0.29; docs/near_misses.md says which differences
are proved by running both. The models whose graph is one of ours are in weights/timm.py and
weights/torchvision.py.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Near(NamedTuple):
    ours: str  # the nearest network here
    theirs: str  # what their model does otherwise: a verb and its objects


def all_near(names: str, ours: str, theirs: str) -> dict[str, Near]:
    return {name: Near(ours, theirs) for name in names.split()}


DEEP = "starts with three 3x3 convolutions instead of one 7x7"
D = f"{DEEP} and pools before the 1x1 of strided shortcuts"
TIERED = (
    "starts with three 3x3 convolutions of growing width and pools before the 1x1 of strided "
    "shortcuts"
)
LAYERS = {50: "resnet50_v15", 101: "resnet101_v15", 152: "resnet152_v15"}
RESNETS = {
    **{f"resnet{n}c": Near(f"resnet{n}_v15", DEEP) for n in (101, 152)},
    **{f"resnet{n}s": Near(ours, f"{DEEP}, 64 wide") for n, ours in LAYERS.items()},
    **{f"resnet{n}d": Near(f"resnet{n}", D) for n in (18, 34)},
    "resnet10t": Near("resnet18", f"has one unit a stage, {TIERED}"),
    "resnet14t": Near("resnet50_v15", f"has one unit a stage, {TIERED}"),
    "resnet26": Near("resnet50_v15", "has two units a stage"),
    "resnet26d": Near("resnet50_d", "has two units a stage"),
    "resnet26t": Near("resnet50_v15", f"has two units a stage, {TIERED}"),
    "resnet50t": Near("resnet50_v15", TIERED),
    "resnet200": Near("resnet152_v15", "has 24 units in the second stage"),
    "resnet200d": Near("resnet152_d", "has 24 units in the second stage"),
    "resnet50_gn": Near("resnet50_v15", "has group norm for batch norm"),
    "resnet50_mlp": Near("resnet50_v15", "starts as CLIP's and ends in two linear layers"),
    **all_near(
        "resnet50_clip resnet50_clip_gap resnet50x4_clip resnet50x4_clip_gap resnet50x16_clip "
        "resnet50x16_clip_gap resnet50x64_clip resnet50x64_clip_gap",
        "resnet50_v15",
        "is CLIP's: three 3x3 convolutions first, average pools for strides, other heads",
    ),
    **all_near(
        "resnet101_clip resnet101_clip_gap",
        "resnet101_v15",
        "is CLIP's: three 3x3 convolutions first, average pools for strides, other heads",
    ),
    **all_near(
        "resnet32ts resnet33ts resnet51q resnet61q",
        "resnet50_v15",
        "has SiLU for ReLU, another first layer, other widths and depths",
    ),
    "resnetaa50": Near("resnet50_v15", "strides by an average pool after the 3x3"),
    "resnetaa34d": Near("resnet34", f"strides by average pools and {D}"),
    "resnetaa50d": Near("resnet50_v15", f"strides by average pools and {D}"),
    "resnetaa101d": Near("resnet101_v15", f"strides by average pools and {D}"),
    "resnetblur18": Near("resnet18", "blurs before it strides"),
    "resnetblur50": Near("resnet50_v15", "blurs before it strides"),
    "resnetblur50d": Near("resnet50_v15", f"blurs before it strides and {D}"),
    "resnetblur101d": Near("resnet101_v15", f"blurs before it strides and {D}"),
    **{
        f"resnetrs{n}": Near(
            f"se_resnet{min(n, 152)}_v15",
            "is ResNet-RS: three 3x3 convolutions first, no max pool, a pool in the shortcuts"
            + ("" if n <= 152 else ", more units"),
        )
        for n in (50, 101, 152, 200, 270, 350, 420)
    },
}
PREACTIVATION = "strides in the 3x3 and pools before the first norm and ReLU"
BEFORE = "has its norms and ReLUs before the convolutions"
RESNETS_V2 = {
    **{f"resnetv2_{n}": Near(f"preresnet{n}", PREACTIVATION) for n in (50, 101, 152)},
    **{f"resnetv2_{n}d": Near(f"preresnet{n}", f"{PREACTIVATION}; {D}") for n in (50, 101, 152)},
    "resnetv2_50t": Near("preresnet50", f"{PREACTIVATION}; {TIERED}"),
    **{f"resnetv2_{n}": Near(f"resnet{n}", BEFORE) for n in (18, 34)},
    **{f"resnetv2_{n}d": Near(f"resnet{n}", f"{BEFORE}; {D}") for n in (18, 34)},
    **all_near(
        "resnetv2_50d_gn resnetv2_50d_evos resnetv2_50d_frn",
        "preresnet50",
        f"has another norm than batch norm; {D}",
    ),
    **{
        f"resnetv2_{n}x{width}_bit": Near(
            f"preresnet{n}", f"is BiT: group norm, standardised weights, width x{width}"
        )
        for n, widths in ((50, (1, 3)), (101, (1, 3)), (152, (2, 4)))
        for width in widths
    },
}
RESNEXTS = {
    "resnext50d_32x4d": Near("resnext50_32x4d", D),
    "resnext101_32x16d": Near("resnext101_32x8d", "has groups twice as wide"),
    "resnext101_32x32d": Near("resnext101_32x8d", "has groups four times as wide"),
    "resnext26ts": Near("resnext50_32x4d", f"has two units a stage and SiLU for ReLU; {TIERED}"),
}
UNPADDED = "pads its max pool by 1, where the release here rounds its size up"
GATES = "rounds the widths of its gates up to multiples of 8"
WIDER = f"has groups twice as wide; {D}"
SENETS = {
    **{f"seresnet{n}": Near(f"se_resnet{n}", GATES) for n in (18, 34)},
    **{
        f"legacy_seresnet{n}": Near(f"se_resnet{n}", "has a second ReLU, in front of the gate")
        for n in (18, 34)
    },
    **{f"seresnext{n}_32x4d": Near(f"se_resnext{n}_32x4d", UNPADDED) for n in (50, 101)},
    "seresnext101_32x8d": Near("se_resnext101_32x4d", f"has groups twice as wide and {UNPADDED}"),
    "seresnext101_64x4d": Near("se_resnext101_32x4d", f"has 64 groups and {UNPADDED}"),
    "seresnext101d_32x8d": Near("se_resnext101_32x4d", WIDER),
    "legacy_seresnext26_32x4d": Near("se_resnext50_32x4d", "has two units a stage"),
    "seresnext26d_32x4d": Near("se_resnext50_32x4d", f"has two units a stage, {D}"),
    "seresnext26t_32x4d": Near("se_resnext50_32x4d", f"has two units a stage, {TIERED}"),
    "seresnext26ts": Near("se_resnext50_32x4d", "has two units a stage and SiLU for ReLU"),
    "seresnet33ts": Near("se_resnet50_v15", "has SiLU for ReLU, other widths and depths"),
    "seresnet50t": Near("se_resnet50_v15", TIERED),
    "seresnet152d": Near("se_resnet152_v15", D),
    "seresnet200d": Near("se_resnet152_v15", f"has 24 units in the second stage, {D}"),
    "seresnet269d": Near("se_resnet152_v15", f"has 3, 30, 48 and 8 units, {D}"),
    "seresnetaa50d": Near("se_resnet50_v15", f"strides by average pools and {D}"),
    "seresnextaa101d_32x8d": Near("se_resnext101_32x4d", f"strides by average pools and {WIDER}"),
    "seresnextaa201d_32x8d": Near(
        "se_resnext101_32x4d", f"is deeper, strides by average pools and {WIDER}"
    ),
    "senet154": Near("senet154", UNPADDED),
}
OTHERS = {
    "nasnetalarge": Near(
        "nasnet_a_6_4032", "counts the zeros of SAME padding in its averages of stride 2"
    ),
    "skresnet50": Near("sknet50", "parts the channels between its two kernels, without groups"),
    "skresnet50d": Near("sknet50", f"parts the channels between its two kernels and {D}"),
    **all_near(
        "skresnet18 skresnet34",
        "sknet26",
        "has units of two convolutions and parts the channels between its two kernels",
    ),
    "dla60x_c": Near("dla60x", "is narrower"),
    "dpn48b": Near("dpn68b", "has six units in the third stage and swish for ReLU"),
    "densenet264d": Near("densenet264_k48_checkpointed", DEEP),
    "densenetblur121d": Near("densenet121", f"blurs before it strides and {DEEP}"),
    **all_near(
        "xception41 xception41p xception65 xception65p xception71",
        "xception",
        "is DeepLab's aligned form: strided separable convolutions for max pools, other depths",
    ),
    **all_near("mobilenetv1_100", "mobilenet_v1", "has ReLU6 for ReLU"),
    "mobilenetv1_100h": Near("mobilenet_v1", "has ReLU6 for ReLU and one more 1x1 layer"),
    "mobilenetv1_125": Near("mobilenet_v1", "is 1.25 times as wide and has ReLU6 for ReLU"),
    "mobilenetv2_110d": Near("mobilenet_v2", "is 1.1 times as wide, 1.2 times as deep"),
    "mobilenetv2_120d": Near("mobilenet_v2_x1_3", "is 1.2 times as wide, 1.4 times as deep"),
}
OVERLAPPING = "starts with two overlapping convolutions, is narrower and shallower"
CONVNEXTS = {
    **all_near(
        "convnext_atto convnext_femto convnext_pico convnext_nano",
        "convnext_tiny",
        "is narrower and shallower",
    ),
    **all_near(
        "convnext_atto_ols convnext_femto_ols convnext_pico_ols convnext_nano_ols",
        "convnext_tiny",
        OVERLAPPING,
    ),
    **all_near(
        "convnext_zepto_rms convnext_atto_rms",
        "convnext_tiny",
        "has RMS norm for layer norm, is narrower and shallower",
    ),
    "convnext_zepto_rms_ols": Near("convnext_tiny", f"has RMS norm for layer norm, {OVERLAPPING}"),
    "convnext_tiny_hnf": Near("convnext_tiny", "norms the last maps before it averages them"),
    "convnext_large_mlp": Near("convnext_large", "has a hidden layer before the classifier"),
    "convnext_xxlarge": Near("convnext_xlarge", "is wider and deeper, with epsilon 1e-5"),
    **{
        f"convnextv2_{size}": Near(ours, "has a global response norm in place of layer scale")
        for size, ours in (
            ("tiny", "convnext_tiny"),
            ("small", "convnext_small"),
            ("base", "convnext_base"),
            ("large", "convnext_large"),
        )
    },
    **all_near(
        "convnextv2_atto convnextv2_femto convnextv2_pico convnextv2_nano",
        "convnext_tiny",
        "has a global response norm in place of layer scale, is narrower and shallower",
    ),
    "convnextv2_huge": Near(
        "convnext_xlarge", "has a global response norm in place of layer scale and is wider"
    ),
}
V3 = {
    "large_075": "large_x0_75",
    "large_100": "large",
    "small_050": "small_x0_5",
    "small_075": "small_x0_75",
    "small_100": "small",
}
SAME = "pads as TensorFlow does; equal for sides of 32k + 1 pixels"
MOBILENETS_V3 = {
    **{
        f"mobilenetv3_{theirs}": Near(
            f"mobilenet_v3_{ours}", "has epsilon 1e-5 in its norms, not the release's 1e-3"
        )
        for theirs, ours in V3.items()
    },
    **{
        f"tf_mobilenetv3_{theirs}": Near(f"mobilenet_v3_{ours}", SAME)
        for theirs, ours in V3.items()
        if theirs != "small_050"
    },
    **{
        f"tf_mobilenetv3_{form}_minimal_100": Near(f"mobilenet_v3_{form}_minimalistic", SAME)
        for form in ("large", "small")
    },
    "mobilenetv3_large_150d": Near("mobilenet_v3_large_x1_25", "is 1.5 times as wide, and deeper"),
    "mobilenetv3_rw": Near(
        "mobilenet_v3_large",
        "has no shortcut in the first block, gates that are not rounded, no bias in the head",
    ),
}
WIDER_Y = "is wider, and of a later paper"
REGNETS = {
    **all_near("regnety_640 regnety_1280 regnety_2560", "regnety_32gf", WIDER_Y),
    "regnety_040_sgn": Near("regnety_4gf", "has group norms and SiLU for ReLU"),
}
LITE = "has no gates, ReLU6 for Swish, and first and last layers that do not grow"
EFFICIENTNETS = {
    **{
        f"efficientnet_b{n}": Near(
            f"efficientnet_b{n}_torchvision", "has epsilon 1e-5 in its norms, not 1e-3"
        )
        for n in (5, 6, 7)
    },
    **{
        f"efficientnetv2_{size}": Near(
            f"efficientnet_v2_{size}_torchvision", "has epsilon 1e-5 in its norms, not 1e-3"
        )
        for size in "sml"
    },
    "efficientnetv2_xl": Near("efficientnet_v2_xl", "pads evenly, with epsilon 1e-5 in its norms"),
    **all_near(
        "efficientnet_b8 tf_efficientnet_b8 efficientnet_l2 tf_efficientnet_l2",
        "efficientnet_b7",
        "is wider and deeper",
    ),
    **{f"efficientnet_lite{n}": Near(f"efficientnet_b{n}_torchvision", LITE) for n in range(5)},
    **{f"tf_efficientnet_lite{n}": Near(f"efficientnet_b{n}", LITE) for n in range(5)},
    **{
        f"efficientnet_b{n}_pruned": Near(f"efficientnet_b{n}", "has lost channels by pruning")
        for n in (1, 2, 3)
    },
    **all_near(
        "efficientnet_b0_gn efficientnet_b0_g8_gn efficientnet_b0_g16_evos",
        "efficientnet_b0_torchvision",
        "has other norms or groups",
    ),
    **all_near(
        "efficientnet_b3_gn efficientnet_b3_g8_gn",
        "efficientnet_b3_torchvision",
        "has group norm for batch norm, and widths in steps of 16",
    ),
    "efficientnet_blur_b0": Near("efficientnet_b0_torchvision", "blurs before it strides"),
}

TIMM: Mapping[str, Near] = {
    **RESNETS,
    **RESNETS_V2,
    **RESNEXTS,
    **SENETS,
    **OTHERS,
    **CONVNEXTS,
    **MOBILENETS_V3,
    **EFFICIENTNETS,
    **REGNETS,
}
