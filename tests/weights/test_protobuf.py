"""What a Caffe or ONNX file may do to a reader: protocol buffers that are cut, that lie, that nest
or never end.
"""

import struct
import tracemalloc

import pytest
import torch

from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights import protobuf
from convatlas.weights.reading import read

HUGE = 1 << 40


def varint(value: int) -> bytes:
    low = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(byte | 128 for byte in low[:-1]), low[-1]])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def blob(*dims: int, data: bytes = floats(1, 2)) -> bytes:
    return field(5, data) + field(7, field(1, b"".join(map(varint, dims))))


def layer(name: bytes = b"conv1", kind: bytes = b"Convolution", *blobs: bytes) -> bytes:
    held = b"".join(field(7, one) for one in blobs or (blob(2),))
    return field(100, field(1, name) + field(2, kind) + field(4, name) + held)


def tensor(*dims: int, name: bytes = b"w", kind: int = 1, data: bytes = floats(1, 2)) -> bytes:
    return (
        b"".join(field(1, dim) for dim in dims) + field(2, kind) + field(8, name) + field(9, data)
    )


def model(*initialisers: bytes, nodes: bytes = b"") -> bytes:
    graph = nodes + b"".join(field(5, one) for one in initialisers)
    return field(1, 8) + field(2, b"pytorch") + field(7, graph) + field(8, field(2, 17))


CAFFE = field(1, b"Net") + layer() + layer(b"fc", b"InnerProduct", blob(1, 2), blob(2))
ONNX = model(tensor(2), tensor(1, 2, name=b"fc.weight"))


def written(path, content: bytes):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (CAFFE, {"conv1.weight", "fc.weight", "fc.bias"}),
        (ONNX, {"w", "fc.weight"}),
    ],
    ids=["caffe", "onnx"],
)
def test_a_file_that_ends_anywhere_is_refused_or_holds_less(content, names, tmp_path):
    path = written(tmp_path / "a", content)
    assert read(path).tensors.keys() == names
    refused = 0
    for length in range(len(content)):
        written(path, content[:length])
        try:
            held = read(path).tensors
        except WeightsError as error:
            refused += 1
            assert str(error).startswith(f"{path} ")
            assert "\n" not in str(error)
        else:  # it ends where a layer ends: such a network lacks the rest, and no table reads it
            assert held.keys() <= names
            with pytest.raises(WeightsError, match="fits no network"):
                create_model("lenet_caffe", weights=path)
    assert refused >= len(content) - 4


@pytest.mark.parametrize("content", [CAFFE, ONNX], ids=["caffe", "onnx"])
def test_any_byte_may_be_another(content, tmp_path):
    path, outcomes = tmp_path / "a", set()
    for place in range(len(content)):
        for value in (0, 0xFF, content[place] ^ 0x80, content[place] ^ 1):
            changed = content[:place] + bytes([value]) + content[place + 1 :]
            try:
                read(written(path, changed))
                outcomes.add("read")
            except WeightsError as error:
                outcomes.add("refused")
                assert str(path) in str(error)
    assert outcomes == {"read", "refused"}


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = field(1, inner)
    return inner


