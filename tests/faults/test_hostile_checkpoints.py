"""Files made to harm whoever reads them: bombs of memory and of time, two readings of one file,
pipes, holes, another file under a published name.
"""

import hashlib
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from convatlas.errors import WeightsError
from convatlas.weights.reading import read

STATE = {"conv.weight": torch.arange(12.0).reshape(3, 4), "bn.count": torch.tensor(3)}
PUT = b"\x94"  # the steps of a pickle, by their letters
MEASURE = """
import resource, sys
from convatlas.weights.reading import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        read(path)
        said = "was read"
    except ValueError as error:
        said = str(error)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, said)
"""


def number(value: int, size: str = "<i") -> bytes:
    return b"J" + struct.pack(size, value)


def text(words: str) -> bytes:
    return b"\x8c" + bytes([len(words)]) + words.encode()


def call(name: str, *arguments: bytes) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n(" + b"".join(arguments) + b"tR"


def zipped(path: Path, stream: bytes, entries: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", stream + b".")
        archive.writestr("a/version", b"3\n")
        for name, content in (entries or {}).items():
            archive.writestr(name, content)
    return path


def legacy(path: Path, stream: bytes) -> Path:
    before = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    path.write_bytes(b"".join(pickle.dumps(value, 2) for value in before) + stream + b".")
    return path


def key(i: int) -> bytes:
    return text(f"{i:06x}")


LIST = b"(" + b"N" * 200_000 + b"l" + PUT + b"0"
TUPLE = b"(" + b"N" * 200_000 + b"t" + PUT + b"0"
PAIRS = b"(" + b"".join(key(i) + b"N\x86" for i in range(50_000)) + b"l\x85" + PUT + b"0"
WIDE = b"X" + struct.pack("<I", 15_000_000) + b"a" * 14_999_996 + b"\xf0\x9f\x98\x80"
REFUSED = "(describes itself in|is damaged|holds|asks for|names something)"
BOMBS = {
    "a byte array": b"}" + text("w") + call("builtins bytearray", number(2**30)) + b"s",
    "a tensor by its sizes": b"}"
    + text("w")
    + call("torch Tensor", number(40_000), number(20_000))
    + b"s",
    "a tensor of another kind": b"}" + text("w") + call("torch FloatTensor", number(2**30)) + b"s",
    "an array by its shape": call("numpy zeros", number(2**30)),
    "a repeated text": call("operator mul", text("a"), number(2**30)),
    "a range as a list": call("builtins list", call("builtins range", number(2**30))),
    "dictionaries": b"}" * 4_000_000,
    "sets that are kept": (b"\x8f" + PUT) * 2_000_000,
    "marks": b"(" * 4_000_000,
    "small bytes": (b"\x96" + struct.pack("<Q", 1) + b"a") * 1_500_000,
    "one list, always larger": LIST + b"ctorch\nSize\nh\0\x85R" * 20_000,
    "one tuple of arguments": TUPLE + b"ctorch\nSize\nh\0R" * 20_000,
    "one identity": TUPLE + b"h\0Q" * 20_000,
    "one set of entries": PAIRS + b"ccollections\nOrderedDict\nh\0R" * 20_000,
    "names put together": text("a") + PUT + b"X" + struct.pack("<I", 60_000) + b"b" * 60_000 + PUT
    + b"h\0h\1\x93" * 20_000,
    "laughter": b")" + b"2\x86" * 1_000_000,
    "depth": b"]" * 400_000 + b"a" * 399_999,
    "depth of dictionaries": b"}" + (text("a") + b"}") * 300_000 + b"s" * 300_000,
    "a deep key": b"}" + b")" + b"\x85" * 300_000 + b"Ns",
    "a dictionary within itself": b"}" + PUT + text("a") + b"h\0sh\0" + text("b") + b"h\0s",
    "a long number": b"\x8b" + struct.pack("<i", 15_000_000) + b"\x7f" * 15_000_000,
    "digits": b"L" + b"9" * 1_000_000 + b"L\n",
    "a wide letter": WIDE,
    "a string longer than the file": b"\x8d" + struct.pack("<Q", 2**40) + b"a",
    "bytes longer than the file": b"\x96" + struct.pack("<Q", 2**40) + b"a",
    "a frame longer than the file": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"}",
    "a place far out": b"}r\xff\xff\xff\xff",
    "an extension": b"\x82\x01",
    "a buffer from elsewhere": b"\x97",
    "a word for an identity": b"Pstorage\n",
    "a number for an identity": b"K\x01Q",
    "an end too early": b"0",
    "a long name": b"}X" + struct.pack("<I", 60_000) + b"b" * 60_000 + b"Ns",
}  # fmt: skip


def measured(paths: list[Path]) -> list[tuple[int, str]]:
    """Of each file, read one after the other in one process: the bytes by which its memory had
    grown, and what was said.
    """
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return [(int(grown), said) for grown, said in lines]


def test_bombs_are_refused_in_little_memory(tmp_path):
    """Also in the legacy format, where no size of the pickle is known beforehand."""
    paths = []
    for i, stream in enumerate(BOMBS.values()):
        paths.append(zipped(tmp_path / f"{i}.pth", stream))
        if len(stream) < 100_000 or stream == WIDE:
            paths.append(legacy(tmp_path / f"{i}.old", stream))
    paths.append(tmp_path / f"{len(BOMBS)}.safetensors")
    header = b'{"w": [' + b"[]," * 1_300_000 + b"[]]"
    paths[-1].write_bytes(struct.pack("<Q", len(header)) + header)
    paths.sort(key=lambda path: path.stat().st_size)  # as their allowance grows
    for path, (grown, said) in zip(paths, measured(paths), strict=True):
        name = [*BOMBS, "empty lists in a header"][int(path.stem)]
        assert said.startswith(f"{path} "), name
        assert grown <= 200_000_000 + 3 * path.stat().st_size, name


def tensor(shape: str, stride: str, offset: int = 0, key: str = "0", elements: int = 4) -> bytes:
    """The pickle of {"w": a tensor} as torch.save writes it."""
    identity = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
    identity += number(elements) + b"tQ"
    return (
        b"}" + text("w") + b"ctorch._utils\n_rebuild_tensor_v2\n(" + identity + number(offset)
        + pickle.dumps(eval(shape), 2)[2:-1] + pickle.dumps(eval(stride), 2)[2:-1]
        + b"\x89}tRs"
    )  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        {"shape": "(4,)", "stride": "(2,)"},
        {"shape": "(5,)", "stride": "(1,)"},
        {"shape": "(4,)", "stride": "(1,)", "offset": 1},
        {"shape": "(4,)", "stride": "(1,)", "offset": -1},
        {"shape": "(4,)", "stride": "(-1,)"},
        {"shape": "(-4,)", "stride": "(1,)"},
        {"shape": "(2**62, 4)", "stride": "(1, 1)"},
        {"shape": "(1.0,)", "stride": "(1,)"},
        {"shape": "[4]", "stride": "[1]"},
        {"shape": "(4,)", "stride": "(1, 1)"},
        {"shape": "(1,) * 200", "stride": "(1,) * 200"},
        {"shape": "(4, 2**40)", "stride": "(1, 0)"},
        {"shape": "(4,)", "stride": "(1,)", "key": "1"},
        {"shape": "(4,)", "stride": "(1,)", "key": "../../etc/passwd"},
        {"shape": "(4,)", "stride": "(1,)", "key": "\x1b[2J"},
        {"shape": "(8,)", "stride": "(1,)", "elements": 8},
        {"shape": "(2,)", "stride": "(1,)", "elements": 2},
        {"shape": "(4,)", "stride": "(1,)", "elements": -4},
    ],
)
def test_a_tensor_outside_its_numbers_is_refused(tmp_path, form):
    numbers = {"a/data/0": struct.pack("<4f", 1, 2, 3, 4)}
    whole = zipped(tmp_path / "a.pth", tensor("(4,)", "(1,)"), numbers)
    assert read(whole).tensors["w"].tolist() == [1, 2, 3, 4]
    with pytest.raises(WeightsError, match=REFUSED) as caught:
        read(zipped(tmp_path / "b.pth", tensor(**form), numbers))
    assert str(caught.value).isprintable()


