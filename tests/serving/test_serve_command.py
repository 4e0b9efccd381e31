"""convatlas serve, with real files in real engines: the same answers as predict, and no torch."""

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asking import png
from PIL import Image
from skips import needs

from benchmarks.asking import Running
from benchmarks.serving import tensor
from convatlas.data.image_file import read_pixels
from convatlas.deploy.engines import open_export, proof_path
from convatlas.deploy.proof import LIMITS
from convatlas.model_file import load_model
from convatlas.prediction import predict
from convatlas.serving import models

pytestmark = needs(
    "the extras serve and onnx are not installed",
    "starlette",
    "uvicorn",
    "onnx",
    "onnxscript",
    "onnxruntime",
)

CLEAN = {name: value for name, value in os.environ.items() if name != "CONVATLAS_TOKEN"}
SECRET = "a-secret-of-sixteen-or-more"


def serve(*words: object, **variables: str) -> Running:
    return Running(["-m", "convatlas", "serve", "--port", "0", *words], env=CLEAN | variables)


def refused(*words: object, **variables: str) -> str:
    """What a server says that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "serve", *map(str, words)],
        capture_output=True,
        text=True,
        env=CLEAN | variables,
        timeout=120,
    )
    assert done.returncode == 1 and done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    return sentence


@pytest.fixture(scope="module")
def server(files):
    running = serve(*files)
    yield running
    running.close()


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Twelve pictures of one size and one of another, grey and in colour."""
    folder = tmp_path_factory.mktemp("photographs")
    dice = np.random.default_rng(0)
    for number in range(12):
        coarse = dice.integers(0, 256, (7, 5, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((40, 52)).save(folder / f"{number:02}.png")
    Image.fromarray(coarse[..., 0]).resize((99, 28)).save(folder / "12.jpg")
    return sorted(folder.iterdir())


def same(model: str, classes, shares, wanted) -> None:
    """Top five and their probabilities, as exactly as the engine's precision lets be."""
    exact = 1e-5 if model == "f32" else LIMITS[model].error
    if model == "f32":
        assert list(classes) == list(wanted.classes)
        np.testing.assert_allclose(shares, wanted.probabilities, atol=exact)
    else:
        of_ours = dict(zip(wanted.classes, wanted.probabilities, strict=True))
        likeliest = of_ours[classes[0]]  # of two that are level, either may come first
        np.testing.assert_allclose([shares[0], likeliest], wanted.probabilities[0], atol=exact)


@pytest.mark.parametrize("number", [0, 1], ids=["onnx", "openvino"])
def test_predict_export_serve_and_a_batch_give_one_answer(run, files, server, photographs, number):
    file = files[number]
    opened = open_export(file)
    wanted = predict(load_model(run), photographs)
    pixels = [read_pixels(one).transpose(1, 2, 0)[None] for one in photographs]
    for one, picture, expected in zip(photographs, pixels, wanted, strict=True):
        logits, probabilities = opened(picture)
        best = np.argsort(-logits[0], kind="stable")[:5]
        names = [opened.record.classes[i] for i in best]
        same(opened.precision, names, probabilities[0, best], expected)
        status, answer = server.predict(one.read_bytes(), f"?model={file.stem}")
        assert status == 200
        same(opened.precision, answer["classes"], answer["probabilities"], expected)
    batch = np.concatenate(pixels[:12])
    for count in (1, 3, 8, 12):
        body, headers = tensor(batch[:count])
        path = f"/v2/models/{file.stem}/infer"
        status, _, content = server.ask("POST", path, body, **headers)
        assert status == 200
        found = np.reshape(json.loads(content)["outputs"][1]["data"], (count, 10))
        for row, expected in zip(found, wanted, strict=False):
            best = np.argsort(-row, kind="stable")[:5]
            names = [opened.record.classes[i] for i in best]
            same(opened.precision, names, row[best], expected)


def test_nvidias_client_asks_a_real_engine(files, server, photographs):
    client = pytest.importorskip("tritonclient.http", reason="tritonclient is not installed")
    picture = read_pixels(photographs[0]).transpose(1, 2, 0)[None]
    with client.InferenceServerClient(f"127.0.0.1:{server.port}") as asking:
        about = asking.get_model_metadata(files[0].stem)
        assert about["platform"] == "onnxruntime"
        given = client.InferInput(about["inputs"][0]["name"], picture.shape, "UINT8")
        given.set_data_from_numpy(picture)
        found = asking.infer(files[0].stem, [given])
        for output, expected in zip(about["outputs"], open_export(files[0])(picture), strict=True):
            np.testing.assert_allclose(found.as_numpy(output["name"]), expected, atol=1e-6)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system has no /proc")
def test_no_torch_is_in_its_process(server, photographs):
    server.predict(photographs[0].read_bytes())
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "onnxruntime" in mapped and "openvino" in mapped
    assert "torch" not in mapped


def test_it_says_what_it_serves(server, files):
    first, second, last = server.said.splitlines()
    assert first.startswith(f"{files[0].stem}: onnxruntime ") and first.endswith(", f32")
    assert second.startswith(f"{files[1].stem}: openvino ")
    assert last == f"listening on http://127.0.0.1:{server.port}"


def test_a_run_is_exported_and_served_by_the_faster_engine(run, photographs):
    server = serve(run, "--engine", "auto")
    try:
        times, chosen, _ = server.said.splitlines()
        engines = dict(re.findall(r"(onnxruntime|openvino) ([0-9.]+)", times))
        assert len(engines) == 2
        taken = chosen.split()[1]
        assert float(engines[taken]) == min(map(float, engines.values()))
        status, answer = server.predict(photographs[0].read_bytes())
        assert status == 200 and answer["model"] == "mine"
        precision = chosen.rpartition(", ")[2]
        (wanted,) = predict(run, photographs[:1])
        same(precision, answer["classes"], answer["probabilities"], wanted)
        assert "torch" not in Path(f"/proc/{server.process.pid}/maps").read_text()
    finally:
        server.close()
    assert {file.name for file in run.iterdir()}.isdisjoint({"mine.onnx"})


def test_a_file_is_answered_in_the_precision_that_was_proved(files, monkeypatch):
    asked = []

    def opened(file, precision=None):
        asked.append(precision)
        return replace(open_export(file), precision=precision or "bf16")

    monkeypatch.setattr(models, "open_export", opened)
    (model,) = models.open_models(files[:1]).values()
    assert asked == [None, "f32"] and model.opened.precision == "f32"


def test_other_machines_need_a_token(files):
    sentence = refused(files[0], "--host", "0.0.0.0")
    assert "CONVATLAS_TOKEN" in sentence
    assert "CONVATLAS_TOKEN" in refused(files[0], "--host", "::", CONVATLAS_TOKEN="short")
    assert "ASCII" in refused(files[0], CONVATLAS_TOKEN="schl\u00fcssel-von-sechzehn")
    server = serve(files[0], "--host", "0.0.0.0", CONVATLAS_TOKEN=SECRET)
    try:
        assert server.predict(png())[0] == 401
        assert server.predict(png(), Authorization=f"Bearer {SECRET}")[0] == 200
        named = {"Host": "any.example", "Authorization": f"Bearer {SECRET}"}
        assert server.predict(png(), **named)[0] == 200
        assert server.ask("GET", "/v2/health/ready")[0] == 200
        assert server.ask("GET", "/metrics")[0] == 401
    finally:
        server.close()


def test_what_cannot_be_served_is_one_sentence(run, files, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        sentence = refused(files[0], "--port", port)
        assert f"cannot listen on 127.0.0.1:{port}" in sentence and "--port" in sentence
    assert "convatlas serve lenet5.onnx" in refused()
    assert "No such file" in refused(tmp_path / "missing.onnx")
    altered = tmp_path / files[0].name
    altered.write_bytes(files[0].read_bytes()[:-1] + b"x")
    proof_path(altered).write_bytes(proof_path(files[0]).read_bytes())
    assert "is not the file that was proved" in refused(altered)
    assert "two files are called" in refused(files[0], files[0])
    assert "cannot stand in an address" in refused(altered.rename(tmp_path / "b c.onnx"))
    proof_path(altered).unlink()
    assert "has no proof beside it" in refused((tmp_path / "b c.onnx").rename(altered))
    torchs = tmp_path / "digits.pt2"
    torchs.write_bytes(b"")
    assert "--to onnx or --to openvino" in refused(torchs)
    assert "--places" in refused(files[0], "--places", 0)
    assert "leave --engine out" in refused(files[0], "--engine", "openvino")
    assert "onnxruntime | openvino" in refused(run, "--engine", "torch")
    assert str(tmp_path) in refused(tmp_path)  # a folder that is no run: the export says why
