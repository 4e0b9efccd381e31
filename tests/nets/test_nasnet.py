"""NASNet-A: the cells, what they read and give out, and the paths that training drops."""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas.nets.nasnet import (
    CIFAR,
    LARGE,
    MOBILE,
    NORMAL,
    REDUCTION,
    Cell,
    FactorizedReduction,
    Maps,
    NASNet,
    NASNetACIFAR,
    NASNetALarge,
    SameAvgPool,
    SameMaxPool,
    ScheduledDropPath,
)


def small(kind: type[NASNet], column, **other) -> NASNet:
    """Two normal cells in a row, of few filters."""
    torch.manual_seed(0)
    return kind(column._replace(n=2, filters=8, **other), num_classes=5).eval()


def test_the_cells_are_the_release_s():
    """nasnet_utils.py: operations, hiddenstate_indices, used_hiddenstates."""
    for design, operations, indices, used in (
        (
            NORMAL,
            "sep 5x5,sep 3x3,sep 5x5,sep 3x3,avg 3x3,identity,avg 3x3,avg 3x3,sep 3x3,identity",
            [0, 1, 1, 1, 0, 1, 1, 1, 0, 0],
            [1, 0, 0, 0, 0, 0, 0],
        ),
        (
            REDUCTION,
            "sep 5x5,sep 7x7,max 3x3,sep 7x7,avg 3x3,sep 5x5,identity,avg 3x3,sep 3x3,max 3x3",
            [0, 1, 0, 1, 0, 1, 3, 2, 2, 0],
            [1, 1, 1, 0, 0, 0, 0],
        ),
    ):
        read = [part for b in design.blocks for part in ((b.left, b.of), (b.right, b.and_of))]
        assert read == list(zip(operations.split(","), indices, strict=True))
        assert design.joined == tuple(i for i, is_used in enumerate(used) if not is_used)


