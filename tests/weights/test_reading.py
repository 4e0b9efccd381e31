"""Files from outside: what is no plain state_dict is refused in words, and nothing in it runs or is
allocated first.
"""

import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import torch.nn as nn
from safetensors.torch import save_file

from convatlas.errors import WeightsError
from convatlas.weights.reading import read

STATE = {
    "conv.weight": torch.arange(27.0).reshape(1, 3, 3, 3),
    "bn.num_batches_tracked": torch.tensor(3),
}


class Trap:
    """Leaves a mark where its pickle is believed."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def written(path: Path, held, **options) -> Path:
    torch.save(held, path, **options)
    return path


def assert_state(path: Path) -> None:
    tensors = read(path).tensors
    assert tensors.keys() == STATE.keys()
    assert all(torch.equal(tensors[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize(
    "held",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3, "state_dict_ema": STATE},
        {"model": STATE},
        {"net": STATE, "acc": 92.1},
    ],
    ids=["bare", "state_dict", "model", "net"],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_what_torch_saves(tmp_path, held, zipped):
    assert_state(written(tmp_path / "a.pth", held, _use_new_zipfile_serialization=zipped))


def test_safetensors_with_its_metadata_and_hash(tmp_path):
    save_file(STATE, tmp_path / "a.safetensors", {"network": "x"})
    assert_state(tmp_path / "a.safetensors")
    file = read(tmp_path / "a.safetensors")
    assert file.metadata == {"network": "x"}
    assert (
        file.sha256
        == subprocess.run(["sha256sum", file.path], capture_output=True, text=True).stdout.split()[
            0
        ]
    )


@pytest.mark.parametrize("padding", ["x" * length for length in range(0, 256, 8)], ids=len)
def test_safetensors_with_a_header_of_any_length(tmp_path, padding):
    """One in 32 begins with the byte 0x80, as pickles do."""
    save_file(STATE, tmp_path / "a.safetensors", {"padding": padding})
    assert_state(tmp_path / "a.safetensors")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_code_does_not_run(tmp_path, zipped):
    mark = tmp_path / "mark"
    path = written(
        tmp_path / "a.pth",
        {"state_dict": STATE, "x": Trap(mark)},
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(WeightsError, match=r"a\.pth holds code \((posix|nt)\.mkdir\)"):
        read(path)
    assert not mark.exists()
    torch.load(path, weights_only=False)
    assert mark.exists(), "the trap itself must work, or the test says nothing"


def test_a_bare_pickle_is_refused_unread(tmp_path):
    mark = tmp_path / "mark"
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(WeightsError, match="is a pickle, which can hold code"):
        read(tmp_path / "a.pkl")
    assert not mark.exists()


def test_programs_are_refused_by_their_kind(tmp_path):
    net = nn.Linear(2, 2)
    torch.jit.script(net).save(tmp_path / "script.pt")
    torch.export.save(torch.export.export(net, (torch.ones(1, 2),)), tmp_path / "program.pt2")
    written(tmp_path / "whole.pt", net)
    for name, words in {
        "script.pt": "TorchScript program",
        "program.pt2": r"exported program \(\.pt2\)",
        "whole.pt": r"holds a whole network \(torch\.nn\.modules\.linear\.Linear\)",
    }.items():
        with pytest.raises(WeightsError, match=words):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"", "is empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is damaged"),
        (b"\x08\x08\x12\x07pytorch", "no network of ONNX"),
        (b"<!DOCTYPE html>" + bytes(99), "is no checkpoint"),
        (b"GGUF" + bytes(99), "GGUF"),
        (b"\x1f\x8b" + bytes(99), "gzip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is no checkpoint"),
    ],
)
def test_other_files_are_named(tmp_path, start, words):
    (tmp_path / "a.bin").write_bytes(start)
    with pytest.raises(WeightsError, match=words):
        read(tmp_path / "a.bin")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(
        WeightsError, match=r"cannot read .*none\.pth \(No such file or directory\)"
    ):
        read(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="is a folder"):
        read(tmp_path)


def test_a_compressed_archive_is_a_bomb(tmp_path):
    whole = written(tmp_path / "a.pth", {"w": torch.zeros(1_000_000)})
    with (
        zipfile.ZipFile(whole) as old,
        zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    assert (tmp_path / "b.pth").stat().st_size < 20_000
    with pytest.raises(WeightsError, match="unpacks to more than its size"):
        read(tmp_path / "b.pth")


def test_a_shape_without_its_numbers_is_refused(tmp_path):
    bomb = written(tmp_path / "a.pth", {"fc.weight": torch.zeros(1).expand(200_000_000, 2048)})
    assert bomb.stat().st_size < 10_000
    with pytest.raises(
        WeightsError, match=r"holds fc\.weight, \(200000000, 2048\), in fewer bytes"
    ):
        read(bomb)


def test_a_legacy_storage_larger_than_the_file_is_refused_before_it_is_allocated(tmp_path):
    path = written(
        tmp_path / "a.pth", {"w": torch.zeros(1000)}, _use_new_zipfile_serialization=False
    )
    honest, lie = pickle.dumps(1000, 2)[2:-1], pickle.dumps(2**40, 2)[2:-1]
    data = path.read_bytes()
    place = data.index(b"storage") + data[data.index(b"storage") :].index(b"cpu")
    place += data[place:].index(honest)
    path.write_bytes(data[:place] + lie + data[place + len(honest) :])
    with pytest.raises(WeightsError, match=r"promises 1,099,511,627,776 values in"):
        read(path)


def safetensors_file(
    path: Path, header: bytes | dict, length: int | None = None, body: bytes = b""
) -> Path:
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + body)
    return path


TENSOR = b'"%d": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}'
MANY = b"{" + b", ".join(TENSOR % i for i in range(200_001)) + b"}"


@pytest.mark.parametrize(
    ("header", "length", "body", "words"),
    [
        (
            {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
            None,
            b"short",
            "is damaged",
        ),
        (
            {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
            None,
            bytes(32),
            "is damaged",
        ),
        (
            {"w": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 16]}},
            None,
            bytes(16),
            "is damaged",
        ),
        ({}, 10**12, b"", "promises a header of 1,000,000,000,000 bytes"),
        (b"{" * 100_000, None, b"", "is damaged"),
        (b"{nonsense}", None, b"", "is damaged"),
        ({}, None, b"", "holds no tensors"),
        (
            MANY,
            None,
            b"",
            r"promises a header of 13,[0-9,]+ bytes",
        ),
    ],
)
def test_hostile_safetensors(tmp_path, header, length, body, words):
    with pytest.raises(WeightsError, match=words):
        read(safetensors_file(tmp_path / "a.safetensors", header, length, body))


def test_values_that_are_not_finite_are_named(tmp_path):
    held = {"conv.weight": torch.ones(3), "fc.weight": torch.tensor([1.0, float("nan")])}
    with pytest.raises(WeightsError, match=r"values in fc\.weight that are not finite"):
        read(written(tmp_path / "a.pth", held))


def test_no_state_dict_says_what_there_is(tmp_path):
    with pytest.raises(WeightsError, match=r"holds no state_dict \(but epoch, optimizer\)"):
        read(written(tmp_path / "a.pth", {"epoch": 3, "optimizer": {}}))
    with pytest.raises(WeightsError, match=r"holds no state_dict \(but Tensor\)"):
        read(written(tmp_path / "b.pth", torch.ones(3)))


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_damaged_file_gives_its_tensors_or_one_sentence(tmp_path, kind):
    """120 files cut or with a byte changed: never another error, never more memory than a few
    files.
    """
    whole = tmp_path / "whole"
    if kind == "safetensors":
        save_file(STATE, whole)
    else:
        torch.save(STATE, whole, _use_new_zipfile_serialization=kind == "zip")
    data, dice, refused = whole.read_bytes(), random.Random(0), 0
    for i in range(120):
        place = dice.randrange(len(data))
        flipped = bytes([data[place] ^ 1 << dice.randrange(8)])
        (tmp_path / "a").write_bytes(
            data[:place] + (b"" if i % 3 == 0 else flipped + data[place + 1 :])
        )
        try:
            read(tmp_path / "a")
        except WeightsError as error:
            refused += 1
            assert str(error).startswith(f"{tmp_path / 'a'} ")
    assert refused >= 40


def test_memory_of_bombs(tmp_path):
    """Files of a few kilobytes that promise 200 MB and 2 TB cost next to nothing to refuse."""
    written(tmp_path / "expanded.pth", {"fc.weight": torch.zeros(1).expand(200_000_000, 2048)})
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(50_000_000)}, buffer)
    with (
        zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as old,
        zipfile.ZipFile(
            tmp_path / "deflated.pth", "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    code = (
        "import resource, sys\nfrom convatlas.weights.reading import read\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try: read(path)\n"
        "    except ValueError: continue\n"
        "    sys.exit('read ' + path)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 100_000, "kilobytes more than torch alone"
