"""Layers of Caffe's networks, as their authors or Caffe's released them: the prototxts that come
with the weights. Names are those that weights/caffemodels.py gives to blobs.

Caffe reads blue, green, red from 0 to 255, less a mean; here the first convolution is turned round
and the certificate says what to subtract. A mean image is told by the means of its channels.
"""

import re
from math import sqrt

from convatlas.weights.names import (
    Convolved,
    Pixels,
    Reordered,
    Rules,
    Table,
    Twin,
    counted,
    moved,
)

BLUE_FIRST = (2, 1, 0)


def less(red: float, green: float, blue: float, scale: float = 1.0) -> Pixels:
    """Pixels from 0 to 255 less these, times a scale."""
    return Pixels((red / 255, green / 255, blue / 255), 1 / (255 * scale))


ROUND = less(123, 117, 104)  # "mean_value: 104, 117, 123"
OXFORD = less(123.68, 116.779, 103.939)
SHICAI = less(123.68, 116.78, 103.94, 0.017)
# Caffe's mean image of ImageNet, data/ilsvrc12/imagenet_mean.binaryproto, channel by channel
ILSVRC12 = less(122.679, 116.669, 104.007)


def read(
    ours: str,
    rules: Rules,
    pixels: Pixels | None,
    stem: str = r"^conv1\.conv\.conv\.weight$",
    convolved: tuple[Convolved, ...] = (),
    biases: Rules = (),
    scaled: tuple[tuple[str, float], ...] = (),
) -> Twin:
    """A network whose first convolution, our `stem`, reads blue first there."""
    return Twin(
        ours,
        rules,
        convolved,
        (Reordered(stem, 1, BLUE_FIRST),),
        biases=biases,
        scaled=scaled,
        pixels=pixels,
    )


def norms(bn: str, scale: str) -> Rules:
    """A BatchNorm and the Scale behind it, where our norm is called as the convolution is there."""
    return (
        (r"\.conv\.(?=weight$|bias$)", "."),
        (r"\.bn\.(?=weight$|bias$)", f"{scale}."),
        (r"\.bn\.", f"{bn}."),
    )


FULLY_CONNECTED = moved({"fc6": "fc6", "fc7": "fc7"}, r"\.fc")
PLAIN: Rules = ((r"\.conv\.", "."),)

# models/bvlc_alexnet and models/bvlc_googlenet of github.com/BVLC/caffe. Their normalisation has
# k = 1 and divides alpha by 5, where the paper's, and ours, has k = 2 and does not. With maps of
# SQUEEZED times the size before it, ours gives theirs GAIN times: layers around it make up for both
SQUEEZED = sqrt(2 / 5)
GAIN = SQUEEZED * 2**-0.75
ALEXNET = read(
    "alexnet",
    (*PLAIN, *FULLY_CONNECTED),
    ILSVRC12,
    r"^conv1\.conv\.weight$",
    scaled=(
        (r"^conv1\.conv\.", SQUEEZED),
        (r"^conv2\.conv\.weight$", SQUEEZED / GAIN),
        (r"^conv2\.conv\.bias$", SQUEEZED),
        (r"^conv3\.conv\.weight$", 1 / GAIN),
    ),
)
GOOGLENET = read(
    "googlenet",
    (
        (r"^conv1\.", "conv1/7x7_s2."),
        (r"^conv2\.reduce\.", "conv2/3x3_reduce."),
        (r"^conv2\.conv\.conv\.", "conv2/3x3.conv."),
        (r"^(inception_\w\w)\.1x1\.", r"\1/1x1."),
        (r"^(inception_\w\w)\.(\dx\d)\.reduce\.", r"\1/\2_reduce."),
        (r"^(inception_\w\w)\.(\dx\d)\.conv\.conv\.", r"\1/\2.conv."),
        (r"^(inception_\w\w)\.pool\.proj\.", r"\1/pool_proj."),
        (r"^aux_4a\.", "loss1/"),
        (r"^aux_4d\.", "loss2/"),
        (r"^(loss\d)/fc1\.fc\.", r"\1/fc."),
        (r"^(loss\d)/fc2\.", r"\1/classifier."),
        (r"^(loss\d)/conv\.conv\.", r"\1/conv."),
        (r"^fc\.", "loss3/classifier."),
        *PLAIN,
    ),
    ROUND,
    r"^conv1\.conv\.weight$",
    scaled=(
        (r"^conv1\.conv\.", SQUEEZED),
        (r"^conv2\.reduce\.conv\.weight$", 1 / GAIN),
        (r"^conv2\.conv\.conv\.", SQUEEZED),
        (r"^inception_3a\.(1x1|3x3\.reduce|5x5\.reduce|pool\.proj)\.conv\.weight$", 1 / GAIN),
    ),
)