LIES = {
    "a length beyond the file": field(1, b"Net") + b"\xa2\x06" + varint(HUGE) + b"abc",
    "a blob's beyond its layer": layer(b"a", b"Convolution", b"\x2a\x40" + floats(1)),
    "sizes whose product is beyond 64 bits": layer(b"a", b"Scale", blob(1 << 33, 1 << 33)),
    "sizes whose product wraps to 2": layer(b"a", b"Scale", blob((1 << 63) + 1, 2)),
    "a negative size": layer(b"a", b"Scale", blob((1 << 64) - 2)),
    "more numbers than the size says": layer(b"a", b"Scale", blob(1)),
    "more sizes than a tensor has": layer(b"a", b"Scale", blob(*[1] * 40)),
    "numbers that do not fill their bytes": layer(b"a", b"Scale", blob(2, data=b"1234567")),
    "whole numbers for floats": layer(b"a", b"Scale", field(5, 7) + field(7, field(1, 1))),
    "an overlong number": field(1, b"Net") + b"\xa2\x06" + b"\x80" * 10 + b"\x01",
    "a number beyond 64 bits": b"\x0a" + b"\xff" * 9 + b"\x7f",
    "a group": field(1, b"Net") + layer() + b"\x0b\x0c",
    "a name that is no text": layer(b"\xff\xfe"),
    "onnx: sizes beyond its numbers": model(tensor(HUGE)),
    "onnx: sizes whose product is beyond 64 bits": model(tensor(1 << 40, 1 << 40)),
    "onnx: a negative size": model(tensor((1 << 64) - 1)),
    "onnx: fewer numbers": model(tensor(3)),
    "onnx: no numbers": model(field(1, 2) + field(2, 1) + field(8, b"w")),
    "onnx: a graph that is a number": field(1, 8) + field(7, 3),
    "onnx: cut in a name": field(1, 8) + field(7, field(5, b"\x42\x7fab")),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_lies_is_refused_in_a_sentence_before_memory_is_taken(lie, tmp_path):
    path = written(tmp_path / "a", LIES[lie])
    read_quietly(path)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError) as refused:
            read(path)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refused.value)
    assert taken < 100_000


def read_quietly(path) -> None:
    """Once before memory is counted, for what Python keeps of a first call."""
    with pytest.raises(WeightsError):
        read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (field(1, b"Net") + layer() * 2, "holds 'conv1' twice"),
        (model(tensor(2), tensor(2)), "holds 'w' twice"),
        (field(1, b"Net") + layer(b"a" * 5_000), "holds a name of 5,000 letters"),
        (field(1, b"Net") + layer(b"a\x1b[2J"), "holds tensors under the name"),
        (
            field(1, b"Net") + layer(b"a", b"Scale", blob(1, data=floats(float("nan")))),
            "not finite",
        ),
        (field(1, b"Net") + field(100, field(1, b"data")), "nor a Caffe network with weights"),
        (field(1, nested(2_000)), "is no checkpoint, nor a Caffe network with weights"),
        (field(2, field(1, field(1, b"conv1"))), "of before 2014; .*upgrade_net_proto_binary"),
        (field(1, 1) + field(2, nested(3)), "is a TensorFlow graph, or no network of ONNX"),
        (b'name: "AlexNet"\nlayer {', r"is the description of a Caffe network \(\.prototxt\)"),
    ],
)
def test_what_is_no_checkpoint_is_told(content, said, tmp_path):
    with pytest.raises(WeightsError, match=said):
        read(written(tmp_path / "a", content))


def test_fields_without_end_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 1_000)
    for many in (
        field(1, b"") * 1_001 + CAFFE,
        CAFFE + field(100, field(9, 1) * 1_001),
        model(tensor(2) + field(5, 1) * 1_001),
        field(1, 8) + field(7, field(1, field(1, b"x") * 1_001)),
    ):
        with pytest.raises(WeightsError, match="in more than 1,000 fields, which no network of"):
            read(written(tmp_path / "a", many))


def test_numbers_one_by_one_are_no_fields_each(tmp_path, monkeypatch):
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 1_000)
    values = torch.arange(5_000.0)
    raw = values.numpy().tobytes()
    data = b"".join(b"\x2d" + raw[i : i + 4] for i in range(0, len(raw), 4))
    held = layer(b"a", b"Scale", data + field(7, field(1, varint(5_000))))
    path = written(tmp_path / "a", field(1, b"Net") + held)
    assert torch.equal(read(path).tensors["a.weight"], values)
    with pytest.raises(WeightsError, match="damaged"):
        read(written(path, (field(1, b"Net") + held)[:-6]))


def test_sizes_packed_or_not_are_the_same():
    one_by_one = protobuf.Message(field(1, 3) + field(1, 300))
    packed = protobuf.Message(field(1, varint(3) + varint(300)))
    for message in (one_by_one, packed):
        assert protobuf.integers(value for _, value in message.fields()) == (3, 300)
