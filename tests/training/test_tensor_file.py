"""A file that is written tensor by tensor has the bytes that safetensors would give it."""

import hashlib
import io
import json
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save

from convatlas.training import tensor_file
from convatlas.training.tensor_file import KINDS, TensorFile, read_tensors, replace_tensors

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SHAPES = st.lists(st.integers(0, 5), max_size=4)


def filled(kind: torch.dtype, shape: list[int]) -> torch.Tensor:
    """Bytes that tell one element from another."""
    width = torch.empty((), dtype=kind).element_size()
    count = width * torch.Size(shape).numel()
    numbers = torch.arange(count) % (2 if kind == torch.bool else 251)
    return numbers.to(torch.uint8).view(kind).reshape(shape)


def read(content: bytes) -> dict[str, torch.Tensor]:
    return read_tensors(io.BytesIO(content), len(content))


@given(
    st.dictionaries(NAMES, st.tuples(st.sampled_from(list(KINDS)), SHAPES), max_size=6),
    st.randoms(),
)
@settings(max_examples=60, deadline=None)
def test_it_has_the_bytes_of_the_library_in_whatever_order_it_is_filled(
    tmp_path_factory, described, order
):
    tensors = {name: filled(*each) for name, each in described.items()}
    path, names = tmp_path_factory.mktemp("file") / "f", list(tensors)
    order.shuffle(names)
    with TensorFile(path, tensors) as file:
        for name in names:
            file.put([name])
        sha256 = file.flushed()
    assert path.read_bytes() == save(tensors)
    assert file.size == path.stat().st_size
    found = read(path.read_bytes())
    assert {*found} == {*tensors}
    for name, tensor in found.items():
        assert (tensor.dtype, tensor.shape) == (tensors[name].dtype, tensors[name].shape)
        assert save({"": tensor}) == save({"": tensors[name]})
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("piece", [8, 64, 2**22])
def test_any_layout_is_written_row_by_row_and_in_pieces(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(tensor_file, "PIECE", piece)
    tensors = {
        "channels last": torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last),
        "turned": torch.randn(5, 7).t(),
        "a part": torch.randn(9, 3)[2:7, 1:],
        "a scalar": torch.tensor(3),
        "a weight": torch.nn.Parameter(torch.randn(3, 3)),
    }
    assert (
        replace_tensors(tmp_path / "f", tensors)
        == hashlib.sha256(
            save({name: tensor.detach().contiguous() for name, tensor in tensors.items()})
        ).hexdigest()
    )
    assert all(
        torch.equal(found, tensors[name]) for name, found in load_file(tmp_path / "f").items()
    )


def test_what_was_put_in_may_change_afterwards(tmp_path):
    tensors = {"w": torch.ones(1000), "best.w": torch.zeros(1000)}
    with TensorFile(tmp_path / "f", tensors) as file:
        file.put(["w"])
        tensors["w"].fill_(7)
        file.put(["best.w"])
        sha256 = file.flushed()
    content = (tmp_path / "f").read_bytes()
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert load_file(tmp_path / "f")["w"].unique().tolist() == [1]


def test_a_write_that_takes_only_a_part_is_gone_on_with(tmp_path, monkeypatch):
    class Short(tensor_file.io.FileIO):
        def write(self, content):
            return super().write(content[:3])

    monkeypatch.setattr(tensor_file.io, "FileIO", Short)
    tensors = {"w": torch.arange(20)}
    replace_tensors(tmp_path / "f", tensors)
    assert (tmp_path / "f").read_bytes() == save(tensors)


def test_a_disk_that_is_full_at_the_end_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    replace_tensors(tmp_path / "f", {"w": torch.ones(3)})
    before = (tmp_path / "f").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_tensors(tmp_path / "f", {"w": torch.zeros(3)})
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == before


def test_a_disk_that_is_full_at_the_beginning_leaves_no_file_open(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensor_file, "_write", full)
    file = TensorFile(tmp_path / "f", {"w": torch.ones(3)})
    with pytest.raises(OSError, match="No space left"), file:
        file.put(["w"])
    assert file.file.closed


F4 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"w": F4 | {"data_offsets": [4, 8]}}, 8),
        ({"w": F4 | {"data_offsets": [4, 0]}}, 4),
        ({"w": F4, "v": F4}, 4),
        ({"w": F4, "v": F4}, 8),
        ({"w": F4 | {"data_offsets": [4, 8]}}, 4),
        ({"w": F4, "v": F4 | {"data_offsets": [2, 6]}}, 6),
        ({"w": F4, "v": F4 | {"data_offsets": [8, 12]}}, 12),
        ({"w": F4}, 8),
        ({"w": F4}, 3),
        ({"w": F4 | {"dtype": "F16"}}, 4),
        ({"w": F4 | {"dtype": "F99"}}, 4),
        ({"w": F4 | {"dtype": ["F32"]}}, 4),
        ({"w": F4 | {"shape": [-1]}}, 4),
        ({"w": F4 | {"shape": [True]}}, 4),
        ({"w": F4 | {"shape": [1.0]}}, 4),
        ({"w": F4 | {"shape": 9 * [1]}}, 4),
        ({"w": F4 | {"shape": [2**61, 8]}}, 4),
        ({"w": F4 | {"shape": [0, 2**61], "data_offsets": [0, 0]}}, 0),
        ({"w": F4 | {"shape": 7}}, 4),
        ({"w": {"dtype": "F32", "shape": [1]}}, 4),
        ({"w": []}, 4),
        ({"__metadata__": {"a": "b"}}, 0),
        ([F4], 4),
        (7, 0),
    ],
)
def test_a_header_that_does_not_describe_the_bytes_is_refused_before_anything_is_made(
    header, body, monkeypatch
):
    text = json.dumps(header).encode()
    real = torch.empty

    def small(shape, **options):
        assert shape == ()
        return real(shape, **options)

    monkeypatch.setattr(torch, "empty", small)
    with pytest.raises(ValueError, match=r"header|said to be|bytes"):
        read(len(text).to_bytes(8, "little") + text + bytes(body))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x02",
        b"\xff" * 8,
        (10).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"\xff\xff",
        (50_000).to_bytes(8, "little") + b"[" * 50_000,
        (18).to_bytes(8, "little") + b'{"w":NaN,"w":null}',
    ],
)
def test_what_is_no_header_is_refused(content):
    with pytest.raises(ValueError, match=r"header|bytes"):
        read(content)