VGG: Rules = ((r"^conv\d\.(conv\d_\d)\.conv\.", r"\1."), *FULLY_CONNECTED)
SQUEEZENET: Rules = (
    (r"^(fire\d)\.squeeze\.", r"\1/squeeze1x1."),
    (r"^(fire\d)\.(expand\dx\d)\.", r"\1/\2."),
    *PLAIN,
)


def nin(last: str) -> Rules:
    """`last` ends the names of the fourth module's layers."""
    return (
        (r"^mlpconv([123])\.conv\.", r"conv\1."),
        (r"^mlpconv4\.conv\.", f"conv4{last}."),
        (r"^mlpconv([123])\.cccp1\.", lambda match: f"cccp{2 * int(match[1]) - 1}."),
        (r"^mlpconv([123])\.cccp2\.", lambda match: f"cccp{2 * int(match[1])}."),
        (r"^mlpconv4\.cccp1\.", f"cccp7{last}."),
        (r"^mlpconv4\.cccp2\.", f"cccp8{last}."),
    )


NIN_STEM = r"^mlpconv1\.conv\.weight$"


# github.com/KaimingHe/deep-residual-networks: prototxt
def resnet(numbered: bool) -> Rules:
    """res2a, res2b, ...; of deeper ones the units of two stages are res3a, res3b1, res3b2, ..."""

    def unit(match: re.Match) -> str:
        stage, i = int(match[1]), int(match[2])
        letter = f"b{i}" if numbered and i and stage in (3, 4) else "abcdef"[i]
        branch = f"2{'abc'[int(match[3]) - 1]}" if match[3] else "1"
        return f"{stage}{letter}_branch{branch}."

    return (
        (r"^conv1\.conv\.conv\.", "conv1."),
        (r"^conv1\.conv\.bn\.(?=weight|bias)", "scale_conv1."),
        (r"^conv1\.conv\.bn\.", "bn_conv1."),
        (r"^conv(\d)_x\.(\d+)\.(?:branch\.conv(\d)|shortcut)\.", unit),
        (r"^(\d\w+)\.conv\.", r"res\1."),
        (r"^(\d\w+)\.bn\.(?=weight|bias)", r"scale\1."),
        (r"^(\d\w+)\.bn\.", r"bn\1."),
        (r"^fc\.", "fc1000."),
    )


# The one of 50 layers has a bias in its first convolution, before the norm
FIRST_BIAS: Rules = ((r"^bn_conv1\.running_mean$", "conv1.bias"),)

# github.com/hujie-frank/SENet: models
SENET: Rules = (
    (r"^conv1\.conv\.", "conv1/7x7_s2."),
    (r"^conv1\.conv1\.", "conv1_1/3x3_s2."),
    (r"^conv1\.conv([23])\.", r"conv1_\1/3x3."),
    (r"^conv(\d)_x\.(\d+)\.", lambda match: f"conv{match[1]}_{int(match[2]) + 1}."),
    (r"\.branch\.conv1\.", "_1x1_reduce."),
    (r"\.branch\.conv2\.", "_3x3."),
    (r"\.branch\.conv3\.", "_1x1_increase."),
    (r"\.shortcut\.", "_1x1_proj."),
    (r"\.branch\.se\.w1\.", "_1x1_down."),
    (r"\.branch\.se\.w2\.", "_1x1_up."),
    (r"^fc\.", "classifier."),
    *norms("/bn", "/bn/scale"),
)
SE_BN_INCEPTION: Rules = (
    (r"\.conv(?=\.(conv|bn)\.\w+$)", ""),
    (r"^(conv1)\.", r"\1/7x7_s2."),
    (r"^conv2\.reduce\.", "conv2/3x3_reduce."),
    (r"^conv2\.conv(?=\.(conv|bn)\.)", "conv2/3x3"),
    (r"\.inception\.double_3x3\.reduce\.", "/double3x3_reduce."),
    (r"\.inception\.double_3x3\.conv1\.", "/double3x3a."),
    (r"\.inception\.double_3x3\.conv2\.", "/double3x3b."),
    (r"\.inception\.3x3\.reduce\.", "/3x3_reduce."),
    (r"\.inception\.3x3\.conv(?=\.(conv|bn)\.)", "/3x3"),
    (r"\.inception\.1x1\.", "/1x1."),
    (r"\.inception\.pool\.proj\.", "/pool_proj."),
    (r"\.se\.w1\.", "_1x1_down."),
    (r"\.se\.w2\.", "_1x1_up."),
    (r"^fc\.", "classifier."),
    *norms("/bn", "/bn/scale"),
)
GATE = (Convolved(r"_1x1_(down|up)\.weight$", 1),)

