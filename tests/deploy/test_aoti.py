"""Compiled packages name their processor, which is compared before their code is loaded."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data import Preprocess
from convatlas.deploy import aoti
from convatlas.deploy.engines import KINDS, kind_of, open_export, open_unproved
from convatlas.deploy.exporting import export
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model

PAGE = Path(__file__).parents[2] / "docs" / "ship" / "aoti.md"
NAME = "x/data/aotinductor/model/abc.wrapper_metadata.json"


@pytest.fixture
def saved() -> Saved:
    torch.manual_seed(0)
    net = create_model("lenet5").eval()
    classes = tuple("abcdefghij")
    return Saved(net, "lenet5", classes, Preprocess(1, 32, (0.4,), (0.3,), "pad", 28), {"run": "x"})


def package(path, metadata, name=NAME):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, metadata if isinstance(metadata, str) else json.dumps(metadata))
    return path


def test_two_kinds_of_pt2_are_told_apart_by_what_is_in_them(tmp_path):
    assert kind_of(package(tmp_path / "a.pt2", {})) is KINDS["aoti"]
    assert kind_of(package(tmp_path / "b.pt2", {}, "b/models/model.json")) is KINDS["pt2"]
    (tmp_path / "c.pt2").write_bytes(b"no archive")
    assert kind_of(tmp_path / "c.pt2") is kind_of(tmp_path / "none.pt2") is KINDS["pt2"]


@pytest.mark.parametrize("metadata", ["[1", "[]", '{"a": 1}'])
def test_a_damaged_package_is_refused(tmp_path, metadata):
    with pytest.raises(ExportError, match=r"a\.pt2 is no compiled package, or a damaged one"):
        open_unproved(package(tmp_path / "a.pt2", metadata))


def test_metadata_too_large_to_be_ours_is_not_read(tmp_path, monkeypatch):
    place = package(tmp_path / "a.pt2", {"key": "x" * 100})
    assert aoti.read_metadata(place) == {"key": "x" * 100}
    monkeypatch.setattr(aoti, "LARGEST_METADATA", 99)
    with pytest.raises(ExportError, match="damaged"):
        aoti.read_metadata(place)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"machine": "other"}, r"compiled for .* on (.+), not for this processor"),
        ({"system": "Other"}, r"compiled for Other on"),
        ({"flags": ["avx9000"]}, r"which has no avx9000\); export the network here"),
        ({"flags": None}, "does not name its processor"),
    ],
)
def test_another_processor_is_refused_before_the_code_is_loaded(tmp_path, change, said):
    about = json.dumps(aoti.processor() | change)
    with pytest.raises(ExportError, match=said):
        open_unproved(package(tmp_path / "a.pt2", {aoti.PROCESSOR: about}))
    with pytest.raises(ExportError, match="does not name its processor"):
        open_unproved(package(tmp_path / "b.pt2", {}))


def test_a_processor_that_can_more_is_not_refused(tmp_path):
    here = aoti.processor()
    aoti.refuse_another_processor(tmp_path, json.dumps(here))
    aoti.refuse_another_processor(tmp_path, json.dumps(here | {"flags": here["flags"][1:]}))
    aoti.refuse_another_processor(tmp_path, json.dumps(here | {"name": "another of this kind"}))


def test_without_a_compiler_it_is_one_sentence(saved, tmp_path, monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(ExportError, match=r"there is no C\+\+ compiler here; install g\+\+"):
        export(saved, "aoti", tmp_path / "lenet5.pt2")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.full
@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
def test_a_package_is_proved_and_opens(saved, tmp_path, monkeypatch, capsys):
    place, proof = export(saved, "aoti", tmp_path / "lenet5.pt2")
    assert proof.holds and proof.pictures == 64 and "AOTInductor" in proof.engine
    opened = open_export(place)
    assert opened.record == record_of(saved)
    assert opened(np.zeros((3, 40, 50, 3), np.uint8))[0].shape == (3, 10)
    lines = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    exec(lines.replace("NAME", "lenet5").replace("photo.jpg", "photo.png"), {})
    assert int(capsys.readouterr().out) == opened(picture[None])[0].argmax()
