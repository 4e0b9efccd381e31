"""An exported file answers as `predict`, says what it is, and is refused once it was altered."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
import torchvision.models as tv

from convatlas.cli import run as command
from convatlas.data import Preprocess
from convatlas.deploy import engines, exporting
from convatlas.deploy.engines import (
    KINDS,
    content_hashes,
    open_export,
    open_unproved,
    proof_path,
)
from convatlas.deploy.proof import prove
from convatlas.deploy.record import Record
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model


@pytest.fixture(scope="module")
def exported(saved, tmp_path_factory):
    """One file for the tests that only read it or copy it."""
    place = tmp_path_factory.mktemp("export") / "lenet5.pt2"
    exporting.export(saved, "pt2", place)
    return place


@pytest.fixture
def copied(exported, tmp_path):
    for file in (exported, proof_path(exported)):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / exported.name


def skip_without(to: str) -> None:
    for package in {
        "onnx": ("onnx", "onnxscript", "onnxruntime"),
        "openvino": ("onnx", "openvino"),
    }[to]:
        pytest.importorskip(package, reason=f"the extra {to} is not installed")


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_a_file_for_another_engine_is_proved_and_opens(saved, to, tmp_path):
    skip_without(to)
    place, proof = exporting.export(saved, to, tmp_path / f"lenet5{KINDS[to].suffix}")
    assert proof.holds and proof.pictures == 64
    opened = open_export(place)
    assert opened.record == record_of(saved)
    assert json.loads(proof_path(place).read_text())["error"] == proof.error


@pytest.fixture(scope="module")
def for_openvino(colourful, tmp_path_factory):
    skip_without("openvino")
    place = tmp_path_factory.mktemp("openvino") / "net.xml"
    return exporting.export(colourful, "openvino", place)


@pytest.fixture(scope="module")
def colourful() -> Saved:
    """Of coloured pictures, in a few layers."""
    torch.manual_seed(0)
    net = create_model("lenet5", num_classes=10, in_channels=3).eval()
    prep = Preprocess(3, 32, (0.4,) * 3, (0.3,) * 3, "resize", 32)
    return Saved(net, "lenet5", tuple("abcdefghij"), prep, {})


def test_a_file_for_openvino_is_proved_in_f32_and_in_the_default(for_openvino):
    place, proof = for_openvino
    proofs = {one.precision: one for one in (proof, *proof.others)}
    assert proofs["f32"].holds and proofs["f32"].error <= 1e-5 and proofs["f32"].agreement == 1
    assert [one.precision for one in proofs.values() if one.usual] == [
        open_unproved(place).precision
    ]
    assert all(f"in {precision}" in str(proof) for precision in proofs)
    assert open_export(place, "f32").precision == "f32"
    assert open_export(place).precision == proof.precision


def copy_of(place, folder):
    for file in (place, place.with_suffix(".bin"), proof_path(place)):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder / place.name


def prove_only(place, *precisions):
    """The proof of a file, as if only these had held."""
    about = json.loads(proof_path(place).read_text())
    about["others"] = [{"holds": True, "precision": one} for one in precisions]
    proof_path(place).write_text(json.dumps(about | {"holds": False}))


def test_what_was_proved_in_f32_only_is_opened_in_f32(for_openvino, tmp_path):
    place = copy_of(for_openvino[0], tmp_path)
    prove_only(place, "f32")
    opened = open_export(place, threads=1)
    assert opened.precision == "f32" and opened.record.network == "lenet5"


def test_a_precision_that_was_not_proved_is_refused(for_openvino, tmp_path):
    place = copy_of(for_openvino[0], tmp_path)
    prove_only(place, "bf16")
    with pytest.raises(ExportError, match="was proved in bf16, not in f32"):
        open_export(place, "f32")
    with pytest.raises(ExportError, match=r"no f16 .* it has f32 and bf16"):
        open_export(place, "f16")


def test_a_default_that_misses_its_limit_leaves_f32(colourful, tmp_path, monkeypatch):
    skip_without("openvino")
    usual = open_unproved

    def coarse(path, precision=None, threads=None):
        """An engine that rounds by default, whatever this machine's does."""
        opened = usual(path, "f32", threads)
        if precision == "f32":
            return opened
        return replace(opened, precision="bf16", usual=True, run=lambda x: (-opened(x)[0],) * 2)

    monkeypatch.setattr(exporting, "open_unproved", coarse)
    _, proof = exporting.export(colourful, "openvino", tmp_path / "net.xml")
    assert proof.precision == "f32" and proof.holds and not proof.usual
    assert not proof.others[0].holds
    assert "in bf16 (its default here)" in str(proof) and "refused in this precision" in str(proof)
    assert open_export(tmp_path / "net.xml").precision == "f32"


