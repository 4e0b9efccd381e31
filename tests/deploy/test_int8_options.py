"""What is typed beside --int8 that cannot be."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from convatlas.cli.exporting import export
from convatlas.deploy import engines
from convatlas.errors import ExportError


@pytest.mark.parametrize("options", [{"calibrate": "x"}, {"keep_slower": True}])
def test_options_of_int8_alone_are_refused(options, tmp_path):
    with pytest.raises(ExportError, match="have an effect with --int8 only"):
        export(tmp_path, **options)


def test_int8_is_written_for_two_engines(tmp_path):
    with pytest.raises(ExportError, match="--int8 writes files for onnx and openvino, not pt2"):
        export(tmp_path, to="pt2", int8=True)


@pytest.mark.parametrize(("to", "extra"), [("onnx", "onnx"), ("openvino", "nncf")])
def test_a_missing_quantiser_is_one_sentence_with_its_extra(to, extra, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(engines, "import_module", missing)
    with pytest.raises(ExportError, match=rf"--int8 --to {to} needs .*'convatlas\[{extra}\]'"):
        export(tmp_path, to=to, int8=True)


def test_an_int8_file_opens_however_its_engine_counts_around_the_whole_numbers(monkeypatch):
    opened = SimpleNamespace(precision="bf16")
    monkeypatch.setattr(engines, "open_unproved", lambda *asked: opened)
    assert engines._opened(Path("x.xml"), None, None, ["int8"]) is opened
    with pytest.raises(ExportError, match="was proved in f32, not in bf16"):
        engines._opened(Path("x.xml"), "bf16", None, ["f32"])