def test_many_names_of_one_storage_do_not_take_all_day(tmp_path):
    """Weights that layers share are few; a file of 4 MB that names them 10,000 times is none."""
    shared = torch.zeros(1_000_000)
    torch.save({"a": shared, "b": shared, "c": shared[:5]}, tmp_path / "tied.pth")
    assert len(read(tmp_path / "tied.pth").tensors) == 3
    torch.save({str(i): shared for i in range(10_000)}, tmp_path / "many.pth")
    with pytest.raises(WeightsError, match="in fewer bytes than it has"):
        read(tmp_path / "many.pth")


@pytest.mark.parametrize("name", ["a\x1b[2J", "a\nb", "w" * 1_001])
def test_a_name_that_moves_the_cursor_is_refused(tmp_path, name):
    torch.save({name: torch.ones(1)}, tmp_path / "a.pth")
    torch.save({"state_dict": STATE, name: STATE}, tmp_path / "b.pth")
    save_file({name: torch.ones(1)}, tmp_path / "c.safetensors")
    for file in ("a.pth", "b.pth", "c.safetensors"):
        with pytest.raises(WeightsError, match=r"holds (tensors under the|a) name") as caught:
            read(tmp_path / file)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 500


def test_an_archive_that_can_be_read_in_two_ways_is_refused(tmp_path):
    numbers = struct.pack("<4f", 1, 2, 3, 4)
    stream = tensor("(4,)", "(1,)")
    with zipfile.ZipFile(tmp_path / "twice.pth", "w") as archive:
        archive.writestr("a/data.pkl", stream + b".")
        archive.writestr("a/data/0", numbers)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/data.pkl", stream + b".")
    both = {"a/data/0": numbers, "b/data.pkl": stream + b".", "b/data/0": bytes(16)}
    zipped(tmp_path / "two.pth", stream, both)
    whole = zipped(tmp_path / "whole.pth", stream, {"a/data/0": numbers}).read_bytes()
    (tmp_path / "local.pth").write_bytes(whole.replace(b"a/data/0", b"a/data/1", 1))
    (tmp_path / "bit.pth").write_bytes(whole.replace(numbers, numbers[:3] + b"\x40" + numbers[4:]))
    zipped(tmp_path / "order.pth", stream, {"a/data/0": numbers, "a/byteorder": b"big"})
    for name, words in {
        "twice": r"holds 'a/data\.pkl' twice",
        "two": "holds more than one checkpoint",
        "local": "is damaged .*not where it is said to be",
        "bit": r"is damaged .*checksum of data/0 differs",
        "order": "another order than this machine",
    }.items():
        with pytest.raises(WeightsError, match=words):
            read(tmp_path / f"{name}.pth")


