"""Hu and others, Squeeze-and-Excitation Networks: Figures 2, 3 and 5, Sec. 6; pytorchcv's forms."""

from functools import partial

import mobilenet_v1
import preresnet
import resnet
import torch
import torch.nn.functional as F
from plain import conv, conv_norm, hidden, linear, mean, norm, weight
from resnet import UNITS, cifar_stages, head, projection, stages, stem


def gate(w, x, name, ratio=16, bias=True):
    """Eqs. (2) to (4): averages, two layers, a sigmoid; each channel is scaled."""
    c = x.shape[1]
    weight(w, f"{name}.w1.weight", c // ratio, c)
    s = F.relu(linear(w, mean(x), f"{name}.w1", bias))
    return x * torch.sigmoid(linear(w, s, f"{name}.w2", bias))[:, :, None, None]


def block(w, x, name, width, stride):
    """Figure 3: the gate scales the branch before the sum."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 3, stride))
    y = gate(w, conv_norm(w, y, f"{name}.branch.conv2", width, 3), f"{name}.branch.se")
    return F.relu(y + projection(w, x, name, width, stride))


def se_resnet(w, x, layers):
    """The release's pool: unpadded, its size rounded up."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 7, stride=2))
    x = F.max_pool2d(x, 3, 2, ceil_mode=True)
    return head(w, stages(w, x, block, UNITS[layers]))


def se_resnet110_cifar(w, x):
    x = F.relu(conv_norm(w, x, "conv1.conv", 16, 3))
    return head(w, cifar_stages(w, x, block, 18))


bare = partial(gate, bias=False)  # Sec. 6 removes the biases


def three(w, x, name, width, stride, after_3x3=None):
    y = F.relu(conv_norm(w, x, f"{name}.conv1", width, 1, stride))
    y = F.relu(conv_norm(w, y, f"{name}.conv2", width, 3))
    if after_3x3:
        y = after_3x3(w, y, f"{name}.se")
    return conv_norm(w, y, f"{name}.conv3", 4 * width, 1)


def standard(w, x, name, width, stride, scale=bare):
    y = scale(w, three(w, x, f"{name}.branch", width, stride), f"{name}.branch.se")
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def one_stage(w, x, name, width, stride, stage):
    gated = name.startswith(f"conv{stage}_x")
    return (standard if gated else resnet.bottleneck)(w, x, name, width, stride)


def pre(w, x, name, width, stride):
    """SE-PRE: the branch reads the gated map, the shortcut the raw one."""
    y = three(w, bare(w, x, f"{name}.branch.se"), f"{name}.branch.residual", width, stride)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def post(w, x, name, width, stride):
    """SE-POST: behind the sum and its ReLU."""
    return bare(w, resnet.bottleneck(w, x, f"{name}.unit", width, stride), f"{name}.se")


def identity(w, x, name, width, stride):
    """SE-Identity: on the shortcut, behind its projection where there is one."""
    short = x
    if stride != 1 or x.shape[1] != 4 * width:
        short = conv_norm(w, x, f"{name}.shortcut.projection", 4 * width, 1, stride)
    y = three(w, x, f"{name}.branch", width, stride)
    return F.relu(y + bare(w, short, f"{name}.shortcut.se"))


def inside(w, x, name, width, stride):
    """SE-3x3: right behind the 3x3 layer."""
    y = three(w, x, f"{name}.branch", width, stride, bare)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def no_squeeze(w, x, name):
    """Sec. 6.8: 1x1 convolutions of the same widths, at every pixel."""
    hidden = F.relu(conv(w, x, f"{name}.w1", x.shape[1] // 16, 1))
    return x * torch.sigmoid(conv(w, hidden, f"{name}.w2", x.shape[1], 1))


def ablation(w, x, unit):
    return head(w, stages(w, stem(w, x), unit, UNITS[50]))


def se_preresnet(w, x, layers):
    """pytorchcv: conv1 is activated, and the first unit, like all others, activates again."""
    x = stem(w, x)
    if layers < 50:
        x = stages(w, x, preact_block, UNITS[layers])
    else:
        x = stages(w, x, preact_bottleneck, UNITS[layers])
    return head(w, preresnet.activation(w, x, "activation"))


def preact_shortcut(w, x, active, name, width, stride):
    if stride == 1 and x.shape[1] == width:
        return x
    return conv(w, active, f"{name}.shortcut", width, 1, stride)


def preact_block(w, x, name, width, stride):
    active = preresnet.activation(w, x, f"{name}.activation")
    y = conv(w, active, f"{name}.branch.conv1", width, 3, stride)
    y = preresnet.activation(w, y, f"{name}.branch.activation2")
    y = gate(w, conv(w, y, f"{name}.branch.conv2", width, 3), f"{name}.branch.se")
    return y + preact_shortcut(w, x, active, name, width, stride)


def preact_bottleneck(w, x, name, width, stride):
    active = preresnet.activation(w, x, f"{name}.activation")
    y = conv(w, active, f"{name}.branch.conv1", width, 1, stride)
    y = preresnet.activation(w, y, f"{name}.branch.activation2")
    y = conv(w, y, f"{name}.branch.conv2", width, 3)
    y = preresnet.activation(w, y, f"{name}.branch.activation3")
    y = gate(w, conv(w, y, f"{name}.branch.conv3", 4 * width, 1), f"{name}.branch.se")
    return y + preact_shortcut(w, x, active, name, 4 * width, stride)


def se_separable(w, x, name, width, stride):
    """SE-MobileNet: behind each separable convolution."""
    return gate(w, mobilenet_v1.separable(w, x, name, width, stride), f"{name}.se")


def se_vgg16(w, x):
    """Table 2: VGG-16 with batch norm; a gate behind each convolution's ReLU (Sec. 3.3)."""
    for n, (width, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
        for i in range(1, count + 1):
            name = f"conv{n}.conv{n}_{i}"
            x = conv(w, x, f"{name}.conv", width, 3, bias=True)
            x = gate(w, F.relu(norm(w, x, f"{name}.bn")), f"{name}.se")
        x = F.max_pool2d(x, 2, 2)
    x = F.relu(hidden(w, x, "fc6.fc", 4096))
    return linear(w, F.relu(hidden(w, x, "fc7.fc", 4096)), "fc8")


PREACT = {110: preresnet.building_block, 164: preresnet.bottleneck}
UNIT = {
    **{f"stage{n}": partial(one_stage, stage=n) for n in (2, 3, 4)},
    **{f"r{r}": partial(standard, scale=partial(bare, ratio=r)) for r in (2, 4, 8, 16, 32)},
    "3x3": inside,
    "pre": pre,
    "post": post,
    "identity": identity,
    "no_squeeze": partial(standard, scale=no_squeeze),
}
NETWORKS = {
    **{f"se_resnet50_{name}": partial(ablation, unit=unit) for name, unit in UNIT.items()},
    **{f"se_resnet{n}": partial(se_resnet, layers=n) for n in (18, 34)},
    **{f"se_preresnet{n}": partial(se_preresnet, layers=n) for n in UNITS},
    **{
        f"se_preresnet{n}_cifar": partial(
            preresnet.preresnet_cifar, n=18, unit=partial(unit, gate=gate)
        )
        for n, unit in PREACT.items()
    },
    "se_resnet110_cifar": se_resnet110_cifar,
    "se_mobilenet_v1": partial(mobilenet_v1.mobilenet, layer=se_separable),
    "se_vgg16": se_vgg16,
}
SLOW = (
    *(f"se_resnet50_{form}" for form in ("r2", "r4", "r8", "r32", "stage2", "stage4")),
    *(f"se_preresnet{n}" for n in (34, 101, 152)),
    "se_resnet34",
    "se_vgg16",
)
