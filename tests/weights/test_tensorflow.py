"""TensorFlow's checkpoints as .npz, as safetensors, as torch's dictionary and as the two files that
TensorFlow writes. Names and shapes are held by tests/parity/test_tensorflow_releases.py.
"""

import io
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from convatlas.conversion import convert
from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights import load_weights
from convatlas.weights.known import COUNTER
from convatlas.weights.names import HWC1, HWIO, IO, Convolved, Layout, Twin
from convatlas.weights.reading import read
from convatlas.weights.tensorflow import TWINS
from convatlas.weights.translating import to_ours, to_theirs, translated

NAME, THEIRS = "mobilenet_v1_released_x0_25", "mobilenet_v1_0.25"
FIRST = "MobilenetV1/Conv2d_0/weights"
WITH_BACKGROUND = 1001


def variables(name: str, theirs: str, classes: int = WITH_BACKGROUND) -> dict[str, Tensor]:
    torch.manual_seed(0)
    net = create_model(name, num_classes=classes)
    held = translated(TWINS[theirs], net.state_dict())
    return {key: tensor for key, tensor in held.items() if not key.endswith(COUNTER)}


@pytest.fixture(scope="module")
def mobilenet() -> dict[str, Tensor]:
    return variables(NAME, THEIRS)


def npz(path: Path, held: dict[str, Tensor]) -> Path:
    np.savez(path, **{name: tensor.numpy() for name, tensor in held.items()})
    return path


def varint(value: int) -> bytes:
    low = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(byte | 128 for byte in low[:-1]), low[-1]])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A block of LevelDB's table, with one restart and keys that share their beginnings."""
    written, last = b"", b""
    for key, value in entries:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b),
            min(len(key), len(last)),
        )
        written += varint(shared) + varint(len(key) - shared) + varint(len(value))
        written += key[shared:] + value
        last = key
    return written + struct.pack("<II", 0, 1)


def bundle(prefix: Path, held: dict[str, Tensor]) -> Path:
    """A checkpoint as tensorflow/core/util/tensor_bundle writes it, in one part; several blocks."""
    entries, numbers = [(b"", field(1, 1))], b""
    for name, tensor in sorted(held.items()):
        raw = tensor.contiguous().numpy().tobytes()
        shape = b"".join(field(2, field(1, size)) for size in tensor.shape)
        kind = {torch.float32: 1, torch.int64: 9}[tensor.dtype]
        entry = field(1, kind) + field(2, shape) + field(4, len(numbers)) + field(5, len(raw))
        entries.append((name.encode(), entry + varint(6 << 3 | 5) + b"\0\0\0\0"))
        numbers += raw
    table, handles = b"", []
    for start in range(0, len(entries), 20):
        part = block(entries[start : start + 20])
        handles.append((entries[start][0], varint(len(table)) + varint(len(part))))
        table += part + bytes(5)
    index = varint(len(table)) + varint(len(block(handles)))
    table += block(handles) + bytes(5)
    footer = (varint(0) + varint(0) + index).ljust(40, b"\0")
    magic = struct.pack("<Q", 0xDB4775248B80FB57)
    Path(f"{prefix}.index").write_bytes(table + footer + magic)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(numbers)
    return prefix


def stored(kind: str, folder: Path, held: dict[str, Tensor]) -> Path:
    if kind == "npz":
        return npz(folder / "a.npz", held)
    if kind == "safetensors":
        save_file({name: tensor.contiguous() for name, tensor in held.items()}, folder / "a.st")
        return folder / "a.st"
    if kind == "dictionary":
        torch.save(held, folder / "a.pt")
        return folder / "a.pt"
    prefix = bundle(folder / "model.ckpt-919", held)
    return prefix if kind == "bundle" else Path(f"{prefix}.{kind}")


def loaded(path: Path, **options):
    net = create_model(NAME, num_classes=WITH_BACKGROUND)
    with pytest.warns(UserWarning, match="mean 0.5 and std 0.5"):
        certificate = load_weights(net, path, **options)
    return net, certificate


KINDS = ("npz", "safetensors", "dictionary", "bundle", "index", "data-00000-of-00001")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_they_are_kept_in_they_load_bit_for_bit(kind, tmp_path, mobilenet):
    net, certificate = loaded(stored(kind, tmp_path, mobilenet))
    again = translated(TWINS[THEIRS], net.state_dict())
    assert all(torch.equal(again[name], tensor) for name, tensor in mobilenet.items())
    assert certificate.kind == f"tensorflow's {THEIRS}"
    assert certificate.tensors == len(mobilenet) == 137
    assert certificate.fresh == certificate.unread == ()


