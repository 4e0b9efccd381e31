"""Networks of other frameworks that are near to ours, and what one change it takes; and Caffe's
that are ours. In double precision, against caffe.py.
"""

import caffe
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas import create_model
from convatlas.layers import LocalResponseNorm
from convatlas.nets import bn_inception
from convatlas.shapes_only import shapes_only

CLASSES = 11


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def images(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def in_order(name: str, blobs: dict[str, Tensor]) -> nn.Module:
    """Our network, filled in the order in which Caffe's layers come: convolution by convolution."""
    net = create_model(name, num_classes=CLASSES).double().eval()
    values = iter(blobs.values())
    for path, part in net.named_modules():
        if path.startswith("aux"):
            continue
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.weight.data, part.bias.data = next(values), next(values)
        elif isinstance(part, nn.BatchNorm2d):
            part.running_mean, part.running_var = next(values), next(values)
            part.weight.data, part.bias.data = next(values), next(values)
    assert next(values, None) is None
    return net


@torch.no_grad()
def test_caffes_googlenet_has_another_normalisation():
    """k = 1 and alpha / n, where ours has AlexNet's printed 2 and alpha."""
    theirs, x = caffe.Net(), images(2, 3, 64, 79)
    expected = caffe.googlenet(theirs, x, CLASSES)
    ours = in_order("googlenet", theirs.blobs)
    assert relative(ours(x), expected) > 1e-2
    assert isinstance(ours.norm1, LocalResponseNorm)
    ours.norm1 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
    ours.norm2 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
    assert relative(ours(x), expected) <= 1e-10


@torch.no_grad()
def test_bn_inception_caffe_is_caffes():
    theirs, x = caffe.Net(), images(2, 3, 96, 64)
    expected = caffe.bn_inception(theirs, x, CLASSES)
    ours = in_order("bn_inception_caffe", theirs.blobs)
    assert relative(ours(x), expected) <= 1e-10
    for name in ("inception_3c", "inception_4e"):
        ours.get_submodule(name).pool = bn_inception.padded_pool()
    assert relative(ours(x), expected) > 1e-4  # bn_inception's pools


def test_the_unpadded_pool_is_caffes_on_even_maps_and_reads_odd_ones():
    pool, x = bn_inception.unpadded_pool(), images(2, 3, 14, 14)
    assert torch.equal(pool(x), F.max_pool2d(x, 3, 2, ceil_mode=True))
    odd = pool(x[:, :, :13, :13])
    assert odd.shape[2:] == (7, 7)
    assert torch.equal(odd[:, :, -1, -1], x[:, :, 12, 12])
    assert torch.equal(odd[:, :, :-1, :-1], F.max_pool2d(x[:, :, :13, :13], 3, 2))


def test_slims_inception_v2_narrows_two_projections(monkeypatch):
    """To 96 in 4c and 4d: then the sums are those that Figure 5 prints."""
    narrowed = tuple(
        row._replace(proj=96) if row.part in ("inception_4c", "inception_4d") else row
        for row in bn_inception.MODULES
    )
    monkeypatch.setattr(bn_inception, "MODULES", narrowed)
    widths = {}
    with shapes_only():
        net = create_model("bn_inception_separable")
        for row in narrowed:
            net.get_submodule(row.part).register_forward_hook(
                lambda part, args, out, name=row.part: widths.update({name: out.shape[1]})
            )
        net(torch.empty(1, 3, 224, 224))
    printed = {row.part: int(row.output.rpartition("x")[2]) for row in narrowed}
    assert widths == printed
    assert sum(p.numel() for p in net.parameters()) == 11_188_288


@torch.no_grad()
def test_the_released_resnet_differs_in_its_first_pool():
    torch.manual_seed(0)
    printed = create_model("resnet50", num_classes=CLASSES).double().eval()
    released = create_model("resnet50_released", num_classes=CLASSES).double().eval()
    released.load_state_dict(printed.state_dict())
    x = images(1, 3, 64, 70)
    assert relative(released(x), printed(x)) > 1e-4
    printed.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    assert torch.equal(released(x), printed(x))
    assert released.pool1(released.conv1(images(1, 3, 224, 224))).shape == (1, 64, 56, 56)
