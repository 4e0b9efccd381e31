"""What tutorials print under the names of the classic networks: LeNet with max pools, AlexNet
padded by 1, GoogLeNet with assistants, ResNet-18 with late strides, SENet18, ShuffleNet with biases
and MobileNetV3 of the first draft, each as its listing says.
"""

from functools import partial

import torch.nn.functional as F
from googlenet import TABLE_1, full, head, inception, relu_conv
from mobilenet_v3 import HS, RE
from plain import cat, conv, conv_norm, hidden, linear, max_pool, mean, norm
from resnet import UNITS, projection, stages
from senet import preact_block
from shufflenet_v1 import STAGE_2, shuffle


def lenet(w, x):
    """Nothing but the pools between the layers."""
    x = max_pool(conv(w, x, "conv1", 6, 5, bias=True, padding=1), 2, 2)
    x = max_pool(conv(w, x, "conv2", 16, 5, bias=True, padding=0), 2, 2)
    return linear(w, hidden(w, hidden(w, x, "fc1", 120), "fc2", 84), "fc3")


def alexnet(w, x):
    x = F.relu(conv(w, x, "conv1.conv", 96, 11, stride=4, bias=True, padding=1))
    x = max_pool(x, 3, 2)
    x = max_pool(F.relu(conv(w, x, "conv2.conv", 256, 5, bias=True)), 3, 2)
    for n, width in ((3, 384), (4, 384), (5, 256)):
        x = F.relu(conv(w, x, f"conv{n}.conv", width, 3, bias=True))
    x = F.relu(hidden(w, max_pool(x, 3, 2), "fc6.fc", 4096))
    return linear(w, F.relu(hidden(w, x, "fc7.fc", 4096)), "fc8")


def googlenet_modules(w, x):
    """No normalisation; all pools that halve are padded by 1."""
    x = max_pool(full(w, x), 3, 2, padding=1)
    x = relu_conv(w, relu_conv(w, x, "conv2.reduce", 64, 1), "conv2.conv", 192, 3)
    x = max_pool(x, 3, 2, padding=1)
    seen = {}
    for name, widths in TABLE_1.items():
        x = seen[name] = w.stage(f"inception_{name}", inception(w, x, f"inception_{name}", *widths))
        if name in ("3b", "4e"):
            x = max_pool(x, 3, 2, padding=1)
    return linear(w, mean(x), "fc"), seen


def googlenet_heads(w, x):
    logits, seen = googlenet_modules(w, x)
    return [(logits, 1.0), *((head(w, seen[at], f"aux_{at}"), 0.3) for at in ("4a", "4d"))]


def late_block(w, x, name, width, stride):
    """The second convolution strides."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 3))
    y = conv_norm(w, y, f"{name}.branch.conv2", width, 3, stride)
    return F.relu(y + projection(w, x, name, width, stride))


def small(w, x, unit):
    return stages(w, F.relu(conv_norm(w, x, "conv1.conv", 64, 3)), unit, UNITS[18])


def resnet18(w, x):
    return linear(w, mean(small(w, x, late_block)), "fc")


def senet18(w, x):
    """Pre-activation blocks, and nothing behind the last but a 4x4 average pool of stride 4."""
    return linear(w, F.avg_pool2d(small(w, x, preact_block), 4, 4).flatten(1), "fc")


def shuffle_branch(w, x, name, inner, out, stride, groups, first_groups):
    x = conv(w, x, f"{name}.gconv1", inner, 1, groups=first_groups, bias=True)
    x = shuffle(F.relu(norm(w, x, f"{name}.bn1")), groups)
    x = norm(w, conv(w, x, f"{name}.dwconv", inner, 3, stride, groups=inner), f"{name}.bn2")
    return norm(w, conv(w, x, f"{name}.gconv2", out, 1, groups=groups, bias=True), f"{name}.bn3")


def shufflenet(w, x, groups):
    """conv1 is bare; 567 channels where 576 would be; biases."""
    x = max_pool(conv(w, x, "conv1", 24, 3, stride=2, bias=True), 3, 2, padding=1)
    for stage, units in enumerate((4, 8, 4)):
        out = 567 if groups == 1 and stage == 2 else STAGE_2[groups] * 2**stage
        for i in range(units):
            name, first = f"stage{stage + 2}.{i}.branch", 1 if stage == i == 0 else groups
            new, stride = (out, 1) if i else (out - x.shape[1], 2)
            y = shuffle_branch(w, x, name, out // 4, new, stride, groups, first)
            x = F.relu(x + y if i else cat(F.avg_pool2d(x, 3, 2, padding=1), y))
        x = w.stage(f"stage{stage + 2}", x)
    return linear(w, mean(x), "fc")


LARGE = (  # out, kernel, stride, nonlinearity, gate, exp size
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


def draft_gate(w, x, name):
    s = F.relu(hidden(w, mean(x), f"{name}.squeeze", x.shape[1] // 4))
    return x * (F.relu6(hidden(w, s, f"{name}.excite", x.shape[1]) + 3) / 6)[:, :, None, None]


def draft_block(w, x, name, out, kernel, stride, nonlinearity, gated, inner):
    """Nothing behind the depthwise convolution, an activation behind the projection."""
    y = norm(w, conv(w, x, f"{name}.expand", inner, 1), f"{name}.bn_e")
    y = conv(w, nonlinearity(y), f"{name}.depthwise", inner, kernel, stride, inner, bias=True)
    y = norm(w, y, f"{name}.bn_d")
    if gated:
        y = draft_gate(w, y, f"{name}.se")
    y = nonlinearity(norm(w, conv(w, y, f"{name}.project", out, 1, bias=True), f"{name}.bn_p"))
    return x + y if stride == 1 and x.shape[1] == out else y


def draft(w, x, rows, wide, gated_tail):
    x = HS(norm(w, conv(w, x, "conv1.conv", 16, 3, stride=2, bias=True), "conv1.bn"))
    for i, row in enumerate(rows, 1):
        x = w.stage(f"bneck{i}", draft_block(w, x, f"bneck{i}.layers", *row))
    x = conv(w, x, "conv2.conv", wide, 1, bias=True)
    if gated_tail:
        x = draft_gate(w, x, "conv2.se")
    x = HS(norm(w, x, "conv2.bn")).mean((2, 3), keepdim=True)
    x = HS(conv(w, x, "conv3.conv", 1280, 1, bias=True))
    return conv(w, x, "fc", len(w["fc.bias"]), 1, bias=True).flatten(1)


NETWORKS = {
    "lenet5_tutorial_max": lenet,
    "alexnet_tutorial_padding1": alexnet,
    "googlenet_tutorial": lambda w, x: googlenet_modules(w, x)[0],
    "resnet18_32_tutorial": resnet18,
    "senet18_32_tutorial": senet18,
    "senet18_tutorial": senet18,
    **{f"shufflenet_v1_g{g}_tutorial": partial(shufflenet, groups=g) for g in STAGE_2},
    "mobilenet_v3_large_tutorial": partial(draft, rows=LARGE, wide=960, gated_tail=False),
    "mobilenet_v3_small_tutorial": partial(draft, rows=SMALL, wide=576, gated_tail=True),
}
HEADS = {"googlenet_tutorial": googlenet_heads}
SLOW = ("senet18_tutorial",)
