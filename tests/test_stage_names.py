"""The points where a network can be read: names, order and sizes of its stages, and its layer for
activation maps.

Typed from the papers' tables and figures (or, where no paper is, from the code that a network
stands for), not read from our code. A row reads "name side, name side, ...": sides in pixels at the
printed input; in brackets the layer that class activation maps read where it is not the last stage.
A new file in nets/ needs no row: the sizes that its paper prints are claims, and test_nets.py holds
the stages of every network to the order in which they run.
"""

from math import ceil

import pytest
import torch

import convatlas
from convatlas.registry import create_model, entries

RESNET = "conv1 112, conv2_x 56, conv3_x 28, conv4_x 14, conv5_x 7"
CIFAR = "conv1 32, stage1 32, stage2 16, stage3 8"
SQUEEZENET = "conv1 111, fire4 55, fire8 27, fire9 13"
MOBILENET_V1 = (
    "conv1 112, conv2 112, conv3 56, conv4 56, conv5 28, conv6 28, conv7 14, conv8 14, conv9 14, "
    "conv10 14, conv11 14, conv12 14, conv13 7, conv14 7"
)
LARGE = (
    "conv1 112, bneck1 112, bneck2 56, bneck3 56, bneck4 28, bneck5 28, bneck6 28, bneck7 14, "
    "bneck8 14, bneck9 14, bneck10 14, bneck11 14, bneck12 14, bneck13 7, bneck14 7, bneck15 7, "
    "conv2 7"
)
SMALL = (
    "conv1 112, bneck1 56, bneck2 28, bneck3 28, bneck4 14, bneck5 14, bneck6 14, bneck7 14, "
    "bneck8 14, bneck9 7, bneck10 7, bneck11 7, conv2 7"
)
BN_INCEPTION = "conv1 112, conv2 56, inception_3b 28, inception_4d 14, inception_5b 7"
GOOGLENET = "conv1 112, conv2 56, inception_3b 28, inception_4e 14, inception_5b 7"
INCEPTION_RESNET = (
    "stem 35, inception_resnet_a 35, reduction_a 17, inception_resnet_b 17, reduction_b 8, "
    "inception_resnet_c 8"
)
DENSENET = (
    "convolution 112, dense_block1 56, dense_block2 28, dense_block3 14, dense_block4 "
    "7 [activation]"
)
DENSENET_CIFAR = "convolution 32, dense_block1 32, dense_block2 16, dense_block3 8 [activation]"
SHUFFLENET_V2 = "Conv1 112, MaxPool 56, Stage2 28, Stage3 14, Stage4 7, Conv5 7"
TUTORIAL_LENET = "pool1 14, conv2 10, pool2 5 [conv2]"

ALEXNET = "conv1 55, conv2 27, conv3 13, conv4 13, conv5 13, pool5 6 [conv5]"

