"""What Keras's files may do to a reader: everything that is not plain numbers in the file itself is
refused in one sentence, before memory is taken for it.
"""

import json
import sys
import zipfile
from pathlib import Path

import h5py
import keras_writer
import numpy as np
import pytest

from convatlas.errors import WeightsError
from convatlas.weights.reading import read


def refused(path: Path, said: str) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def external(file, folder):
    h5py.File(folder / "other.h5", "w")["w"] = np.ones(3)
    file["a/a/kernel:0"] = h5py.ExternalLink(str(folder / "other.h5"), "w")


def soft(file, folder):
    file["a/a/kernel:0"] = h5py.SoftLink("/b/b/kernel:0")


def circle(file, folder):
    file["b/b/again"] = file["b"]


def elsewhere(file, folder):
    (folder / "numbers").write_bytes(bytes(4_000))
    where = [(str(folder / "numbers"), 0, 4_000)]
    file.create_dataset("a/a/kernel:0", (1_000,), "<f4", external=where)


def virtual(file, folder):
    h5py.File(folder / "other.h5", "w")["w"] = np.ones(3)
    layout = h5py.VirtualLayout((3,), "<f8")
    layout[:] = h5py.VirtualSource(folder / "other.h5", "w", (3,))
    file.create_virtual_dataset("a/a/kernel:0", layout)


def bomb(file, folder):
    file.create_dataset("a/a/kernel:0", (1 << 30,), "<f4", chunks=(1 << 20,), compression="gzip")


def never_written(file, folder):
    file.create_dataset("a/a/kernel:0", (1 << 40,), "<f4")


def big_endian(file, folder):
    file["a/a/kernel:0"] = np.ones(3, ">f4")


def compound(file, folder):
    file["a/a/kernel:0"] = np.zeros(3, [("re", "<f4"), ("im", "<f4")])


def long_name(file, folder):
    file["a/" + "n" * 2_000] = np.ones(3)


def deep(file, folder):
    file["/".join(["a"] * 50)] = np.ones(3)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (external, "holds 'a/a/kernel:0' as a link, which may lead out of the file"),
        (soft, "holds 'a/a/kernel:0' as a link"),
        (circle, "holds the group 'b/b/again' in two places"),
        (elsewhere, "keeps the numbers of 'a/a/kernel:0' in other files"),
        (virtual, "keeps the numbers of 'a/a/kernel:0' in other files"),
        (bomb, "holds 'a/a/kernel:0' in chunks or compressed; write it plain: h5repack"),
        (never_written, r"holds 'a/a/kernel:0', \(1099511627776,\), outside the file"),
        (big_endian, "holds 'a/a/kernel:0' as numbers of kind '>f4'"),
        (compound, r"holds 'a/a/kernel:0' as numbers of kind '\|V8'"),
        (long_name, "holds more than a network's layers at 'a/nnn"),
        (deep, "holds more than a network's layers at 'a/a/a"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_not_in_the_file_itself_is_refused(tmp_path, plant, said):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["b/b/kernel:0"] = np.ones(3, "<f4")
        plant(file, tmp_path)
    refused(path, said)


def test_texts_and_empty_arrays_do_no_harm(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["b/b/kernel:0"] = np.ones(3, "<f4")
        file["b/b/words:0"] = "text"
        file["b/b/none:0"] = np.ones((0, 3), "<f4")
    tensors = read(tmp_path / "a.h5").tensors
    assert {name: tuple(t.shape) for name, t in tensors.items()} == {
        "b/kernel": (3,),
        "b/none": (0, 3),
    }


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["b/b/kernel:0"] = np.ones((2, 3), "<f4")
        file["b/b/bias:0"] = np.ones(3, "<f4")
    content = path.read_bytes()
    for length in range(1, len(content), 29):
        path.write_bytes(content[:length])
        refused(path, "damaged|no checkpoint|outside the file")


def test_code_in_a_model_is_never_run(tmp_path):
    held = {"conv1/kernel": np.ones((1, 1, 2, 2), "<f4")}
    mark = tmp_path / "mark"
    code = {"class_name": "__lambda__", "config": {"value": f"__import__('os').mkdir('{mark}')"}}
    path = keras_writer.archive(tmp_path / "a.keras", held, compile_config={"loss": [code]})
    refused(path, "holds a Lambda layer, which is code")
    layer = {"class_name": "Lambda", "config": {"name": "a", "function": code}}
    inner = {"class_name": "Functional", "config": {"layers": [layer]}}
    path = keras_writer.archive(tmp_path / "b.keras", held, config={"layers": [inner]})
    refused(path, "holds a Lambda layer, which is code")
    assert not mark.exists()


def rewritten(path: Path, held: dict, **changes) -> Path:
    """The same archive with other contents; `compress_type` is that of all."""
    kind = changes.pop("compress_type", zipfile.ZIP_STORED)
    keras_writer.archive(path, held)
    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in (contents | changes).items():
            file.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"assets": bytes(1 << 24), "compress_type": zipfile.ZIP_DEFLATED}, "unpacks to more than"),
        ({"config.json": b"{}" + np.random.bytes(999).hex().encode()}, "damaged"),
        ({"config.json": b"[" * 100_000}, "damaged"),
        ({"config.json": b" " * 17_000_000}, "describes itself in 17,000,000 bytes"),
        ({"config.json": json.dumps({"config": {"layers": [7]}})}, "damaged"),
        ({"model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(200)}, "damaged"),
        ({"model.weights.h5": b"no"}, "damaged"),
    ],
    ids=["a bomb", "no JSON", "deep JSON", "long JSON", "no layers", "no HDF5", "cut short"],
)
def test_a_hostile_archive_is_refused(tmp_path, changes, said):
    held = {"conv1/kernel": np.ones((1, 1, 2, 2), "<f4")}
    refused(rewritten(tmp_path / "a.keras", held, **changes), said)


def test_a_compressed_archive_and_a_flipped_byte_are_refused(tmp_path):
    held = {"conv1/kernel": np.frombuffer(np.random.bytes(40_000), "u1").reshape(1, 1, 200, 200)}
    path = keras_writer.archive(tmp_path / "a.keras", held)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(path, "the checksum of model.weights.h5 differs")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", np.random.bytes(999).hex())
        file.writestr("model.weights.h5", np.random.bytes(9_999))
        file.writestr("padding", np.random.bytes(99), zipfile.ZIP_STORED)
    refused(path, "is compressed|unpacks to more")


def test_layers_that_are_only_counted_are_refused(tmp_path):
    keras_writer.numbered(tmp_path / "a.h5", {"a/kernel": np.ones((2, 2))}, named=False)
    refused(tmp_path / "a.h5", "counts its layers without naming them.*save the model as .keras")


def test_without_h5py_its_name_is_said(tmp_path, monkeypatch):
    keras_writer.legacy(tmp_path / "a.h5", {"a/kernel": np.ones((2, 2))})
    monkeypatch.setitem(sys.modules, "h5py", None)
    refused(tmp_path / "a.h5", r"h5py reads; pip install h5py \(the extra convatlas\[keras\]\)")
