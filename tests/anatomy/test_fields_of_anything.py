"""Receptive fields are never too small, whatever a module does with its maps: against gradients in
double precision, on networks drawn at random and on the kinds of work that moved pixels unseen.
"""

from functools import partial

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import DeformConv2d

from convatlas.anatomy import summary
from convatlas.anatomy.counting import Trace

SIDE = 12


class Work(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Spans(Trace):
    """A trace that keeps how many rows and columns the output sees."""

    def _leave(self, module, args, output) -> None:
        if len(self.stack) == 1:
            spans = self.origins.get(output).field.spans
            self.seen = [high - low + 1 for low, high in spans]
        super()._leave(module, args, output)


def true_extents(net: nn.Module, size: tuple[int, int, int]) -> list[int]:
    """The rows and columns that any output unit's gradient reaches, at the most."""
    x = torch.rand(1, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    y = net.double().eval()(x).flatten()
    longest = [0, 0]
    for i in range(0, len(y), max(1, len(y) // 24)):
        reached = torch.autograd.grad(y[i], x, retain_graph=True)[0].abs().sum((0, 1))
        for axis in (0, 1):
            lines = reached.sum(1 - axis).nonzero().flatten().tolist()
            longest[axis] = max(longest[axis], lines[-1] - lines[0] + 1 if lines else 0)
    return longest


def shifted(x: Tensor) -> Tensor:
    z = torch.zeros_like(x)
    z[:, :2, :, 1:] = x[:, :2, :, :-1]
    z[:, 2:, :, :-1] = x[:, 2:, :, 1:]
    return z


def filled(x: Tensor) -> Tensor:
    z = torch.empty(1, 2 * x.shape[1], *x.shape[2:], dtype=x.dtype, device=x.device)
    z[:, : x.shape[1]] = x
    z[:, x.shape[1] :] = x.tanh()
    return z


def through_a_view(x: Tensor) -> Tensor:
    """A view that is older than what is written beside it."""
    z = torch.zeros_like(x)
    turned = z.transpose(2, 3)
    z[:, :, 2:] = x[:, :, :-2]
    return turned.transpose(2, 3) + x


def interleaved(x: Tensor) -> Tensor:
    z = x.new_zeros(1, x.shape[1], 2 * x.shape[2], x.shape[3])
    z[:, :, ::2] = x
    z[:, :, 1::2] = -x
    return z


def windows(x: Tensor) -> Tensor:
    """The mean of each window of 2x2, spread over the window again."""
    n, c, h, w = x.shape
    parts = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    mean = parts.mean((4, 5), keepdim=True) + parts
    return mean.permute(0, 3, 1, 4, 2, 5).reshape(n, c, h, w)


def means(x: Tensor) -> Tensor:
    """The mean of each window of 2x2 alone, in all of its places."""
    n, c, h, w = x.shape
    parts = x.view(n, c, h // 2, 2, w // 2, 2)
    return parts.mean((3, 5), keepdim=True).expand_as(parts).reshape(n, c, h, w)


def tokens(x: Tensor) -> Tensor:
    """Attention between all pixels."""
    n, c, h, w = x.shape
    y = x.flatten(2).transpose(1, 2)
    return F.scaled_dot_product_attention(y, y, y).transpose(1, 2).reshape(n, c, h, w)


def in_place(x: Tensor) -> Tensor:
    x = x * 1
    x[:, :, 1:].add_(x[:, :, :-1].clone())
    return x


def chained(x: Tensor) -> Tensor:
    """A recurrence down the rows, row by row."""
    rows = [x[:, :, 0]]
    for i in range(1, x.shape[2]):
        rows.append(torch.tanh(rows[-1]) + x[:, :, i])
    return torch.stack(rows, 2)


def sampled(x: Tensor) -> Tensor:
    grid = torch.linspace(1, -1, x.shape[2], dtype=x.dtype, device=x.device)
    at = torch.stack(torch.meshgrid(grid, grid[: x.shape[3]], indexing="xy"), -1)[None]
    return F.grid_sample(x, at, align_corners=False)


WORKS = {
    "instance norm": lambda c: nn.InstanceNorm2d(c),
    "batch statistics": lambda c: nn.BatchNorm2d(c, track_running_stats=False),
    "batch norm in training": lambda c: Work(lambda x: F.batch_norm(x, None, None, training=True)),
    "group norm": lambda c: nn.GroupNorm(1, c),
    "norm of rows": lambda c: Work(lambda x: F.layer_norm(x, x.shape[-1:])),
    "rms of channels": lambda c: Work(
        lambda x: F.rms_norm(x.permute(0, 2, 3, 1), (c,)).permute(0, 3, 1, 2)
    ),
    "local response norm": lambda c: nn.LocalResponseNorm(3),
    "cumulative product": lambda c: Work(lambda x: x.cumprod(3)),
    "cumulative sum": lambda c: Work(lambda x: x.cumsum(2)),
    "running maximum": lambda c: Work(lambda x: x.cummax(3).values + x),
    "logcumsumexp": lambda c: Work(lambda x: x.logcumsumexp(2)),
    "softmax of columns": lambda c: Work(lambda x: x.softmax(-1)),
    "transposed": lambda c: Work(lambda x: x.transpose(2, 3)),
    "permuted": lambda c: Work(lambda x: x.permute(0, 2, 1, 3)),
    "channels first and last": lambda c: Work(lambda x: x.permute(0, 3, 1, 2)),
    "flipped": lambda c: Work(lambda x: x.flip(2) + x),
    "rolled": lambda c: Work(lambda x: x.roll(3, 3) + x),
    "shifted": lambda c: Work(shifted),
    "filled": lambda c: Work(filled),
    "through a view": lambda c: Work(through_a_view),
    "interleaved": lambda c: Work(interleaved),
    "in place": lambda c: Work(in_place),
    "windows": lambda c: Work(windows),
    "tokens": lambda c: Work(tokens),
    "chained": lambda c: Work(chained),
    "sampled": lambda c: Work(sampled),
    "row by row": lambda c: Work(lambda x: torch.stack(x.unbind(2)[::-1], 2) + x),
    "side by side": lambda c: Work(lambda x: torch.cat([x[:, :, 2:], x[:, :, :2]], 2)),
    "picked": lambda c: Work(lambda x: x[:, :, torch.arange(x.shape[2]).flip(0)] + x),
    "one row": lambda c: Work(lambda x: x + x[:, :, 1:2]),
    "one row for all": lambda c: Work(lambda x: x + x.select(2, 1).unsqueeze(2)),
    "halves": lambda c: Work(lambda x: sum(x[:, :, : x.shape[2] // 2 * 2].chunk(2, 2))),
    "split": lambda c: Work(lambda x: torch.cat(x.split([1, x.shape[3] - 1], 3)[::-1], 3)),
    "sorted": lambda c: Work(lambda x: x.sort(3).values),
    "matrix of columns": lambda c: Work(lambda x: x @ torch.ones_like(x[0, 0]).mT),
    "gram": lambda c: Work(lambda x: x @ x.mT + 0 * x.sum()),
    "einsum": lambda c: Work(lambda x: torch.einsum("nchw,ndhw->nhcd", x, x)),
    "pixel shuffle": lambda c: Work(lambda x: F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2)),
    "pixel unshuffle": lambda c: Work(
        lambda x: F.pixel_unshuffle(x[..., : x.shape[-2] // 2 * 2, : x.shape[-1] // 2 * 2], 2)
    ),
    "unfolded": lambda c: Work(lambda x: x.unfold(2, 3, 1).sum(-1)),
    "columns of windows": lambda c: Work(
        lambda x: F.unfold(x, 3, padding=1).view(1, -1, *x.shape[2:])
    ),
    "as strided": lambda c: Work(
        lambda x: x.contiguous().as_strided(x.shape, (*x.mT.stride()[:2], 1, x.shape[2])) + x
    ),
    "nearest": lambda c: nn.Upsample(scale_factor=2),
    "bilinear": lambda c: nn.Upsample(scale_factor=2, mode="bilinear"),
    "repeated": lambda c: Work(lambda x: x.repeat_interleave(2, 3)),
    "tiled": lambda c: Work(lambda x: x.repeat(1, 1, 2, 1) + x.sum()),
    "transposed convolution": lambda c: nn.ConvTranspose2d(c, c, 3, 2, 1),
    "circular": lambda c: nn.Conv2d(c, c, 3, padding=2, padding_mode="circular"),
    "reflected": lambda c: nn.Conv2d(c, c, 3, padding=1, padding_mode="reflect"),
    "replicated": lambda c: nn.Conv2d(c, c, 5, padding=2, padding_mode="replicate"),
    "convolution": lambda c: nn.Conv2d(c, 4, 3, padding=1),
    "strided": lambda c: nn.Conv2d(c, 4, 3, stride=2, padding=1),
    "tall": lambda c: nn.Conv2d(c, 4, (5, 1), padding=(2, 0)),
    "dilated": lambda c: nn.Conv2d(c, 4, 3, padding=2, dilation=2),
    "average": lambda c: nn.AvgPool2d(2, 1),
    "maximum": lambda c: nn.MaxPool2d(3, 1, 1),
    "uneven bins": lambda c: nn.AdaptiveAvgPool2d((5, 3)),
    "gate": lambda c: Work(lambda x: x * x.mean((2, 3), keepdim=True)),
    "flattened": lambda c: Work(lambda x: x.flatten(2).tanh().view(x.shape)),
    "nothing, in another shape": lambda c: Work(
        lambda x: x + x[:, :, :0].flatten(1).reshape(-1, 4).sum()
    ),
    "shuffled": lambda c: Work(lambda x: x.unflatten(2, (2, -1)).transpose(2, 3).flatten(2, 3)),
}


def reaches(net: nn.Module, size: tuple[int, int, int]) -> tuple[list[int], list[int]]:
    """What we say that the output sees, and what it does."""
    return Spans.of(net, size).seen, true_extents(net, size)


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("size", [(4, SIDE, SIDE), (4, 4, 4), (6, 4, 8)], ids=str)
def test_the_field_of_one_kind_of_work_after_a_convolution(work, size):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(size[0], 4, 3, padding=1), WORKS[work](4))
    try:
        net(torch.rand(1, *size))
    except RuntimeError:
        pytest.skip("needs square maps")
    said, true = reaches(net, size)
    assert said[0] >= true[0] > 0
    assert said[1] >= true[1] > 0


@st.composite
def networks(draw) -> tuple[nn.Module, tuple[int, int, int]]:
    """Two to four kinds of work with convolutions between, in a row or on two ways that meet."""
    size = (draw(st.sampled_from([3, 4])), draw(st.sampled_from([4, 8, 10])), 8)
    torch.manual_seed(draw(st.integers(0, 9)))
    x = torch.rand(1, *size)
    layers = []
    for name in draw(st.lists(st.sampled_from(sorted(WORKS)), min_size=2, max_size=4)):
        for layer in (nn.Conv2d(x.shape[1], 4, 3, padding=1), WORKS[name](4)):
            if draw(st.booleans()) and layers:
                layer = Beside(layer)
            try:
                x, layers = layer.eval()(x), [*layers, layer]
            except (RuntimeError, ValueError):  # batch norm in training wants two values a channel
                assume(False)
        assume(x.ndim == 4 and x.numel() < 2000 and min(x.shape) > 0)
    return nn.Sequential(*layers), size


class Beside(nn.Module):
    """A layer beside a way that is as long; where their shapes differ, the layer alone."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        y = self.layer(x)
        return x + y if x.shape == y.shape else y


def not_smaller(drawn) -> None:
    net, size = drawn
    said, true = reaches(net, size)
    assert said[0] >= true[0]
    assert said[1] >= true[1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(networks())
def test_fields_of_random_networks_are_never_too_small(drawn):
    not_smaller(drawn)


@pytest.mark.full
@settings(max_examples=1000, deadline=None)
@given(networks())
def test_fields_of_a_thousand_random_networks_are_never_too_small(drawn):
    not_smaller(drawn)


EXACT = {
    "shifted": (nn.Conv2d(4, 4, 3, padding=1), Work(shifted), nn.Conv2d(4, 2, 1)),
    "filled": (nn.Conv2d(4, 4, 3, padding=1), Work(filled)),
    "turned": (
        *(nn.Conv2d(4, 4, (1, 7), padding=(0, 3)), Work(lambda x: x.transpose(2, 3))),
        nn.Conv2d(4, 4, (7, 1), padding=(3, 0)),
    ),
    "linear over channels last": (
        *(nn.Conv2d(4, 4, 3, padding=1), Work(lambda x: x.permute(0, 2, 3, 1))),
        *(nn.Linear(4, 5), Work(lambda x: x.permute(0, 3, 1, 2)), nn.Conv2d(5, 4, 3)),
    ),
    "means of windows": (nn.Conv2d(4, 4, 3, padding=1), Work(means)),
    "flipped twice": (Work(lambda x: x.flip(2)), nn.Conv2d(4, 4, 3), Work(lambda x: x.flip(2))),
    "patches": (Work(lambda x: F.pixel_unshuffle(x, 4)), nn.Conv2d(64, 4, 1)),
}


@pytest.mark.parametrize("layers", EXACT.values(), ids=EXACT)
def test_the_field_is_exact_where_pixels_only_move(layers):
    torch.manual_seed(0)
    said, true = reaches(nn.Sequential(*layers), (4, 16, 16))
    assert said == true


class Deformed(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Conv2d(3, 18, 1)
        self.deform = DeformConv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.deform(x, self.offset(x))


def test_a_deformable_convolution_may_look_anywhere():
    assert summary(Deformed(), (3, SIDE, SIDE)).parts[""].receptive_field == SIDE


def test_what_slices_fill_is_as_deep_as_what_fills_it():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), Work(filled))
    counted = summary(net, (3, SIDE, SIDE))
    assert (counted.layers, counted.parts[""].receptive_field) == (2, 5)


def test_two_images_are_followed_together():
    both = Work(partial(torch.add))
    both.forward = lambda a, b: F.max_pool2d(a, 3, 1, 1) + F.max_pool2d(b, 5, 1, 2)
    given = (torch.zeros(1, 1, 9, 9), torch.zeros(1, 1, 9, 9))
    assert summary(both, inputs=given).parts[""].receptive_field == 5
