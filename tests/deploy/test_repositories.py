"""Model repositories hold the proved file, and say of it what is so."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convatlas.deploy import exporting, repositories
from convatlas.deploy.engines import open_export, proof_path
from convatlas.deploy.exporting import export
from convatlas.deploy.proof import LIMITS, Proof
from convatlas.errors import ExportError
from convatlas.model_file import Saved

PAGES = Path(__file__).parents[2] / "docs" / "ship"
CLASSES = (*"abcdefgh", "été", "a b")


@pytest.fixture(scope="module")
def saved(saved) -> Saved:
    return replace(saved, classes=CLASSES)


@pytest.fixture
def unwritten(monkeypatch):
    """Exports that leave a file of their own instead of a network: the engines are not here."""

    def export(model, to, place):
        place.write_bytes(b"network")
        proof_path(place).write_text("{}")
        return place, Proof("engine", "bf16", 64, "pictures", 0.0, 1.0, LIMITS["bf16"])

    monkeypatch.setattr(repositories, "export", export)


def files(folder) -> list[str]:
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


def test_triton_gets_a_folder_for_the_version_a_configuration_and_labels(
    saved, unwritten, tmp_path
):
    place, _ = export(saved, "triton", tmp_path / "models")
    assert place == tmp_path / "models" / "lenet5"
    assert files(place) == [
        "1/model.onnx",
        "1/model.onnx.proof.json",
        "config.pbtxt",
        "labels.txt",
    ]
    assert (place / "labels.txt").read_text(encoding="utf-8").splitlines() == [*CLASSES]
    assert [f.name for f in tmp_path.iterdir()] == ["models"]


def test_ovms_is_told_the_precision_of_the_proof(saved, unwritten, tmp_path):
    place, proof = export(saved, "ovms", tmp_path / "models")
    assert files(tmp_path / "models") == [
        "config.json",
        "lenet5/1/model.xml",
        "lenet5/1/model.xml.proof.json",
        "lenet5/labels.txt",
    ]
    (model,) = json.loads((place.parent / "config.json").read_text())["model_config_list"]
    assert model["config"] == {
        "name": "lenet5",
        "base_path": "lenet5",
        "plugin_config": {"INFERENCE_PRECISION_HINT": proof.precision},
    }


def test_the_configuration_is_what_tritons_own_reader_takes():
    pytest.importorskip("grpc", reason="grpcio is not installed")
    pytest.importorskip("tritonclient", reason="tritonclient is not installed")
    from google.protobuf import text_format
    from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInstanceGroup

    config = text_format.Parse(repositories.triton_config("lenet5", 10), ModelConfig())
    assert (config.name, config.backend, config.max_batch_size) == ("lenet5", "onnxruntime", 8)
    (pictures,) = config.input
    assert (pictures.name, pictures.data_type) == ("pictures", DataType.Value("TYPE_UINT8"))
    assert [*pictures.dims] == [-1, -1, -1] and not pictures.allow_ragged_batch
    assert [(out.name, [*out.dims], out.label_filename) for out in config.output] == [
        ("logits", [10], ""),
        ("probabilities", [10], "labels.txt"),
    ]
    assert {out.data_type for out in config.output} == {DataType.Value("TYPE_FP32")}
    assert config.HasField("dynamic_batching")
    assert config.instance_group[0].kind == ModelInstanceGroup.Kind.Value("KIND_CPU")


def test_a_repository_may_hold_other_networks_and_none_is_overwritten(saved, unwritten, tmp_path):
    root = tmp_path / "models"
    (root / "other" / "1").mkdir(parents=True)
    export(saved, "triton", root)
    before = files(root)
    for to in ("triton", "ovms"):
        with pytest.raises(ExportError, match="lenet5 exists; remove it, or name another"):
            export(saved, to, root)
    (root / "lenet5").rename(root / "renamed")
    (root / "config.json").write_text("{}")
    with pytest.raises(ExportError, match=r"config\.json exists"):
        export(saved, "ovms", root)
    assert files(root) == ["config.json", *(name.replace("lenet5", "renamed") for name in before)]
    assert (root / "config.json").read_text() == "{}"


def test_what_cannot_be_moved_is_taken_back(tmp_path, monkeypatch):
    written, root = tmp_path / "written", tmp_path / "models"
    (written / "lenet5").mkdir(parents=True)
    (written / "config.json").write_text("{}")
    rename = type(written).rename

    def fails(self, target):
        if self.name == "config.json":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(type(written), "rename", fails)
    with pytest.raises(OSError, match="No space"):
        repositories._take(written, root)
    assert not root.exists()
    assert sorted(f.name for f in written.iterdir()) == ["config.json", "lenet5"]


def test_an_export_that_is_refused_leaves_no_repository(saved, tmp_path, monkeypatch):
    def refused(*_):
        raise ExportError("misses its limit")

    monkeypatch.setattr(repositories, "export", refused)
    with pytest.raises(ExportError, match="misses its limit"):
        exporting.export(saved, "triton", tmp_path / "models")
    assert [*tmp_path.iterdir()] == []


def test_a_place_that_is_not_there_and_a_class_of_two_lines_are_refused(saved, unwritten, tmp_path):
    with pytest.raises(ExportError, match="choose another place with --output"):
        export(saved, "triton", tmp_path / "nowhere" / "models")
    two = Saved(saved.net, "lenet5", ("a\nb", *CLASSES[1:]), saved.preprocess, {})
    with pytest.raises(ExportError, match="holds a line break"):
        export(two, "triton", tmp_path / "models")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("to", "engine"), [("triton", "onnxruntime"), ("ovms", "openvino")])
def test_the_file_in_a_repository_is_proved_and_opens(
    saved, to, engine, tmp_path, monkeypatch, capsys
):
    for package in ("onnx", "onnxscript", engine):
        pytest.importorskip(package, reason=f"{package} is not installed")
    place, proof = export(saved, to, tmp_path / "models")
    (file,) = (f for f in (place / "1").iterdir() if f.suffix in (".onnx", ".xml"))
    opened = open_export(file)
    assert proof.holds and opened.record.classes == CLASSES
    if to == "triton":
        served(file, place / "config.pbtxt")
    monkeypatch.chdir(tmp_path)
    the_pages_own_lines(to, opened, monkeypatch)
    (printed,) = capsys.readouterr().out.split()[-1:]
    picture = np.asarray(Image.open("photo.png"))[None]
    assert int(printed) == opened(picture)[1][0].argmax()


def the_pages_own_lines(page, opened, monkeypatch):
    """They run, with a server in the client's place that hands what was sent to the file."""
    reason = "tritonclient is not installed"
    client = pytest.importorskip("tritonclient.http", reason=reason)
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(picture).save("photo.png")

    class Server:
        def __init__(self, url):
            assert url == "localhost:8000"

        def infer(self, name, inputs):
            (sent,) = inputs
            assert (name, sent.name(), sent.datatype()) == ("lenet5", "pictures", "UINT8")
            self.pictures = np.frombuffer(sent._get_binary_data(), np.uint8).reshape(sent.shape())
            return self

        def as_numpy(self, name):
            return dict(zip(("logits", "probabilities"), opened(self.pictures), strict=True))[name]

    monkeypatch.setattr(client, "InferenceServerClient", Server)
    lines = re.search(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL)[1]
    exec(lines.replace("NAME", "lenet5").replace("photo.jpg", "photo.png"), {})


def served(file, config):
    """The names, types and dimensions in the configuration are those of the file."""
    pytest.importorskip("grpc", reason="grpcio is not installed")
    pytest.importorskip("tritonclient", reason="tritonclient is not installed")
    import onnxruntime
    from google.protobuf import text_format
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    said = text_format.Parse(config.read_text(), ModelConfig())
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    known = {"tensor(uint8)": 2, "tensor(float)": 11}  # DataType of model_config.proto
    for theirs, ours in (
        (said.input, session.get_inputs()),
        (said.output, session.get_outputs()),
    ):
        assert {t.name: (t.data_type, [-1, *t.dims]) for t in theirs} == {
            o.name: (known[o.type], [d if isinstance(d, int) else -1 for d in o.shape])
            for o in ours
        }
