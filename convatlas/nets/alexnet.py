"""ImageNet Classification with Deep Convolutional Neural Networks (Krizhevsky, Sutskever, Hinton;
NIPS 2012), and the networks that are also called AlexNet.

    Sec. 3.5   kernels   size        stride   reads                           then
    conv1      96        11x11x3     4        the image                     normalisation, 3x3/2 max pool
    conv2      256       5x5x48               its own GPU's half of conv1     normalisation, 3x3/2 max pool
    conv3      384       3x3x256              both halves of conv2
    conv4      384       3x3x192              its own half of conv3
    conv5      256       3x3x192              its own half of conv4           3x3/2 max pool
    fc6, fc7   4096 neurons each, then 1000
"""
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import LocalResponseNorm, Network, seq
from convatlas.paper import Claim, Paper, counts, sizes, torchvision, units

NIPS = Paper(
    title="ImageNet Classification with Deep Convolutional Neural Networks", authors="Krizhevsky, "
                                                                                     "Sutskever, "
                                                                                     "Hinton",
    year=2012, venue="NIPS", code="code.google.com/p/cuda-convnet",
    silent="Padding: 2 for conv2 and 1 for conv3 to conv5, the ones that give the printed neuron "
           "counts. The image: the paper prints 224x224, which an 11x11 kernel at stride 4 does "
           "not tile; 227 without padding gives 55x55, and 55 leads to the counts printed for "
           "conv2 to conv5. The whole has 659,272 neurons then; the paper says 650,000. "
           "Normalisation follows the printed formula; the authors' code divides alpha by n.",
    page="alexnet")
OWT = Paper(
    title="One weird trick for parallelizing convolutional neural networks", authors="Krizhevsky", year=2014,
    arxiv="1404.5997v2", code="code.google.com/p/cuda-convnet2 layers-imagenet-1gpu.cfg",
    silent="The paper gives no table; the widths are those of the author's configuration file and "
           "of torchvision's alexnet. Initial weights are PyTorch's own.",
    departs="This is the graph everybody calls AlexNet, torchvision's. The author's configuration "
            "keeps the normalisation after conv1 and conv2, pads its first layer by rounding up, "
            "and drops out after fc6 and fc7; here there is no normalisation, conv1 is padded by "
            "2, and dropout comes before fc6 and fc7.",
    page="alexnet_owt")
TUTORIAL = Paper(
    title="Dive into Deep Learning, AlexNet", authors="Zhang, Lipton, Li, Smola", year=2019,
    code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. conv1 is padded by 2, as in the tutorials that print 55, 27, 13 and "
           "6 for 224; the book pads it by 1. Weights are Xavier-uniform, dropout 0.5 after fc6 "
           "and fc7, as in the book.",
    page="alexnet_tutorial")
PAPER = {"alexnet": NIPS, "alexnet_owt": OWT, "alexnet_tutorial": TUTORIAL}


class Conv(NamedTuple):  # a row of the table above; `gpus` apart, what torch.nn.Conv2d calls groups
    kernels: int
    size: int
    stride: int = 1
    padding: int = 0
    gpus: int = 1


ALEXNET = (Conv(96, 11, stride=4), Conv(256, 5, padding=2, gpus=2), Conv(384, 3, padding=1),
           Conv(384, 3, padding=1, gpus=2), Conv(256, 3, padding=1, gpus=2))
ONE_TOWER = (Conv(64, 11, stride=4, padding=2), Conv(192, 5, padding=2), Conv(384, 3, padding=1),
             Conv(256, 3, padding=1), Conv(256, 3, padding=1))
UNSPLIT = (Conv(96, 11, stride=4, padding=2), Conv(256, 5, padding=2), Conv(384, 3, padding=1),
           Conv(384, 3, padding=1), Conv(256, 3, padding=1))


def add_convolutions(net: Network, rows: tuple[Conv, ...]) -> None:
    """conv1 to conv5, each with its ReLU, become modules of `net`."""
    c = net.in_channels
    for i, row in enumerate(rows, start=1):
        conv = nn.Conv2d(c, row.kernels, row.size, row.stride, row.padding, groups=row.gpus)
        net.add_module(f"conv{i}", seq(conv=conv, relu=nn.ReLU()))
        c = row.kernels


def overlapping_pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2)                    # Sec. 3.4


def full(c_in: int, c_out: int) -> nn.Sequential:
    return seq(fc=nn.Linear(c_in, c_out), relu=nn.ReLU(), dropout=nn.Dropout(0.5))    # Sec. 4.2


STAGES = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")