def test_a_pt2_file_is_proved_and_opens(saved, exported):
    opened = open_export(exported)
    assert opened.record == record_of(saved)
    proof = json.loads(proof_path(exported).read_text())
    assert proof["holds"] and proof["pictures"] == 64 and proof["agreement"] == 1
    logits, probabilities = opened(np.zeros((3, 40, 50, 3), np.uint8))
    assert logits.shape == probabilities.shape == (3, 10)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_a_file_with_any_byte_altered_is_refused(copied):
    content = copied.read_bytes()
    for at in range(0, len(content), len(content) // 60):
        altered = bytearray(content)
        altered[at] ^= 1 << at % 8
        copied.write_bytes(altered)
        with pytest.raises(ExportError, match="not the file that was proved"):
            open_export(copied)


def test_a_file_without_its_proof_is_refused(copied):
    proof_path(copied).unlink()
    with pytest.raises(ExportError, match="has no proof beside it"):
        open_export(copied)


@pytest.mark.parametrize(
    ("field", "value"),
    [("classes", list("jihgfedcba")), ("preprocess", {"side": 28}), ("network", "lenet1989")],
)
def test_a_proof_of_something_else_is_refused(copied, field, value):
    about = json.loads(proof_path(copied).read_text())
    about["record"][field] = value
    proof_path(copied).write_text(json.dumps(about))
    with pytest.raises(ExportError, match="other classes, other preprocessing or another network"):
        open_export(copied)


def test_a_record_altered_in_the_file_is_refused(saved):
    text = record_of(saved).to_json()
    assert Record.from_json(text, "here") == record_of(saved)
    with pytest.raises(ExportError, match="altered after it was written"):
        Record.from_json(text.replace('"side": 32', '"side": 28'), "here")
    for damaged in ("", "{}", "[1", text.replace("weights", "weight")):
        with pytest.raises(ExportError, match="no record of convatlas"):
            Record.from_json(damaged, "here")


def test_a_file_that_misses_the_limit_is_not_left_behind(saved, tmp_path, monkeypatch):
    torch.manual_seed(1)
    other = replace(saved, net=create_model("lenet5").eval())
    write = exporting.write
    monkeypatch.setattr(exporting, "write", lambda _, kind, path: write(other, kind, path))
    with pytest.raises(ExportError, match="does not answer as predict does"):
        exporting.export(saved, "pt2", tmp_path / "lenet5.pt2")
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_is_there_already_is_kept_and_named(saved, copied):
    before = {file: file.read_bytes() for file in copied.parent.iterdir()}
    with pytest.raises(ExportError, match=r"lenet5\.pt2 exists; remove it, or name another"):
        exporting.export(saved, "pt2", copied)
    copied.unlink()
    with pytest.raises(ExportError, match=r"lenet5\.pt2\.proof\.json exists"):
        exporting.export(saved, "pt2", copied)
    left = {file: file.read_bytes() for file in copied.parent.iterdir()}
    assert left == {file: content for file, content in before.items() if file != copied}


@pytest.mark.parametrize("error", [RuntimeError("disk is full\nat line 7"), KeyError()])
def test_a_writer_that_fails_is_one_sentence_and_leaves_nothing(
    saved, tmp_path, monkeypatch, error
):
    def fails(saved, kind, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(exporting, "write", fails)
    with pytest.raises(ExportError, match=r"torch cannot write .*lenet5\.pt2 \(") as found:
        exporting.export(saved, "pt2", tmp_path / "lenet5.pt2")
    assert "\n" not in str(found.value)
    assert [*tmp_path.iterdir()] == []


def test_a_proof_that_cannot_be_moved_leaves_no_file_without_one(copied, tmp_path):
    place = tmp_path / "there" / "lenet5.pt2"
    place.parent.mkdir()
    proof_path(copied).unlink()
    with pytest.raises(FileNotFoundError):
        exporting.take(copied, place, KINDS["pt2"])
    assert [*place.parent.iterdir()] == []


def test_what_its_engine_cannot_open_is_one_sentence(copied):
    about = json.loads(proof_path(copied).read_text())
    copied.write_bytes(b"of another age")
    proof_path(copied).write_text(json.dumps(about | {"files": content_hashes(copied)}))
    with pytest.raises(
        ExportError, match=r"torch cannot open .*lenet5\.pt2 \(.+\); install a"
    ) as it:
        open_export(copied)
    assert "\n" not in str(it.value)


def test_pictures_that_its_numbers_do_not_hold_are_refused(exported):
    opened = replace(open_export(exported), longest=50)
    assert opened(np.zeros((1, 50, 7, 1), np.uint8))[0].shape == (1, 10)
    for shape in ((1, 51, 7, 1), (1, 7, 51, 1)):
        with pytest.raises(ExportError, match=r"up to 50 pixels a side, not .*; scale"):
            opened(np.zeros(shape, np.uint8))


def test_answers_that_are_not_numbers_never_pass(saved, exported):
    opened = open_export(exported)
    nan = replace(opened, run=lambda pictures: (np.full((len(pictures), 10), np.nan),) * 2)
    (proof,) = prove(saved, [nan], [(np.zeros((2, 28, 28, 1), np.uint8), None)], "pictures")
    assert not proof.holds


@pytest.mark.parametrize(
    ("to", "package"),
    [("onnx", "onnx"), ("openvino", "openvino"), ("executorch", "executorch.exir")],
)
def test_a_missing_engine_is_one_sentence_with_its_extra(saved, to, package, tmp_path, monkeypatch):
    def missing(name):
        if name == package:
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr(engines, "import_module", missing)
    with pytest.raises(ExportError, match=rf"pip install 'convatlas\[{to}\]'"):
        exporting.export(saved, to, tmp_path / f"lenet5{KINDS[to].suffix}")
    assert [*tmp_path.iterdir()] == []


def test_places_and_kinds_that_cannot_be_are_refused(saved, tmp_path):
    with pytest.raises(ExportError, match=r"onnx \| openvino \| pt2"):
        exporting.export(saved, "tflite")
    with pytest.raises(ExportError, match=r"must end in \.onnx"):
        exporting.export(saved, "onnx", tmp_path / "x.pt2")
    with pytest.raises(ExportError, match="choose another place with --output"):
        exporting.export(saved, "pt2", tmp_path / "nowhere" / "x.pt2")
    with pytest.raises(ExportError, match="is no exported file"):
        open_export(tmp_path / "x.zip")


def test_the_command_takes_a_network_and_its_weights(tmp_path, capsys):
    torch.manual_seed(0)
    torch.save(tv.squeezenet1_1().state_dict(), tmp_path / "w.pth")
    place = tmp_path / "net.pt2"
    words = ["export", "squeezenet1_1", "--weights", str(tmp_path / "w.pth"), "--to", "pt2"]
    assert command([*words, "--output", str(place)]) == 0
    shown = capsys.readouterr()
    assert "64 built-in pictures" in shown.out
    assert "shorter side 256, middle 224x224, bilinear" in shown.err
    record = open_export(place).record
    assert record.preprocess["fit"] == "whole" and len(record.classes) == 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["squeezenet1_1"], "is a network without weights; give --weights"),
        (["none", "--weights", "w.pth"], "there is no network called 'none'"),
        (["runs/a", "--source", "timm"], "--source says whose file"),
    ],
)
def test_wrong_usage_is_one_sentence(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(["export", *words]) in (1, 2)
    assert said in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
