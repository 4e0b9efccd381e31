"""torchvision's networks, all that it lists, against torch's own counter (FlopCounterMode): to the
unit, with nothing left uncounted.
"""

import pytest
import torch
import torch.nn as nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models
from torchvision.models import detection, optical_flow, regnet, segmentation, video

from convatlas.anatomy import summary
from convatlas.shapes_only import shapes_only

FEW = ("mobilenet_v3_small", "vit_b_32", "regnet_y_400mf", "lraspp_mobilenet_v3_large", "r3d_18")
LEARNT = ("googlenet", "inception_v3")  # these draw by hand what they begin with


def names(module) -> list:
    return [
        pytest.param(name, marks=[] if name in FEW else pytest.mark.full)
        for name in models.list_models(module=module)
    ]


@pytest.fixture(autouse=True)
def widths_as_numbers(monkeypatch):
    """RegNet reads its widths off tensors, which need a device with numbers."""
    given = regnet.BlockParams.from_init_params.__func__

    def from_init_params(cls, *args, **kwargs):
        with torch.device("cpu"):
            return given(cls, *args, **kwargs)

    monkeypatch.setattr(regnet.BlockParams, "from_init_params", classmethod(from_init_params))


def counted_by_torch(net: nn.Module, *inputs) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(*inputs)
    return counter.get_total_flops() // 2


def built(name: str, **changes) -> nn.Module:
    with shapes_only():
        return models.get_model(name, weights=None, **changes).eval()


def agree(net: nn.Module, *sizes: tuple[int, ...]) -> None:
    counted = summary(net, inputs=tuple(torch.empty(1, *size, device="meta") for size in sizes))
    with torch.device("meta"):
        expected = counted_by_torch(net, *(torch.empty(1, *size) for size in sizes))
    assert (counted.macs, counted.uncounted, counted.notes) == (expected, {}, ())
    assert counted.params == sum(p.numel() for p in net.parameters())
    assert sum(row.params for row in counted.rows) == counted.params - counted.idle
    assert counted.layers > 0


@pytest.mark.parametrize("name", names(models))
def test_classifiers(name):
    changes = {"init_weights": False} if name in LEARNT else {}
    agree(built(name, **changes), (3, 299, 299) if name == "inception_v3" else (3, 224, 224))


@pytest.mark.parametrize("name", names(segmentation))
def test_segmentation(name):
    agree(built(name, weights_backbone=None), (3, 96, 96))


@pytest.mark.parametrize("name", names(video))
def test_video(name):
    agree(built(name), (3, 16, *(2 * [224] if "vit" in name or name == "s3d" else 2 * [96])))


@pytest.mark.full
@pytest.mark.parametrize("name", names(optical_flow))
def test_two_pictures(name):
    agree(built(name), (3, 128, 128), (3, 128, 128))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if "320_fpn" in name else pytest.mark.full)
        for name in models.list_models(module=detection)
    ],
)
def test_detectors(name):
    """They read values, so a real copy runs, on a list of pictures or on one picture's size."""
    torch.manual_seed(0)
    changes = {} if name.startswith("ssd") else {"min_size": 64, "max_size": 64}
    if "rcnn" in name:
        changes |= {"rpn_post_nms_top_n_test": 20}
    net = models.get_model(name, weights=None, weights_backbone=None, **changes).eval()
    picture = torch.rand(3, 64, 64)
    counted = summary(net, inputs=([picture],))
    assert (counted.macs, counted.uncounted) == (counted_by_torch(net, [picture]), {})
    assert counted.notes[0].startswith("counted on a real pass: without numbers, ")
    assert summary(net, (3, 64, 64)).layers == counted.layers > 16
