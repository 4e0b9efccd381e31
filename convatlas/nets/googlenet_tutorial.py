"""GoogLeNet as tutorials build it: the modules of the paper's Table 1 without its normalisation, on
pools that are padded by 1, with ten classes.

conv1 is a 7x7 of stride 2, padded by 3; pool1 to pool4 are 3x3 max pools of stride 2 and padding 1;
conv2 is a 1x1 and a 3x3. Then 3a and 3b, 4a to 4e, 5a and 5b with a pool between, a global average,
dropout of one half, a linear layer. Every convolution has a bias and a ReLU behind it.

The two auxiliary heads ("Assistant") read 4a and 4d: a 5x5 average pool of stride 3, a 1x1
convolution to 128 and its ReLU, dropout of one half, a linear layer to 1024 and its ReLU, dropout
of one half, a linear layer to the classes. The paper has one dropout there, of 0.7.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, padded_pool, seq
from convatlas.nets.googlenet import MODULES, conv, inception
from convatlas.paper import Paper

PAPER = Paper(
    title="Dive into Deep Learning, GoogLeNet", authors="Zhang, Lipton, Li, Smola",
    year=2019, code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. The body is the book's (d2l.ai/chapter_convolutional-modern/"
           "googlenet.html), which has neither dropout nor heads: these are what posts add to it. "
           "Their heads, with 3,188,840 parameters for 1000 classes, are those of "
           "github.com/WZMIAOMIAO/deep-learning-for-image-processing Test4_googlenet; a post "
           "that defines them as a module `Assisant` of its own never calls it. The weight of "
           "the heads' losses is the paper's 0.3. Their pool gives 4x4 only for images near 224; "
           "for others its output is brought to 4x4. Weights are Xavier-uniform, as in the book.",
    page="googlenet_tutorial")


class Assistant(nn.Module):
    """(N, c, 14, 14) -> (N, num_classes)"""

    def __init__(self, c: int, num_classes: int):
        super().__init__()
        self.pool = nn.AvgPool2d(5, stride=3)
        self.resized = nn.AdaptiveAvgPool2d(4)
        self.conv = conv(c, 128, 1)
        self.fc1 = seq(dropout=nn.Dropout(0.5), fc=nn.Linear(128 * 4 * 4, 1024), relu=nn.ReLU())
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) >= 5:
            x = self.pool(x)                        # (N, c, 4, 4) of 14x14
        if x.shape[2:] != (4, 4):                   # images of another size than the book's
            x = self.resized(x)
        x = self.fc1(self.conv(x).flatten(1))       # (N, 128, 4, 4), (N, 1024)
        return self.fc2(self.dropout(x))            # (N, num_classes)


class GoogLeNetTutorial(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    stages = ("conv1", "conv2", "inception_3b", "inception_4e", "inception_5b")
    auxiliary_paths = ("aux_4a.fc2", "aux_4d.fc2")

    def __init__(self, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 64, 7, stride=2)
        self.pool1 = padded_pool()
        self.conv2 = seq(reduce=conv(64, 64, 1), conv=conv(64, 192, 3))
        self.pool2 = padded_pool()
        self.pool3 = padded_pool()
        self.pool4 = padded_pool()
        c = 192
        for row in MODULES:
            self.add_module(row.part, inception(c, row))
            c = row.n1x1 + row.n3x3 + row.n5x5 + row.pool_proj
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(c, num_classes)
        self.aux_4a = Assistant(512, num_classes)
        self.aux_4d = Assistant(528, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the heads read: the outputs of 4a, 4d and 5b."""
        x = self.pool1(self.conv1(x))                       # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.pool2(self.conv2(x))                       # (N, 192, 56, 56), (N, 192, 28, 28)
        x = self.inception_3b(self.inception_3a(x))         # (N, 480, 28, 28)
        out_4a = self.inception_4a(self.pool3(x))           # (N, 512, 14, 14)
        x = self.inception_4c(self.inception_4b(out_4a))    # (N, 512, 14, 14)
        out_4d = self.inception_4d(x)                       # (N, 528, 14, 14)
        x = self.pool4(self.inception_4e(out_4d))           # (N, 832, 14, 14), (N, 832, 7, 7)
        out_5b = self.inception_5b(self.inception_5a(x))    # (N, 1024, 7, 7)
        return out_4a, out_4d, out_5b

    def head(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))  # (N, num_classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, 224, 224)
        return self.head(self.maps(x)[-1])

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        out_4a, out_4d, out_5b = self.maps(x)
        return [(self.head(out_5b), 1.0), (self.aux_4a(out_4a), 0.3), (self.aux_4d(out_4d), 0.3)]


VARIANTS = {"googlenet_tutorial": GoogLeNetTutorial}
