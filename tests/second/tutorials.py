"""What tutorials build under the names of later networks: pytorch-cifar's SENet18, jaxony's
ShuffleNet, leaderj1001's MobileNetV3 and the ResNet-18 whose second convolutions stride.
"""

from functools import partial

import torch
import torch.nn.functional as F
from plain import cat, conv, conv_norm, linear, max_pool, mean, norm, weight
from resnet import projection
from shufflenet_v1 import shuffle


def late_block(w, x, name, width, stride):
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 3))
    y = conv_norm(w, y, f"{name}.branch.conv2", width, 3, stride)
    return F.relu(y + projection(w, x, name, width, stride))


def gate(w, x, name, width, last):
    """Mean, `width` channels with ReLU, and `last` of as many as there were."""
    c = x.shape[1]
    first, second = (f"{name}.{layer}" for layer in ("w1", "w2"))
    if f"{first}.weight" not in w:
        first, second = f"{name}.squeeze", f"{name}.excite"
    s = F.linear(mean(x), weight(w, f"{first}.weight", width, c), w[f"{first}.bias"])
    s = F.linear(F.relu(s), weight(w, f"{second}.weight", c, width), w[f"{second}.bias"])
    return x * last(s)[:, :, None, None]


def gated_block(w, x, name, width, stride):
    """pytorch-cifar's senet.py, PreActBlock."""
    y = F.relu(norm(w, x, f"{name}.activation.bn"))
    if stride > 1:
        x = conv(w, y, f"{name}.shortcut", width, 1, stride)
    y = conv(w, y, f"{name}.branch.conv1", width, 3, stride)
    y = F.relu(norm(w, y, f"{name}.branch.activation2.bn"))
    y = conv(w, y, f"{name}.branch.conv2", width, 3)
    return x + gate(w, y, f"{name}.branch.se", width // 16, torch.sigmoid)


def eighteen(w, x, block):
    """Two blocks of 64, 128, 256 and 512 behind a 3x3; the first of each but the first strides."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 3))
    for stage, width in enumerate((64, 128, 256, 512), 2):
        x = block(w, x, f"conv{stage}_x.0", width, 1 if stage == 2 else 2)
        x = w.stage(f"conv{stage}_x", block(w, x, f"conv{stage}_x.1", width, 1))
    return x


def resnet18(w, x):
    return linear(w, mean(eighteen(w, x, late_block)), "fc")


def senet18(w, x):
    """4x4 means side by side, all of which the last layer reads."""
    return linear(w, F.avg_pool2d(eighteen(w, x, gated_block), 4).flatten(1), "fc")


WIDTHS = {  # jaxony's model.py, by number of groups
    1: (144, 288, 567),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}


def shuffle_unit(w, x, name, out, groups, first_groups, strided):
    wide = out - x.shape[1] if strided else out
    bottleneck, stride = out // 4, 2 if strided else 1
    y = conv(w, x, f"{name}.gconv1", bottleneck, 1, groups=first_groups, bias=True)
    y = shuffle(F.relu(norm(w, y, f"{name}.bn1")), groups)
    y = norm(w, conv(w, y, f"{name}.dwconv", bottleneck, 3, stride, bottleneck), f"{name}.bn2")
    y = conv(w, y, f"{name}.gconv2", wide, 1, groups=groups, bias=True)
    y = norm(w, y, f"{name}.bn3")
    return F.relu(cat(F.avg_pool2d(x, 3, 2, padding=1), y) if strided else x + y)


def shufflenet(w, x, groups):
    x = conv(w, x, "conv1", 24, 3, stride=2, bias=True)
    x = max_pool(x, 3, 2, padding=1)
    for stage, (out, units) in enumerate(zip(WIDTHS[groups], (4, 8, 4), strict=True), 2):
        for i in range(units):
            first_groups = 1 if stage == 2 and i == 0 else groups
            name = f"stage{stage}.{i}.branch"
            x = shuffle_unit(w, x, name, out, groups, first_groups, strided=i == 0)
        w.stage(f"stage{stage}", x)
    return linear(w, mean(x), "fc")


RE, HS = F.relu, F.hardswish
LARGE = (  # leaderj1001's model.py: out, kernel, stride, NL, SE, exp_size
    (16, 3, 1, RE, False, 16),
    (24, 3, 2, RE, False, 64),
    (24, 3, 1, RE, False, 72),
    (40, 5, 2, RE, True, 72),
    (40, 5, 1, RE, True, 120),
    (40, 5, 1, RE, True, 120),
    (80, 3, 2, HS, False, 240),
    (80, 3, 1, HS, False, 200),
    (80, 3, 1, HS, False, 184),
    (80, 3, 1, HS, False, 184),
    (112, 3, 1, HS, True, 480),
    (112, 3, 1, HS, True, 672),
    (160, 5, 1, HS, True, 672),
    (160, 5, 2, HS, True, 672),
    (160, 5, 1, HS, True, 960),
)
SMALL = (
    (16, 3, 2, RE, True, 16),
    (24, 3, 2, RE, False, 72),
    (24, 3, 1, RE, False, 88),
    (40, 5, 2, RE, True, 96),
    (40, 5, 1, RE, True, 240),
    (40, 5, 1, RE, True, 240),
    (48, 5, 1, HS, True, 120),
    (48, 5, 1, HS, True, 144),
    (96, 5, 2, HS, True, 288),
    (96, 5, 1, HS, True, 576),
    (96, 5, 1, HS, True, 576),
)


def hard_sigmoid(x):
    return F.relu6(x + 3) / 6


def mobile_block(w, x, name, out, kernel, stride, nonlinearity, se, exp_size):
    """An activation behind both 1x1, none behind the depthwise convolution."""
    y = nonlinearity(norm(w, conv(w, x, f"{name}.expand", exp_size, 1), f"{name}.bn_e"))
    y = conv(w, y, f"{name}.depthwise", exp_size, kernel, stride, exp_size, bias=True)
    y = norm(w, y, f"{name}.bn_d")
    y = gate(w, y, f"{name}.se", exp_size // 4, hard_sigmoid) if se else y
    y = conv(w, y, f"{name}.project", out, 1, bias=True)
    y = nonlinearity(norm(w, y, f"{name}.bn_p"))
    return x + y if stride == 1 and x.shape[1] == out else y


def mobilenet_v3(w, x, blocks, last, gated):
    x = F.hardswish(conv_norm(w, x, "conv1", 16, 3, stride=2, bias=True))
    for i, block in enumerate(blocks, 1):
        x = w.stage(f"bneck{i}", mobile_block(w, x, f"bneck{i}.layers", *block))
    x = conv(w, x, "conv2.conv", last, 1, bias=True)
    x = gate(w, x, "conv2.se", last // 4, hard_sigmoid) if gated else x
    x = F.hardswish(norm(w, x, "conv2.bn")).mean((2, 3), keepdim=True)
    x = F.hardswish(conv(w, x, "conv3.conv", 1280, 1, bias=True))
    return conv(w, x, "fc", len(w["fc.bias"]), 1, bias=True).flatten(1)


NETWORKS = {
    "resnet18_32_tutorial": resnet18,
    "senet18_32_tutorial": senet18,
    "senet18_tutorial": senet18,
    **{f"shufflenet_v1_g{g}_tutorial": partial(shufflenet, groups=g) for g in WIDTHS},
    "mobilenet_v3_large_tutorial": partial(mobilenet_v3, blocks=LARGE, last=960, gated=False),
    "mobilenet_v3_small_tutorial": partial(mobilenet_v3, blocks=SMALL, last=576, gated=True),
}
SLOW = ("senet18_tutorial",)
