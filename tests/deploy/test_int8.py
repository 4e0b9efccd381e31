"""int8 files: a layer that int8 ruins is found, named and left in float; what misses a limit is
refused with its figures, and leaves nothing.
"""

import copy
import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from convatlas.cli import run as convatlas
from convatlas.deploy import calibration, quantising
from convatlas.deploy.engines import open_export, proof_path
from convatlas.deploy.quantising import export_int8
from convatlas.deploy.writers import network_graph
from convatlas.errors import ExportError
from convatlas.finished_run import open_run
from convatlas.training import Recipe, train

OUTLIER = 3000.0
pytestmark = pytest.mark.skipif(
    not all(find_spec(package) for package in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra onnx is not installed",
)


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


def test_the_layer_with_the_outlier_heads_the_list(opened, planted):
    from convatlas.deploy.int8 import layer_errors, quantised

    errors = {}
    for saved in (opened[0], planted[0]):
        taken = calibration.of_run(saved, opened[2])
        network = network_graph(saved)
        int8 = quantised(network, taken.inputs)
        listed = layer_errors(network, int8, taken.inputs[:4])
        assert [one.error for one in listed] == sorted((o.error for o in listed), reverse=True)
        errors[saved is planted[0]] = listed
    bad = {named(planted[0].net, one) for one in convolutions(planted[0].net)[:2]}
    assert max(one.error for one in errors[False]) < 0.2
    assert {one.layer for one in errors[True][:2]} == bad
    assert min(one.error for one in errors[True][:2]) > 0.5


def test_it_is_left_in_float_until_the_limits_hold(run, planted, tmp_path):
    heard = []
    place, proof = export_int8(run, tmp_path / "x.onnx", keep_slower=True, said=heard.append)
    first = named(planted[0].net, convolutions(planted[0].net)[0])
    assert first in proof.in_float and heard
    assert proof.holds and first not in {one["layer"] for one in proof.layers}
    about = json.loads(proof_path(place).read_text())
    assert about["precision"] == "int8" and about["in_float"] == proof.in_float
    assert about["calibration"]["count"] == 200 and len(about["calibration"]["sha256"]) == 64
    _, probabilities = open_export(place)(np.zeros((2, 30, 20, 1), np.uint8))
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_without_a_fault_no_layer_is_left_in_float(run, tmp_path, monkeypatch):
    monkeypatch.setattr(quantising, "latencies", lambda forms, picture: {"int8": 1.0, "f32": 2.0})
    place, proof = export_int8(run, tmp_path / "x.onnx")
    assert proof.in_float == [] and proof.holds
    assert proof.sizes["int8"] < 0.5 * proof.sizes["f32"]
    import onnx

    types = {one.data_type for one in onnx.load(place).graph.initializer if len(one.dims) == 4}
    assert onnx.TensorProto.INT8 in types
    nodes = onnx.load(place).graph.node
    head = [one for one in nodes if one.output[0].startswith("picture/")]
    assert head and not {one.op_type for one in head} & {"QuantizeLinear", "DequantizeLinear"}


def test_one_that_never_holds_is_refused_with_its_figures(run, tmp_path, monkeypatch):
    monkeypatch.setattr(quantising, "AGREEMENT", 1.01)
    with pytest.raises(
        ExportError,
        match=r"lenet_caffe in int8 does not answer as predict does, and was not kept: "
        r"-?\d\.\d\d points lost, \d+\.\d % the same answer \(limits 0\.5 points and 101 %\), "
        r"with \d of \d+ layers in float; export it without --int8",
    ):
        export_int8(run, tmp_path / "x.onnx")
    assert [*tmp_path.iterdir()] == []


def test_one_that_is_not_faster_is_kept_only_when_asked(run, tmp_path, monkeypatch):
    monkeypatch.setattr(quantising, "latencies", lambda forms, picture: {"int8": 2.0, "f32": 1.5})
    with pytest.raises(
        ExportError,
        match=r"is not faster in int8 on this machine \(2\.00 ms in int8, 1\.50 ms in f32 for a "
        r"picture\), and was not kept; .*--keep-slower",
    ):
        export_int8(run, tmp_path / "x.onnx")
    assert [*tmp_path.iterdir()] == []
    place, proof = export_int8(run, tmp_path / "x.onnx", keep_slower=True)
    assert not json.loads(proof_path(place).read_text())["faster"] and not proof.faster


def test_the_command_prints_the_layers(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(quantising, "latencies", lambda forms, picture: {"int8": 1.0, "f32": 2.0})
    place = tmp_path / "x.onnx"
    assert convatlas(["export", str(run), "--int8", "--output", str(place)]) == 0
    said = capsys.readouterr().out
    assert "val pictures of digits" in said and "1.00 ms in int8, 2.00 ms in f32" in said
    assert "how far each layer is from float, alone:" in said
