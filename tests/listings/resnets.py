"""What tutorials call ResNet: post-activation."""

from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from listing import (
    ACTIVATION,
    NORMALISATION,
    TUTORIAL_0,
    Listing,
    Source,
    changed,
    epsilon,
    gone,
    momentum,
    new,
)
from pieces import Do, Plus, conv, conv_norm, conv_norm_relu, flat, mean, strides

SMALL = (2, 2, 2, 2)
DEEP = (3, 4, 6, 3)


def projection(c_in: int, c_out: int, stride: int, **more) -> nn.Module:
    """A 1x1 convolution and its norm where shapes change (option B)."""
    same = stride == 1 and c_in == c_out
    return nn.Identity() if same else conv_norm(c_in, c_out, 1, stride, **more)


def basic(c_in: int, width: int, stride: int, late: bool = False, **more) -> tuple[nn.Module, int]:
    """Two 3x3; the second of them strides if `late`."""
    first, second = (1, stride) if late else (stride, 1)
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 3, first, **more), conv_norm(width, width, 3, second, **more)
    )
    return Plus(branch, projection(c_in, width, stride, **more), nn.ReLU()), width


def bottleneck(
    c_in: int, width: int, stride: int, early: bool = False, **more
) -> tuple[nn.Module, int]:
    """1x1, 3x3, 1x1; the first of them strides if `early`, else the 3x3."""
    first, second = (stride, 1) if early else (1, stride)
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 1, first, **more),
        conv_norm_relu(width, width, 3, second, **more),
        conv_norm(width, 4 * width, 1, **more),
    )
    return Plus(branch, projection(c_in, 4 * width, stride, **more), nn.ReLU()), 4 * width


def unpadded(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """What the post with ResNet-152 prints: strides twice, a 3x3 without padding, and sums maps of
    different sizes.
    """
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 1, stride),
        conv_norm_relu(width, width, 3, stride, padding=0),
        conv_norm(width, 4 * width, 1),
    )
    return Plus(branch, projection(c_in, 4 * width, stride), nn.ReLU()), 4 * width


def units(block, depths, c: int, widths=(64, 128, 256, 512), firsts=(1, 2, 2, 2)) -> nn.Sequential:
    found = nn.Sequential()
    for depth, width, first in zip(depths, widths, firsts, strict=True):
        for stride in strides(first, depth):
            unit, c = block(c, width, stride)
            found.append(unit)
    return found


def for_32_pixels(block, depths, out: int, classes: int = 10) -> nn.Sequential:
    """A 3x3 convolution of stride 1 in front of ImageNet's widths."""
    return nn.Sequential(
        conv_norm_relu(3, 64, 3),
        units(block, depths, 64),
        *(Do(partial(F.avg_pool2d, kernel_size=4)), flat(), nn.Linear(out, classes)),
    )


def for_224_pixels(block, depths, out: int, c_in: int = 3, classes: int = 1000, **more):
    return nn.Sequential(
        conv_norm_relu(c_in, 64, 7, 2, **more),
        nn.MaxPool2d(3, stride=2, padding=1),
        units(partial(block, **more), depths, 64),
        *(mean(), nn.Linear(out, classes)),
    )


def without_norm_in_shortcuts(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 3, stride, bias=True), conv_norm(width, width, 3, bias=True)
    )
    same = stride == 1 and c_in == width
    shortcut = nn.Identity() if same else conv(c_in, width, 1, stride, bias=True)
    return Plus(branch, shortcut, nn.ReLU()), width


def book() -> nn.Sequential:
    return nn.Sequential(
        *(conv_norm_relu(1, 64, 7, 2, bias=True), nn.MaxPool2d(3, stride=2, padding=1)),
        *(units(without_norm_in_shortcuts, SMALL, 64), mean(), nn.Linear(512, 10)),
    )


