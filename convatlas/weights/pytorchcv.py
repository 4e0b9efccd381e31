"""pytorchcv (github.com/osmr/imgclsmob): the models of it whose graph is one of ours."""

import re
from collections.abc import Callable

from convatlas.weights.efficientnets import PYTORCHCV_TWINS
from convatlas.weights.names import Convolved, Rules, Table, Twin, counted, moved

HEAD: Rules = ((r"^fc\.", "output."),)


def unit(by: int) -> Callable[[re.Match], str]:
    """Stage and unit, ours counting from other numbers: conv2_x.0 -> stage1.unit1."""
    return lambda match: f"features.stage{int(match[1]) + by}.unit{int(match[2]) + 1}."


def in_stages(prefix: str, first: int, counts: tuple[int, ...]) -> Rules:
    """Layers that are numbered through here (fire2, fire3, ...) in stages of so many units."""
    places = [(stage, i) for stage, count in enumerate(counts, 1) for i in range(1, count + 1)]
    return moved(
        {
            f"{prefix}{number}": f"features.stage{stage}.unit{i}"
            for number, (stage, i) in enumerate(places, start=first)
        }
    )


RESNET: Rules = (
    (r"^conv1\.conv\.", "features.init_block.conv."),
    (r"^conv(\d)_x\.(\d+)\.", unit(-1)),
    (r"\.branch\.se\.w(\d)\.", r".se.conv\1."),
    (r"\.branch\.", ".body."),
    (r"\.shortcut\.", ".identity_conv."),
    *HEAD,
)
VGG: Rules = (
    (r"^conv(\d)\.conv\d_(\d)\.", r"features.stage\1.unit\2."),
    *moved({"fc6": "output.fc1", "fc7": "output.fc2", "fc8": "output.fc3"}),
)
ALEXNET: Rules = (
    *moved({"conv1": "features.stage1.unit1", "conv2": "features.stage2.unit1"}),
    (r"^conv(\d)\.", counted("features.stage3.unit{}.", -2)),
    *moved({"fc6": "output.fc1", "fc7": "output.fc2", "fc8": "output.fc3"}),
)
DENSENET: Rules = (
    (r"^convolution\.conv\.", "features.init_block."),
    (r"^convolution\.", "features.init_block."),
    (r"^dense_block(\d)\.layer(\d+)\.", r"features.stage\1.unit\2."),
    (r"^transition(\d)\.", lambda m: "features.stage{0}.trans{0}.".format(int(m[1]) + 1)),
    (r"^activation\.", "features.post_activ."),
    *HEAD,
)
MOBILENET_V1: Rules = (
    (r"^conv1\.conv\.", "features.init_block."),
    *in_stages("conv", 2, (1, 2, 2, 6, 2)),
    (r"\.(dw|pw)\.", r".\1_conv."),
    *HEAD,
)


def mnasnet(fourth: int) -> Rules:
    """`fourth` is how many layers our fourth block has; the fifth follows in its stage there."""
    return (
        *moved({"conv1": "features.init_block.conv1"}, r"\.conv"),
        (r"^block1\.0\.", "features.init_block.conv2."),
        (r"^block(2|3|4)\.(\d)\.", unit(-1)),
        (r"^block5\.(\d)\.", counted("features.stage3.unit{}.", 1 + fourth)),
        (r"^block(6)\.(\d)\.", unit(-2)),
        (r"^block7\.0\.", "features.final_block.conv1."),
        *moved({"conv2": "features.final_block.conv2"}, r"\.conv"),
        (r"\.layers\.expand\.", ".exp_conv."),
        (r"\.layers\.depthwise\.", ".dw_conv."),
        (r"\.layers\.project\.", ".pw_conv."),
        (r"\.layers\.se\.squeeze\.", ".se.conv1."),
        (r"\.layers\.se\.excite\.", ".se.conv2."),
        *HEAD,
    )


def squeezenet(counts: tuple[int, ...]) -> Rules:
    return (
        *moved({"conv1": "features.init_block"}),
        *in_stages("fire", 2, counts),
        *moved({"conv10": "output.final"}),
        (r"^output\.final\.conv\.", "output.final_conv."),
    )


GATE = (Convolved(r"\.se\.conv\d\.weight$", 1),)
TWINS: Table = {
    "alexnetb": Twin("alexnet_owt", ALEXNET),
    **{f"vgg{n}": Twin(f"vgg{n}", VGG) for n in (11, 13, 16, 19)},
    **{f"bn_vgg{n}b": Twin(f"vgg{n}_bn", VGG) for n in (11, 13, 16, 19)},
    **{f"resnet{n}": Twin(f"resnet{n}", RESNET) for n in (18, 34, 50, 101, 152)},
    **{f"resnet{n}b": Twin(f"resnet{n}_v15", RESNET) for n in (50, 101, 152)},
    **{
        name: Twin(name, RESNET)
        for name in ("resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d")
    },
    **{f"seresnet{n}b": Twin(f"se_resnet{n}_v15", RESNET, GATE) for n in (50, 101, 152)},
    **{f"densenet{n}": Twin(f"densenet{n}", DENSENET) for n in (121, 161, 169, 201)},
    **{
        f"densenet{depth}_k{k}_bc_cifar10": Twin(f"densenet_bc{depth}_k{k}_cifar", DENSENET)
        for depth, k in ((100, 12), (190, 40), (250, 24))
    },
    "squeezenet_v1_0": Twin("squeezenet1_0", squeezenet((3, 4, 1))),
    "squeezenet_v1_1": Twin("squeezenet1_1", squeezenet((2, 2, 4))),
    **{
        f"mobilenet_w{width}": Twin(f"mobilenet_v1{ours}", MOBILENET_V1)
        for width, ours in {"1": "", "3d4": "_x0_75", "d2": "_x0_5", "d4": "_x0_25"}.items()
    },
    "mnasnet_a1": Twin("mnasnet_a1", mnasnet(4)),
    "mnasnet_b1": Twin("mnasnet_b1", mnasnet(3)),
    "mnasnet_small": Twin("mnasnet_small_timm", mnasnet(4)),
    **PYTORCHCV_TWINS,
}