def test_what_the_optimiser_kept_is_company_and_the_average_is_read_on_request(tmp_path, mobilenet):
    trained = [name for name in mobilenet if "moving_" not in name]
    averaged = {f"{name}/ExponentialMovingAverage": mobilenet[name] + 1 for name in trained}
    slots = {f"{name}/RMSProp{n}": mobilenet[name] for name in trained for n in ("", "_1")}
    step = {"global_step": torch.tensor(919)}
    path = npz(tmp_path / "a.npz", mobilenet | averaged | slots | step)
    raw, certificate = loaded(path)
    assert certificate.tensors == 137
    assert "global_step" in certificate.unread
    assert "an average of these weights lies beside them" in certificate.average
    average, certificate = loaded(path, ema=True)
    assert certificate.average == "these are averaged weights"
    state = raw.state_dict()
    for key, tensor in average.state_dict().items():
        if not key.endswith(COUNTER):
            expected = state[key] if "running" in key else state[key] + 1
            torch.testing.assert_close(tensor, expected)


def test_pixels_and_the_background_travel(tmp_path, mobilenet):
    path = npz(tmp_path / "a.npz", mobilenet)
    net, certificate = loaded(path)
    assert certificate.standardised == (0.5, 0.5)
    assert certificate.background
    assert "its authors trained it on pixels from -1 to 1" in str(certificate)
    assert "class 0 is the background; the classes of ImageNet begin at 1" in str(certificate)
    written = convert(path, NAME, tmp_path / "ours.safetensors")
    assert written.background
    again, certificate = loaded(tmp_path / "ours.safetensors")
    assert certificate.background
    assert certificate.difference <= 1e-8
    assert torch.equal(again.fc.weight, net.fc.weight)
    fewer = npz(tmp_path / "b.npz", variables(NAME, THEIRS, classes=12))
    with warnings.catch_warnings(action="ignore"):
        assert not load_weights(create_model(NAME, num_classes=12), fewer).background


def test_another_number_of_classes_or_channels_is_said_or_adapted(tmp_path, mobilenet):
    path = npz(tmp_path / "a.npz", mobilenet)
    with pytest.raises(WeightsError, match=r"tells 1001 classes apart, this .* 1000; give num_cla"):
        create_model(NAME, weights=path)
    with warnings.catch_warnings(action="ignore"):
        net = create_model(NAME, num_classes=5, in_channels=1, weights=path)
    assert net.certificate.adapted == ("conv1.conv.conv.weight",)
    assert net.certificate.fresh == ("fc.weight", "fc.bias")
    assert not net.certificate.background


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (lambda name, w: w.permute(3, 2, 0, 1) if w.dim() == 4 else w, "24x1x1x8|16x8x1x1"),
        (lambda name, w: w.permute(0, 1, 3, 2) if "depthwise_w" in name else w, "3x3x1x8"),
    ],
    ids=["as PyTorch's", "a depthwise kernel as another"],
)
def test_another_layout_is_refused_in_words(turn, said, tmp_path, mobilenet):
    turned = {name: turn(name, tensor) for name, tensor in mobilenet.items()}
    net = create_model(NAME, num_classes=WITH_BACKGROUND)
    with pytest.raises(WeightsError, match=rf"({said}) instead of .*dimensions stand in another"):
        load_weights(net, npz(tmp_path / "a.npz", turned))


def test_a_file_of_the_printed_form_is_sent_to_the_released_one(tmp_path, mobilenet):
    path = npz(tmp_path / "a.npz", mobilenet)
    with pytest.raises(WeightsError, match=rf"holds tensorflow's {THEIRS} \({NAME} here\), not"):
        load_weights(create_model("mobilenet_v1_x0_25", num_classes=WITH_BACKGROUND), path)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("efficientnet_b0", "efficientnet-b0"), ("mnasnet_small_released", "mnasnet-small_1.0")],
)
def test_pixels_of_tensorflow_tpu_are_imagenets(ours, theirs, tmp_path):
    held = variables(ours, theirs, classes=7)
    path = npz(tmp_path / "a.npz", {f"{name}:0": tensor for name, tensor in held.items()})
    net = create_model(ours, num_classes=7)
    with warnings.catch_warnings(action="error"):
        certificate = load_weights(net, path)
    assert (certificate.standardised, certificate.background) == (None, False)
    assert certificate.tensors == len(held)


@pytest.mark.parametrize(
    ("name", "shape", "theirs"),
    [
        ("a/weights", (5, 2, 3, 4), (3, 4, 2, 5)),
        ("a/depthwise_weights", (6, 1, 3, 4), (3, 4, 6, 1)),
        ("a/dense/kernel", (5, 7), (7, 5)),
        ("a/one/weights", (5, 7), (1, 1, 7, 5)),
        ("a/beta", (5,), (5,)),
    ],
)
def test_layouts_there_and_back(name, shape, theirs):
    layouts = (
        Layout("/depthwise_weights$", HWC1),
        Layout("/(weights|kernel)$", HWIO),
        Layout("/(weights|kernel)$", IO),
    )
    twin = Twin("x", ((r"^key$", name),), (Convolved("^a/one", 1),), layouts=layouts)
    ours = torch.arange(torch.Size(shape).numel()).reshape(shape)
    there = to_theirs(twin, "key", ours)
    assert tuple(there.shape) == twin.shape(name, shape) == theirs
    assert torch.equal(to_ours(twin, "key", there), ours)
    if len(shape) == 4:
        o, i, h, w = (size - 1 for size in shape)
        place = (h, w, o, i) if "depthwise" in name else (h, w, i, o)
        assert there[place] == ours[o, i, h, w]