def test_an_archive_without_checksums_is_read(tmp_path):
    """torch can leave them out, and then writes 0."""
    computes = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(STATE, tmp_path / "a.pth")
    finally:
        torch.serialization.set_crc32_options(computes)
    assert torch.equal(read(tmp_path / "a.pth").tensors["conv.weight"], STATE["conv.weight"])


def test_an_archive_of_200_001_files_is_refused_unlisted(tmp_path):
    entry = zipfile.ZipInfo("a/0000000")
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", b"}.")
        archive.writestr(entry, b"")
        archive.filelist += [entry] * 199_999
        archive._didModify = True
    assert len(zipfile.ZipFile(tmp_path / "a.pth").infolist()) == 200_001
    with pytest.raises(WeightsError, match="lists its contents in more than 8,000,000 bytes"):
        read(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
            '"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
            "holds 'w' twice",
        ),
        (
            '{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
            '"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
            "is damaged",
        ),
        ('{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "is damaged"),
        ('{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', "is damaged"),
        ('{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}', "is damaged"),
        ('{"w":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}', "is damaged"),
        ('{"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}', "holds w as torch.float8"),
        ('{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}', "(holds w as|is damaged)"),
        ('{"__metadata__":{"a":"b"}}', "(holds no tensors|is damaged)"),
        ('{"__metadata__":3}', "is damaged"),
        ('{"w":[' + "[" * 50_000 + "]}", "is damaged"),
    ],
)
def test_safetensors_headers_that_lie(tmp_path, header, words):
    content = struct.pack("<Q", len(header)) + header.encode() + bytes(8)
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match=words):
        read(tmp_path / "a.safetensors")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes in folders")
def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.pth")
    for path in (tmp_path / "a.pth", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(WeightsError, match="is a pipe or a device, not a file"):
            read(path)


def test_a_file_of_holes_is_refused_unread(tmp_path):
    """As a download leaves it that takes its room first and then breaks off."""
    header = {"w": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}
    content = json.dumps(header).encode()
    with open(tmp_path / "a.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(content)) + content)
        file.truncate(8 + len(content) + 4 * 10**9)
        if not hasattr(os, "SEEK_HOLE") or os.lseek(file.fileno(), 0, os.SEEK_HOLE) > 10**9:
            pytest.skip("a disk that does not tell of holes")
    with pytest.raises(WeightsError, match="most of which were never written"):
        read(tmp_path / "a.safetensors")


@pytest.mark.parametrize("ending", ["pth", "safetensors", "pth.tar"])
def test_a_name_with_a_hash_is_a_promise(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    if ending == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(STATE, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for name in (f"resnet18-{sha256[:8]}", f"net_20210831-{sha256[:12]}", f"net-{sha256}"):
        assert read(path.rename(tmp_path / f"{name}.{ending}")).sha256 == sha256
        path = tmp_path / f"{name}.{ending}"
    for name in (
        "net-20240115",
        "net-20240115093000",
        "net-1700000000",
        "net-v2",
        "net-1234567",
        "a1-0ddba11f-best",
        "0ddba11f",
    ):
        path = path.rename(tmp_path / f"{name}.{ending}")
        assert read(path).sha256 == sha256
    path = path.rename(tmp_path / f"resnet18-0ddba11f.{ending}")
    words = rf"resnet18-0ddba11f.*begins with {sha256[:8]}, not 0ddba11f.*rename it without -0ddba"
    with pytest.raises(WeightsError, match=words):
        read(path)
