"""torchvision's names: every classification model of it whose graph is one of ours, under our
honest name for it.
"""

from convatlas.weights.names import Ones, Rules, Table, Twin, counted, moved

ALEXNET = (
    *moved(
        {
            "conv1": "features.0",
            "conv2": "features.3",
            "conv3": "features.6",
            "conv4": "features.8",
            "conv5": "features.10",
        },
        r"\.conv",
    ),
    *moved({"fc6": "classifier.1", "fc7": "classifier.4"}, r"\.fc"),
    *moved({"fc8": "classifier.6"}),
)

STEM: Rules = ((r"^conv1\.conv\.conv\.", "conv1."), (r"^conv1\.conv\.bn\.", "bn1."))
STAGES: Rules = ((r"^conv(\d)_x\.", counted("layer{}.", -1)),)
UNITS: Rules = (
    (r"\.branch\.conv(\d)\.conv\.", r".conv\1."),
    (r"\.branch\.conv(\d)\.bn\.", r".bn\1."),
)
SHORTCUT: Rules = (
    (r"\.shortcut\.conv\.", ".downsample.0."),
    (r"\.shortcut\.bn\.", ".downsample.1."),
)
RESNET = STEM + STAGES + UNITS + SHORTCUT

DENSENET = (
    (r"^convolution\.conv\.conv\.", "features.conv0."),
    (r"^convolution\.conv\.bn\.", "features.norm0."),
    (
        r"^dense_block(\d)\.layer(\d+)\.conv(\d)\.conv\.",
        r"features.denseblock\1.denselayer\2.conv\3.",
    ),
    (
        r"^dense_block(\d)\.layer(\d+)\.conv(\d)\.bn\.",
        r"features.denseblock\1.denselayer\2.norm\3.",
    ),
    (r"^transition(\d)\.conv\.conv\.", r"features.transition\1.conv."),
    (r"^transition(\d)\.conv\.bn\.", r"features.transition\1.norm."),
    (r"^activation\.bn\.", "features.norm5."),
    (r"^fc\.", "classifier."),
)

GOOGLENET = (
    (r"^conv2\.reduce\.", "conv2."),
    (r"^conv2\.conv\.(conv|bn)\.", r"conv3.\1."),
    *moved({"aux_4a": "aux1", "aux_4d": "aux2"}),
    (r"^(aux\d\.fc1)\.fc\.", r"\1."),
    (r"^inception_", "inception"),
    (r"\.1x1\.", ".branch1."),
    (r"\.pool\.proj\.", ".branch4.1."),
    (r"\.3x3\.reduce\.", ".branch2.0."),
    (r"\.3x3\.conv\.(conv|bn)\.", r".branch2.1.\1."),
    (r"\.5x5\.reduce\.", ".branch3.0."),
    (r"\.5x5\.conv\.(conv|bn)\.", r".branch3.1.\1."),
)

INCEPTION_V3 = (
    (r"^conv_(1a|2a|2b|4a)\.", r"Conv2d_\1_3x3."),
    (r"^conv_3b\.", "Conv2d_3b_1x1."),
    (r"^mixed_", "Mixed_"),
    (r"\.pool\.conv1\.", ".branch_pool."),
    (r"\.1x1\.conv1\.", ".branch1x1."),
    (r"^Mixed_6a\.3x3\.conv1\.", "Mixed_6a.branch3x3."),
    (r"^Mixed_7a\.7x7\.", "Mixed_7a.7x7x3."),
    (r"\.double_3x3\.split\.1x3\.", ".branch3x3dbl_3a."),
    (r"\.double_3x3\.split\.3x1\.", ".branch3x3dbl_3b."),
    (r"\.3x3\.split\.1x3\.", ".branch3x3_2a."),
    (r"\.3x3\.split\.3x1\.", ".branch3x3_2b."),
    (r"\.stack\.", "."),
    (r"\.double_(\dx\d)\.conv(\d)\.", r".branch\1dbl_\2."),
    (r"\.(\dx\d(?:x3)?)\.conv(\d)\.", r".branch\1_\2."),
)
INCEPTION_V3_HEAD: Rules = (
    (r"^aux\.convs\.conv(\d)\.", counted("AuxLogits.conv{}.", -1)),
    (r"^aux\.fc\.", "AuxLogits.fc."),
)

