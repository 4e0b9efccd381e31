"""ShuffleNet, Sec. 4.1.2: what the shuffle is for. Table 3 compares networks (shufflenet_v1.py)
with the same without it, whose groups meet nowhere but in Conv1, in the first layer of Stage2 and
in FC.

    error (%)            no shuffle   shuffle
    1x (g = 3)           34.5         32.6
    1x (g = 8)           37.6         32.4
    0.5x (g = 3)         45.7         43.2
    0.5x (g = 8)         48.1         42.3
    0.25x (g = 3)        56.3         55.0
    0.25x (g = 8)        56.5         52.7
"""
from functools import partial

import torch.nn as nn

from convatlas.nets.shufflenet_v1 import SCALES, ShuffleNetV1, branch
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    authors="Zhang, Zhou, Lin, Sun",
    year=2018, venue="CVPR", arxiv="1707.01083v2",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV1",
    silent="Nothing of its own: all but the shuffle is shufflenet_v1_g3 and shufflenet_v1_g8, "
           "their filters of Conv1 under a scale factor too. Batch norm has PyTorch's epsilon and "
           "momentum, 1e-5 and 0.1.",
    page="shufflenet_v1", bare="shufflenet_v1_g3_no_shuffle")


def unshuffled(c_in: int, middle: int, c_out: int, g_first: int, g: int,
               stride: int) -> nn.Sequential:
    """The way through a unit, without its shuffle."""
    layers = branch(c_in, middle, c_out, g_first, g, stride)
    del layers.shuffle
    return layers


VARIANTS = {f"shufflenet_v1_g{g}{suffix}_no_shuffle": partial(ShuffleNetV1, g, s, conv1, unshuffled)
            for g in (3, 8) for suffix, (s, conv1) in SCALES[g].items() if s <= 1}
