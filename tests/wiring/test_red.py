"""Pairs that hostile strangers tried: networks that answer differently are two, in whatever way the
difference hides; and what a student may write in several ways is one.

A case's number is that of the fault it showed.
"""

from itertools import combinations
from math import inf

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from carrying import apart, carry, randomise

from convatlas.wiring import match, of, signature

MASK = torch.tensor([1, 0, 1, 0, 1, 0, 1, 0])


class Behind(nn.Module):
    """A convolution, and a function of the network and its map."""

    def __init__(self, run):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.b = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.p = nn.Parameter(torch.zeros(8))
        self.q = nn.Parameter(torch.zeros(8, 8))
        self.register_buffer("two", torch.arange(16.0) + 1)
        self.run = run

    def forward(self, x):
        return self.run(self, self.a(x))


def graph(run, seed: int = 0):
    return of(randomise(Behind(run), seed), (3, 8, 8))


def written(index, value=0.0):
    def run(net, y):
        y[:, index] = value
        return y

    return run


def into(kind):
    def run(net, y):
        z = torch.zeros(y.shape, dtype=kind)
        z[:] = y * 10
        return z.to(y.dtype)

    return run


def hooked(returned):
    net = randomise(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()))
    if returned is not None:
        net[0].register_forward_hook(returned)
    return net


def halves(net, y):
    z = net.b(y)
    z[:, :4] = y[:, :4]
    return z


def kept(run):
    """What is read first is changed afterwards."""

    def after(net, y):
        z = run(y)
        y.add_(1)
        return z * y

    return after


