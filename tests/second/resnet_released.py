"""He and others, the networks that they released for Caffe: Table 1 of Deep Residual Learning
behind a first pool that is not padded and rounds up.
"""

from functools import partial

import torch.nn.functional as F
from plain import conv_norm, max_pool
from resnet import UNITS, bottleneck, head, stages


def released(w, x, layers):
    x = F.relu(conv_norm(w, x, "conv1.conv", 64, 7, stride=2))
    return head(w, stages(w, max_pool(x, 3, 2, up=True), bottleneck, UNITS[layers]))


NETWORKS = {f"resnet{n}_released": partial(released, layers=n) for n in (50, 101, 152)}
SLOW = ("resnet152_released",)
