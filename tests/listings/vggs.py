"""What tutorials call VGG."""

from functools import partial

import torch.nn as nn
from lenets import xavier
from listing import ACTIVATION, TUTORIAL_1, Listing, Source, dropout, new
from torch import Tensor

PLANS = {
    "A": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "D": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "E": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


def features(plan: str, c: int, norm: bool = True) -> nn.Sequential:
    layers = []
    for word in PLANS[plan].split():
        if word == "M":
            layers.append(nn.MaxPool2d(2, 2))
            continue
        norms = [nn.BatchNorm2d(int(word))] if norm else []
        layers += [nn.Conv2d(c, int(word), 3, padding=1), *norms, nn.ReLU(True)]
        c = int(word)
    return nn.Sequential(*layers)


class OneLinear(nn.Module):
    """For 32x32: a pool of one pixel that does nothing, and one linear layer."""

    def __init__(self, plan: str):
        super().__init__()
        self.features = nn.Sequential(*features(plan, 3), nn.AvgPool2d(1, 1))
        self.classifier = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = self.features(x)
        return self.classifier(out.view(out.size(0), -1))


class ThreeLinear(nn.Module):
    """For 32x32, with three linear layers and dropout behind the first of them."""

    def __init__(self, plan: str):
        super().__init__()
        self.features = features(plan, 3)
        self.classifier = nn.Sequential(
            *(nn.Linear(512, 4096), nn.ReLU(), nn.Dropout()),
            *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 100)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


def full(plan: str, c_in: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        features(plan, c_in, norm=False),
        nn.Flatten(),
        *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(0.5)),
        nn.Linear(4096, classes),
    )


CIFAR = Source(
    "kuangliu/pytorch-cifar", "models/vgg.py", "64fe317af0709823a23de5010c173c1912881965"
)

LISTINGS = (
    Listing(
        "vgg16_pytorch_cifar",
        partial(OneLinear, "D"),
        CIFAR,
        (3, 32, 32),
        params=14_728_266,
        atlas="vgg16_bn_32",
        starts_alike=True,
    ),
    Listing(
        "vgg19_pytorch_cifar",
        partial(OneLinear, "E"),
        CIFAR,
        (3, 32, 32),
        params=20_040_522,
        atlas="vgg19_bn_32",
        starts_alike=True,
    ),
    Listing(
        "vgg16_cifar100",
        partial(ThreeLinear, "D"),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/vgg.py",
            "e0f3a07eb142990b06b8d6565085efb09990676c",
        ),
        (3, 32, 32),
        params=34_015_396,
        printed="34.0M",
        atlas="vgg16_bn_32",
        differences=(
            new("linear", 2),
            new("relu", 2, ACTIVATION),
            dropout(0.5, None, 2),
        ),
        near=("vgg16_bn",),
        starts_alike=True,
        remark="or vgg16_bn on maps of one pixel",
    ),
    Listing(
        "vgg11_d2l",
        partial(xavier, partial(full, "A", 1, 10)),
        Source(
            "d2l-ai/d2l-en",
            "chapter_convolutional-modern/vgg.md",
            "01c835a316bad46cf4409af75848a6d2f5e4fffb",
        ),
        (1, 224, 224),
        params=128_806_154,
        atlas="vgg11",
    ),
    Listing(
        "vgg16_of_grey_images",
        partial(full, "D", 1, 1000),
        TUTORIAL_1,
        (1, 224, 224),
        params=138_356_392,
        atlas="vgg16",
    ),
    Listing(
        "vgg16_torchvision",
        partial(full, "D", 3, 1000),
        Source(
            "WZMIAOMIAO/deep-learning-for-image-processing",
            "pytorch_classification/Test3_vggnet/model.py",
            "4b26f0cc016b533acc5db80b9ec503d19745b2e9",
        ),
        (3, 224, 224),
        params=138_357_544,
        macs=15_470_264_320,
        atlas="vgg16",
        remark="as torchvision's",
    ),
)
