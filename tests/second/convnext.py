"""Liu and others, A ConvNet for the 2020s: Figure 4 and Sec. 3.3, the isotropic networks; patches,
epsilon and the order of mean and norm as in the authors' release.
"""

from functools import partial

import torch.nn.functional as F
from plain import conv, linear, mean, weight

EPS = 1e-6


def layer_norm(w, x, name):
    """Over the channels, which are last."""
    c = x.shape[-1]
    centred = x - x.mean(-1, keepdim=True)
    x = centred / (centred.square().mean(-1, keepdim=True) + EPS).sqrt()
    return x * weight(w, f"{name}.weight", c) + weight(w, f"{name}.bias", c)


def block(w, x, name, scaled):
    c = x.shape[1]
    y = conv(w, x, f"{name}.branch.dwconv", c, 7, groups=c, bias=True).permute(0, 2, 3, 1)
    y = layer_norm(w, y, f"{name}.branch.norm")
    weight(w, f"{name}.branch.pwconv1.weight", 4 * c, c)
    y = linear(w, F.gelu(linear(w, y, f"{name}.branch.pwconv1")), f"{name}.branch.pwconv2")
    if scaled:
        y = y * weight(w, f"{name}.branch.scale", c)
    return x + y.permute(0, 3, 1, 2)


def isotropic(w, x, blocks, width, scaled=False):
    """Patches of 16x16, and one size and width all the way."""
    x = w.stage("stem", conv(w, x, "stem", width, 16, 16, bias=True, padding=0))
    for i in range(blocks):
        x = block(w, x, f"blocks.{i}", scaled)
    return linear(w, layer_norm(w, mean(w.stage("blocks", x)), "norm"), "fc")


NETWORKS = {
    "convnext_s_isotropic": partial(isotropic, blocks=18, width=384),
    "convnext_b_isotropic": partial(isotropic, blocks=18, width=768),
    "convnext_l_isotropic": partial(isotropic, blocks=36, width=1024, scaled=True),
}
