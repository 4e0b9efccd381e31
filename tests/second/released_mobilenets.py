"""The MobileNets of TensorFlow-Slim, their authors' release: SAME padding, an epsilon of
0.001, ReLU6, a gate times 0.16667.
"""

from functools import partial

import mobilenet_v1
import torch.nn.functional as F
from mobilenet_v2 import TABLE_2, eights
from mobilenet_v3 import HS, LARGE, LAST, RE, SMALL, scaled
from plain import conv, hidden, linear, mean, norm

EPS = 1e-3


def same(w, x, name, width, kernel, stride=1, groups=1):
    """SAME: as many outputs as the stride divides the size into, rounded up; of an odd number of
    zeros the smaller half above and to the left.
    """
    zeros = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        zeros += [total // 2, total - total // 2]
    x = conv(w, F.pad(x, zeros), f"{name}.conv", width, kernel, stride, groups, padding=0)
    return norm(w, x, f"{name}.bn", EPS)


def separable(w, x, name, width, stride):
    x = F.relu6(same(w, x, f"{name}.dw", x.shape[1], 3, stride, x.shape[1]))
    return F.relu6(same(w, x, f"{name}.pw", width, 1))


def v1(w, x, alpha):
    x = F.relu6(same(w, x, "conv1.conv", int(alpha * 32), 3, 2))
    for n, (stride, width) in enumerate(mobilenet_v1.TABLE_1, 2):
        x = w.stage(f"conv{n}", separable(w, x, f"conv{n}", int(alpha * width), stride))
    return linear(w, mean(x), "fc")


def inverted(w, x, name, inner, width, kernel, stride, activation, gate=None):
    y = x
    if inner != x.shape[1]:
        y = activation(same(w, y, f"{name}.layers.expand", inner, 1))
    y = activation(same(w, y, f"{name}.layers.depthwise", inner, kernel, stride, inner))
    if gate:
        y = gate(w, y, f"{name}.layers.se")
    y = same(w, y, f"{name}.layers.project", width, 1)
    return x + y if stride == 1 and x.shape[1] == width else y


def v2(w, x, alpha):
    x = F.relu6(same(w, x, "conv1.conv", eights(32 * alpha), 3, 2))
    for row, (t, c, n, s) in enumerate(TABLE_2, 1):
        for i in range(n):
            form = (t * x.shape[1], eights(c * alpha), 3, 1 if i else s, F.relu6)
            x = inverted(w, x, f"bottleneck{row}.{i}", *form)
        x = w.stage(f"bottleneck{row}", x)
    x = F.relu6(same(w, x, "conv9.conv", eights(1280 * max(1, alpha)), 1))
    return linear(w, mean(x), "fc")


def gate(w, x, name):
    s = x.mean((2, 3), keepdim=True)
    s = F.relu(conv(w, s, f"{name}.squeeze", eights(x.shape[1] / 4), 1, bias=True))
    return x * (F.relu6(conv(w, s, f"{name}.excite", x.shape[1], 1, bias=True) + 3) * 0.16667)


def v3(w, x, table, alpha=1.0, minimalistic=False):
    h_swish = RE if minimalistic else HS
    x = h_swish(same(w, x, "conv1.conv", eights(16 * alpha), 3, 2))
    for i, (kernel, inner, out, se, nl, stride) in enumerate(scaled(table, alpha), 1):
        if minimalistic:
            form = (inner, out, 3, stride, RE)
        else:
            form = (inner, out, kernel, stride, nl, gate if se else None)
        x = w.stage(f"bneck{i}", inverted(w, x, f"bneck{i}", *form))
    wide, last = LAST[table]
    x = mean(h_swish(same(w, x, "conv2.conv", eights(wide * alpha), 1)))
    return linear(w, h_swish(hidden(w, x, "nbn.fc", last)), "fc")


SIZES = {"large": LARGE, "small": SMALL}
NETWORKS = {
    **{
        f"mobilenet_v1_released{ending}": partial(v1, alpha=alpha)
        for ending, alpha in (("", 1), ("_x0_75", 0.75), ("_x0_5", 0.5), ("_x0_25", 0.25))
    },
    "mobilenet_v2_released": partial(v2, alpha=1),
    **{
        f"mobilenet_v2_released_x{alpha}".replace(".", "_"): partial(v2, alpha=alpha)
        for alpha in (0.35, 0.5, 0.75, 1.3, 1.4)
    },
    **{f"mobilenet_v3_{size}_released": partial(v3, table=SIZES[size]) for size in SIZES},
    **{
        f"mobilenet_v3_{size}_released_x0_75": partial(v3, table=SIZES[size], alpha=0.75)
        for size in SIZES
    },
    **{
        f"mobilenet_v3_{size}_released_minimalistic": partial(
            v3, table=SIZES[size], minimalistic=True
        )
        for size in SIZES
    },
}
SMALLEST = (
    "mobilenet_v1_released_x0_25",
    "mobilenet_v2_released_x0_35",
    "mobilenet_v3_small_released",
    "mobilenet_v3_small_released_minimalistic",
)
SLOW = tuple(name for name in NETWORKS if name not in SMALLEST)