SHUFFLENET_V2 = (
    (r"^Stage", "stage"),
    (r"^Conv(\d)\.conv\.", r"conv\1."),
    (r"^FC\.", "fc."),
    (r"\.shortcut\.dwconv\.", ".branch1.0+"),
    (r"\.shortcut\.conv\.", ".branch1.2+"),
    (r"\.main\.conv1\.", ".branch2.0+"),
    (r"\.main\.dwconv\.", ".branch2.3+"),
    (r"\.main\.conv2\.", ".branch2.5+"),
    (r"(\d)\+conv\.", counted("{}.", 0)),
    (r"(\d)\+bn\.", counted("{}.", 1)),
    (r"^(conv\d)\.conv\.", r"\1.0."),
    (r"^(conv\d)\.bn\.", r"\1.1."),
)

CONV_BN = (
    (r"\.conv\.(?=\w+$)", ".0."),
    (r"\.bn\.(?=\w+$)", ".1."),
)  # torchvision's Conv2dNormActivation

MOBILENET_V2 = (
    (r"^fc\.", "classifier.1."),
    (r"^conv1\.conv\.", "features.0."),
    (r"^conv9\.conv\.", "features.18."),
    *(
        (rf"^bottleneck{block}\.(\d)\.layers\.", counted("features.{}.conv.", first))
        for block, first in enumerate((1, 2, 4, 7, 11, 14, 17), start=1)
    ),
    (r"(\.1\.conv)\.depthwise\.", r"\1.0."),
    (r"(\.1\.conv)\.project\.conv\.", r"\1.1."),
    (r"(\.1\.conv)\.project\.bn\.", r"\1.2."),
    (r"\.project\.conv\.", ".2."),
    (r"\.project\.bn\.", ".3."),
    (r"\.expand\.", ".0."),
    (r"\.depthwise\.", ".1."),
    *CONV_BN,
)

MNASNET = (
    (r"^conv1\.conv\.conv\.", "layers.0."),
    (r"^conv1\.conv\.bn\.", "layers.1."),
    (r"^block1\.0\.", ""),
    (r"^block(\d)\.", counted("layers.{}.", 6)),
    (r"layers\.expand\.conv\.", "layers.0."),
    (r"layers\.expand\.bn\.", "layers.1."),
    (r"layers\.depthwise\.conv\.", "layers.3."),
    (r"layers\.depthwise\.bn\.", "layers.4."),
    (r"layers\.project\.conv\.", "layers.6."),
    (r"layers\.project\.bn\.", "layers.7."),
    (r"^conv2\.conv\.conv\.", "layers.14."),
    (r"^conv2\.conv\.bn\.", "layers.15."),
    (r"^fc\.", "classifier.1."),
)

SE = ((r"\.se\.squeeze\.", ".se.fc1."), (r"\.se\.excite\.", ".se.fc2."))
EFFICIENTNET = (
    (r"^fc\.", "classifier.1."),
    (r"^stage([19])\.conv\.", counted("features.{}.", -1)),
    (r"^stage2\.(\d+)\.layers\.depthwise\.", r"features.1.\1.block.0."),
    (r"^stage2\.(\d+)\.layers\.se\.", r"features.1.\1.block.1.se."),
    (r"^stage2\.(\d+)\.layers\.project\.", r"features.1.\1.block.2."),
    (r"^stage(\d)\.(\d+)\.layers\.", counted("features.{}.{}.block.", -1)),
    *SE,
    (r"\.block\.se\.", ".block.2."),
    (r"\.block\.1\.se\.", ".block.1."),
    (r"\.expand\.", ".0."),
    (r"\.depthwise\.", ".1."),
    (r"\.project\.", ".3."),
    *CONV_BN,
)
EFFICIENTNET_V2 = (
    (r"^fc\.", "classifier.1."),
    (r"^stage(\d)\.conv\.", r"features.\1."),
    (r"^stage1\.(\d+)\.layers\.project\.", r"features.1.\1.block.0."),
    (r"^stage([23])\.(\d+)\.layers\.project\.", r"features.\1.\2.block.1."),
    (r"^stage(\d)\.(\d+)\.layers\.", r"features.\1.\2.block."),
    *SE,
    (r"\.block\.se\.", ".block.2."),
    (r"\.expand\.", ".0."),
    (r"\.depthwise\.", ".1."),
    (r"\.project\.", ".3."),
    *CONV_BN,
)

