"""Howard and others, Searching for MobileNetV3: Tables 1 and 2; the README's minimalistic forms,
and torchvision's reduced tail.
"""

from functools import partial

import torch.nn.functional as F
from mobilenet_v2 import eights
from plain import conv, conv_norm, hidden, linear, mean

EPS = 1e-3
RE, HS = F.relu, F.hardswish
LARGE = (  # kernel, exp size, #out, SE, NL, s
    (3, 16, 16, False, RE, 1),
    (3, 64, 24, False, RE, 2),
    (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2),
    (5, 120, 40, True, RE, 1),
    (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2),
    (3, 200, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1),
    (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2),
    (5, 960, 160, True, HS, 1),
    (5, 960, 160, True, HS, 1),
)
SMALL = (
    (3, 16, 16, True, RE, 2),
    (3, 72, 24, False, RE, 2),
    (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2),
    (5, 240, 40, True, HS, 1),
    (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1),
    (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1),
    (5, 576, 96, True, HS, 1),
)
LAST = {LARGE: (960, 1280), SMALL: (576, 1024)}  # the last 1x1, and the layer without batch norm


def gate(w, x, name):
    """A quarter of the channels, ReLU, and h-sigmoid, relu6(x + 3) / 6."""
    s = x.mean((2, 3), keepdim=True)
    s = conv(w, s, f"{name}.squeeze", eights(x.shape[1] / 4), 1, bias=True)
    s = conv(w, F.relu(s), f"{name}.excite", x.shape[1], 1, bias=True)
    return x * F.relu6(s + 3) / 6


def bneck(w, x, name, kernel, expanded, width, se, nonlinearity, stride):
    y = x
    if expanded != x.shape[1]:
        y = nonlinearity(conv_norm(w, y, f"{name}.layers.expand", expanded, 1, eps=EPS))
    y = conv_norm(w, y, f"{name}.layers.depthwise", expanded, kernel, stride, expanded, eps=EPS)
    y = nonlinearity(y)
    if se:
        y = gate(w, y, f"{name}.layers.se")
    y = conv_norm(w, y, f"{name}.layers.project", width, 1, eps=EPS)
    return x + y if stride == 1 and x.shape[1] == width else y


def scaled(table, alpha):
    """An expansion keeps its ratio to the block's input; all widths are multiples of 8."""
    before, thin = 16, eights(16 * alpha) if alpha >= 0.75 else 16
    for kernel, expanded, out, *rest in table:
        yield (kernel, eights(expanded / before * thin), eights(out * alpha), *rest)
        before, thin = out, eights(out * alpha)


def mobilenet_v3(w, x, table, alpha=1.0, h_swish=HS):
    rows = list(scaled(table, alpha))
    wide, nbn = LAST[table]
    return network(w, x, rows, (eights(wide * alpha), nbn), h_swish, rows[0][1])


def network(w, x, rows, last, h_swish, first=16):
    x = h_swish(conv_norm(w, x, "conv1.conv", first, 3, stride=2, eps=EPS))
    for i, row in enumerate(rows, 1):
        x = w.stage(f"bneck{i}", bneck(w, x, f"bneck{i}", *row))
    x = h_swish(conv_norm(w, x, "conv2.conv", last[0], 1, eps=EPS))
    return linear(w, h_swish(hidden(w, mean(x), "nbn.fc", last[1])), "fc")


def minimalistic(w, x, table):
    """No squeeze-and-excite, no h-swish, no 5x5."""
    rows = [(3, expanded, out, False, RE, stride) for _, expanded, out, _, _, stride in table]
    return network(w, x, rows, LAST[table], RE)


def reduced_tail(w, x, table):
    """Half the outputs of the last three blocks, expansions of the last two, and what follows."""
    rows = [list(row) for row in table]
    for row in rows[-3:]:
        row[2] //= 2
    for row in rows[-2:]:
        row[1] //= 2
    return network(w, x, rows, [width // 2 for width in LAST[table]], HS)


SIZES = {"large": LARGE, "small": SMALL}
WIDTHS = (0.35, 0.5, 0.75, 1.25)
NETWORKS = {
    **{
        f"mobilenet_v3_{size}_x{alpha}".replace(".", "_"): partial(
            mobilenet_v3, table=table, alpha=alpha
        )
        for size, table in SIZES.items()
        for alpha in WIDTHS
    },
    **{
        f"mobilenet_v3_{size}_minimalistic": partial(minimalistic, table=table)
        for size, table in SIZES.items()
    },
    **{
        f"mobilenet_v3_{size}_reduced_tail": partial(reduced_tail, table=table)
        for size, table in SIZES.items()
    },
}
