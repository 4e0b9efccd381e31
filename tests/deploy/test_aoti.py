"""Compiled packages answer as `predict`, and only one's own are opened."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import torch
import torch.nn as nn

from convatlas.data import Preprocess
from convatlas.deploy import aoti, exporting
from convatlas.deploy.engines import KINDS, kind_of, open_export, open_unproved, proof_path
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError
from convatlas.model_file import Saved

CODE = "net/data/aotinductor/model/abc.wrapper.so"
SOURCE = "data/aotinductor/model/abc.cpp"  # torch would compile it
# larger, smaller, equal, odd, a strip
SIZES = [(40, 50), (8, 8), (32, 32), (31, 25), (300, 12)]


class Small(nn.Module):
    """A convolution, a norm, some numbers and a head: seconds to compile."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.parts = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(8))
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = self.norm(self.conv(x)).relu()
        scaled, divided, shifted, less, added, other, taken, away = self.parts
        x = (x + 0.17 * scaled(x)).relu()
        x = (x + divided(x) / 10).relu()
        x = (x * (shifted(x) + 2)).relu()
        x = (x * (less(x) - 0.5)).relu()
        x = torch.add(x, added(x), alpha=0.3).relu()
        x = torch.sub(x, other(x), alpha=0.7).relu()
        x = (x * (1 - taken(x))).relu()
        x = (x * (3 - away(x))).relu()
        return self.head(x.mean((2, 3)))


def small(prep: Preprocess) -> Saved:
    torch.manual_seed(0)
    return Saved(Small(prep.channels).eval(), "small", ("a", "b", "c"), prep, {"run": "x"})


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture(scope="module")
def exported(cache, tmp_path_factory):
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        place = tmp_path_factory.mktemp("export") / "small.pt2"
        saved = small(Preprocess(1, 32, (0.4,), (0.3,), "pad", 28))
        return saved, *exporting.export(saved, "aoti", place)


def package(path, name=CODE):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"no code")
    return path


def test_two_kinds_of_pt2_are_told_apart_by_what_is_in_them(tmp_path):
    assert kind_of(package(tmp_path / "a.pt2")) is KINDS["aoti"]
    assert kind_of(package(tmp_path / "d.pt2", SOURCE)) is KINDS["aoti"]
    assert kind_of(package(tmp_path / "b.pt2", "b/models/model.json")) is KINDS["pt2"]
    (tmp_path / "c.pt2").write_bytes(b"no archive")
    assert kind_of(tmp_path / "c.pt2") is kind_of(tmp_path / "none.pt2") is KINDS["pt2"]


def test_a_package_is_proved_and_opens(exported):
    saved, place, proof = exported
    assert proof.holds and proof.pictures == 64 and "AOTInductor" in proof.engine
    assert kind_of(place) is KINDS["aoti"]
    opened = open_export(place)
    assert opened.record == record_of(saved)
    assert opened(np.zeros((3, 40, 50, 3), np.uint8))[0].shape == (3, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_every_size_alone_and_together(exported, channels):
    saved, place, _ = exported
    opened = open_export(place)
    for count, (h, w) in enumerate(SIZES, 1):
        shape = (count, h, w, channels)
        pictures = np.random.default_rng(h).integers(0, 256, shape, dtype=np.uint8)
        logits, probabilities = opened(pictures)
        wanted = torch.from_numpy(_answers(saved, pictures))
        near = 1e-5 * wanted.abs().max().item()  # an export's limit
        torch.testing.assert_close(torch.from_numpy(logits), wanted, rtol=0, atol=near)
        torch.testing.assert_close(
            torch.from_numpy(probabilities), wanted.softmax(1), rtol=0, atol=near
        )


def _answers(saved, pictures):
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    with torch.inference_mode():
        return saved.net(saved.preprocess.normalise(saved.preprocess.fit_images(planes))).numpy()


def test_what_was_compiled_elsewhere_is_refused_before_its_code_is_loaded(
    exported, tmp_path, monkeypatch
):
    _, place, _ = exported
    copied, _ = (shutil.copy2(file, tmp_path) for file in (place, proof_path(place)))
    assert open_export(copied).record.network == "small"  # the same file in another place
    monkeypatch.setattr(torch._inductor, "aoti_load_package", lambda path: pytest.fail("loaded"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ExportError, match=r"small\.pt2 is machine code that was not compiled here"):
        open_export(copied)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(aoti, "user_cache", lambda: None)
    with pytest.raises(ExportError, match="not compiled here by you"):
        open_export(copied)


@pytest.mark.parametrize("name", [CODE, SOURCE])
def test_a_strangers_package_is_refused(tmp_path, name):
    with pytest.raises(ExportError, match=r"a\.pt2 is machine code that was not compiled here"):
        open_unproved(package(tmp_path / "a.pt2", name))


def test_torch_is_not_given_an_archive_that_cannot_be_searched(tmp_path, monkeypatch):
    place = package(tmp_path / "a.pt2")
    content = place.read_bytes()
    begin = content.index(b"PK\x01\x02")  # of the directory, in which a version stands
    place.write_bytes(content[: begin + 6] + b"\xff" + content[begin + 7 :])
    monkeypatch.setattr(torch.export, "load", lambda *given, **named: pytest.fail("loaded"))
    with pytest.raises(ExportError, match=r"torch cannot open .*a\.pt2 \(zip file version 25"):
        open_unproved(place)


@pytest.mark.parametrize("other", ["processor", "torch"])
def test_another_processor_or_torch_is_refused(tmp_path, monkeypatch, other):
    place = package(tmp_path / "a.pt2")
    aoti._remember(place)
    here = aoti._here()
    monkeypatch.setattr(aoti, "_here", lambda: here | {other: "another"})
    with pytest.raises(ExportError, match="for another processor or another torch than this"):
        open_unproved(place)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 5000, b"null", b'{"a": 1, "a": 1}'])
def test_a_memory_that_says_nothing_sound_opens_nothing(tmp_path, content):
    place = package(tmp_path / "a.pt2")
    aoti._remember(place)
    aoti._place(place).write_bytes(content)
    with pytest.raises(ExportError, match="not compiled here by you"):
        open_unproved(place)


def test_where_nothing_can_be_remembered_nothing_is_left(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    place = package(tmp_path / "a.pt2")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with pytest.raises(ExportError, match=r"cannot remember in .* name another folder with XDG_"):
        aoti._remember(place)
    monkeypatch.setattr(aoti, "user_cache", lambda: None)
    with pytest.raises(ExportError, match="there is no home; name a folder with XDG_CACHE_HOME"):
        aoti._remember(place)


def test_without_a_compiler_it_is_one_sentence(saved, tmp_path, monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(ExportError, match=r"there is no C\+\+ compiler here; install g\+\+"):
        exporting.export(saved, "aoti", tmp_path / "lenet5.pt2")
    assert [*tmp_path.iterdir()] == []


def test_the_proof_says_which_torch_compiled_it(exported):
    _, place, proof = exported
    about = json.loads(proof_path(place).read_text(encoding="utf-8"))
    assert about["engine"] == proof.engine == f"AOTInductor of torch {torch.__version__}"
