"""How ResNeSt's splits share attention, and what is on in training only."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.resnest import DropBlock, Setting, SplitAttention
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def on_paper(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name)


@pytest.mark.parametrize(
    "setting", [Setting(1, 1, 64), Setting(2, 1, 64), Setting(4, 2, 40), Setting(1, 4, 24)]
)
def test_attention_group_by_group(setting):
    """Eqs. (1) to (3), written out for one cardinal group after the other."""
    torch.manual_seed(0)
    (r, k, _), c = setting, 48
    splat, x = SplitAttention(c, setting, nn.Identity()).eval(), torch.randn(2, c, 5, 5)
    u = torch.relu(splat.conv(x)).view(2, r, k, c // k, 5, 5)
    hidden = splat.fc1.out_channels // k
    outputs = []
    for group in range(k):
        s = u[:, :, group].sum(1).mean((2, 3))
        rows = slice(group * hidden, (group + 1) * hidden)
        z = s @ splat.fc1.weight[rows, :, 0, 0].T + splat.fc1.bias[rows]
        z = torch.relu(z / (1 + splat.bn1.eps) ** 0.5)  # a fresh batch norm
        rows = slice(group * r * c // k, (group + 1) * r * c // k)
        g = (z @ splat.fc2.weight[rows, :, 0, 0].T + splat.fc2.bias[rows]).view(2, r, c // k)
        a = g.softmax(1) if r > 1 else g.sigmoid()
        outputs.append((a[..., None, None] * u[:, :, group]).sum(1))
    torch.testing.assert_close(splat(x), torch.cat(outputs, 1))


def test_where_the_average_pools_are():
    order = {
        name: [path for path, _ in on_paper(name).conv3_x[0].branch.named_children()]
        for name in ("resnest50", "resnest50_fast_2s1x64d")
    }
    assert order["resnest50"][3:6] == ["splat", "pool", "conv3"]
    assert order["resnest50_fast_2s1x64d"][3:6] == ["pool", "splat", "conv3"]
    strides = [m.stride[0] for m in on_paper("resnest50").modules() if isinstance(m, nn.Conv2d)]
    assert strides.count(2) == 1  # the stem's alone


def test_what_is_dropped_in_training():
    net = on_paper("resnest200")
    blocks = {path.split(".")[0] for path, m in net.named_modules() if isinstance(m, DropBlock)}
    assert blocks == {"conv4_x", "conv5_x"}
    rates = {n: on_paper(f"resnest{n}").dropout.p for n in (50, 101, 200, 269)}
    assert rates == {50: 0, 101: 0, 200: 0.2, 269: 0.2}


def test_drop_block():
    torch.manual_seed(0)
    drop, x = DropBlock().train(), torch.ones(8, 64, 14, 14)
    y = drop(x)
    zeros = (y == 0).float()
    assert 0.07 < zeros.mean() < 0.13
    torch.testing.assert_close(y.mean(), torch.tensor(1.0))
    assert (
        zeros.unfold(2, 3, 1).unfold(3, 3, 1).amin((-1, -2)).sum((2, 3)) > 0
    ).any()  # whole squares
    lonely = nn.functional.max_pool2d(-zeros, 2, 1)  # -1 where 2x2 pixels are zero
    covered = nn.functional.max_pool2d(-lonely, 2, 1, padding=1)
    assert torch.equal(covered * zeros, zeros), "a dropped pixel without neighbours"
    assert torch.equal(drop.eval()(x), x)
    assert drop.train()(torch.ones(2, 3, 1, 1)).isfinite().all()


def test_a_fresh_unit_is_its_shortcut():
    """Sec. 4.2: gamma of the final batch norm starts at zero."""
    torch.manual_seed(0)
    net = create_model("resnest14", num_classes=2).eval()
    x = net.pool1(net.conv1(torch.randn(1, 3, 32, 32)))
    unit = net.conv2_x[0]
    torch.testing.assert_close(unit(x), unit.shortcut(x).relu())
