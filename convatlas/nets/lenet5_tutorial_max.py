"""What posts on classic networks call LeNet: the widths of LeNet-5 on colour images of 32x32, with
max pools, and nothing at all between its layers.

    conv1   5x5, 6, padding 1    6x30x30
    pool1   2x2 max              6x15x15
    conv2   5x5, 16              16x11x11
    pool2   2x2 max              16x5x5      the last row and column are dropped
    fc1     120
    fc2     84
    fc3     10

No activation follows any of them: the max pools are all that keeps it from being one linear map.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network
from convatlas.paper import Paper

PAPER = Paper(
    title="LeNet with max pools (tutorials)", authors="unknown", year=2020,
    silent="There is no paper, and no address: the listing circulates in posts, and a search of "
           "public code and pages for its layers and for its counts, 62,006 parameters and 754,320 "
           "multiply-adds, found only relatives (e-com-net.com/article/1611147429745295360.htm "
           "has the same five layers without activations, and without pools). Initial weights are "
           "PyTorch's own.",
    page="lenet5_tutorial_max")


class LeNet5TutorialMax(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""
    side = 32
    smallest = 30
    largest = 33    # the pools drop odd rows and columns
    stages = ("conv1", "pool1", "conv2", "pool2")
    cam_path = "conv2"
    classifier_path = "fc3"

    def __init__(self, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = nn.Conv2d(in_channels, 6, 5, padding=1)
        self.pool1 = nn.MaxPool2d(2, stride=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool2 = nn.MaxPool2d(2, stride=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:                 # (N, 3, 32, 32)
        x = self.pool1(self.conv1(x))                       # (N, 6, 30, 30), (N, 6, 15, 15)
        x = self.pool2(self.conv2(x))                       # (N, 16, 11, 11), (N, 16, 5, 5)
        return self.fc3(self.fc2(self.fc1(x.flatten(1))))   # (N, 120), (N, 84), (N, num_classes)


VARIANTS = {"lenet5_tutorial_max": LeNet5TutorialMax}
