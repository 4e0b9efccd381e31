"""What tutorials call MobileNet, versions 1 and 2."""

from functools import partial
from math import ceil

import torch.nn as nn
import torch.nn.functional as F
from listing import (
    ACTIVATION,
    NORMALISATION,
    PADDING,
    TUTORIAL_0,
    TUTORIAL_3,
    Listing,
    Source,
    activation,
    changed,
    dropout,
    momentum,
    new,
)
from pieces import Do, Plus, conv, conv_norm, flat, mean, strides

# version 1: channels of the 1x1, stride of the 3x3
BODY = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)),
)
# version 2: expansion, channels, blocks, stride
TABLE = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


def separable(c_in: int, c_out: int, stride: int, act=nn.ReLU, bias=False) -> nn.Sequential:
    return nn.Sequential(
        *(conv_norm(c_in, c_in, 3, stride, groups=c_in), act()),
        *(conv_norm(c_in, c_out, 1, bias=bias), act()),
    )


def first_version(stride: int, pool, classes: int, bias: bool = False) -> nn.Sequential:
    body = nn.Sequential()
    c = 32
    for width, step in BODY:
        body.append(separable(c, width, step, bias=bias))
        c = width
    return nn.Sequential(
        *(conv_norm(3, 32, 3, stride), nn.ReLU(), body),
        *(pool(), flat(), nn.Linear(1024, classes)),
    )


normed = partial(conv_norm, eps=1e-3, momentum=0.01)


def padded_below(c_in: int, c_out: int, stride: int, **more) -> nn.Sequential:
    """Keras pads strided layers by a row below and a column on the right."""
    padding = 1 if stride == 1 else 0
    zeros = nn.Identity() if stride == 1 else nn.ZeroPad2d((0, 1, 0, 1))
    return nn.Sequential(zeros, normed(c_in, c_out, 3, stride, padding=padding, **more), nn.ReLU6())


def keras() -> nn.Sequential:
    net = nn.Sequential(padded_below(3, 32, 2))
    c = 32
    for width, step in BODY:
        net.append(padded_below(c, c, step, groups=c))
        net.append(nn.Sequential(normed(c, width, 1), nn.ReLU6()))
        c = width
    net.extend([nn.AdaptiveAvgPool2d(1), nn.Dropout(1e-3), conv(c, 1000, 1, bias=True)])
    return net.extend([nn.Softmax(dim=1), nn.Flatten()])


def block(
    c_in: int,
    c_out: int,
    t: int,
    stride: int,
    *,
    act=nn.ReLU6,
    always_expands: bool = False,
    projected: bool = False,
    bias: bool = False,
) -> nn.Module:
    """Expands by t (by 1 too if `always_expands`), 3x3, projects. Adds its input where shapes
    agree, or if `projected` wherever it does not stride, through a 1x1 convolution.
    """
    c = t * c_in
    widen = [conv_norm(c_in, c, 1, bias=bias), act()] if t > 1 or always_expands else []
    branch = nn.Sequential(
        *widen,
        *(conv_norm(c, c, 3, stride, groups=c, bias=bias), act()),
        conv_norm(c, c_out, 1, bias=bias),
    )
    if stride == 1 and c_in == c_out:
        return Plus(branch)
    return Plus(branch, conv_norm(c_in, c_out, 1)) if projected and stride == 1 else branch


def second_version(
    first: nn.Module,
    head: nn.Module,
    *,
    c: int = 32,
    last: int = 1280,
    table=TABLE,
    act=nn.ReLU6,
    **more,
) -> nn.Sequential:
    body = nn.Sequential()
    for t, width, blocks, step in table:
        for stride in strides(step, blocks):
            body.append(block(c, width, t, stride, act=act, **more))
            c = width
    bias = more.get("bias", False)
    return nn.Sequential(first, act(), body, conv_norm(c, last, 1, bias=bias), act(), head)


def pooled(last: int, classes: int, k: int | None = None, p: float | None = None) -> nn.Sequential:
    pool = mean() if k is None else nn.Sequential(Do(partial(F.avg_pool2d, kernel_size=k)), flat())
    drops = [] if p is None else [nn.Dropout(p)]
    return nn.Sequential(pool, *drops, nn.Linear(last, classes))


def small_images() -> nn.Sequential:
    table = tuple((t, c, n, 1 if c == 24 else s) for t, c, n, s in TABLE)
    head = pooled(1280, 10, k=4)
    return second_version(
        conv_norm(3, 32, 3), head, table=table, act=nn.ReLU, always_expands=True, projected=True
    )


def cifar100() -> nn.Sequential:
    """Its first convolution is 1x1 and padded by 1, so that maps grow to 34x34."""
    table = tuple((t, c, n, 1 if c == 160 else s) for t, c, n, s in TABLE)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(1280, 100, 1, bias=True), flat())
    first = conv_norm(3, 32, 1, padding=1, bias=True)
    return second_version(first, head, table=table, always_expands=True, bias=True)


def expanding_by_one() -> nn.Sequential:
    head = pooled(1280, 1000, k=7, p=0.5)
    return second_version(conv_norm(3, 32, 3, 2), head, always_expands=True)


def divisible(value: float) -> int:
    """Rounds up, where the authors round to the nearest multiple of 8."""
    return ceil(value / 8) * 8


def half_but_for_the_first_two() -> nn.Sequential:
    """0.5x of the post: 32 channels in front and 16 behind, whatever the width."""
    table = [(t, c if c == 16 else divisible(c * 0.5), n, s) for t, c, n, s in TABLE]
    return second_version(conv_norm(3, 32, 3, 2), pooled(1280, 1000, k=7), table=table)


