"""Files for ONNX Runtime and OpenVINO are refused once a byte of them, their classes or their
preparation of pictures was altered, with the digest made anew or not.
"""

import json
import re
import shutil
from dataclasses import replace
from html import escape

import pytest
import torch

from convatlas.data import Preprocess
from convatlas.deploy.engines import KINDS, content_hashes, open_export, proof_path
from convatlas.deploy.exporting import export
from convatlas.deploy.record import KEY, Record
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model

SAMPLED = 100  # bytes of each file


@pytest.fixture(scope="module", params=["onnx", "openvino"])
def whole(request, tmp_path_factory):
    """A proved file of each kind, its record, and the names of all that belongs to it."""
    for package in ("onnx", "onnxscript", KINDS[request.param].package):
        pytest.importorskip(package, reason=f"the extra {request.param} is not installed")
    torch.manual_seed(0)
    prepare = Preprocess(1, 28, (0.4,), (0.3,), "pad", 24)
    net = create_model("lenet1989").eval()
    saved = Saved(net, "lenet1989", tuple("abcdefghij"), prepare, {"run": "x"})
    kind = KINDS[request.param]
    place = tmp_path_factory.mktemp(kind.name) / f"small{kind.suffix}"
    export(saved, kind.name, place)
    return place, record_of(saved)


@pytest.fixture
def copied(whole, tmp_path):
    place, record = whole
    shutil.copytree(place.parent, tmp_path / "copy")
    return tmp_path / "copy" / place.name, record


def with_record(place, record: Record) -> None:
    """The file with another record inside, as who knows the format would write it."""
    if place.suffix == ".onnx":
        import onnx

        model = onnx.load(place)
        onnx.helper.set_model_props(model, {KEY: record.to_json()})
        onnx.save(model, place)
        return
    text = place.read_text(encoding="utf-8")
    inside = re.compile(f'(<{KEY} value=")[^"]*(")')
    assert len(inside.findall(text)) == 1
    forged = inside.sub(lambda found: found[1] + escape(record.to_json()) + found[2], text)
    place.write_text(forged, encoding="utf-8")


def others(record: Record) -> dict[str, Record]:
    return {
        "classes": replace(record, classes=record.classes[::-1]),
        "preprocess": replace(record, preprocess=record.preprocess | {"mean": [0.5]}),
        "weights": replace(record, weights="0" * 64),
    }


def test_every_byte_counts(copied):
    place, _ = copied
    open_export(place)
    for suffix in content_hashes(place):
        file = place.with_suffix(suffix)
        content = file.read_bytes()
        for at in range(0, len(content), max(1, len(content) // SAMPLED)):
            altered = bytearray(content)
            altered[at] ^= 1 << at % 8
            file.write_bytes(altered)
            with pytest.raises(ExportError, match="is not the file that was proved"):
                open_export(place)
        for end in (0, len(content) - 1):
            file.write_bytes(content[:end])
            with pytest.raises(ExportError, match="is not the file that was proved"):
                open_export(place)
        file.write_bytes(content)
    open_export(place)


@pytest.mark.parametrize("what", ["classes", "preprocess", "weights"])
def test_another_record_with_its_digest_made_anew_is_refused(copied, what):
    place, record = copied
    with_record(place, others(record)[what])
    with pytest.raises(ExportError, match="is not the file that was proved"):
        open_export(place)
    # and where the proof is told of the new file, but not of the new record
    proof = json.loads(proof_path(place).read_text(encoding="utf-8"))
    about = proof | {"files": content_hashes(place)}
    proof_path(place).write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(ExportError, match="other classes, other preprocessing or another network"):
        open_export(place)


def test_a_record_whose_digest_is_old_is_refused_whatever_the_proof_says(copied):
    place, record = copied
    text = record.to_json().replace('["a", "b"', '["b", "a"')
    assert text != record.to_json()

    class Forged:
        def to_json(self) -> str:
            return text

    with_record(place, Forged())
    proof = json.loads(proof_path(place).read_text(encoding="utf-8"))
    about = {"files": content_hashes(place), "record": json.loads(text)}
    proof_path(place).write_text(json.dumps(proof | about), encoding="utf-8")
    with pytest.raises(ExportError, match="were altered after it was written"):
        open_export(place)
