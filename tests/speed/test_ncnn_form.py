"""Networks in ncnn: to float32's rounding what torch answers, or refused by name."""

import os
import tempfile
import threading

import pytest
import torch
import torch.nn as nn

from benchmarks.smallest import chosen
from convatlas.data import Preprocess
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model
from convatlas.speed import benching
from convatlas.speed.comparing import Reference
from convatlas.speed.forms import FORMS, Forms

NCNN = FORMS["ncnn"]
# network -> what it has and ncnn has not, as torch calls it
LACKING = {
    "lenet1989": "Tensor.index",
    "lenet1989_zip": "Tensor.index",
    "lenet5": "Tensor.index",
    "se_preresnet110_cifar": "Tensor.slice",
    "nasnet_a_6_768_cifar": "F.pad",
    "inception_v3_released": "F.batch_norm",
    "inception_v4_released": "F.batch_norm",
    "inception_resnet_v2_slim": "F.batch_norm",
}


@pytest.fixture(autouse=True)
def engine():
    for package in NCNN.packages:
        pytest.importorskip(package, reason="the extra ncnn is not installed")


def saved_of(net: nn.Module, channels: int, side: int, name: str = "mine") -> Saved:
    return Saved(net.eval(), name, (), Preprocess(channels, side, (), (), "resize", side), {})


@pytest.mark.parametrize(
    "name", ["resnet18", "squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small", "googlenet"]
)
def test_a_network_answers_as_it_does_in_torch(name):
    reference = Reference(benching.fresh(name), 4, is_drawn=True)
    found = reference.compare(Forms(reference.saved).made(NCNN, 1), "f32")
    assert found.is_near, str(found)


@pytest.mark.parametrize("side", [15, 17, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_maps_of_any_side_and_depth(side, channels):
    """ncnn begins each map of its own at 16 bytes; what it is given does not."""
    torch.manual_seed(side)
    net = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.Flatten())
    net.append(nn.Linear(8 * side * side, 5))
    saved = saved_of(net, channels, side)
    images = torch.randn(17, channels, side, side).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        wanted = net(images)
    found = Forms(saved).made(NCNN, 1)(images)
    assert found.dtype == torch.float32 and found.shape == (17, 5)
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_what_ncnn_has_not_is_named():
    with pytest.raises(ExportError, match=r"^ncnn has no Tensor\.index, which lenet5 needs; choos"):
        Forms(saved_of(create_model("lenet5"), 1, 32, "lenet5")).made(NCNN, 1)


@pytest.mark.full
def test_the_smallest_network_of_each_paper_is_right_or_refused():
    """In one test that names no network: who tests one network alone may lack the engine."""
    wrong = {name: why for name in chosen() if (why := _wrong(name))}
    assert not wrong, wrong


def _wrong(name: str) -> str:
    """What is amiss with a network in ncnn; "" where it is right, or refused as it must be."""
    reference = Reference(benching.fresh(name), 4, is_drawn=True)
    layer = LACKING.get(name)
    try:
        answer = Forms(reference.saved).made(NCNN, 1)
    except ExportError as error:
        is_known = layer and str(error).startswith(f"ncnn has no {layer}")
        return "" if is_known else str(error)
    found = reference.compare(answer, "f32")
    return "" if found.is_near and not layer else str(found)


def test_nothing_is_left_and_nothing_is_printed(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Forms(saved_of(create_model("lenet_caffe"), 1, 28)).made(NCNN, 1)
    assert not os.listdir(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_several_callers_at_once_get_their_own_answers():
    net = create_model("lenet_caffe").eval()
    answer = Forms(saved_of(net, 1, 28)).made(NCNN, 1)
    batches = [torch.randn(4, 1, 28, 28) for _ in range(4)]
    with torch.inference_mode():
        wanted = [net(batch) for batch in batches]
    found: dict[int, list] = {}

    def call(place: int) -> None:
        found[place] = [answer(batches[place]) for _ in range(20)]

    callers = [threading.Thread(target=call, args=[place]) for place in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for place, answers in found.items():
        for one in answers:
            assert (one - wanted[place]).abs().max() <= 1e-5 * wanted[place].abs().max()