REGNETX = (
    (r"^stem\.conv\.", "stem."),
    (r"^stage(\d)\.(\d+)\.", r"trunk_output.block\1.block\1-\2."),
    (r"\.shortcut\.", ".proj."),
    (r"\.branch\.conv1\.", ".f.a."),
    (r"\.branch\.conv2\.", ".f.b."),
    (r"\.branch\.conv3\.", ".f.c."),
    *CONV_BN,
)
REGNETY = (*SE, (r"\.branch\.se\.", ".f.se."), *REGNETX)
REGNETS = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")  # X and Y
WIDENED = ("x_400mf", "y_800mf", "y_8gf")  # in torchvision wider than printed


CONVNEXT: Rules = (
    (r"^stem\.conv\.", "features.0.0."),
    (r"^stem\.norm\.", "features.0.1."),
    (r"^norm\.", "classifier.0."),
    (r"^fc\.", "classifier.2."),
    (r"^res(\d)\.block(\d+)\.", lambda m: f"features.{2 * int(m[1]) - 3}.{int(m[2]) - 1}."),
    (r"^res(\d)\.downsample\.norm\.", lambda m: f"features.{2 * int(m[1]) - 4}.0."),
    (r"^res(\d)\.downsample\.conv\.", lambda m: f"features.{2 * int(m[1]) - 4}.1."),
    (r"\.branch\.depthwise\.", ".block.0."),
    (r"\.branch\.norm\.", ".block.2."),
    (r"\.branch\.expand\.", ".block.3."),
    (r"\.branch\.project\.", ".block.5."),
    (r"\.branch\.scale\.weight$", ".layer_scale"),
)
CONVNEXT_ONES = (Ones(r"\.block\.[35]\.weight$", -2), Ones(r"\.layer_scale$", 2))


def vgg_features(convolutions: tuple[int, ...], batch_norm: bool) -> Rules:
    """One flat list there: each convolution with its ReLU (and batch norm) and each pool takes
    places of it.
    """
    rules, place = [], 0
    for block, count in enumerate(convolutions, start=1):
        for i in range(1, count + 1):
            here = rf"^conv{block}\.conv{block}_{i}"
            rules.append((rf"{here}\.conv\.", f"features.{place}."))
            if batch_norm:
                rules.append((rf"{here}\.bn\.", f"features.{place + 1}."))
            place += 3 if batch_norm else 2
        place += 1
    return tuple(rules)


def squeezenet(places: tuple[int, ...]) -> Rules:
    """Where fire2 ... fire9 stand in `features`."""
    fires = {f"fire{i}": f"features.{place}" for i, place in enumerate(places, start=2)}
    return (
        *moved(fires),
        *moved({"conv1": "features.0", "conv10": "classifier.1"}),
        (r"\.conv\.", "."),
    )


def mobilenet_v3(units: int, gated: tuple[int, ...]) -> Rules:
    """`gated` are the units with squeeze-and-excitation, whose gate comes third; unit 1 does not
    expand.
    """
    first = ("depthwise", *(["se"] if 1 in gated else []), "project")
    rules = [
        (rf"^bneck1\.layers\.{word}\.", f"features.1.block.{i}.{'se.' if word == 'se' else ''}")
        for i, word in enumerate(first)
    ]
    rules += [
        (rf"^bneck{unit}\.layers\.project\.", f"features.{unit}.block.3.")
        for unit in gated
        if unit > 1
    ]
    return (
        *rules,
        (r"^bneck(\d+)\.layers\.", r"features.\1.block."),
        *SE,
        (r"\.block\.(1\.)?se\.", lambda match: f".block.{match[1] or '2.'}"),
        (r"\.expand\.", ".0."),
        (r"\.depthwise\.", ".1."),
        (r"\.project\.", ".2."),
        (r"^conv1\.conv\.", "features.0."),
        (r"^conv2\.conv\.", f"features.{units + 1}."),
        (r"^nbn\.fc\.", "classifier.0."),
        (r"^fc\.", "classifier.3."),
        *CONV_BN,
    )