class AlexNet(Network):
    side, smallest, largest = 227, 227, 258             # pool5 must come out as 6x6
    stages, cam_path, classifier_path = STAGES, "conv5", "fc8"

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        add_convolutions(self, ALEXNET)
        self.norm1, self.norm2 = LocalResponseNorm(), LocalResponseNorm()
        self.pool1, self.pool2, self.pool5 = overlapping_pool(), overlapping_pool(), overlapping_pool()
        self.fc6, self.fc7 = full(256 * 6 * 6, 4096), full(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)
        for unit in (self.conv2.conv, self.conv4.conv, self.conv5.conv, self.fc6.fc, self.fc7.fc):
            nn.init.ones_(unit.bias)  # Sec. 5: feeds the ReLUs with positive inputs

    def initialise(self, layer):  # Sec. 5: N(0, 0.01), biases 0 apart from the above
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, x):                               # (N, 3, 227, 227)
        x = self.pool1(self.norm1(self.conv1(x)))       # (N, 96, 55, 55), (N, 96, 27, 27)
        x = self.pool2(self.norm2(self.conv2(x)))       # (N, 256, 27, 27), (N, 256, 13, 13)
        x = self.conv5(self.conv4(self.conv3(x)))       # (N, 384, 13, 13) twice, (N, 256, 13, 13)
        x = self.pool5(x).flatten(1)                    # (N, 9216)
        return self.fc8(self.fc7(self.fc6(x)))          # (N, num_classes)


class AlexNetOWT(Network):
    side, smallest, largest = 224, 223, 254
    stages, cam_path, classifier_path = STAGES, "conv5", "fc8"

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        add_convolutions(self, ONE_TOWER)
        self.pool1, self.pool2, self.pool5 = overlapping_pool(), overlapping_pool(), overlapping_pool()
        self.fc6 = seq(dropout=nn.Dropout(0.5), fc=nn.Linear(256 * 6 * 6, 4096), relu=nn.ReLU())
        self.fc7 = seq(dropout=nn.Dropout(0.5), fc=nn.Linear(4096, 4096), relu=nn.ReLU())
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                   # (N, 64, 55, 55), (N, 64, 27, 27)
        x = self.pool2(self.conv2(x))                   # (N, 192, 27, 27), (N, 192, 13, 13)
        x = self.conv5(self.conv4(self.conv3(x)))       # (N, 384, 13, 13), (N, 256, 13, 13) twice
        x = self.pool5(x).flatten(1)                    # (N, 9216)
        return self.fc8(self.fc7(self.fc6(x)))          # (N, num_classes)


class AlexNetTutorial(Network):
    side, smallest, largest = 224, 223, 254
    stages, cam_path, classifier_path = STAGES, "conv5", "fc8"

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        add_convolutions(self, UNSPLIT)
        self.pool1, self.pool2, self.pool5 = overlapping_pool(), overlapping_pool(), overlapping_pool()
        self.fc6, self.fc7 = full(256 * 6 * 6, 4096), full(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                   # (N, 96, 55, 55), (N, 96, 27, 27)
        x = self.pool2(self.conv2(x))                   # (N, 256, 27, 27), (N, 256, 13, 13)
        x = self.conv5(self.conv4(self.conv3(x)))       # (N, 384, 13, 13) twice, (N, 256, 13, 13)
        x = self.pool5(x).flatten(1)                    # (N, 9216)
        return self.fc8(self.fc7(self.fc6(x)))          # (N, num_classes)


VARIANTS = {"alexnet": AlexNet, "alexnet_owt": AlexNetOWT, "alexnet_tutorial": AlexNetTutorial}

FIRST_LAYER = ("96 maps of 55x55 are 290,400. 253,440 is 96 x 2640, and 2640 is no square; 186,624 "
               "= 256 x 27 x 27, printed for conv2, needs 55x55 before the pool.")
IMAGE = ("(224 - 11) / 4 is no whole number; the counts printed for conv2 to conv5 need conv1 at "
         "55x55, hence 227.")
NEURONS = {"conv2": "186,624", "conv3": "64,896", "conv4": "64,896", "conv5": "43,264", "fc6": "4096", "fc7": "4096",
           "fc8": "1000"}
ROUND = ("The network of Figure 2 takes 724,406,816 in its convolutions and full layers: the "
         "figure is a round one.")
TUTORIALS = "Tutorials' printed outputs for 224x224"
CLAIMS = {
    "alexnet": (
        Claim("params", "60M", "Sec. 4, first sentence: 60 million"), Claim("layers", "8", ("Sec. "
                                                                                            "3.5: "
                                                                                            "eight "
                                                                                            "layers")),
        Claim("size", "3x224x224", "Sec. 3.5 and Figure 2", "input", erratum=IMAGE),
        Claim("units", "253,440", "Figure 2, caption", "conv1", erratum=FIRST_LAYER),
        *units("Figure 2, caption", NEURONS),
        *counts("MobileNets (arXiv:1704.04861v1), Table 9", "60M", ("720 "
                                                                   "million"), errata=("", ROUND)),
        *counts("ShuffleNet (arXiv:1707.01083), Tables 6 and 8", "", "720M", errata=("", ROUND))),
    "alexnet_owt": torchvision("AlexNet_Weights", "61,100,840", "0.714"),
    "alexnet_tutorial": (
        *sizes(TUTORIALS, {
            "conv1.conv": "96x55x55", "conv1.relu": "96x55x55", "pool1": "96x27x27", "conv2.conv": "256x27x27",
            "conv2.relu": "256x27x27", "pool2": "256x13x13", "conv3.conv": "384x13x13", "conv3.relu": "384x13x13",
            "conv4.conv": "384x13x13", "conv4.relu": "384x13x13", "conv5.conv": "256x13x13",
            "conv5.relu": "256x13x13", "pool5": "256x6x6"}),
        *units(TUTORIALS, {"pool5": "9216", "fc6": "4096", "fc7": "4096", "fc8": "1000"})),
}
