"""Weights in ONNX networks: as PyTorch's exporters leave them, and as Caffe2 made them of
Caffe's.
"""

import warnings
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights.caffe import TWINS
from convatlas.weights.reading import read
from convatlas.weights.translating import translated

FLOAT, DOUBLE, HALF, BRAIN, LONG = 1, 11, 10, 16, 7  # TensorProto.DataType
KINDS = {
    torch.float32: FLOAT,
    torch.float64: DOUBLE,
    torch.float16: HALF,
    torch.bfloat16: BRAIN,
    torch.int64: LONG,
}
TYPED = {torch.float32: 4, torch.float64: 10, torch.int64: 7}  # float_data, double_data, int64_data


def varint(value: int) -> bytes:
    low = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(byte | 128 for byte in low[:-1]), low[-1]])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: str, values: Tensor, typed: bool = False) -> bytes:
    """A TensorProto with its numbers raw, or in the field of their kind."""
    flat = values.contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy().tobytes()
    if typed and values.dtype == torch.int64:
        raw = b"".join(map(varint, flat.tolist()))
    return (
        field(1, b"".join(varint(size) for size in values.shape))
        + field(2, KINDS[values.dtype])
        + field(8, name)
        + field(TYPED[values.dtype] if typed else 9, raw)
    )


def node(kind: str, inputs: str, output: str, *attributes: bytes) -> bytes:
    return field(
        1,
        b"".join(field(1, name) for name in inputs.split())
        + field(2, output)
        + field(3, f"/{output}")
        + field(4, kind)
        + b"".join(field(5, attribute) for attribute in attributes),
    )


def integer(name: str, value: int) -> bytes:
    return field(1, name) + field(3, value) + field(20, 2)


def value(held: bytes) -> bytes:
    """The attribute of a Constant."""
    return field(1, "value") + field(5, held) + field(20, 4)


def write(path: Path, held: dict[str, Tensor], nodes: bytes = b"", typed: bool = False) -> Path:
    initialisers = b"".join(field(5, tensor(name, one, typed)) for name, one in held.items())
    graph = nodes + field(2, "main_graph") + initialisers + field(11, field(1, "input"))
    path.write_bytes(
        field(1, 8)
        + field(2, "pytorch")
        + field(3, "2.4")
        + field(7, graph)
        + field(8, field(2, 17))
    )
    return path


def random_state(net: nn.Module) -> dict[str, Tensor]:
    dice = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(one.shape, generator=dice).abs() + 0.1
        for name, one in net.state_dict().items()
        if one.is_floating_point()
    }


@pytest.fixture(scope="module")
def squeezenet() -> dict[str, Tensor]:
    return random_state(torchvision.models.squeezenet1_1(num_classes=9))


@pytest.mark.parametrize("typed", [False, True])
def test_pytorchs_names_load_bit_for_bit_as_from_a_pth(typed, tmp_path, squeezenet):
    nodes = node("Conv", "input features.0.weight features.0.bias", "/features.0")
    sizes = {"sizes": torch.tensor([1, -1])} if not typed else {"sizes": torch.tensor([1, 9])}
    path = write(tmp_path / "a.onnx", squeezenet | sizes, nodes, typed)
    torch.save(squeezenet, tmp_path / "a.pth")
    net = create_model("squeezenet1_1", num_classes=9, weights=path)
    other = create_model("squeezenet1_1", num_classes=9, weights=tmp_path / "a.pth")
    assert net.certificate.kind == "torchvision's squeezenet1_1"
    assert net.certificate.tensors == len(squeezenet) == 52
    assert all(map(torch.equal, net.state_dict().values(), other.state_dict().values()))
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(net.eval()(x), other.eval()(x))


def test_norms_of_a_graph_with_training_kept_are_read_and_equal_ones_by_their_names(tmp_path):
    """The exporter keeps one of equal weights and calls the others by Identity."""
    held = random_state(torchvision.models.shufflenet_v2_x0_5(num_classes=9))
    one, other = "stage2.0.branch1.1.bias", "conv1.1.bias"
    held[one] = held[other]
    torch.save(held, tmp_path / "a.pth")
    shared = {name: part for name, part in held.items() if name != one}
    nodes = node("Identity", other, one) + node("BatchNormalization", f"x {other}", "y")
    name = "shufflenet_v2_torchvision_x0_5"
    net = create_model(name, num_classes=9, weights=write(tmp_path / "a.onnx", shared, nodes))
    expected = create_model(name, num_classes=9, weights=tmp_path / "a.pth")
    assert all(map(torch.equal, net.state_dict().values(), expected.state_dict().values()))


