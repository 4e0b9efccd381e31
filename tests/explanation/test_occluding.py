"""Occlusion, against loops that cover one window at a time, and against captum's."""

import numpy as np
import pytest
import torch
import torch.nn as nn
from skips import needs

from convatlas import create_model
from convatlas.errors import InputError
from convatlas.explanation import occlusion
from convatlas.explanation.occluding import starts


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return create_model("resnet20_cifar", num_classes=3, in_channels=2).double().eval()


def by_hand(net, x, target: int, window: int, stride: int, fill: float) -> np.ndarray:
    """Zeiler and Fergus' words, one window and one pixel at a time."""
    n, _, height, width = x.shape
    sums, counts = np.zeros((n, height, width)), np.zeros((height, width))
    with torch.no_grad():
        whole = net(x)[:, target].numpy()
        tops = {min(top, height - window) for top in range(0, height + stride, stride)}
        lefts = {min(left, width - window) for left in range(0, width + stride, stride)}
        for top in tops:
            for left in lefts:
                covered = x.clone()
                covered[:, :, top : top + window, left : left + window] = fill
                drop = whole - net(covered)[:, target].numpy()
                for row in range(top, top + window):
                    for column in range(left, left + window):
                        sums[:, row, column] += drop
                        counts[row, column] += 1
    return sums / counts


@pytest.mark.parametrize(
    ("size", "window", "stride", "fill"),
    [((12, 12), 4, 4, 0.0), ((12, 17), 5, 3, 0.7), ((9, 8), 8, 1, 0.0), ((10, 10), 1, 1, -1.0)],
)
def test_it_is_what_covering_one_window_at_a_time_gives(net, size, window, stride, fill):
    x = torch.randn(2, 2, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = occlusion(net, x, 1, window, stride, fill, batch=5)
    assert found.maps.shape == (2, *size)
    expected = by_hand(net, x, 1, window, stride, fill)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found.maps, expected, 0, 1e-12)
    np.testing.assert_array_equal(found.scores, net(x)[:, 1].detach().numpy())


@needs("captum is not installed", "captum")
def test_it_is_captums_where_windows_fit(net):
    from captum.attr import Occlusion

    x = torch.randn(1, 2, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    theirs = Occlusion(net).attribute(x, (2, 4, 4), strides=(2, 2, 2), target=2, baselines=0.5)
    found = occlusion(net, x, 2, 4, 2, 0.5)
    np.testing.assert_allclose(found.maps[0], theirs[0, 0].detach().numpy(), 0, 1e-6)


def test_windows_reach_every_pixel_and_none_beyond():
    for length in range(1, 20):
        for window in range(1, length + 1):
            for stride in range(1, window + 1):
                begins = starts(length, window, stride)
                covered = {i for begin in begins for i in range(begin, begin + window)}
                assert covered == set(range(length))
                assert begins == sorted(set(begins))


@pytest.mark.parametrize(("window", "stride"), [(13, 1), (4, 5), (-1, 1), (4, -1)])
def test_windows_that_leave_pixels_out_are_refused(net, window, stride):
    with pytest.raises(InputError, match="do not cover a picture of 12x12; give a window from 1"):
        occlusion(net, torch.zeros(1, 2, 12, 12, dtype=torch.float64), 0, window, stride)
