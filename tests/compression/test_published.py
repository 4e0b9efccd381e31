"""The file of SqueezeNet's authors, as another program would write it: 8-bit codes, 4-bit gaps."""

import struct

import numpy as np
import pytest
import torch

from convatlas import create_model, load_model, verify
from convatlas.cli import run as convatlas
from convatlas.compression.published import read_published
from convatlas.errors import ModelFileError
from convatlas.shapes_only import shapes_only

SMALL = {
    "conv1.weight": (3, 2, 3, 3),
    "conv1.bias": (3,),
    "fc.weight": (4, 30),
    "fc.bias": (4,),
}


def halves(values: list[int]) -> bytes:
    """Two to a byte, the first one below."""
    values = [*values, *[0] * (len(values) % 2)]
    return bytes(low + 16 * high for low, high in zip(values[::2], values[1::2], strict=True))


def layer(weight: np.ndarray, bias: np.ndarray, values: np.ndarray) -> tuple[int, bytes]:
    """One layer: number of codes, and codebook, biases, codes, gaps. Sixteen zeros are a gap of 15
    and a filler, the code 0 of the value 0.
    """
    codes, gaps, zeros = [], [], 0
    for value in weight.reshape(-1):
        if value == 0 and zeros < 15:
            zeros += 1
            continue
        codes.append(int(np.flatnonzero(values == value)[0]))
        gaps.append(zeros)
        zeros = 0
    packed = bytes(codes) if len(values) == 256 else halves(codes)
    floats = struct.pack(f"<{len(values) + len(bias)}f", *values, *bias)
    return len(codes), floats + packed + halves(gaps)


def written(tensors: dict[str, np.ndarray], codebooks: dict[str, np.ndarray]) -> bytes:
    parts = [
        layer(tensors[name], tensors[name.replace("weight", "bias")], codebooks[name])
        for name in codebooks
    ]
    counts = struct.pack(f"<{len(parts)}I", *(count for count, _ in parts))
    return counts + b"".join(content for _, content in parts)


def made(shapes: dict[str, tuple[int, ...]], keep: float, seed: int = 0):
    """Sparse tensors of few values, and the codebooks: value 0 first."""
    random = np.random.default_rng(seed)
    tensors, codebooks = {}, {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            tensors[name] = random.normal(size=shape).astype(np.float32)
            continue
        values = random.normal(size=256 if len(shape) == 4 else 16).astype(np.float32)
        values[0] = 0
        codes = random.integers(1, len(values), shape)
        tensors[name] = np.where(random.random(shape) < keep, values[codes], 0).astype(np.float32)
        codebooks[name] = values
    return tensors, codebooks


@pytest.mark.parametrize("keep", [0.02, 0.33, 1.0])
def test_a_small_network_comes_back_bit_for_bit(keep, tmp_path):
    tensors, codebooks = made(SMALL, keep)
    (tmp_path / "small.net").write_bytes(written(tensors, codebooks))
    found = read_published(tmp_path / "small.net", SMALL)
    assert list(found) == list(SMALL)
    for name, tensor in found.items():
        assert np.array_equal(tensor.numpy(), tensors[name]), name


def test_squeezenet_in_the_published_layout_fills_the_network(tmp_path):
    with shapes_only():
        net = create_model("squeezenet1_0")
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    tensors, codebooks = made(shapes, 415_921 / 1_244_448)
    content = written(tensors, codebooks)
    counts = np.frombuffer(content[: 4 * 26], dtype="<u4").astype(int)
    fixed = 26 * (4 + 1024) + 4 * 3976  # counts, codebooks, biases
    assert len(content) == fixed + sum(counts + (counts + 1) // 2)
    # the published file: 422,083 codes, of 26 layers 13 an odd number
    assert fixed + 422_083 + (422_083 + 13) // 2 == 675_763
    (tmp_path / "squeezenet.net").write_bytes(content)
    found = read_published(tmp_path / "squeezenet.net", shapes)
    net = create_model("squeezenet1_0")
    net.load_state_dict(found)
    assert sum(int(w.count_nonzero()) for w in found.values() if w.dim() == 4) == sum(
        int(np.count_nonzero(tensors[name])) for name in codebooks
    )
    assert torch.equal(net.conv1.conv.weight, torch.from_numpy(tensors["conv1.conv.weight"]))


def test_the_command_gives_a_folder_that_reads_red_first(tmp_path, capsys):
    """Caffe's answer: blue first, from 0 to 255, less 104, 117, 123."""
    net = create_model("squeezenet1_0").eval()
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    tensors, codebooks = made(shapes, 0.3)
    (tmp_path / "authors.net").write_bytes(written(tensors, codebooks))
    words = ["compress", str(tmp_path / "authors.net"), "--output", str(tmp_path / "plain")]
    assert convatlas(words) == 0
    saved = load_model(tmp_path / "plain")
    assert saved.classes[0] == "tench" and len(saved.classes) == 1000
    assert (saved.preprocess.fit, saved.preprocess.content) == ("whole", 256)
    net.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    pixels = torch.randint(256, (1, 3, 227, 227), dtype=torch.uint8)
    blue_first = pixels.flip(1).float() - torch.tensor([104.0, 117, 123]).reshape(3, 1, 1)
    with torch.inference_mode():
        wanted, found = net(blue_first), saved.net(saved.preprocess.normalise(pixels))
    assert wanted.abs().max() > 0
    assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))
    assert convatlas(words) == 1
    assert "exists; give a new folder with --output" in capsys.readouterr().err