# github.com/shicai/DenseNet-Caffe, converted from the authors' Torch, and MobileNet-Caffe
DENSENET: Rules = (
    (r"^convolution\.conv\.", "conv1."),
    (
        r"^dense_block(\d)\.layer(\d+)\.conv(\d)\.",
        lambda match: f"conv{int(match[1]) + 1}_{match[2]}/x{match[3]}.",
    ),
    (r"^transition(\d)\.conv\.", counted("conv{}_blk.", 1)),
    (r"^activation\.", "conv5_blk."),
    (r"^fc\.", "fc6."),
    *norms("/bn", "/scale"),
)
MOBILENET_PLACES = (
    *("2_1", "2_2", "3_1", "3_2", "4_1", "4_2"),
    *("5_1", "5_2", "5_3", "5_4", "5_5", "5_6", "6"),
)
MOBILENET: Rules = (
    (r"^conv1\.conv\.", "conv1."),
    *(
        (rf"^conv{i}\.{ours}\.", f"conv{place}/{theirs}.")
        for i, place in enumerate(MOBILENET_PLACES, start=2)
        for ours, theirs in (("dw", "dw"), ("pw", "sep"))
    ),
    (r"^fc\.", "fc7."),
    *norms("/bn", "/scale"),
)

# By what the files, or the networks in them, are called
TWINS: Table = {
    # examples/mnist of github.com/BVLC/caffe, on grey images from 0 to 255 / 256
    "LeNet": Twin("lenet_caffe", ((r"^ip1\.ip\.", "ip1."),), pixels=Pixels(0.0, 256 / 255)),
    "bvlc_alexnet": ALEXNET,
    "bvlc_googlenet": GOOGLENET,
    **{
        f"VGG_ILSVRC_{n}_layers": read(f"vgg{n}", VGG, OXFORD, r"^conv1\.conv1_1\.conv\.weight$")
        for n in (16, 19)
    },
    # gists mavenlin/d802a5849de39225bcc6 and e56253735ef32c3c296d of Caffe's model zoo
    "nin_imagenet": read("nin_imagenet", nin("-1024"), ILSVRC12, NIN_STEM),
    "cifar10_nin": read("nin_cifar10", nin(""), None, NIN_STEM),
    # github.com/forresti/SqueezeNet
    **{
        f"squeezenet_v1.{n}": read(f"squeezenet1_{n}", SQUEEZENET, ROUND, r"^conv1\.conv\.weight$")
        for n in (0, 1)
    },
    "ResNet-50": read("resnet50_released", resnet(False), OXFORD, biases=FIRST_BIAS),
    **{f"ResNet-{n}": read(f"resnet{n}_released", resnet(True), OXFORD) for n in (101, 152)},
    **{
        f"SE-ResNet-{n}": read(f"se_resnet{n}", SENET, ROUND, convolved=GATE)
        for n in (50, 101, 152)
    },
    **{
        f"SE-ResNeXt-{n}": read(f"se_resnext{n}_32x4d", SENET, ROUND, convolved=GATE)
        for n in (50, 101)
    },
    "SENet-154": read("senet154", SENET, ROUND, r"^conv1\.conv1\.conv\.weight$", convolved=GATE),
    "SE-BN-Inception": read("se_bn_inception_released", SE_BN_INCEPTION, ROUND, convolved=GATE),
    **{
        f"DenseNet_{n}": read(
            f"densenet{n}",
            DENSENET,
            SHICAI,
            r"^convolution\.conv\.conv\.weight$",
            (Convolved(r"^fc6\.weight$", 1),),
        )
        for n in (121, 161, 169, 201)
    },
    "mobilenet": read(
        "mobilenet_v1", MOBILENET, SHICAI, convolved=(Convolved(r"^fc7\.weight$", 1),)
    ),
}
