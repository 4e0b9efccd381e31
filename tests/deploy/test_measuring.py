"""eval of an exported file: the same answers counted as of its run, and held to that run."""

import json
from dataclasses import replace

import pytest
import torch

from convatlas.cli import run as convatlas
from convatlas.deploy import measuring
from convatlas.deploy.engines import KINDS, Opened
from convatlas.deploy.exporting import export
from convatlas.deploy.measuring import measure_export
from convatlas.deploy.proof import answers
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError
from convatlas.finished_run import measure, open_run
from convatlas.training import Recipe, builtin, train

SHORT = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=128, warmup_epochs=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(SHORT, folder)
    return folder


@pytest.fixture
def opened(run, monkeypatch):
    """What opens as x.onnx: the run itself, as an engine would answer for it."""
    saved, _, _ = open_run(run)
    file = Opened(record_of(saved), "engine 1", "f32", lambda x: (answers(saved, x),) * 2)
    held = {"x.onnx": file}
    monkeypatch.setattr(measuring, "open_export", lambda path: held[str(path)])
    return file, held


def test_the_same_is_counted_as_of_the_run(run, opened, capsys):
    wanted = measure(run)
    for ways in ({"run": run}, {"data": "digits"}):
        found = measure_export("x.onnx", **ways)
        assert (found.split, found.counts) == ("test", {"test": 540})
        assert torch.equal(found.evaluation.confusion, wanted.evaluation.confusion)
        assert found.evaluation.loss == pytest.approx(wanted.evaluation.loss, rel=1e-5)
    assert convatlas(["eval", "x.onnx", "--of", str(run), "--split", "val", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["correct"] == measure(run, split="val").evaluation.correct


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("classes", tuple("9876543210")),
        ("preprocess", {"side": 28}),
        ("weights", "0" * 64),
        ("network", "lenet5"),
    ],
)
def test_a_file_of_something_else_is_refused(run, opened, field, value):
    file, held = opened
    held["x.onnx"] = replace(file, record=replace(file.record, **{field: value}))
    with pytest.raises(
        ExportError, match=rf"x\.onnx was not made of .*small: it is of other {field}; export the"
    ):
        measure_export("x.onnx", run)


def test_a_file_that_names_fewer_classes_than_it_answers_is_refused(run, opened):
    file, held = opened
    cut = replace(file, run=lambda x: tuple(part[:, :7] for part in file.run(x)))
    held["x.onnx"] = cut
    with pytest.raises(ExportError, match="gives 7 answers and names 10 classes"):
        measure_export("x.onnx", run)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["x.onnx"], "which images? x.onnx has none of its own; give --data FOLDER, or --of"),
        (["x.onnx", "--data", "d", "--crops", "10"], "--crops has no effect on x.onnx"),
        (["x.onnx", "--data", "d", "--device", "auto"], "--device has no effect on x.onnx"),
        (["runs", "--of", "runs"], "--of goes with an exported file"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, why, opened, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert convatlas(["eval", *words]) in (1, 2)
    said = capsys.readouterr().err
    assert why in said and said.count("\n") == 1


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The README's demo: LeNet-5 on the built-in digits."""
    folder = tmp_path_factory.mktemp("demo") / "lenet5"
    train(builtin.read("lenet5_digits"), folder)
    return folder


@pytest.mark.full
@pytest.mark.parametrize("to", ["onnx", "openvino", "pt2"])
def test_the_demo_has_as_many_of_its_540_test_digits_right_in_each_engine(
    demo, to, tmp_path, capsys
):
    for package in {"onnx": ("onnxscript", "onnxruntime"), "openvino": ("openvino",), "pt2": ()}[
        to
    ]:
        pytest.importorskip(package, reason=f"the extra {to} is not installed")
    place = tmp_path / f"lenet5{KINDS[to].suffix}"
    export(demo, to, place)
    found = []
    for words in ([str(demo)], [str(place), "--of", str(demo)]):
        assert convatlas(["eval", *words, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert [one["count"] for one in found] == [540, 540]
    assert found[0]["correct"] == found[1]["correct"] > 500