def half_to_the_last() -> nn.Sequential:
    """0.5x of the other post: its last convolution shrinks too."""
    table = [(t, divisible(c * 0.5), n, s) for t, c, n, s in TABLE]
    head = pooled(640, 1000, p=0.2)
    return second_version(conv_norm(3, 16, 3, 2), head, c=16, last=640, table=table)


PYTORCH_CIFAR = "kuangliu/pytorch-cifar"
CIFAR_100 = "weiaicunzai/pytorch-cifar100"
FIRST_STRIDE = changed("conv", "stride", 1, 2)

LISTINGS = (
    Listing(
        "mobilenet_pytorch_cifar",
        partial(first_version, 1, partial(nn.AvgPool2d, 2), 10),
        Source(PYTORCH_CIFAR, "models/mobilenet.py", "818df5102cc146e336ffae5bdff68a794d9caea2"),
        (3, 32, 32),
        params=3_217_226,
        atlas="mobilenet_v1",
        differences=(FIRST_STRIDE, dropout(None, 1e-3)),
    ),
    Listing(
        "mobilenet_cifar100",
        partial(first_version, 1, partial(nn.AdaptiveAvgPool2d, 1), 100, bias=True),
        Source(CIFAR_100, "models/mobilenet.py", "0d41819732d9e0b44094c616a96c7ab731889068"),
        (3, 32, 32),
        params=3_315_428,
        printed="3.3M",
        atlas="mobilenet_v1",
        differences=(
            FIRST_STRIDE,
            changed("conv", "bias", True, False, 13),
            dropout(None, 1e-3),
        ),
    ),
    Listing(
        "mobilenet_of_the_post",
        partial(first_version, 2, partial(nn.AvgPool2d, 7), 1000),
        TUTORIAL_0,
        (3, 224, 224),
        params=4_231_976,
        macs=568_740_352,
        atlas="mobilenet_v1",
        differences=(dropout(None, 1e-3),),
        remark="its pool fits 224 pixels only",
    ),
    Listing(
        "mobilenet_keras",
        keras,
        Source(
            "keras-team/keras-applications",
            "keras_applications/mobilenet.py",
            "05ff4705388b34c9d335f350753e1e99df2fc0e9",
        ),
        (3, 224, 224),
        params=4_231_976,
        macs=568_740_352,
        atlas="mobilenet_v1_released",
        differences=(new("softmax", 1, ACTIVATION), momentum(0.01, 0.0003, 27)),
        remark="at even sizes the release's network, as at 224",
    ),
    Listing(
        "mobilenet_v2_pytorch_cifar",
        small_images,
        Source(PYTORCH_CIFAR, "models/mobilenetv2.py", "3105772aa634db0fd6503d72e8d7a8fe57f43507"),
        (3, 32, 32),
        params=2_296_922,
        atlas="mobilenet_v2",
        differences=(
            FIRST_STRIDE,
            changed("conv", "stride", 1, 2),
            new("conv", 1),
            new("batch norm", 1, NORMALISATION),
            new("relu", 1, ACTIVATION),
            activation("relu", "relu6", 35),
            new("conv", 4),
            new("batch norm", 4, NORMALISATION),
            new("add", 4),
            dropout(None, 0.2),
        ),
        remark="adds a projected input where channels change, and expands in its first block too",
    ),
    Listing(
        "mobilenet_v2_cifar100",
        cifar100,
        Source(CIFAR_100, "models/mobilenetv2.py", "c9519003b72f2463a64edbe857c7be6e72b739c3"),
        (3, 32, 32),
        params=2_369_380,
        printed="2.36M",
        atlas="mobilenet_v2",
        differences=(
            changed("conv", "kernel", (1, 1), (3, 3)),
            changed("conv", "padding", 1, "half", group=PADDING),
            FIRST_STRIDE,
            changed("conv", "stride", 1, 2),
            new("conv", 1),
            new("batch norm", 1, NORMALISATION),
            new("relu6", 1, ACTIVATION),
            changed("conv", "bias", True, False, 52),
            dropout(None, 0.2),
        ),
        remark="its first convolution is 1x1 and padded by 1",
    ),
    Listing(
        "mobilenet_v2_tonylins",
        expanding_by_one,
        Source(
            "tonylins/pytorch-mobilenet-v2",
            "MobileNetV2.py",
            "48c2c706e4f6d73101406a11dbc1bfb7ef1bb2da",
        ),
        (3, 224, 224),
        params=3_505_960,
        atlas="mobilenet_v2",
        differences=(
            new("conv", 1),
            new("batch norm", 1, NORMALISATION),
            new("relu6", 1, ACTIVATION),
            dropout(0.5, 0.2),
        ),
        remark="this version expands in its first block, by a factor of 1",
    ),
    Listing(
        "mobilenet_v2_half_of_the_post",
        half_but_for_the_first_two,
        TUTORIAL_0,
        (3, 224, 224),
        params=1_972_264,
        macs=127_387_968,
        atlas="mobilenet_v2_x0_5",
        differences=(
            changed("conv", "channels", 32, 16, 2),
            changed("conv", "channels", 16, 8),
            changed("conv", "channels", 96, 48, 2),
            dropout(None, 0.2),
        ),
        remark="the first two widths stay",
    ),
    Listing(
        "mobilenet_v2_half_of_the_other_post",
        half_to_the_last,
        TUTORIAL_3,
        (3, 224, 224),
        params=1_225_000,
        atlas="mobilenet_v2_x0_5",
        differences=(changed("conv", "channels", 640, 1280),),
        remark="the last width shrinks, which the paper keeps",
    ),
)
