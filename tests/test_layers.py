"""The layers that papers share, against their formulas written out."""

import torch
import torch.nn as nn

from convatlas.layers import ShiftNorm, seq, without_scales
from convatlas.layers.modules import (
    ChannelNorm,
    ChannelShuffle,
    LayerScale,
    LocalResponseNorm,
    StochasticDepth,
    ZeroPadding,
)


def images(c: int, side: int = 4) -> torch.Tensor:
    return torch.randn(2, c, side, side, generator=torch.Generator().manual_seed(0)) * 30


def test_local_response_norm_is_alexnet_s_sec_3_3():
    """k = 2, n = 5, alpha = 1e-4, beta = 0.75: the sum of squares, not their mean."""
    a, expected = images(7).double(), torch.empty(2, 7, 4, 4, dtype=torch.float64)
    for i in range(7):
        near = a[:, max(0, i - 2) : min(6, i + 2) + 1]
        expected[:, i] = a[:, i] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
    assert torch.allclose(LocalResponseNorm()(a), expected, rtol=1e-9)


def test_a_channel_shuffle_sends_channel_i_of_group_g_to_place_i_times_groups_plus_g():
    x = images(12)
    shuffled = ChannelShuffle(3)(x)
    for g in range(3):
        for i in range(4):
            assert torch.equal(shuffled[:, i * 3 + g], x[:, g * 4 + i])


def test_a_channel_norm_normalises_the_channels_of_each_pixel():
    """Layer norm (arXiv:1607.06450), Eqs. (2) and (4), pixel by pixel, epsilon under the root."""
    norm, x = ChannelNorm(5, eps=0.5).double(), images(5).double()
    nn.init.uniform_(norm.weight), nn.init.uniform_(norm.bias)
    y = norm(x)
    for row in range(4):
        for column in range(4):
            pixel = x[:, :, row, column]
            variance, mean = torch.var_mean(pixel, 1, correction=0, keepdim=True)
            expected = (pixel - mean) / (variance + 0.5).sqrt() * norm.weight + norm.bias
            torch.testing.assert_close(y[:, :, row, column], expected)


def test_a_layer_scale_is_one_factor_for_each_channel():
    scale, x = LayerScale(3, 0.25), images(3)
    assert torch.equal(scale(x), 0.25 * x)
    scale.weight.data = torch.tensor([1.0, 0.0, -2.0])
    assert torch.equal(scale(x), torch.stack([x[:, 0], 0 * x[:, 1], -2 * x[:, 2]], 1))


def test_zero_padding_keeps_every_stride_th_pixel_and_adds_empty_channels():
    x = images(3)
    y = ZeroPadding(3, 5, 2)(x)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert y.shape == (2, 5, 2, 2)
    assert not y[:, 3:].any()


def test_a_norm_without_a_scale_only_shifts():
    """slim.batch_norm's default, with epsilon 0.001; in training by the batch, then by what was
    kept.
    """
    norm, x = ShiftNorm(3, momentum=0.25).double(), images(3).double()
    assert [name for name, _ in norm.named_parameters()] == ["bias"]
    norm.bias.data = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    shift = norm.bias.data[:, None, None]
    variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
    expected = (x - mean[:, None, None]) / (variance + 0.001).sqrt()[:, None, None] + shift
    torch.testing.assert_close(norm(x), expected)
    torch.testing.assert_close(norm.running_mean, 0.25 * mean)
    norm.eval()
    kept = (x - norm.running_mean[:, None, None]) / (norm.running_var + 0.001).sqrt()[:, None, None]
    torch.testing.assert_close(norm(x), kept + shift)
    norm.reset_parameters()
    assert not norm.bias.any()
    assert not norm.running_mean.any()


def test_norms_lose_their_scales_in_place_and_keep_their_names():
    net = seq(conv=nn.Conv2d(3, 4, 1), part=seq(bn=nn.BatchNorm2d(4), relu=nn.ReLU()))
    before = set(net.state_dict())
    without_scales(net, momentum=0.5)
    assert before - set(net.state_dict()) == {"part.bn.weight"}
    assert (net.part.bn.eps, net.part.bn.momentum) == (0.001, 0.5)


def test_stochastic_depth_leaves_out_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    drop, x = StochasticDepth(0.25), torch.rand(4000, 3, 2, 2) + 1
    scale = drop.train()(x) / x
    assert scale.amax((1, 2, 3)).allclose(scale.amin((1, 2, 3)))  # one draw an image
    assert set(scale.flatten().mul(3).round().tolist()) == {0.0, 4.0}
    assert abs((scale == 0).float().mean() - 0.25) < 0.03
    assert drop.eval()(x) is x
