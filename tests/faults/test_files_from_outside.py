"""Rows 40, 41, 44 and 46 of the fault matrix; 42, 43 and 45 are in tests/weights (test_reading,
test_loading, test_fetching), and so are the plainer forms of 40 and 41.
"""

import json
import pickle
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from convatlas.data import open_data
from convatlas.errors import DataError, WeightsError
from convatlas.weights.reading import read

# importable name: its arguments, of which {mark} is a folder to make and {code} Python that makes
# it
SCANNERS_MISSED = {
    "builtins exec": ["{code}"],
    "builtins eval": ["__import__('os').mkdir('{mark}')"],
    "os system": ["mkdir {mark}"],
    "posix mkdir": ["{mark}"],
    "timeit timeit": ["{code}"],
    "subprocess getoutput": ["mkdir {mark}"],
    "pty spawn": ["true"],
    "cProfile run": ["{code}"],
    "profile run": ["{code}"],
    "doctest debug_script": ["{code}"],
    "_posixsubprocess fork_exec": ["mkdir"],
    "importlib import_module": ["antigravity"],
}
WORKING = {
    "builtins exec",
    "builtins eval",
    "os system",
    "posix mkdir",
    "timeit timeit",
    "subprocess getoutput",
    "cProfile run",
}


def opcodes(name: str, mark: Path) -> bytes:
    """A pickle of protocol 2 that imports the name and calls it."""
    code = f"import os; os.mkdir('{mark}')"
    words = [word.format(mark=mark, code=code).encode() for word in SCANNERS_MISSED[name]]
    arguments = b"".join(b"X" + len(word).to_bytes(4, "little") + word for word in words)
    return b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n(" + arguments + b"tR."


def planted(path: Path, stream: bytes) -> Path:
    """A file as torch.save writes it, with this pickle for its own."""
    torch.save({"w": torch.ones(3)}, path)
    with zipfile.ZipFile(path) as whole:
        entries = {entry.filename: whole.read(entry) for entry in whole.infolist()}
    with zipfile.ZipFile(path, "w") as changed:
        for name, content in entries.items():
            changed.writestr(name, stream if name.endswith("/data.pkl") else content)
    return path


@pytest.mark.parametrize("name", SCANNERS_MISSED)
@pytest.mark.parametrize("ending", [".pt", ".pth.tar", ".safetensors", ".bin"])
def test_code_is_refused_under_any_ending(tmp_path, name, ending):
    mark = tmp_path / "mark"
    path = planted(tmp_path / f"weights{ending}", opcodes(name, mark))
    with pytest.raises(WeightsError, match=r"holds code"):
        read(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", sorted(WORKING))
def test_the_payloads_themselves_work(tmp_path, name):
    mark = tmp_path / "mark"
    subprocess.run(
        [sys.executable, "-c", "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"],
        input=opcodes(name, mark),
        capture_output=True,
        check=False,
    )
    assert mark.exists()


def test_archives_and_programs_of_others_are_refused_by_their_kind(tmp_path):
    """A tar with a pickle in it, .npz, a Keras archive with a Lambda, ONNX with data outside, a DCP
    folder.
    """
    mark = tmp_path / "mark"
    (tmp_path / "data.pkl").write_bytes(opcodes("posix mkdir", mark))
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "data.pkl", "archive/data.pkl")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as npz:
        npz.writestr("w.npy", pickle.dumps(1))
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as keras:
        keras.writestr("config.json", json.dumps({"class_name": "Lambda"}))
    (tmp_path / "a.onnx").write_bytes(b"\x08\x08\x12\x07pytorch" + b"..\x2f..\x2fetc\x2fpasswd" * 9)
    (tmp_path / "dcp").mkdir()
    (tmp_path / "dcp" / ".metadata").write_bytes(opcodes("posix mkdir", mark))
    for name, words in {
        "a.tar": "is a tar archive",
        "a.npz": "is damaged .'w' is no array",
        "a.keras": "is a zip archive, but no PyTorch checkpoint",
        "a.onnx": "is damaged",
        "dcp": "is a folder",
    }.items():
        with pytest.raises(WeightsError, match=words):
            read(tmp_path / name)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_of_images_is_not_unpacked(tmp_path, kind):
    """Row 46: names with ../ cannot leave an archive that nobody opens."""
    archive = tmp_path / f"set.{kind}"
    (tmp_path / "a.png").write_bytes(b"x")
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("../../outside/a.png", b"x")
    else:
        with tarfile.open(archive, "w") as packed:
            packed.add(tmp_path / "a.png", "../../outside/a.png")
    with pytest.raises(DataError, match="is a file; unpack it first"):
        open_data(str(archive))
    assert {path.name for path in tmp_path.iterdir()} == {archive.name, "a.png"}
