"""int8 files: a layer that int8 ruins is found, named and left in float; what misses a limit is
refused with its figures, and leaves nothing.
"""

import copy
import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch

from convatlas.cli import run as convatlas
from convatlas.deploy import calibration, quantising
from convatlas.deploy.engines import KINDS, open_export, proof_path
from convatlas.deploy.quantising import QUANTISERS, export_int8
from convatlas.errors import ExportError
from convatlas.finished_run import open_run
from convatlas.training import Recipe, train

OUTLIER = 3000.0


@pytest.fixture(params=QUANTISERS)
def to(request) -> str:
    _, extra, packages = QUANTISERS[request.param]
    for package in packages:
        pytest.importorskip(package, reason=f"the extra {extra} is not installed")
    return request.param


@pytest.fixture
def place(to, tmp_path):
    return tmp_path / f"x{KINDS[to].suffix}"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small network of ReLUs, trained until it knows its digits."""
    folder = tmp_path_factory.mktemp("runs") / "lenet_caffe"
    train(Recipe(network="lenet_caffe", data="digits", epochs=6, batch_size=32), folder)
    return folder


@pytest.fixture(scope="module")
def opened(run):
    return open_run(run)


def convolutions(net) -> list[torch.nn.Conv2d]:
    return [module for module in net.modules() if isinstance(module, torch.nn.Conv2d)]


@pytest.fixture
def planted(opened, monkeypatch):
    """The same function in float, but one channel between the first two convolutions is 3,000 times
    as large, and takes all 255 steps of the scale for itself.
    """
    saved, recipe, images = opened
    net = copy.deepcopy(saved.net)
    first, second = convolutions(net)[:2]
    used = second.weight.detach().abs().sum((0, 2, 3)).argmax()
    with torch.no_grad():
        first.weight[used] *= OUTLIER
        if first.bias is not None:
            first.bias[used] *= OUTLIER
        second.weight[:, used] /= OUTLIER
    saved = replace(saved, net=net)
    monkeypatch.setattr(quantising, "open_run", lambda run: (saved, recipe, images))
    return saved, images


def named(net, module) -> str:
    return next(name for name, one in net.named_modules() if one is module)


def test_the_layer_with_the_outlier_heads_the_list(opened, planted, to):
    quantiser = import_module(f"convatlas.deploy.{QUANTISERS[to][0]}")
    errors = {}
    for saved in (opened[0], planted[0]):
        taken = calibration.of_run(saved, opened[2])
        network = quantiser.network_of(saved)
        int8 = quantiser.quantised(network, taken.inputs)
        listed = quantiser.layer_errors(network, int8, taken.inputs[:4])
        assert [one.error for one in listed] == sorted((o.error for o in listed), reverse=True)
        errors[saved is planted[0]] = listed
    bad = {named(planted[0].net, one) for one in convolutions(planted[0].net)[:2]}
    assert max(one.error for one in errors[False]) < 0.2
    assert {one.layer for one in errors[True][:2]} == bad
    # nncf keeps the scales of a layer's weights within a factor of 100: the first convolution has
    # 2 of 63 steps left, the second one has none
    least = {"onnx": 0.5, "openvino": 0.25}[to]
    assert errors[True][0].error > 0.5 and errors[True][1].error > least
    assert errors[True][2].error < 0.2


def test_it_is_left_in_float_until_the_limits_hold(run, planted, to, place):
    heard = []
    place, proof = export_int8(run, place, keep_slower=True, said=heard.append, to=to)
    planted_in = {named(planted[0].net, one) for one in convolutions(planted[0].net)[:2]}
    (first, *_) = proof.in_float
    assert first in planted_in and heard
    assert proof.holds and first not in {one["layer"] for one in proof.layers}
    about = json.loads(proof_path(place).read_text())
    assert about["precision"] == "int8" and about["in_float"] == proof.in_float
    assert about["calibration"]["count"] == 200 and len(about["calibration"]["sha256"]) == 64
    _, probabilities = open_export(place)(np.zeros((2, 30, 20, 1), np.uint8))
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_without_a_fault_no_layer_is_left_in_float(run, to, place, monkeypatch):
    monkeypatch.setattr(quantising, "latencies", lambda forms, picture: {"int8": 1.0, "f32": 2.0})
    place, proof = export_int8(run, place, to=to)
    assert proof.in_float == [] and proof.holds
    assert proof.sizes["int8"] < 0.5 * proof.sizes["f32"]
    if to == "openvino":
        return
    import onnx

    types = {one.data_type for one in onnx.load(place).graph.initializer if len(one.dims) == 4}
    assert onnx.TensorProto.INT8 in types
    nodes = onnx.load(place).graph.node
    head = [one for one in nodes if one.output[0].startswith("picture/")]
    assert head and not {one.op_type for one in head} & {"QuantizeLinear", "DequantizeLinear"}


def test_one_that_never_holds_is_refused_with_its_figures(run, to, place, monkeypatch):
    monkeypatch.setattr(quantising, "AGREEMENT", 1.01)
    with pytest.raises(
        ExportError,
        match=r"lenet_caffe in int8 does not answer as predict does, and was not kept: "
        r"-?\d\.\d\d points lost, \d+\.\d % the same answer \(limits 0\.5 points and 101 %\), "
        r"with \d of \d+ layers in float; export it without --int8",
    ):
        export_int8(run, place, to=to)
    assert [*place.parent.iterdir()] == []


def test_one_that_is_not_faster_is_kept_only_when_asked(run, to, place, monkeypatch):
    monkeypatch.setattr(quantising, "latencies", lambda forms, picture: {"int8": 2.0, "f32": 1.5})
    with pytest.raises(
        ExportError,
        match=r"is not faster in int8 on this machine \(2\.00 ms in int8, 1\.50 ms in f32 for a "
        r"picture\), and was not kept; .*--keep-slower",
    ):
        export_int8(run, place, to=to)
    assert [*place.parent.iterdir()] == []
    place, proof = export_int8(run, place, keep_slower=True, to=to)
    assert not json.loads(proof_path(place).read_text())["faster"] and not proof.faster


def test_the_fastest_float_form_of_the_engine_is_the_rival(run, to, place, monkeypatch):
    """OpenVINO's bf16 counts as its f32 does, where the processor has it."""
    timed = {}

    def latencies(forms, picture):
        timed.update({name: opened.precision for name, opened in forms.items()})
        return dict.fromkeys(forms, 2.0) | {"int8": 1.0, list(forms)[-1]: 0.5}

    monkeypatch.setattr(quantising, "latencies", latencies)
    with pytest.raises(ExportError, match="is not faster in int8 on this machine"):
        export_int8(run, place, to=to)
    rivals = {name: precision for name, precision in timed.items() if name != "int8"}
    assert all(name == precision for name, precision in rivals.items())
    assert "f32" in rivals and {*rivals} <= {*KINDS[to].precisions}


def test_a_file_that_is_there_is_kept_and_named(run, to, place):
    place.write_bytes(b"mine")
    with pytest.raises(ExportError, match="exists; remove it, or name another with --output"):
        export_int8(run, place, to=to)
    assert place.read_bytes() == b"mine"


def test_the_command_prints_the_layers(run, to, place, monkeypatch, capsys):
    monkeypatch.setattr(quantising, "latencies", lambda forms, picture: {"int8": 1.0, "f32": 2.0})
    words = ["export", str(run), "--int8", "--to", to, "--output", str(place)]
    assert convatlas(words) == 0
    said = capsys.readouterr().out
    assert "val pictures of digits" in said and "1.00 ms in int8, 2.00 ms in f32" in said
    assert "how far each layer is from float, alone:" in said
