"""ConvNeXt against the authors' words: what a block does, what is read of the image, the release's
code.
"""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas.layers import ChannelNorm, LayerScale, StochasticDepth
from convatlas.nets.convnext import ConvNeXt, IsotropicConvNeXt, Row, block, unscaled_block
from convatlas.weights.authors import CONVNEXT, MATRICES
from convatlas.weights.names import Twin
from convatlas.weights.translating import to_ours, translated


class Block(nn.Module):
    """The release's second form: rows and columns first, linear layers for 1x1 convolutions."""

    def __init__(self, c: int, scale: float):
        super().__init__()
        self.dwconv = nn.Conv2d(c, c, 7, padding=3, groups=c)
        self.norm = nn.LayerNorm(c, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)
        if scale:
            self.gamma = nn.Parameter(torch.full((c,), scale))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.pwconv2(F.gelu(self.pwconv1(y)))
        y = self.gamma * y if hasattr(self, "gamma") else y
        return x + y.permute(0, 3, 1, 2)


class Norm(nn.Module):
    """The release's layer norm of maps."""

    def __init__(self, c: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))

    def forward(self, x):
        x = x - x.mean(1, keepdim=True)
        x = x / (x.square().mean(1, keepdim=True) + 1e-6).sqrt()
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Release(nn.Module):
    """models/convnext.py."""

    def __init__(self, row: Row):
        super().__init__()
        c = row.C
        downs = [nn.Sequential(nn.Conv2d(3, c[0], 4, 4), Norm(c[0]))]
        downs += [nn.Sequential(Norm(c[i]), nn.Conv2d(c[i], c[i + 1], 2, 2)) for i in range(3)]
        self.downsample_layers = nn.ModuleList(downs)
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(c[i], 1e-6) for _ in range(row.B[i]))) for i in range(4)
        )
        self.norm, self.head = nn.LayerNorm(c[3], eps=1e-6), nn.Linear(c[3], 10)

    def forward(self, x):
        for down, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(down(x))
        return self.head(self.norm(x.mean((2, 3))))


class IsotropicRelease(nn.Module):
    """models/convnext_isotropic.py."""

    def __init__(self, c: int, depth: int, scale: float):
        super().__init__()
        self.stem = nn.Conv2d(3, c, 16, 16)
        self.blocks = nn.Sequential(*(Block(c, scale) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(c, eps=1e-6), nn.Linear(c, 10)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x)).mean((2, 3))))


ROW = Row(C=(6, 12, 24, 48), B=(1, 2, 2, 1), drop=0.2)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: ConvNeXt(ROW, 10), lambda: Release(ROW)),
        (
            lambda: IsotropicConvNeXt(unscaled_block, 8, 3, 0.1, 10),
            lambda: IsotropicRelease(8, 3, 0),
        ),
        (lambda: IsotropicConvNeXt(block, 8, 3, 0.1, 10), lambda: IsotropicRelease(8, 3, 1e-6)),
    ],
    ids=["stages", "isotropic", "isotropic, scaled"],
)
def test_the_releases_weights_give_the_releases_logits(ours, theirs):
    torch.manual_seed(0)
    ours, theirs = ours().double().eval(), theirs().double().eval()
    for parameter in theirs.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5)
    twin = Twin("", CONVNEXT, ones=MATRICES)
    state = theirs.state_dict()
    names = twin.names(ours.state_dict())
    assert set(names.values()) == set(state)
    ours.load_state_dict({key: to_ours(twin, key, state[name]) for key, name in names.items()})
    back = translated(twin, ours.state_dict())
    assert all(torch.equal(back[name], value) for name, value in state.items())
    x = torch.randn(2, 3, 70, 50, dtype=torch.float64)
    with torch.no_grad():
        a, b = ours(x), theirs(x)
    assert (b[0] - b[1]).abs().max() > 1e-3 * b.abs().max()
    assert (a - b).abs().max() <= 1e-10 * b.abs().max()


def test_a_block_is_the_identity_at_first():
    """Layer scale 1e-6 (Sec. 3.1): a branch moves its input by a millionth of itself."""
    torch.manual_seed(0)
    x = torch.randn(2, 16, 9, 9, dtype=torch.float64)
    unit = block(16, drop=0.0).double()
    scaled = unit(x) - x
    unit.branch.scale.weight.data.fill_(1.0)
    torch.testing.assert_close(scaled, 1e-6 * (unit(x) - x), rtol=1e-6, atol=1e-15)


def test_one_norm_and_one_activation_in_each_block():
    """Sec. 2.6, and layer scale in all networks but the isotropic S and B (App. A.1)."""
    kinds = [type(layer) for layer in block(8, 0.1).branch]
    assert kinds == [
        nn.Conv2d,
        ChannelNorm,
        nn.Conv2d,
        nn.GELU,
        nn.Conv2d,
        LayerScale,
        StochasticDepth,
    ]
    assert [type(layer) for layer in unscaled_block(8, 0.1).branch] == [
        kind for kind in kinds if kind is not LayerScale
    ]


def test_norms_stand_where_the_resolution_changes():
    """Sec. 2.6: before each downsampling layer, after the stem, after the global average."""
    net = ConvNeXt(ROW)
    outside = [
        path
        for path, layer in net.named_modules()
        if isinstance(layer, nn.LayerNorm) and ".branch." not in path
    ]
    downsampling = [f"res{i}.downsample.norm" for i in (3, 4, 5)]
    assert outside == ["stem.norm", *downsampling, "norm"]
    assert list(dict(net.stem.named_children())) == ["conv", "norm"]
    assert list(dict(net.res3.downsample.named_children())) == ["norm", "conv"]


def test_what_lies_beyond_a_multiple_of_4_is_not_read():
    torch.manual_seed(0)
    net = ConvNeXt(ROW).eval()
    x = torch.randn(1, 3, 71, 66)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(-0.5, 0.5)
        logits = net(x)
        assert torch.equal(net(x[..., :68, :64]), logits)
        assert not torch.equal(net(x[..., :64, :64]), logits)
