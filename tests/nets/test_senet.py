"""How the gates of squeeze-and-excitation networks behave, and where they stand."""

import pytest
import torch

from convatlas.layers import SqueezeExcite
from convatlas.nets import se_ablation, senet
from convatlas.nets.bn_inception import MODULES
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


@pytest.mark.parametrize("gate", [SqueezeExcite, se_ablation.SqueezeExcite])
def test_a_gate_scales_each_channel_by_the_average_of_all(gate):
    torch.manual_seed(0)
    se, u = gate(32), torch.randn(2, 32, 5, 4)
    z = u.mean((2, 3))
    hidden = torch.relu(z @ se.w1.weight.T + (0 if se.w1.bias is None else se.w1.bias))
    s = torch.sigmoid(hidden @ se.w2.weight.T + (0 if se.w2.bias is None else se.w2.bias))
    assert hidden.shape == (2, 2)
    torch.testing.assert_close(se(u), u * s.view(2, 32, 1, 1))


def test_no_squeeze_gates_each_pixel_by_itself():
    torch.manual_seed(0)
    gate, u = se_ablation.NoSqueeze(32), torch.randn(1, 32, 3, 3)
    torch.testing.assert_close(gate(u)[..., 1:, 1:], gate(u[..., 1:, 1:]))
    other = se_ablation.SqueezeExcite(32)
    assert not torch.allclose(other(u)[..., 1:, 1:], other(u[..., 1:, 1:]))


def gates(name: str) -> list[str]:
    with shapes_only():
        net = create_model(name)
    return [path for path, _ in net.named_modules() if path.split(".")[-1] == "se"]


@pytest.mark.parametrize(
    ("name", "where", "count"),
    [
        ("se_resnet50", "branch.se", 16),
        ("se_resnet50_3x3", "branch.se", 16),
        ("se_resnet50_pre", "branch.se", 16),
        ("se_resnet50_post", "se", 16),
        ("se_resnet50_identity", "shortcut.se", 16),
        ("se_resnet50_stage3", "branch.se", 4),
        ("se_preresnet164_cifar", "branch.se", 54),
        ("senet154", "branch.se", 50),
    ],
)
def test_where_the_gates_are(name, where, count):
    found = gates(name)
    assert len(found) == count
    assert {path.split(".", 2)[2] for path in found} == {where}


def test_every_inception_module_is_gated():
    modules = [path.removesuffix(".se") for path in gates("se_bn_inception")]
    assert modules == [row.part for row in MODULES]
    assert len(modules) == 10


def test_the_place_of_a_gate_inside_its_branch():
    def order(unit):
        return [name for name, _ in unit(64, 64, 1)[0].branch.named_children()]

    assert order(se_ablation.se_3x3)[-2:] == ["se", "conv3"]
    assert order(se_ablation.se_pre)[0] == "se"
    assert order(senet.se_bottleneck)[-2:] == ["conv3", "se"]
    assert order(senet.se_154)[-1] == "se"