# What .npz and bundles may do to a reader


def test_arrays_in_either_order_of_any_kind(tmp_path):
    held = {
        "a/rows": np.arange(6, dtype="<f4").reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "half": np.ones(3, "<f2"),
        "step": np.array(7),
        "none": np.zeros((0, 3), "<f4"),
    }
    np.savez(tmp_path / "a.npz", **held)
    tensors = read(tmp_path / "a.npz").tensors
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        name: array.tolist() for name, array in held.items()
    }


def test_an_array_of_objects_or_what_is_compressed_is_refused(tmp_path):
    np.savez(tmp_path / "o.npz", a=np.array([{}], dtype=object))
    np.savez_compressed(tmp_path / "c.npz", a=np.zeros(10_000_000))
    np.savez(tmp_path / "b.npz", a=np.zeros(3, ">f4"))
    with pytest.raises(WeightsError, match="holds 'a' as objects, which are a pickle"):
        read(tmp_path / "o.npz")
    with pytest.raises(WeightsError, match="unpacks to more than its size"):
        read(tmp_path / "c.npz")
    np.savez_compressed(tmp_path / "d.npz", a=np.frombuffer(np.random.bytes(999), "u1"))
    with pytest.raises(WeightsError, match=r"is compressed.*numpy\.savez\("):
        read(tmp_path / "d.npz")
    with pytest.raises(WeightsError, match="holds 'a' as numbers of kind '>f4'"):
        read(tmp_path / "b.npz")


def header(text: str, length: int | None = None) -> bytes:
    body = text.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body) if length is None else length) + body


@pytest.mark.parametrize(
    "content",
    [
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,)}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2**62, 4)}"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': ('a',)}"),
        header("{'descr': '<f4', 'shape': ()}"),
        header("[" * 60_000),
        header("__import__('os').mkdir('mark')"),
        header("", length=65_535),
        b"\x93NUMPY\x01",
        b"no array",
    ],
)
def test_a_damaged_array_is_refused_before_memory_is_taken(content, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content + bytes(16))
    with pytest.raises(WeightsError, match=r"a\.npz is damaged"):
        read(tmp_path / "a.npz")


def test_a_flipped_byte_of_an_npz_is_seen(tmp_path, mobilenet):
    path = npz(tmp_path / "a.npz", mobilenet)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        read(path)


def test_a_bundle_without_its_other_half(tmp_path, mobilenet):
    prefix = bundle(tmp_path / "m.ckpt", mobilenet)
    index, data = Path(f"{prefix}.index"), Path(f"{prefix}.data-00000-of-00001")
    kept = index.read_bytes()
    index.unlink()
    with pytest.raises(WeightsError, match=r"needs m\.ckpt\.index beside it"):
        read(data)
    index.write_bytes(kept)
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(WeightsError, match="damaged"):
        read(index)
    data.unlink()
    with pytest.raises(WeightsError, match=r"there is no m\.ckpt\.data-00000-of-00001"):
        read(index)


def test_a_hostile_index_is_refused(tmp_path, mobilenet):
    """Every byte of a small index changed, one at a time: read, or refused in words."""
    prefix = bundle(tmp_path / "m.ckpt", {"a": torch.ones(3), "b/c": torch.ones(2, 2)})
    index = Path(f"{prefix}.index")
    kept = index.read_bytes()
    outcomes = set()
    for place in range(len(kept)):
        for value in (0, 0xFF, kept[place] ^ 0x80):
            index.write_bytes(kept[:place] + bytes([value]) + kept[place + 1 :])
            try:
                read(index)
                outcomes.add("read")
            except WeightsError as error:
                outcomes.add("refused")
                assert str(index.with_name("m.ckpt")) in str(error)
    assert outcomes == {"read", "refused"}
    for length in range(0, len(kept), 7):
        index.write_bytes(kept[:length])
        with pytest.raises(WeightsError):
            read(index)


def test_parts_of_a_bundle_are_asked_for_in_one(tmp_path):
    prefix = bundle(tmp_path / "m.ckpt", {"a": torch.ones(3)})
    index = Path(f"{prefix}.index")
    whole = field(1, 1) + field(2, field(2, field(1, 3)))
    entry = whole + field(3, 1) + field(5, 12)
    table = block([(b"", b""), (b"a", entry)])
    handles = block([(b"", varint(0) + varint(len(table)))])
    place = varint(len(table) + 5) + varint(len(handles))
    footer = (varint(0) + varint(0) + place).ljust(40, b"\0")
    magic = struct.pack("<Q", 0xDB4775248B80FB57)
    index.write_bytes(table + bytes(5) + handles + bytes(5) + footer + magic)
    with pytest.raises(WeightsError, match="holds 'a' in several parts"):
        read(index)


def test_a_zip_of_other_things_is_still_no_checkpoint(tmp_path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': ()}"))
        archive.writestr("b.txt", "no array")
    (tmp_path / "a.npz").write_bytes(held.getvalue())
    with pytest.raises(WeightsError, match="no PyTorch checkpoint"):
        read(tmp_path / "a.npz")