def test_what_is_claimed_of_the_printed_sizes_is_counted_in_this_layout():
    measured = {
        (verdict.claim.quantity, bool(verdict.claim.than)): (float(verdict.value), verdict.status)
        for verdict in verify("squeezenet1_0")
        if "33%" in verdict.claim.quantity + verdict.claim.printed
    }
    whole = 60_965_224 * 4  # AlexNet's
    for bits, status in ((8, "misprint"), (6, "not explained")):
        of_layers = 26 * (4 + 4 * 2**bits) + 4 * 3976
        size = of_layers + 0.33 * 1_244_448 * (bits + 4) / 8
        quantity = f"bytes at 33% and {bits} bits"
        assert measured[quantity, False] == (pytest.approx(size), status)
        assert measured[quantity, True] == (pytest.approx(whole / size), status)
    share, status = measured["share of weights in 660KB", False]
    assert share == pytest.approx(422_083 / 1_244_448, abs=1e-4)
    assert status == "within one unit"


def test_every_prefix_is_refused_in_one_sentence(tmp_path):
    content, file = written(*made(SMALL, 0.33)), tmp_path / "cut.net"
    for end in range(len(content)):
        file.write_bytes(content[:end])
        with pytest.raises(ModelFileError, match=r"cut\.net is damaged: .*; fetch it again$"):
            read_published(file, SMALL)


@pytest.mark.parametrize(
    ("begin", "change", "why"),
    [
        (0, struct.pack("<I", 0), "conv1 cannot have 0 codes"),
        (0, struct.pack("<I", 2**32 - 1), "conv1 cannot have 4,294,967,295 codes"),
        (8, struct.pack("<f", float("nan")), "conv1 is not finite"),
        (-1, b"\xff", "the gaps of fc lead out of it"),
    ],
)
def test_a_hostile_file_is_refused(begin, change, why, tmp_path):
    content = bytearray(written(*made(SMALL, 1.0)))
    at = begin % len(content)
    content[at : at + len(change)] = change
    (tmp_path / "odd.net").write_bytes(content)
    with pytest.raises(ModelFileError, match=why):
        read_published(tmp_path / "odd.net", SMALL)


def test_a_network_with_other_tensors_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match=r"cannot be of a network with norm\.running_mean"):
        read_published(tmp_path / "x.net", SMALL | {"norm.running_mean": (3,)})