# Published DenseNets still say norm.1, from a time when a name could hold a dot.
OLDER: Rules = ((r"^(features\.denseblock\d\.denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2"),)

VGG_CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
VGG_HEAD = (
    *moved({"fc6": "classifier.0", "fc7": "classifier.3"}, r"\.fc"),
    *moved({"fc8": "classifier.6"}),
)

# Their builders set transform_input=True with published weights: the module takes an image that is
# standardised as ImageNet's are, and standardises it anew as TensorFlow did. Our network has no
# such step in front, and no first convolution that pads its input could stand for it, so it must be
# given (x - 0.5) / 0.5 of pixels x from 0 to 1.
RENORMALISED = ("googlenet", "inception_v3")

TWINS: Table = {
    "alexnet": Twin("alexnet_owt", ALEXNET),
    **{
        f"vgg{n}{bn}": Twin(f"vgg{n}{bn}", vgg_features(counts, bool(bn)) + VGG_HEAD)
        for n, counts in VGG_CONVOLUTIONS.items()
        for bn in ("", "_bn")
    },
    "googlenet": Twin("googlenet_torchvision", GOOGLENET),
    "inception_v3": Twin("inception_v3", INCEPTION_V3_HEAD + INCEPTION_V3),
    **{f"resnet{n}": Twin(f"resnet{n}", RESNET) for n in (18, 34)},
    **{f"resnet{n}": Twin(f"resnet{n}_v15", RESNET) for n in (50, 101, 152)},
    **{
        name: Twin(name, RESNET)
        for name in ("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d")
    },
    **{name: Twin(name, RESNET) for name in ("wide_resnet50_2", "wide_resnet101_2")},
    "squeezenet1_0": Twin("squeezenet1_0", squeezenet((3, 4, 5, 7, 8, 9, 10, 12))),
    "squeezenet1_1": Twin("squeezenet1_1", squeezenet((3, 4, 6, 7, 9, 10, 11, 12))),
    **{f"densenet{n}": Twin(f"densenet{n}", DENSENET) for n in (121, 161, 169, 201)},
    "mobilenet_v2": Twin("mobilenet_v2", MOBILENET_V2),
    **{
        f"mnasnet{width}": Twin(f"mnasnet_b1{ours}", MNASNET)
        for width, ours in {
            "0_5": "_x0_5",
            "0_75": "_x0_75",
            "1_0": "",
            "1_3": "_x1_3",
        }.items()
    },
    "mobilenet_v3_large": Twin(
        "mobilenet_v3_large", mobilenet_v3(15, gated=(4, 5, 6, 11, 12, 13, 14, 15))
    ),
    "mobilenet_v3_small": Twin(
        "mobilenet_v3_small", mobilenet_v3(11, gated=(1, 4, 5, 6, 7, 8, 9, 10, 11))
    ),
    **{
        f"shufflenet_v2_{width}": Twin(
            f"shufflenet_v2_torchvision{'' if width == 'x1_0' else '_' + width}", SHUFFLENET_V2
        )
        for width in ("x0_5", "x1_0", "x1_5", "x2_0")
    },
    **{
        f"efficientnet_b{n}": Twin(f"efficientnet_b{n}_torchvision", EFFICIENTNET) for n in range(8)
    },
    **{
        f"convnext_{size}": Twin(f"convnext_{size}", CONVNEXT, ones=CONVNEXT_ONES)
        for size in ("tiny", "small", "base", "large")
    },
    **{
        f"efficientnet_v2_{size}": Twin(f"efficientnet_v2_{size}_torchvision", EFFICIENTNET_V2)
        for size in "sml"
    },
    **{
        f"regnet_{family}_{n}": Twin(
            f"regnet{family}_{n}{'_torchvision' if f'{family}_{n}' in WIDENED else ''}",
            rules,
        )
        for family, rules in (("x", REGNETX), ("y", REGNETY))
        for n in REGNETS
    },
}
