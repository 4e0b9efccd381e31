"""MMLab's classifiers (github.com/open-mmlab/mmpretrain, formerly mmclassification) that have the
graph of one of our networks, by the names of its configurations.
"""

from convatlas.weights.efficientnets import MMLAB_TWINS
from convatlas.weights.names import Convolved, Rules, Table, Twin, counted, moved
from convatlas.weights.timm import RES2NET_D
from convatlas.weights.torchvision import ALEXNET, RESNET, VGG_CONVOLUTIONS

PARTS: Rules = ((r"^fc\.", "head.fc."), (r"^(?!head\.)", "backbone."))
BACKBONE: Rules = ((r"^", "backbone."),)  # where the classifier is in it, too
SE_RESNET = (*RESNET, (r"\.branch\.se\.w(\d)\.", r".se_layer.conv\1.conv."))
GATE = (Convolved(r"\.se_layer\.conv\d\.conv\.weight$", 1),)
RES2NET: Rules = (
    *RES2NET_D,
    *moved({f"conv1.{3 * i}": f"stem.{i}.conv" for i in range(3)}),
    *moved({"conv1.1": "stem.0.bn", "conv1.4": "stem.1.bn", "bn1": "stem.2.bn"}),
)
MOBILENET_V2: Rules = (
    (r"^conv1\.conv\.", "conv1."),
    (r"^bottleneck(\d)\.(\d+)\.layers\.", r"layer\1.\2.conv."),
    (r"^conv9\.conv\.", "conv2."),
    (r"^(layer1\.0\.conv)\.depthwise\.", r"\1.0."),  # it has no expansion
    (r"^(layer1\.0\.conv)\.project\.", r"\1.1."),
    (r"\.expand\.", ".0."),
    (r"\.depthwise\.", ".1."),
    (r"\.project\.", ".2."),
)
DENSENET: Rules = (
    (r"^convolution\.conv\.conv\.", "stem.0."),
    (r"^convolution\.conv\.bn\.", "stem.1."),
    (
        r"^dense_block(\d)\.layer(\d+)\.conv(\d)\.conv\.",
        lambda m: f"stages.{int(m[1]) - 1}.block.{int(m[2]) - 1}.conv{m[3]}.",
    ),
    (
        r"^dense_block(\d)\.layer(\d+)\.conv(\d)\.bn\.",
        lambda m: f"stages.{int(m[1]) - 1}.block.{int(m[2]) - 1}.norm{m[3]}.",
    ),
    (r"^transition(\d)\.conv\.conv\.", counted("transitions.{}.conv.", -1)),
    (r"^transition(\d)\.conv\.bn\.", counted("transitions.{}.norm.", -1)),
    (r"^activation\.bn\.", "transitions.3.0."),
)


def vgg(counts: tuple[int, ...]) -> Rules:
    """One list of all convolutions, with their norm and ReLU, and of all pools."""
    places = [
        (block, i, sum(counts[: block - 1]) + block - 1 + i - 1)
        for block, count in enumerate(counts, start=1)
        for i in range(1, count + 1)
    ]
    return (
        *((rf"^conv{block}\.conv{block}_{i}\.", f"features.{at}.") for block, i, at in places),
        (r"^fc6\.fc\.", "classifier.0."),
        (r"^fc7\.fc\.", "classifier.3."),
        (r"^fc8\.", "classifier.6."),
        *BACKBONE,
    )


TWINS: Table = {
    "alexnet": Twin("alexnet_owt", ALEXNET + BACKBONE),
    **{f"vgg{n}": Twin(f"vgg{n}", vgg(counts)) for n, counts in VGG_CONVOLUTIONS.items()},
    **{f"vgg{n}bn": Twin(f"vgg{n}_bn", vgg(counts)) for n, counts in VGG_CONVOLUTIONS.items()},
    **{f"resnet{n}": Twin(f"resnet{n}", RESNET + PARTS) for n in (18, 34)},
    **{f"resnet{n}": Twin(f"resnet{n}_v15", RESNET + PARTS) for n in (50, 101, 152)},
    **{f"resnet{n}_caffe": Twin(f"resnet{n}", RESNET + PARTS) for n in (50, 101, 152)},
    **{
        f"resnext{n}-32x{w}d": Twin(f"resnext{n}_32x{w}d", RESNET + PARTS)
        for n, w in ((50, 4), (101, 4), (101, 8))
    },
    **{f"seresnet{n}": Twin(f"se_resnet{n}_v15", SE_RESNET + PARTS, GATE) for n in (50, 101)},
    "res2net50-w26-s4": Twin("res2net50_v1b_26w4s", RES2NET + PARTS),
    "res2net101-w26-s4": Twin("res2net101_v1b_26w4s", RES2NET + PARTS),
    **{f"densenet{n}": Twin(f"densenet{n}", DENSENET + PARTS) for n in (121, 161, 169, 201)},
    "mobilenet-v2": Twin("mobilenet_v2", MOBILENET_V2 + PARTS),
    **MMLAB_TWINS,
}