def test_constants_and_matrices_that_stand_input_by_output(tmp_path):
    first, second, third = (torch.randn(2, 3) for _ in range(3))
    nodes = (
        node("Constant", "", "a.weight", value(tensor("", first)))
        + node("Constant", "", "eps", value(tensor("", torch.tensor(1e-5))))
        + node("MatMul", "x a.weight", "y")
        + node("Gemm", "y b.weight", "z")
        + node("Gemm", "z c.weight", "out", integer("transB", 1))
    )
    path = write(tmp_path / "a.onnx", {"b.weight": second, "c.weight": third}, nodes)
    tensors = read(path).tensors
    assert tensors.keys() == {"a.weight", "b.weight", "c.weight"}
    assert torch.equal(tensors["a.weight"], first.T)
    assert torch.equal(tensors["b.weight"], second.T)
    assert torch.equal(tensors["c.weight"], third)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions(dtype, tmp_path):
    held = {"a": torch.randn(3, 2).to(dtype), "count": torch.tensor([7])}
    tensors = read(write(tmp_path / "a.onnx", held)).tensors
    assert tensors.keys() == {"a"}
    assert tensors["a"].dtype == dtype
    assert torch.equal(tensors["a"], held["a"])


def test_caffe2s_names_are_caffes(tmp_path):
    torch.manual_seed(0)
    net = create_model("squeezenet1_1", num_classes=9)
    held = translated(TWINS["squeezenet_v1.1"], net.state_dict())
    endings = {".weight": "_w_0", ".bias": "_b_0"}
    renamed = {
        name.removesuffix(ending) + theirs: part
        for name, part in held.items()
        for ending, theirs in endings.items()
        if name.endswith(ending)
    }
    path = write(tmp_path / "squeezenet.onnx", renamed)
    with pytest.warns(UserWarning, match="red, green and blue standardised with means 0.48235, "):
        again = create_model("squeezenet1_1", num_classes=9, weights=path)
    assert again.certificate.kind == "caffe's squeezenet_v1.1"
    assert all(map(torch.equal, again.state_dict().values(), net.state_dict().values()))
    assert torch.equal(renamed["conv1_w_0"][:, 0], again.state_dict()["conv1.conv.weight"][:, 2])


def test_a_planted_tensor_is_refused(tmp_path, squeezenet):
    held = squeezenet | {"features.3.squeeze.bias": torch.ones(17)}
    with pytest.raises(WeightsError, match=r"features\.3\.squeeze\.bias \(17 instead of 16\)"):
        create_model("squeezenet1_1", weights=write(tmp_path / "a.onnx", held))


def test_norms_folded_into_named_convolutions_are_told(tmp_path):
    net = torchvision.models.shufflenet_v2_x0_5(num_classes=9)
    norms = {name for name, part in net.named_modules() if isinstance(part, nn.BatchNorm2d)}
    held = {
        name: part
        for name, part in net.state_dict().items()
        if name.rpartition(".")[0] not in norms
    }
    held |= {f"{name}_bias": torch.zeros(24) for name in ("conv1.0", "conv5.0")}
    with pytest.raises(
        WeightsError, match="its norms were folded into its convolutions, which can"
    ):
        create_model("shufflenet_v2_torchvision_x0_5", weights=write(tmp_path / "a.onnx", held))


ONE = {"a.weight": torch.ones(2, 2)}
EXTERNAL = field(1, 2) + field(2, FLOAT) + field(8, "a.weight") + field(14, 1)
WHERE = field(13, field(1, "location") + field(2, "../secret.bin"))


@pytest.mark.parametrize(
    ("held", "nodes", "said"),
    [
        (
            {"onnx::Conv_193": torch.ones(2, 2)},
            b"",
            r"under numbers \('onnx::Conv_193'\).*optimize=",
        ),
        ({"497": torch.ones(2, 2)}, b"", r"under numbers \('497'\)"),
        (ONE, node("DequantizeLinear", "a.weight", "b"), "is quantised; give the network in floa"),
        (
            ONE,
            field(5, EXTERNAL + WHERE),
            r"in another file; make it one: .*onnx\.save\(onnx\.load",
        ),
        (ONE, field(5, field(13, b"") + EXTERNAL), "keeps 'a.weight' in another file"),
        (ONE, field(15, b""), "holds sparse weights"),
        ({}, node("Relu", "x", "y"), "holds no weights"),
        ({"step": torch.tensor([1])}, b"", "holds no weights"),
        (ONE, field(5, tensor("a.weight", torch.ones(2))), "holds 'a.weight' twice"),
        (
            {},
            field(5, field(1, 1) + field(2, HALF) + field(8, "h") + field(5, 15360)),
            "holds 'h' as float16 in an odd form; write it as float32",
        ),
        (
            {"fc6_w_0": torch.ones(2, 2)},
            node("MaxPool", "x", "pool1") + node("LRN", "pool1", "norm1"),
            "holds a CaffeNet, which pools before",
        ),
    ],
)
def test_what_no_table_could_read_is_refused_with_the_reason(held, nodes, said, tmp_path):
    with pytest.raises(WeightsError, match=said):
        read(write(tmp_path / "a.onnx", held, nodes))


def test_nothing_outside_the_file_is_opened(tmp_path, monkeypatch):
    (tmp_path / "secret.bin").write_bytes(b"\0" * 8)
    folder = tmp_path / "in"
    folder.mkdir()
    path = write(folder / "a.onnx", {}, field(5, EXTERNAL + WHERE))
    opened = []
    real = open

    def spied(file, *args, **kwargs):
        opened.append(Path(file).name)
        return real(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", spied)
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(WeightsError, match="another file"),
    ):
        read(path)
    assert set(opened) <= {"a.onnx"}