TWO = {
    "S1 kind of a sum": (
        lambda net, y: y.sum(1, dtype=torch.int),
        lambda net, y: y.sum(1),
    ),
    "S1 kind of a mean": (
        lambda net, y: y.mean((2, 3), dtype=torch.float16),
        lambda net, y: y.mean((2, 3)),
    ),
    "S2 mask and index": (written(MASK.bool()), written(MASK)),
    "S3 place of a maximum in a padded map": (
        lambda net, y: F.max_pool2d(y, 3, 2, 1, return_indices=True)[1],
        lambda net, y: F.max_pool2d(F.pad(y, (1,) * 4, value=-inf), 3, 2, return_indices=True)[1],
    ),
    "S4 conjugate of a spectrum": (
        lambda net, y: torch.fft.fft2(y).conj(),
        lambda net, y: torch.fft.fft2(y),
    ),
    "S4 imaginary part of a conjugate": (
        lambda net, y: torch.complex(y, y).conj().imag * 2,
        lambda net, y: torch.complex(y, y).imag * 2,
    ),
    "S4 transposed, and conjugate too": (
        lambda net, y: torch.complex(y, y).mH,
        lambda net, y: torch.complex(y, y).mT,
    ),
    "S5 copied into whole numbers": (into(torch.int), into(torch.half)),
    "S6 whole numbers that wrap": (
        lambda net, y: ((y * 10).to(torch.uint8) * 2 / 2).double(),
        lambda net, y: (y * 10).to(torch.uint8).double(),
    ),
    "S8 number of images": (lambda net, y: y * len(y), lambda net, y: y * 2),
    "S8 images in another order": (lambda net, y: y.roll(1, 0), lambda net, y: y.flip(0)),
    "S10 over an axis of one": (
        lambda net, y: F.layer_norm(y[..., None], (1,)),
        lambda net, y: F.layer_norm(y, (8,)),
    ),
    "S10 over the last two axes": (
        lambda net, y: F.layer_norm(y[..., None], (8, 1)),
        lambda net, y: F.layer_norm(y, (8, 8)),
    ),
    "S10 pool over three axes": (
        lambda net, y: F.avg_pool3d(y[..., None], (3, 1, 1), 1, (1, 0, 0)),
        lambda net, y: F.avg_pool3d(y, (3, 1, 1), 1, (1, 0, 0)),
    ),
    "S12 shape of the answer of a sum": (
        lambda net, y: y[..., None].sum(2),
        lambda net, y: y.sum(2),
    ),
    "S12 shape of the answer of a softmax": (
        lambda net, y: F.adaptive_avg_pool2d(y, 1).softmax(1),
        lambda net, y: F.adaptive_avg_pool2d(y, 1).flatten(1).softmax(1),
    ),
    "half and whole numbers between": (
        lambda net, y: y.half().double(),
        lambda net, y: y.int().double(),
    ),
    "axes left in another order": (
        lambda net, y: y.permute(0, 2, 3, 1).mean(1),
        lambda net, y: y.mean(2),
    ),
    "divisor of a mean inside": (
        lambda net, y: F.avg_pool2d(y, 3, 1, 1, count_include_pad=False),
        lambda net, y: F.avg_pool2d(y, 3, 1, 1, count_include_pad=False, divisor_override=9),
    ),
    "mean and variance in one buffer": (
        lambda net, y: F.batch_norm(y, net.two[:8], net.two[8:]),
        lambda net, y: F.batch_norm(y, net.two[8:], net.two[:8]),
    ),
    "a constant that follows the device": (
        lambda net, y: y * torch.arange(8.0).to(y.device).view(8, 1, 1),
        lambda net, y: y * torch.arange(1.0, 9.0).to(y.device).view(8, 1, 1),
    ),
    "a kernel that does not train": (
        lambda net, y: F.conv2d(y, net.two[:8].view(8, 1, 1, 1), groups=8),
        lambda net, y: F.conv2d(y, net.two[8:].view(8, 1, 1, 1), groups=8),
    ),
    "kernel mirrored": (
        lambda net, y: F.conv2d(y, net.b.weight.flip(3), padding=1),
        lambda net, y: net.b(y),
    ),
    "matrix transposed": (lambda net, y: F.linear(y, net.q.t()), lambda net, y: F.linear(y, net.q)),
    "logical and true sum": (
        lambda net, y: (y > 0) + (net.b(y) > 0),
        lambda net, y: (y > 0).int() + (net.b(y) > 0).int(),
    ),
    "channels exchanged, and one copied over the other": (
        lambda net, y: torch.cat([y[:, [1, 0]], y[:, 2:]], 1),
        lambda net, y: torch.cat([y[:, [1, 1]], y[:, 2:]], 1),
    ),
    "changed after it was read": (kept(lambda y: y.clone()), kept(lambda y: y)),
    "changed through another view": (
        kept(lambda y: y.flatten(1).view_as(y)),
        kept(lambda y: y.transpose(1, 2).reshape(len(y), -1).view_as(y)),
    ),
    "which statistics a norm takes": (
        lambda net, y: F.batch_norm(y, net.two[:8].clone(), net.two[8:].clone(), training=True),
        lambda net, y: F.batch_norm(y, net.two[:8].clone(), net.two[8:].clone()),
    ),
    "even kernel, where its zeros are": (
        lambda net, y: F.conv2d(y, net.b.weight[..., :2, :2], padding="same"),
        lambda net, y: F.conv2d(F.pad(y, (1, 0, 1, 0)), net.b.weight[..., :2, :2]),
    ),
    "causal and not": (
        lambda net, y: F.scaled_dot_product_attention(y, y, y, is_causal=True),
        lambda net, y: F.scaled_dot_product_attention(y, y, y),
    ),
}


@pytest.mark.parametrize("name", TWO)
def test_two_networks(name):
    first, second = (graph(run) for run in TWO[name])
    assert match(first, second) is None
    assert match(second, first) is None


@pytest.mark.parametrize("name", TWO)
def test_each_is_itself(name):
    for run in TWO[name]:
        assert match(graph(run), graph(run, seed=1))


@pytest.mark.parametrize("returned", [lambda m, i, o: o * 2, lambda m, i, o: o.abs()])
def test_s7_hook_that_answers_otherwise(returned):
    """The caller's network has it: so has its graph, or there is none."""
    plain, other = hooked(None), hooked(returned)
    assert match(of(plain, (3, 8, 8)), of(other, (3, 8, 8))) is None


