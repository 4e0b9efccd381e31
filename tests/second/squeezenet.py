"""SqueezeNet with bypasses: Table 1 and Figure 2 of arXiv:1602.07360."""

import torch.nn.functional as F
from operations import cat, conv, global_mean, max_pool

BYPASSED = (3, 5, 7, 9)  # Figure 2, middle; on its right the other four have a 1x1 beside them


def fire(w, x, name):
    s = F.relu(conv(w, x, f"{name}.squeeze.conv"))
    one = F.relu(conv(w, s, f"{name}.expand1x1.conv"))
    three = F.relu(conv(w, s, f"{name}.expand3x3.conv", padding=1))
    return cat(one, three)


def simple(w, n, x):
    name = f"fire{n}.fire" if n in BYPASSED else f"fire{n}"
    return fire(w, x, name) + (x if n in BYPASSED else 0)


def complicated(w, n, x):
    bypass = x if n in BYPASSED else conv(w, x, f"fire{n}.shortcut")
    return fire(w, x, f"fire{n}.fire") + bypass


def squeezenet(w, x, module):
    x = F.relu(conv(w, x, "conv1.conv", stride=2))
    x = w.stage("maxpool1", max_pool(x, 3, 2, round_up=True))
    for n in range(2, 10):
        x = w.stage(f"fire{n}", module(w, n, x))
        if n in (4, 8):
            x = w.stage(f"maxpool{n}", max_pool(x, 3, 2, round_up=True))
    return global_mean(F.relu(conv(w, x, "conv10.conv")))


NETWORKS = {
    "squeezenet1_0_simple_bypass": lambda w, x: squeezenet(w, x, simple),
    "squeezenet1_0_complex_bypass": lambda w, x: squeezenet(w, x, complicated),
}
