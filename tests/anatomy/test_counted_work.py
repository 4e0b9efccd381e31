"""Other people's modules: work that is no plain convolution, and what it counts."""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from anybodys import CONV, READS, REAL, Call, X, figures
from torch.nn.utils import parametrizations, prune
from torchvision.ops import DeformConv2d

from convatlas.anatomy import summary


def test_complex_weights_count():
    assert figures(nn.Linear(4, 3, dtype=torch.complex64), (4,)) == (15, 12)


@pytest.mark.parametrize(
    "prepared",
    [
        lambda conv: prune.l1_unstructured(conv, "weight", 0.5),
        lambda conv: parametrizations.weight_norm(conv),
        lambda conv: parametrizations.spectral_norm(conv),
        lambda conv: nn.utils.spectral_norm(conv),
        lambda conv: prune.random_unstructured(conv, "bias", 1),
    ],
    ids=["pruned", "weight norm", "spectral norm", "old spectral norm", "bias pruned"],
)
def test_a_layer_whose_weight_is_computed_keeps_its_row(prepared):
    net = nn.Sequential(nn.Sequential(prepared(nn.Conv2d(3, 4, 3, padding=1)), nn.ReLU()))
    conv, _ = rows = summary(net, (3, 8, 8)).rows
    plain, _ = summary(
        nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())), (3, 8, 8)
    ).rows
    more = 4 if "original0" in str([name for name, _ in net.named_parameters()]) else 0
    assert conv.to_row() == [*plain.to_row()[:7], 112 + more, *plain.to_row()[8:]]
    assert sum(row.params for row in rows) == summary(net, (3, 8, 8)).params


class Deformed(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Conv2d(3, 18, 3, padding=1)
        self.deform = DeformConv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.deform(x, self.offset(x))


def test_deformable_convolution_counts_as_the_convolution_that_it_bends():
    counted = summary(Deformed(), (3, 12, 12))
    assert [row.macs for row in counted.rows] == [144 * 18 * 27, 15_552]
    assert counted.rows[1].receptive_field >= 12
    assert counted.layers == 2
    assert counted.uncounted == {}


class Two(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, a, b):
        return self.function(a, b)


@pytest.mark.parametrize(
    ("function", "a", "b", "macs"),
    [
        (nn.Bilinear(3, 4, 5), (7, 3), (7, 4), 7 * 60),
        (torch.dot, (9,), (9,), 9),
        (torch.mv, (6, 9), (9,), 54),
        (lambda a, b: a @ b, (2, 6, 9), (9, 4), 432),
        (
            lambda a, b: torch.addbmm(torch.zeros(6, 4, device=a.device), a, b),
            (2, 6, 9),
            (2, 9, 4),
            432,
        ),
        (
            lambda a, b: F.scaled_dot_product_attention(a, b, b),
            (1, 2, 5, 4),
            (1, 2, 5, 4),
            2 * 2 * 100,
        ),
    ],
    ids=["bilinear", "dot", "matrix and vector", "matmul", "addbmm", "attention"],
)
def test_matrix_products_count(function, a, b, macs):
    given = (torch.zeros(a), torch.zeros(b))
    counted = summary(Two(function), inputs=given)
    assert (counted.macs, counted.uncounted) == (macs, {})
    read = summary(Two(lambda a, b: (function(a, b), a.sum().item())[0]), inputs=given)
    assert (read.macs, read.uncounted) == (macs, {})


def test_work_of_unknown_size_is_listed():
    net = nn.Sequential(Call(), nn.Sequential(Two(None)))
    net[1][0].forward = lambda x: torch.fft.rfft2(x).real
    counted = summary(net, (3, 8, 8))
    assert counted.macs == CONV[1]
    assert counted.uncounted == {"aten._fft_r2c": ("1.0",)}
    assert str(counted).splitlines()[-1] == "not counted: aten._fft_r2c in 1.0"


@pytest.mark.full
def test_a_branch_of_torch_cond_counts_if_it_is_taken():
    class Choosing(Call):
        def forward(self, x):
            return torch.cond(x.sum() > 0, lambda x: self.conv(x).sum(1), lambda x: x[:, 0], (x,))

    assert figures(Choosing(), inputs=X + 1) == CONV
    assert figures(Choosing(), inputs=X - 1) == (CONV[0], 0)


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_layer_is_as_deep_as_its_layers(cell):
    class Reader(Call):
        def __init__(self, *function):
            super().__init__(*function)
            self.read = cell(32, 5, num_layers=2, batch_first=True, bidirectional=True)

        def forward(self, x):
            return self.read(self.function(self.conv(x)).permute(0, 3, 1, 2).flatten(2))[0]

    on_meta, real = summary(Reader(), (3, 8, 8)), summary(Reader(READS["assert"]), (3, 8, 8))
    assert real.notes[0].startswith(REAL)
    assert real.macs == on_meta.macs > CONV[1]
    for counted in (on_meta, real):
        assert (counted.layers, counted.uncounted) == (3, {})
        assert counted.parts[""].receptive_field >= 8
