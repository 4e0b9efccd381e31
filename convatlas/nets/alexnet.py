"""ImageNet Classification with Deep Convolutional Neural Networks (Krizhevsky, Sutskever, Hinton;
NIPS 2012).

    Sec. 3.5   kernels  size     stride  reads                         then
    conv1      96       11x11x3  4       the image                     normalisation, 3x3/2 max pool
    conv2      256      5x5x48   1       its own GPU's half of conv1   normalisation, 3x3/2 max pool
    conv3      384      3x3x256  1       both halves of conv2
    conv4      384      3x3x192  1       its own half of conv3
    conv5      256      3x3x192  1       its own half of conv4         3x3/2 max pool
    fc6, fc7   4096 neurons each, then 1000
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import LocalResponseNorm, Network, fully_connected, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="ImageNet Classification with Deep Convolutional Neural Networks",
    authors="Krizhevsky, Sutskever, Hinton",
    year=2012, venue="NIPS", code="code.google.com/p/cuda-convnet",
    silent="Padding: 2 for conv2 and 1 for conv3 to conv5, the ones that give the printed neuron "
           "counts. How 11x11 kernels at stride 4 make 55x55 of 224x224: cuda-convnet rounds sizes "
           "up, so that the last windows reach over the border, where zeros stand, here three "
           "columns to the right and three rows below. They change nothing in an image of 227x227, "
           "which the windows tile, and which copies of the network read instead. Normalisation "
           "follows the printed formula; the authors' code divides alpha by n. It runs over all "
           "maps of a layer, as the formula's N, 'the total number of kernels in the layer', says; "
           "whether a GPU's last maps see the other's first, Sec. 3.5 leaves open.",
    page="alexnet")


def conv(c_in: int, c_out: int, kernel: int, stride: int = 1, padding: int = 0,
         gpus: int = 1) -> nn.Sequential:
    """With gpus=2, each half of the maps reads only its own half of c_in."""
    layer = nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=gpus)
    return seq(conv=layer, relu=nn.ReLU())


def rounded_up(c_in: int, c_out: int, kernel: int, stride: int) -> nn.Sequential:
    """The last window may reach over the border: cuda-convnet's sizes, 1 + ceil((H - kernel) /
    stride).
    """
    border = nn.ZeroPad2d((0, stride - 1, 0, stride - 1))
    return seq(border=border, conv=nn.Conv2d(c_in, c_out, kernel, stride), relu=nn.ReLU())


class AlexNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 224
    largest = 255  # pool5 must come out as 6x6
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
    cam_path = "conv5"
    classifier_path = "fc8"

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = rounded_up(in_channels, 96, 11, stride=4)
        self.conv2 = conv(96, 256, 5, padding=2, gpus=2)
        self.conv3 = conv(256, 384, 3, padding=1)
        self.conv4 = conv(384, 384, 3, padding=1, gpus=2)
        self.conv5 = conv(384, 256, 3, padding=1, gpus=2)
        self.norm1 = LocalResponseNorm()
        self.norm2 = LocalResponseNorm()
        self.pool1 = nn.MaxPool2d(3, stride=2)  # the windows overlap, Sec. 3.4
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.fc6 = fully_connected(256 * 6 * 6, 4096)  # with dropout 0.5, Sec. 4.2
        self.fc7 = fully_connected(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)
        for layer in (self.conv2.conv, self.conv4.conv, self.conv5.conv, self.fc6.fc, self.fc7.fc):
            nn.init.ones_(layer.bias)  # Sec. 5: so that the ReLUs start with positive inputs

    def initialise(self, layer: nn.Module) -> None:
        """Sec. 5: N(0, 0.01), and biases 0 but for those above."""
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:         # (N, 3, 224, 224)
        x = self.pool1(self.norm1(self.conv1(x)))   # (N, 96, 55, 55), (N, 96, 27, 27)
        x = self.pool2(self.norm2(self.conv2(x)))   # (N, 256, 27, 27), (N, 256, 13, 13)
        x = self.conv3(x)                           # (N, 384, 13, 13)
        x = self.conv4(x)                           # (N, 384, 13, 13)
        x = self.pool5(self.conv5(x))               # (N, 256, 13, 13), (N, 256, 6, 6)
        x = self.fc7(self.fc6(x.flatten(1)))        # (N, 9216), (N, 4096) twice
        return self.fc8(x)                          # (N, num_classes)


VARIANTS = {"alexnet": AlexNet}
