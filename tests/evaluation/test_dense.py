"""Full layers as convolutions: the same answers at the network's own size, and at others what
sliding it would give.
"""

import pytest
import torch

from convatlas import create_model
from convatlas.errors import MultiCropError
from convatlas.evaluation import convolutional
from convatlas.evaluation.dense import Dense, as_convolution


def close(a, b, relative=1e-5):
    assert a.shape == b.shape
    assert float((a - b).abs().max()) <= relative * float(b.abs().max())


@torch.inference_mode()
def test_vgg16_is_the_same_at_its_size_and_slides_its_full_layers_at_a_larger_one():
    torch.manual_seed(0)
    net = create_model("vgg16", num_classes=7).eval()
    dense = convolutional(net)
    x = torch.randn(1, 3, 224, 224)
    scores = dense(x)
    assert scores.shape == (1, 7, 1, 1)
    close(scores[:, :, 0, 0], net(x))
    assert (
        dense.fc6.fc.weight.data_ptr() == net.fc6.fc.weight.data_ptr()
    )  # no second copy of 400 MB
    assert isinstance(net.fc6.fc, torch.nn.Linear)

    x = torch.randn(1, 3, 256, 320)
    maps = x
    for i in range(1, 6):
        maps = getattr(net, f"pool{i}")(getattr(net, f"conv{i}")(maps))  # (1, 512, 8, 10)
    by_hand = torch.stack(
        [
            torch.stack(
                [
                    net.fc8(net.fc7(net.fc6(maps[:, :, y : y + 7, x : x + 7].flatten(1))))
                    for x in range(4)
                ],
                -1,
            )
            for y in range(2)
        ],
        -2,
    )
    assert by_hand.shape == (1, 7, 2, 4)
    close(dense(x), by_hand)
    close(Dense(net)(x), by_hand.mean((2, 3)))


@torch.inference_mode()
def test_a_network_without_padding_slides_as_a_whole():
    """lenet5_tutorial_32 pads nothing and strides by 4 in all: each position is the network on its
    own 32x32 window.
    """
    torch.manual_seed(0)
    net = create_model("lenet5_tutorial_32", num_classes=5).eval()
    x = torch.randn(2, 3, 40, 48)
    scores = convolutional(net)(x)
    assert scores.shape == (2, 5, 3, 5)
    for row in range(3):
        for column in range(5):
            top, left = 4 * row, 4 * column
            close(scores[:, :, row, column], net(x[:, :, top : top + 32, left : left + 32]))


@torch.inference_mode()
@pytest.mark.parametrize("name", ["alexnet", "alexnet_owt", "vgg16_bn_32"])
def test_other_networks_with_full_layers_are_the_same_at_their_size(name):
    torch.manual_seed(0)
    net = create_model(name, num_classes=3).eval()
    x = torch.randn(1, *net.input_size)
    close(Dense(net)(x), net(x))


def test_the_flatten_order_is_channels_rows_columns():
    """A weight for channel 1, row 0, column 2 of (3, 2, 4) maps stands at 1 * 8 + 0 * 4 + 2 in the
    fully connected layer.
    """
    full = torch.nn.Linear(24, 1, bias=False)
    full.weight.data.zero_()
    full.weight.data[0, 10] = 1
    conv = as_convolution(full, (2, 4))
    assert conv.weight.nonzero().tolist() == [[0, 1, 0, 2]]


@torch.inference_mode()
def test_a_network_that_averages_its_maps_is_used_as_it_is():
    net = create_model("resnet20_cifar").eval()
    x = torch.randn(1, 3, 40, 52)
    assert torch.equal(Dense(net)(x), net(x))


def test_a_network_that_cannot_is_refused_with_the_remedy():
    with pytest.raises(MultiCropError, match=r"lenet5 cannot be evaluated densely, .*; use crops"):
        convolutional(create_model("lenet5"))