OF_A_FILE = {
    "alexnet": ALEXNET,  # Sec. 3.5, Figure 2
    "alexnet_owt": ALEXNET,
    "alexnet_tutorial": ALEXNET,
    "vgg": "conv1 224, conv2 112, conv3 56, conv4 28, conv5 14",  # Table 1, between max pools
    "vgg_32": "conv1 32, conv2 16, conv3 8, conv4 4, conv5 2",
    "googlenet": GOOGLENET,
    "googlenet_torchvision": GOOGLENET,  # Table 1, before each pool
    "googlenet_32": "conv1 32, inception_3b 32, inception_4e 16, inception_5b 8",
    "bn_inception": BN_INCEPTION,
    "se_bn_inception": BN_INCEPTION,  # Figure 5: 3c and 4e halve
    "inception_v3": (
        "conv_2b 147, conv_4a 71, mixed_5d 35, mixed_6e 17, mixed_7c 8"
    ),  # the release's names
    "inception_v4": (
        "stem 35, inception_a 35, reduction_a 17, inception_b 17, reduction_b 8, inception_c 8"
    ),  # Figure 9
    "inception_resnet": INCEPTION_RESNET,  # Figure 15
    "xception": (
        "entry_flow.conv2 147, entry_flow.block1 74, entry_flow.block2 37, middle_flow 19, "
        "exit_flow 10"
    ),
    "squeezenet": SQUEEZENET,  # Table 1, before each pool
    "resnet": RESNET,
    "resnet_v15": RESNET,
    "resnext": RESNET,
    "senet": RESNET,
    "se_ablation": RESNET,  # Tables 1
    "sknet": RESNET,
    "res2net": RESNET,
    "resnet_scaled": RESNET,
    "resnet_32": "conv1 32, conv2_x 32, conv3_x 16, conv4_x 8, conv5_x 4",
    "resnet_32_tutorial": "conv1 32, conv2_x 32, conv3_x 16, conv4_x 8, conv5_x 4",
    "googlenet_tutorial": GOOGLENET,
    "shufflenet_v1_tutorial": "conv1 112, maxpool 56, stage2 28, stage3 14, stage4 7",
    "res2net_dla": (
        "base_layer 224, level0 224, level1 112, level2 56, level3 28, level4 14, level5 7"
    ),  # release
    "resnet_cifar": CIFAR,
    "resnext_cifar": CIFAR,
    "se_resnet_cifar": CIFAR,  # Sec. 4.2: 32, 16, 8
    "preresnet": RESNET + " [activation]",
    "preresnet_cifar": CIFAR + " [activation]",  # after the last unit
    "se_preresnet": RESNET + " [activation]",
    "densenet": DENSENET,
    "densenet_cifar": DENSENET_CIFAR,
    "densenet_tutorial": "convolution 112, dense_block1 55, dense_block2 27, dense_block3 13, "
    "dense_block4 6 [activation]",
    "mobilenet_v1": MOBILENET_V1,  # Table 1, pairs of rows
    "mobilenet_v2": "conv1 112, bottleneck1 112, bottleneck2 56, bottleneck3 28, bottleneck4 14, "
    "bottleneck5 14, bottleneck6 7, bottleneck7 7, conv9 7",  # Table 2, rows
    "shufflenet_v1": "Conv1 112, MaxPool 56, Stage2 28, Stage3 14, Stage4 7",  # Table 1
    "shufflenet_v2": SHUFFLENET_V2,  # Table 5
    "shufflenet_v2_torchvision": SHUFFLENET_V2,
}
OF_A_NETWORK = {
    "lenet1989_zip": "H1 8, H2 4",  # Neural Computation, Fig. 3
    "lenet1989": "H1 24, H2 12, H3 8, H4 4 [H3]",  # NIPS, Figure 2
    "lenet5": "C1 28, S2 14, C3 10, S4 5, C5 1 [C3]",  # Figure 2
    "lenet5_tutorial": "conv1 28, " + TUTORIAL_LENET,
    "lenet5_tutorial_32": "conv1 28, " + TUTORIAL_LENET,
    "lenet5_tutorial_max": "conv1 30, pool1 15, conv2 11, pool2 5 [conv2]",
    "alexnet_tutorial_padding1": "conv1 54, conv2 26, conv3 12, conv4 12, conv5 12, pool5 5 "
    "[conv5]",
    "senet18_32_tutorial": "conv1 32, conv2_x 32, conv3_x 16, conv4_x 8, conv5_x 4",
    "senet18_tutorial": "conv1 224, conv2_x 224, conv3_x 112, conv4_x 56, conv5_x 28",
    "mobilenet_v3_large_tutorial": LARGE.replace("bneck13 7", "bneck13 14"),
    "mobilenet_v3_small_tutorial": SMALL,
    "resnet50_compound": "conv1 150, conv2_x 75, conv3_x 38, conv4_x 19, conv5_x 10",
    "lenet_caffe": "conv1 24, pool1 12, conv2 8, pool2 4 [conv2]",
    "nin_mnist": "mlpconv1 28, mlpconv2 14, mlpconv3 7",
    "nin_cifar10": "mlpconv1 32, mlpconv2 16, mlpconv3 8",
    "nin_imagenet": "mlpconv1 54, mlpconv2 27, mlpconv3 13, mlpconv4 6",
    "nin_tutorial": "mlpconv1 54, mlpconv2 26, mlpconv3 12, mlpconv4 5",
    "inception_resnet_v2_released": "conv_2b 147, conv_4a 71, repeat 35, repeat_1 17, conv_7b 8",
    "inception_resnet_v2_slim": "conv_2b 147, conv_4a 71, repeat 35, repeat_1 17, conv_7b 8",
    "squeezenet1_1": "conv1 113, fire3 56, fire5 28, fire9 14",  # README: pools 1, 3 and 5
    "mobilenet_v1_shallow": ", ".join(
        stage
        for stage in MOBILENET_V1.split(", ")  # Sec. 4.1: five fewer
        if stage.split()[0] not in {f"conv{i}" for i in range(8, 13)}
    ),
    "se_preresnet110_cifar": CIFAR + " [activation]",
    "se_preresnet164_cifar": CIFAR + " [activation]",
    "nasnet_a_4_1056": (
        "conv1 111, stem1.0 56, stem2.0 28, normal1.3 28, reduction1.0 14, normal2.3 14, "
        "reduction2.0 7, normal3.3 7"
    ),  # Figure 2 and the release's test
    "nasnet_a_6_4032": (
        "conv1 165, stem1.0 83, stem2.0 42, normal1.5 42, reduction1.0 21, normal2.5 21, "
        "reduction2.0 11, normal3.5 11"
    ),
    "nasnet_a_6_768_cifar": (
        "conv1 32, normal1.5 32, reduction1.0 16, normal2.5 16, reduction2.0 8, normal3.5 8"
    ),
    "shufflenet_v2_50": (
        "conv1_x 112, conv2_x 56, conv3_x 28, conv4_x 14, conv5_x 7, conv6 7"
    ),  # appendix
}
STRIDES = (2, 2, 4, 8, 16, 16, 32, 32, 32)  # EfficientNet, Table 1
RESOLUTION = {
    "b0": 224,
    "b1": 240,
    "b2": 260,
    "b3": 300,
    "b4": 380,
    "b5": 456,
    "b6": 528,
    "b7": 600,
}
CROP = {"resnest101": 256, "resnest200": 320, "resnest269": 416}  # others 224


