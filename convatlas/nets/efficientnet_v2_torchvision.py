"""EfficientNetV2 with the same padding on all sides of an image: torchvision's form of it."""
from functools import partial

from convatlas.layers import ConvBN
from convatlas.nets.efficientnet import Scale
from convatlas.nets.efficientnet_v2 import EfficientNetV2, L, M, S
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNetV2 (torchvision)",
    authors="torchvision contributors",
    year=2022, code="github.com/pytorch/vision",
    silent="There is no paper. Batch norm has the release's epsilon, 0.001, and PyTorch's "
           "momentum, 0.1; dropout is 0.2, 0.3 and 0.4, as in the release.",
    departs="Initial weights are the EfficientNet authors'; torchvision starts depthwise "
            "convolutions smaller.",
    page="efficientnet_v2_torchvision")


class ConvBNLoose(ConvBN):
    """(N, c_in, H, W) -> (N, c_out, H/stride, W/stride), rounded up"""

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1):
        super().__init__(c_in, c_out, k, stride, groups)
        self.bn.eps = 0.001


VARIANTS = {
    "efficientnet_v2_s_torchvision": partial(
        EfficientNetV2, S, 24, Scale(1.0, 1.0, 384, dropout=0.2), ConvBNLoose),
    "efficientnet_v2_m_torchvision": partial(
        EfficientNetV2, M, 24, Scale(1.0, 1.0, 480, dropout=0.3), ConvBNLoose),
    "efficientnet_v2_l_torchvision": partial(
        EfficientNetV2, L, 32, Scale(1.0, 1.0, 480, dropout=0.4), ConvBNLoose),
}
