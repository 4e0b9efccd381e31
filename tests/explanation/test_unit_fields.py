"""Where a unit looks, against where its gradient is."""

import pytest
import torch
import torch.nn as nn
from networks import META

from convatlas import create_model
from convatlas.anatomy.unit_fields import Rectangle, unit_fields


def seen_by(net: nn.Module, path: str, place: tuple[int, int], size) -> Rectangle:
    """The smallest rectangle around all pixels with a gradient to the sum of a place's units."""
    kept = []
    handle = net.get_submodule(path).register_forward_hook(lambda m, args, out: kept.append(out))
    x = torch.rand(1, *size, dtype=torch.float64, requires_grad=True)
    net(x)
    handle.remove()
    (gradient,) = torch.autograd.grad(kept[0][0, :, place[0], place[1]].sum(), x)
    touched = gradient[0].abs().sum(0) > 0
    rows, columns = (touched.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    return Rectangle(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


def all_open(net: nn.Module) -> nn.Module:
    """Weights above 0 that keep maps near 1, so that no ReLU is shut and nothing cancels; average
    for maximum.
    """
    for name, parameter in net.named_parameters():
        small = name.endswith("bias") or parameter.ndim == 1
        parameter.data.fill_(0.1 if small else 1 / parameter[0].numel())
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                average = nn.AvgPool2d(child.kernel_size, child.stride, child.padding)
                setattr(module, name, average)
    return net.double().eval()


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("lenet5_tutorial", ("conv1", "conv2")),
        ("resnet20_cifar", ("conv1", "stage2.0", "stage3")),
        ("mobilenet_v2_x0_35", ("conv1", "bottleneck3", "bottleneck5")),
        ("nin_cifar10", ("mlpconv1", "mlpconv2")),
        ("googlenet_bn_32", ("inception_3a", "inception_4a")),
        ("densenet40_k12_cifar", ("dense_block1", "dense_block2")),
    ],
)
def test_a_unit_sees_what_its_gradient_reaches(name, layers):
    torch.manual_seed(0)
    net = all_open(create_model(name, num_classes=3))
    side = max(net.smallest, min(net.side, 64))
    size = (net.in_channels, side, side)
    fields = unit_fields(net, size)
    for path in layers:
        rows, columns = fields[path].size
        for place in {(0, 0), (rows // 2, columns // 2), (rows - 1, 0)}:
            field = fields[path].of(*place)
            assert field.within(side, side) == seen_by(net, path, place, size)


def test_a_gate_makes_units_see_everything():
    with META:
        net = create_model("mobilenet_v3_small")
    last = unit_fields(net)["conv2"]
    assert last.step == (0, 0)
    assert last.of(0, 0) == last.of(*(side - 1 for side in last.size))
    assert last.first.within(224, 224) == (0, 0, 224, 224)


def test_oblong_pictures_and_steps():
    net = nn.Sequential(nn.Conv2d(3, 2, (3, 5), stride=(1, 2), padding=(1, 0)), nn.ReLU())
    fields = unit_fields(net, (3, 10, 21))
    assert fields["1"].size == (10, 9)
    assert fields["1"].step == (1, 2)
    assert fields["1"].of(0, 0) == (-1, 0, 2, 5)
    assert fields["1"].of(9, 8) == (8, 16, 11, 21)
    assert fields["1"].of(9, 8).within(10, 21) == (8, 16, 10, 21)
    with pytest.raises(ValueError, match="there is no unit 10,0 in a map of 10x9"):
        fields["1"].of(10, 0)
