"""Where SENet's gates stand in networks that its paper names and its release does not have."""

import pytest
import torch
import torch.nn as nn

from convatlas.layers import SqueezeExcite
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only


def blueprint(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name)


def gates(net: nn.Module) -> list[tuple[str, int, int]]:
    """(path, channels, channels within) of each gate."""
    return [
        (path, m.w1.in_features, m.w1.out_features)
        for path, m in net.named_modules()
        if isinstance(m, SqueezeExcite)
    ]


GATES = {  # (gate, channels of its two layers)
    "se_vgg16": [(64, 4)] * 2 + [(128, 8)] * 2 + [(256, 16)] * 3 + [(512, 32)] * 6,
    "se_mobilenet_v1": [
        *[(64, 4), (128, 8), (128, 8), (256, 16), (256, 16)],
        *[(512, 32)] * 6,
        *[(1024, 64)] * 2,
    ],
    "se_shufflenet_v1_g3": [
        *[(216, 13), *[(240, 15)] * 3],
        *[(240, 15), *[(480, 30)] * 7],
        *[(480, 30), *[(960, 60)] * 3],
    ],
    "se_shufflenet_v2_x2_0": [
        *[(220, 220), *[(122, 122)] * 3],
        *[(244, 244)] * 8,
        *[(488, 488)] * 4,
    ],
    "se_shufflenet_v2_164": [
        *[(212, 212), *[(170, 170)] * 9],
        *[(340, 340)] * 10,
        *[(680, 680)] * 23,
        *[(1360, 1360)] * 10,
    ],
}


@pytest.mark.parametrize("name", GATES)
def test_gates_and_how_far_they_narrow(name):
    assert [gate[1:] for gate in gates(blueprint(name))] == GATES[name]


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("se_vgg16", "vgg16_bn"),
        ("se_mobilenet_v1", "mobilenet_v1"),
        ("se_shufflenet_v1_g3", "shufflenet_v1_g3"),
        ("se_shufflenet_v1_g3_x2_0", "shufflenet_v1_g3_x2_0"),
        ("se_shufflenet_v2_x2_0", "shufflenet_v2_x2_0"),
    ],
)
def test_all_but_the_gates_is_the_network_itself(name, without):
    ours = {
        key: value.shape for key, value in blueprint(name).state_dict().items() if ".se." not in key
    }
    assert ours == {key: value.shape for key, value in blueprint(without).state_dict().items()}


@pytest.mark.parametrize("name", ["se_mobilenet_v1", "se_vgg16"])
def test_a_gate_follows_the_relu(name):
    for path, *_ in gates(net := blueprint(name)):
        before = list(net.get_submodule(path.rpartition(".")[0]))
        assert isinstance(before[-1], SqueezeExcite)
        assert isinstance(before[-2], nn.ReLU)


def test_the_residual_path_of_shufflenet_v2_lies_between_gate_and_relu():
    torch.manual_seed(0)
    unit = create_model("se_shufflenet_v2_164", num_classes=2).conv2_x[1].eval()
    x = torch.randn(2, 340, 5, 5)
    with torch.no_grad():
        passing, y = x.chunk(2, dim=1)
        branch = unit.main.branch
        maps = branch.conv2(branch.dwconv(branch.conv1(y).relu()))
        scale = branch.se.w2(branch.se.w1(maps.mean((2, 3))).relu()).sigmoid()
        worked = (y + maps * scale[:, :, None, None]).relu()
        shuffled = torch.stack((passing, worked), dim=2).flatten(1, 2)
        torch.testing.assert_close(unit(x), shuffled)


def test_shufflenet_v1_50_has_no_shortcut_where_3_does_not_divide_its_channels():
    """Appendix of ShuffleNet V2: 3, 4, 6 and 3 units, 50 layers of three a unit."""
    net = blueprint("shufflenet_v1_50")
    stages = [net.conv2_x, net.conv3_x, net.conv4_x, net.conv5_x]
    assert [len(stage) for stage in stages] == [3, 4, 6, 3]
    assert not hasattr(net.conv2_x[0], "shortcut")
    assert net.conv2_x[0].branch.gconv1.conv.groups == 1
    grouped = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.groups == 3]
    assert len(grouped) == 2 * 16 - 1
    assert net.conv2_x[1].branch.dwconv.conv.groups == 180  # half of 360


def test_groups_never_meet_without_the_shuffle():
    """A change in the last third of a unit's channels stays there."""
    torch.manual_seed(0)
    unit = create_model("shufflenet_v1_g3_x0_25_no_shuffle").Stage2[1].eval()
    x = torch.rand(1, 60, 4, 4)
    changed = x.clone()
    changed[:, 40:] += 1
    with torch.no_grad():
        difference = (unit(changed) - unit(x)).abs().amax((0, 2, 3))
    assert not difference[:40].any()
    assert (difference[40:] > 0).all()


def test_the_sigmoids_of_bn_inception():
    """Sec. 4.2.2: "instead of ReLU", everywhere."""
    ours, original = blueprint("bn_inception_sigmoid"), blueprint("bn_inception")
    assert not any(isinstance(m, nn.ReLU) for m in ours.modules())
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, v.shape) for k, v in original.state_dict().items()
    ]
    sigmoids = [path for path, m in ours.named_modules() if isinstance(m, nn.Sigmoid)]
    relus = [path for path, m in original.named_modules() if isinstance(m, nn.ReLU)]
    assert [path.rpartition(".")[0] for path in sigmoids] == [
        path.rpartition(".")[0] for path in relus
    ]
