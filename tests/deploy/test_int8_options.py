"""What is typed beside --int8 that cannot be."""

import pytest

from convatlas.cli.exporting import export
from convatlas.errors import ExportError


@pytest.mark.parametrize("options", [{"calibrate": "x"}, {"keep_slower": True}])
def test_options_of_int8_alone_are_refused(options, tmp_path):
    with pytest.raises(ExportError, match="have an effect with --int8 only"):
        export(tmp_path, **options)


@pytest.mark.parametrize("to", ["openvino", "pt2"])
def test_int8_is_written_for_onnx(to, tmp_path):
    with pytest.raises(ExportError, match=f"--int8 writes onnx files, not {to}"):
        export(tmp_path, to=to, int8=True)
