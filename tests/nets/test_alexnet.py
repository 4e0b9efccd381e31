"""The first layer of AlexNet, whose size is rounded up."""

import torch
import torch.nn.functional as F

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def test_the_first_convolution_rounds_its_size_up():
    """1 + ceil((H - 11) / 4), as cuda-convnet's layers do."""
    with shapes_only():
        conv1 = create_model("alexnet").conv1
    for side in range(224, 256):
        out = conv1(torch.empty(1, 3, side, 224, device="meta"))
        assert out.shape == (1, 96, 1 + -(-(side - 11) // 4), 55)


def test_zeros_stand_right_of_and_below_an_image_of_224_and_change_nothing_in_one_of_227():
    torch.manual_seed(0)
    conv1 = create_model("alexnet", num_classes=2).conv1.double()
    with torch.no_grad():
        conv1.conv.bias.normal_()
        whole = torch.randn(1, 3, 227, 227, dtype=torch.float64)
        by_hand = F.conv2d(whole, conv1.conv.weight, conv1.conv.bias, stride=4).relu()
        torch.testing.assert_close(conv1(whole), by_hand)
        cut = whole[..., :224, :224]
        blank = torch.zeros_like(whole)
        blank[..., :224, :224] = cut
        torch.testing.assert_close(conv1(cut), conv1(blank))