def zeros_on_both_sides(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Option A with half of its zeros in front of the channels, half behind."""
    unit, _ = basic(c_in, width, stride)
    if (c_in, stride) != (width, 1):
        pad = (0, 0, 0, 0, width // 4, width // 4)
        unit.shortcut = Do(lambda x: F.pad(x[:, :, ::2, ::2], pad))
    return unit, width


def cifar(block) -> nn.Sequential:
    return nn.Sequential(
        conv_norm_relu(3, 16, 3),
        units(block, (3, 3, 3), 16, (16, 32, 64), (1, 2, 2)),
        *(Do(lambda x: F.avg_pool2d(x, x.size()[3])), flat(), nn.Linear(64, 10)),
    )


def only_the_first_strides() -> nn.Sequential:
    """The slip: its loop asks whether any block exists yet, where it means whether this is the
    first of its width. Convolutions have biases; nothing stands behind the first norm.
    """
    return nn.Sequential(
        conv_norm(3, 16, 3, 2, bias=True),
        units(partial(basic, bias=True), (3, 3, 3), 16, (16, 32, 64), (2, 1, 1)),
        Do(lambda x: x.view(x.shape[0], x.shape[1], -1).mean(dim=-1)),
        nn.Linear(64, 10),
    )


def keras() -> nn.Sequential:
    net = for_224_pixels(
        partial(bottleneck, early=True), DEEP, 2048, bias=True, eps=1.001e-5, momentum=0.01
    )
    return net.append(nn.Softmax(dim=1))


CIFAR = Source(
    "kuangliu/pytorch-cifar", "models/resnet.py", "6e59390294d96f4e72855b530786b3403bfa150e"
)
SMALL_STEM = (
    changed("conv", "kernel", (3, 3), (7, 7)),
    changed("conv", "stride", 1, 2),
    gone("max pool", 1),
)

LISTINGS = (
    Listing(
        "resnet18_pytorch_cifar",
        partial(for_32_pixels, basic, SMALL, 512),
        CIFAR,
        (3, 32, 32),
        params=11_173_962,
        macs=555_422_720,
        atlas="resnet18_32",
    ),
    Listing(
        "resnet18_strides_late",
        partial(for_32_pixels, partial(basic, late=True), SMALL, 512),
        Source("Ryuk17/SpeechAlgorithms", "AudioPatternReognition/CommandRecognition/model.py", ""),
        (3, 32, 32),
        params=11_173_962,
        macs=725_292_032,
        atlas="resnet18_32_tutorial",
        starts_alike=True,
        remark="as many parameters as pytorch-cifar's",
    ),
    Listing(
        "resnet18_cifar100",
        partial(for_32_pixels, basic, SMALL, 512, 100),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/resnet.py",
            "0d41819732d9e0b44094c616a96c7ab731889068",
        ),
        (3, 32, 32),
        params=11_220_132,
        printed="11.2M",
        atlas="resnet18_32",
    ),
    Listing(
        "resnet50_pytorch_cifar",
        partial(for_32_pixels, bottleneck, DEEP, 2048),
        CIFAR,
        (3, 32, 32),
        params=23_520_842,
        atlas="resnet50_v15",
        differences=SMALL_STEM,
        remark="strides in the 3x3",
    ),
    Listing(
        "resnet50_torchvision",
        partial(for_224_pixels, bottleneck, DEEP, 2048),
        Source("pytorch/vision", "torchvision/models/resnet.py"),
        (3, 224, 224),
        params=25_557_032,
        macs=4_089_184_256,
        atlas="resnet50_v15",
    ),
    Listing(
        "resnet50_keras",
        keras,
        Source(
            "keras-team/keras-applications",
            "keras_applications/resnet_common.py",
            "1838a3670488d9148623e6bd168fae483388347c",
        ),
        (3, 224, 224),
        params=25_583_592,
        atlas="resnet50",
        differences=(
            changed("conv", "bias", True, False, 53),
            epsilon(1.001e-5, 1e-5, 53),
            new("softmax", 1, ACTIVATION),
            momentum(0.01, 0.1, 53),
        ),
        remark="strides in the first 1x1, as printed",
    ),
    Listing(
        "resnet18_d2l",
        book,
        Source(
            "d2l-ai/d2l-en",
            "chapter_convolutional-modern/resnet.md",
            "003f46d8d6bbe6311a235ca107b93f1b4e897953",
        ),
        (1, 224, 224),
        params=11_178_378,
        atlas="resnet18",
        differences=(
            changed("conv", "bias", True, False, 20),
            gone("batch norm", 3, NORMALISATION),
        ),
    ),
    Listing(
        "resnet20_akamaster",
        partial(cifar, zeros_on_both_sides),
        Source(
            "akamaster/pytorch_resnet_cifar10",
            "resnet.py",
            "1877b675ffe676e33cb61ee606d6aad9ab5131e8",
        ),
        (3, 32, 32),
        params=269_722,
        macs=40_551_040,
        printed="0.27M",
        atlas="resnet20_cifar",
        differences=(changed("pad", "zeros", "on both sides", "behind", 2),),
        remark="the same functions with the channels in another order: weights need a permutation",
    ),
    Listing(
        "resnet20_option_b",
        partial(cifar, basic),
        Source(
            "akamaster/pytorch_resnet_cifar10",
            "resnet.py, option='B'",
            "1877b675ffe676e33cb61ee606d6aad9ab5131e8",
        ),
        (3, 32, 32),
        params=272_474,
        atlas="resnet20_cifar",
        differences=(
            gone("pad", 2),
            new("conv", 2),
            new("batch norm", 2, NORMALISATION),
        ),
    ),
    Listing(
        "resnet20_labml",
        only_the_first_strides,
        Source(
            "labmlai/annotated_deep_learning_paper_implementations",
            "labml_nn/resnet/__init__.py",
            "0a4b5b68222c74e41c795190c47b85b38c3f0a0d",
        ),
        (3, 32, 32),
        params=273_562,
        atlas="resnet20_cifar",
        differences=(
            changed("conv", "stride", 2, 1, 2),
            changed("conv", "stride", 1, 2, 2),
            changed("conv", "bias", True, False, 19),
            gone("relu", 1, ACTIVATION),
            gone("pad", 2),
            new("conv", 3),
            new("batch norm", 3, NORMALISATION),
        ),
        remark="strides in its first stage, and in no later one",
    ),
)
BROKEN = Listing(
    "resnet152_unpadded",
    partial(for_32_pixels, unpadded, (3, 8, 36, 3), 2048),
    TUTORIAL_0,
    (3, 32, 32),
    params=58_156_618,
    atlas="",
    remark="cannot run: its 3x3 is not padded and strides once more",
)