@pytest.mark.parametrize("side", [1, 2, 5, 6, 7])
def test_pools_of_stride_2_are_tensorflow_s(side):
    """SAME: the odd row below and right, no zero among the values."""
    torch.manual_seed(side)
    x = torch.randn(1, 2, side, side + 1) - 3
    out = [-(-n // 2) for n in x.shape[2:]]
    largest, mean = SameMaxPool(3, 2)(x), SameAvgPool(3, 2)(x)
    assert list(largest.shape[2:]) == list(mean.shape[2:]) == out
    for i in range(out[0]):
        for j in range(out[1]):
            rows, columns = (
                range(max(2 * at - n % 2, 0), min(2 * at - n % 2 + 3, n))
                for at, n in zip((i, j), x.shape[2:], strict=True)
            )
            window = x[:, :, rows.start : rows.stop, columns.start : columns.stop]
            torch.testing.assert_close(largest[:, :, i, j], window.amax((2, 3)))
            torch.testing.assert_close(mean[:, :, i, j], window.mean((2, 3)))


@pytest.mark.parametrize("side", [5, 6])
def test_a_factorised_reduction_reads_pixels_of_both_diagonals(side):
    layer = FactorizedReduction(1, 2, nn.BatchNorm2d).eval()
    for path in (layer.path1, layer.path2):
        nn.init.ones_(path.weight)
    x = torch.arange(1.0, side * side + 1).view(1, 1, side, side)
    first, second = layer(x)[0] * (1 + layer.paths_bn.eps) ** 0.5
    torch.testing.assert_close(first, x[0, 0, ::2, ::2])
    beyond = F.pad(x, (0, 1, 0, 1))[0, 0]  # zeros behind the last row and column
    torch.testing.assert_close(second, beyond[1::2, 1::2])


def test_a_cell_that_follows_the_stem_of_cifar_10_reads_it_as_it_is():
    """The release's prev_layer is None there: 24 channels, not 8, and no ReLU in front of the last
    fitting.
    """
    cell = Cell(NORMAL, 8, Maps(24, 0), None, nn.BatchNorm2d, 0.0)
    assert isinstance(cell.before, nn.Identity)
    assert cell.right[0].depthwise1.in_channels == cell.left[1].depthwise1.in_channels == 24
    assert list(dict(cell.right[2].named_children())) == ["relu", "conv", "bn"]
    assert list(dict(cell.left[3].named_children())) == ["pool", "conv", "bn"]
    assert list(dict(cell.joining.named_children())) == ["conv", "bn"]
    assert cell.out == Maps(48, 0)


@pytest.mark.parametrize(
    ("kind", "column", "reads"), [(NASNet, MOBILE, "normal1.1"), (NASNetALarge, LARGE, "normal1.0")]
)
def test_what_the_first_normal_cell_after_a_reduction_reads(kind, column, reads):
    """skip_reduction_layer_input: 1 in the large configuration, 0 in the others."""
    net = small(kind, column)
    seen, out = {}, {}

    for path in ("normal1.0", "normal1.1", "normal2.0", "reduction1.0"):
        cell = net.get_submodule(path)
        cell.register_forward_pre_hook(lambda _, args, path=path: seen.update({path: args[1]}))
        cell.register_forward_hook(lambda _, args, made, path=path: out.update({path: made}))
    with torch.no_grad():
        net(torch.randn(1, 3, 32, 32))
    assert seen["reduction1.0"] is out["normal1.0"]
    assert seen["normal2.0"] is out[reads]


def test_a_dropped_path_is_zero_for_a_whole_image_and_the_mean_stays():
    torch.manual_seed(0)
    drop, x = ScheduledDropPath(0.4), torch.rand(4000, 3, 2, 2) + 1
    out = drop(x, torch.tensor(0.5))
    kept = out[:, 0, 0, 0] != 0
    assert float(kept.float().mean()) == pytest.approx(1 - 0.4 * 0.5, abs=0.02)
    torch.testing.assert_close(out, x * kept[:, None, None, None] / 0.8)
    assert drop(x, None) is x
    assert ScheduledDropPath(0.0)(x, torch.tensor(1.0)) is x


def test_paths_are_dropped_the_more_the_further_training_is():
    """By the batches that the first norm has seen, which checkpoints keep; none in the first."""
    net = small(NASNetACIFAR, CIFAR, batches=2).train()
    seen = []
    for drop in (m for m in net.modules() if isinstance(m, ScheduledDropPath)):
        drop.register_forward_hook(lambda _, args, out: seen.append(float(args[1])))
    for _ in range(4):
        net(torch.randn(2, 3, 8, 8))
    of_a_batch = 6 * 8 + 2 * 9  # of ten operations of a cell two, or one, are identities
    assert seen == [progress for progress in (0.0, 0.5, 1.0, 1.0) for _ in range(of_a_batch)]


def test_an_identity_is_never_dropped():
    cell = Cell(NORMAL, 4, Maps(24, 0), Maps(24, 0), nn.BatchNorm2d, 1.0).eval()
    h, before = torch.randn(2, 24, 6, 6), torch.randn(2, 24, 6, 6)
    with torch.no_grad():
        out = cell(h, before, torch.tensor(0.999999))
        states = out.split(4, dim=1)
        torch.testing.assert_close(states[3], cell.before(before))
        torch.testing.assert_close(states[5], cell.current(h))
    assert not states[1].any()
    assert not states[4].any()


@pytest.mark.parametrize(
    ("kind", "column", "window"),
    [(NASNet, MOBILE, 4), (NASNetALarge, LARGE, 6), (NASNetACIFAR, CIFAR, 4)],
)
def test_the_auxiliary_head_s_last_window_fills_the_map_of_the_printed_image(kind, column, window):
    with torch.device("meta"):
        net = small(kind, column)
        seen = []
        net.aux.convs.conv2.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
        for side in (net.side, 24):
            (_, weight), (logits, aux_weight) = net.training_outputs(torch.randn(1, 3, side, side))
            assert (weight, aux_weight, logits.shape) == (1.0, 0.4, (1, 5))
    assert seen == [(1, 128, window, window)] * 2


def test_the_auxiliary_head_averages_over_a_map_larger_than_the_printed_one():
    head = small(NASNetACIFAR, CIFAR).aux
    x = torch.randn(1, 96, 20, 20)
    with torch.no_grad():
        maps = head.convs(F.avg_pool2d(x.relu(), 5, stride=3))
        assert maps.shape == (1, 768, 3, 3)
        torch.testing.assert_close(head(x), head.fc(maps.mean((2, 3))))
