"""Iandola and others, SqueezeNet, with bypasses: Table 1 and Figure 2."""

import torch.nn.functional as F
from plain import cat, conv, max_pool, mean

FIRES = {  # Table 1: s1x1, e1x1, e3x3
    2: (16, 64, 64),
    3: (16, 64, 64),
    4: (32, 128, 128),
    5: (32, 128, 128),
    6: (48, 192, 192),
    7: (48, 192, 192),
    8: (64, 256, 256),
    9: (64, 256, 256),
}
BYPASSED = (3, 5, 7, 9)  # Figure 2, middle; on its right the other four have a 1x1 beside them


def fire(w, x, name, squeeze, one, three):
    x = F.relu(conv(w, x, f"{name}.squeeze.conv", squeeze, 1, bias=True))
    a = F.relu(conv(w, x, f"{name}.expand1x1.conv", one, 1, bias=True))
    b = F.relu(conv(w, x, f"{name}.expand3x3.conv", three, 3, bias=True))
    return cat(a, b)


def simple(w, x, n):
    if n in BYPASSED:
        return fire(w, x, f"fire{n}.fire", *FIRES[n]) + x
    return fire(w, x, f"fire{n}", *FIRES[n])


def complicated(w, x, n):
    width = 2 * FIRES[n][1]
    bypass = x if n in BYPASSED else conv(w, x, f"fire{n}.shortcut", width, 1, bias=True)
    return fire(w, x, f"fire{n}.fire", *FIRES[n]) + bypass


def squeezenet(w, x, module):
    """conv10 is not padded and has a ReLU; pools round up."""
    x = F.relu(conv(w, x, "conv1.conv", 96, 7, stride=2, bias=True, padding=0))
    x = w.stage("maxpool1", max_pool(x, 3, 2, up=True))
    for n in FIRES:
        x = w.stage(f"fire{n}", module(w, x, n))
        if n in (4, 8):
            x = w.stage(f"maxpool{n}", max_pool(x, 3, 2, up=True))
    classes = len(w["conv10.conv.bias"])
    return mean(F.relu(conv(w, x, "conv10.conv", classes, 1, bias=True)))


NETWORKS = {
    "squeezenet1_0_simple_bypass": lambda w, x: squeezenet(w, x, simple),
    "squeezenet1_0_complex_bypass": lambda w, x: squeezenet(w, x, complicated),
}
