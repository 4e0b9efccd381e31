"""What older versions of Python and PyTorch wrote: entries given to an OrderedDict when it is
called, parts of a storage under names of their own, the first way to rebuild a tensor.
"""

import pickle
import struct

import pytest
import torch
import torch.nn as nn

from convatlas.errors import WeightsError
from convatlas.weights.reading import read

BEFORE = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"type_sizes": {}})]
NUMBERS = struct.pack("<q10f", 10, *range(10))


def text(words: str) -> bytes:
    """As Python 2 wrote it."""
    return b"U" + bytes([len(words)]) + words.encode()


def storage(view: bytes = b"N") -> bytes:
    words = text("storage") + b"ctorch\nFloatStorage\n" + text("94") + text("cuda:0")
    return b"(" + words + b"K\x0a" + view + b"tQ"


def rebuilt(held: bytes, offset: int, count: int) -> bytes:
    sizes = b"(K" + bytes([count]) + b"t(K\x01t"
    return b"ctorch._utils\n_rebuild_tensor\n(" + held + b"K" + bytes([offset]) + sizes + b"tR"


def legacy(path, held: bytes, numbers: bytes = NUMBERS):
    keys = pickle.dumps(["94"], 2)
    path.write_bytes(b"".join(BEFORE) + b"\x80\x02" + held + b"." + keys + numbers)
    return path


def ordered(*pairs: bytes) -> bytes:
    """OrderedDict([["conv.weight", ...], ...])"""
    return b"ccollections\nOrderedDict\n(" + b"](" + b"".join(pairs) + b"etR"


def pair(name: str, value: bytes) -> bytes:
    return b"](" + text(name) + value + b"e"


def test_a_state_of_python_2(tmp_path):
    part = b"(" + text("93") + b"K\x04K\x05t"  # five elements from the fourth on
    held = ordered(
        pair("weight", rebuilt(storage(), 2, 3)),
        pair("bias", rebuilt(storage(part), 1, 4)),
    )
    tensors = read(legacy(tmp_path / "a.pth", held)).tensors
    assert tensors["weight"].tolist() == [2, 3, 4]
    assert tensors["bias"].tolist() == [5, 6, 7, 8]
    theirs = torch.load(tmp_path / "a.pth", weights_only=True, map_location="cpu", encoding="utf8")
    assert all(torch.equal(tensors[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(
    ("view", "offset", "numbers"),
    [
        (b"(" + text("93") + b"K\x04K\x07t", 0, NUMBERS),
        (b"(" + text("93") + b"K\x04K\x05t", 2, NUMBERS),
        (b"(" + text("93") + b"J\xff\xff\xff\xffK\x05t", 0, NUMBERS),
        (b"N", 0, NUMBERS[:-1]),
        (b"N", 0, struct.pack("<q", 11) + NUMBERS[8:]),
        (b"N", 0, struct.pack("<q", -1) + NUMBERS[8:]),
    ],
    ids=["too long", "rebuilt too far", "from before it", "cut short", "of 11", "of -1"],
)
def test_parts_that_leave_their_storage_are_refused(tmp_path, view, offset, numbers):
    held = ordered(pair("weight", rebuilt(storage(view), offset, 4)))
    with pytest.raises(WeightsError, match=r"a\.pth (is damaged|promises 10 values)"):
        read(legacy(tmp_path / "a.pth", held, numbers))


class Wrapped(torch.Tensor):
    """A tensor of a library's own class, as fastai's."""


def test_tensors_with_a_class_or_attributes_of_their_own(tmp_path):
    plain = torch.arange(6.0).reshape(2, 3)
    with_attribute = nn.Parameter(plain.clone())
    with_attribute.decay = 0.1
    held = {"a": plain.as_subclass(Wrapped), "b": with_attribute}
    torch.save(held, tmp_path / "a.pth")
    tensors = read(tmp_path / "a.pth").tensors
    assert [type(tensor) for tensor in tensors.values()] == [torch.Tensor, torch.Tensor]
    assert torch.equal(tensors["a"], plain)
    assert torch.equal(tensors["b"], plain)
