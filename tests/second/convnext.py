"""Liu and others, A ConvNet for the 2020s: Figure 4 and Sec. 3.3, the isotropic networks; patches,
epsilon and the order of mean and norm as in the authors' release.
"""

from functools import partial

import torch.nn.functional as F
from plain import conv, linear, mean, weight

EPS = 1e-6


def layer_norm(w, x, name):
    """Over the channels of each pixel."""
    c = x.shape[1]
    shape = (1, c) + (1,) * (x.dim() - 2)
    centred = x - x.mean(1, keepdim=True)
    x = centred / (centred.square().mean(1, keepdim=True) + EPS).sqrt()
    gamma, beta = weight(w, f"{name}.weight", c), weight(w, f"{name}.bias", c)
    return x * gamma.view(shape) + beta.view(shape)


def block(w, x, name, scaled):
    """Depthwise 7x7, layer norm, 1x1 to four times the width, GELU, 1x1 back."""
    c = x.shape[1]
    y = conv(w, x, f"{name}.branch.depthwise", c, 7, groups=c, bias=True)
    y = layer_norm(w, y, f"{name}.branch.norm")
    y = F.gelu(conv(w, y, f"{name}.branch.expand", 4 * c, 1, bias=True))
    y = conv(w, y, f"{name}.branch.project", c, 1, bias=True)
    if scaled:
        y = y * weight(w, f"{name}.branch.scale.weight", c).view(1, c, 1, 1)
    return x + y


def isotropic(w, x, blocks, width, scaled=False):
    """Patches of 16x16, and one size and width all the way."""
    x = w.stage("stem", conv(w, x, "stem", width, 16, 16, bias=True, padding=0))
    for i in range(blocks):
        x = block(w, x, f"blocks.{i}", scaled)
    return linear(w, layer_norm(w, mean(w.stage("blocks", x)), "norm"), "fc")


NETWORKS = {
    "convnext_isotropic_small": partial(isotropic, blocks=18, width=384),
    "convnext_isotropic_base": partial(isotropic, blocks=18, width=768),
    "convnext_isotropic_large": partial(isotropic, blocks=36, width=1024, scaled=True),
}
SLOW = ("convnext_isotropic_base", "convnext_isotropic_large")