def of_resolution(name: str) -> str:
    side = RESOLUTION[name.split("_")[1]]
    return ", ".join(f"stage{i} {ceil(side / stride)}" for i, stride in enumerate(STRIDES, start=1))


def of_crop(name: str) -> str:
    side = CROP.get(name, 224)
    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    return ", ".join(
        f"{stage} {side // stride}" for stage, stride in zip(stages, (2, 4, 8, 16, 32), strict=True)
    )


def of_two_tables(name: str) -> str:
    return LARGE if "_large" in name else SMALL


OF_A_SIZE = {  # files whose networks read images of several sizes, or have two tables
    "efficientnet": of_resolution,
    "efficientnet_torchvision": of_resolution,
    "resnest": of_crop,
    "densenet_checkpointed": lambda name: DENSENET_CIFAR if "_cifar" in name else DENSENET,
    "mobilenet_v3": of_two_tables,
    "mobilenet_v3_minimalistic": of_two_tables,
    "mobilenet_v3_reduced_tail": of_two_tables,
}


def row_of(name: str) -> str | None:
    """The typed row; None for a network of a file that has none."""
    family = entries()[name].family
    if family in OF_A_SIZE:
        return OF_A_SIZE[family](name)
    return OF_A_NETWORK.get(name) or OF_A_FILE.get(family)


def typed(name: str) -> tuple[dict[str, int], str]:
    """The stages with their sides, and the layer for activation maps."""
    row, _, cam = row_of(name).rstrip("]").partition(" [")
    stages = {stage: int(side) for stage, side in (cell.split() for cell in row.split(", "))}
    return stages, cam or list(stages)[-1]


@pytest.mark.parametrize("name", [name for name in entries() if row_of(name)])
def test_stages_and_the_layer_for_activation_maps_are_the_papers(name):
    stages, cam = typed(name)
    with torch.device("meta"):
        net = create_model(name).eval()
    with torch.no_grad():
        maps = convatlas.features(
            net, torch.empty(2, net.in_channels, net.side, net.side, device="meta")
        )
    assert list(net.stages) == list(maps) == list(stages)
    assert {path: (out.ndim, len(out), *out.shape[2:]) for path, out in maps.items()} == {
        path: (4, 2, side, side) for path, side in stages.items()
    }
    assert all(out.shape[1] for out in maps.values())
    assert [path for path, module in net.named_modules() if module is net.cam_layer] == [cam]


def test_every_row_is_used():
    names, families = set(entries()), {entry.family for entry in entries().values()}
    assert set(OF_A_NETWORK) | set(CROP) <= names
    assert set(OF_A_FILE) | set(OF_A_SIZE) <= families


def test_a_file_with_a_row_has_one_for_each_of_its_networks():
    typed_files = {entries()[name].family for name in entries() if row_of(name)}
    assert [
        name for name in entries() if entries()[name].family in typed_files and not row_of(name)
    ] == []