ONE = {
    "written in several ways": (
        lambda net, y: y.clone(),
        lambda net, y: torch.zeros_like(y).copy_(y),
        lambda net, y: y.view(len(y), 2, 4, 8, 8).transpose(1, 2).transpose(1, 2).flatten(1, 2),
    ),
    "a shuffle": (
        lambda net, y: F.channel_shuffle(y, 2),
        lambda net, y: y.view(len(y), 2, 4, 8, 8).transpose(1, 2).flatten(1, 2),
    ),
    "circular padding": (
        lambda net, y: F.pad(y, (1, 1, 0, 0), mode="circular"),
        lambda net, y: torch.cat([y[..., -1:], y, y[..., :1]], -1),
    ),
    "pool of a padded map": (
        lambda net, y: F.avg_pool2d(y, 3, 1, 1),
        lambda net, y: F.avg_pool2d(F.pad(y, (1, 1, 1, 1)), 3, 1),
    ),
    "out of a given tensor": (
        lambda net, y: torch.cat([y + 1, y * 2], 1),
        lambda net, y: torch.cat([y + 1, y * 2], 1, out=torch.empty(0, dtype=y.dtype)),
    ),
    "weights by a view": (
        lambda net, y: net.b(y),
        lambda net, y: F.conv2d(y, net.b.weight.view(8, 72).view(8, 8, 3, 3), padding="same"),
        lambda net, y: F.conv2d(F.pad(y, (1, 1, 1, 1)), net.b.weight.detach()),
    ),
    "D4 mean over places in steps": (
        lambda net, y: y.mean((2, 3)),
        lambda net, y: y.mean(3).mean(2),
        lambda net, y: y.sum((2, 3)) / 64,
    ),
    "D4 greatest over places in steps": (
        lambda net, y: y.amax((2, 3)),
        lambda net, y: y.flatten(2).max(2).values,
        lambda net, y: y.max(3)[0].max(2)[0],
    ),
    "D5 size for scale": (
        lambda net, y: F.interpolate(y, scale_factor=2, mode="bilinear"),
        lambda net, y: F.interpolate(y, size=(16, 16), mode="bilinear"),
    ),
    "D6 laid twice": (lambda net, y: torch.cat([y, y], 1), lambda net, y: y.repeat(1, 2, 1, 1)),
    "D10 twice": (lambda net, y: y + y, lambda net, y: 2 * y),
    "D10 sum of a stack": (
        lambda net, y: y + net.b(y),
        lambda net, y: torch.stack([y, net.b(y)], 1).sum(1),
    ),
    "D14 axis from the end": (lambda net, y: y.cumsum(3), lambda net, y: y.cumsum(-1)),
    "D18 softmax, then flat": (
        lambda net, y: F.adaptive_avg_pool2d(y, 1).softmax(1).flatten(1),
        lambda net, y: F.adaptive_avg_pool2d(y, 1).flatten(1).softmax(1),
    ),
    "D20 split and put together": (
        lambda net, y: y.clone(),
        lambda net, y: torch.cat(y.chunk(4, 1), 1),
        lambda net, y: torch.cat([y[:, :4], y[:, 4:]], 1),
    ),
    "D20 shuffle by a stack": (
        lambda net, y: F.channel_shuffle(y, 2),
        lambda net, y: torch.stack(y.chunk(2, 1), 2).flatten(1, 2),
    ),
    "D20 halves of two": (
        lambda net, y: torch.cat([y[:, :4], net.b(y)[:, 4:]], 1),
        halves,
    ),
    "D21 divisor given": (
        lambda net, y: F.avg_pool2d(y, 3, 1, 1),
        lambda net, y: F.avg_pool2d(y, 3, 1, 1, divisor_override=9),
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_network(name):
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    for first, second in combinations(ONE[name], 2):
        a, b = randomise(Behind(first)), randomise(Behind(second), 1)
        found = match(of(a, (3, 8, 8)), of(b, (3, 8, 8)))
        assert found
        assert signature(of(a, (3, 8, 8))) == signature(of(b, (3, 8, 8)))
        carry(found, a, b)
        assert apart(a, b, x) < 1e-10
