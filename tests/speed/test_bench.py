"""bench on the command line, and predict with an exported file."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.anatomy import summary
from convatlas.cli import exported, opening, run
from convatlas.data import Preprocess
from convatlas.deploy import engines
from convatlas.deploy.engines import KINDS, Opened, proof_path
from convatlas.deploy.exporting import export
from convatlas.deploy.record import Record
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model
from convatlas.speed import benching, choosing, comparing, peak
from convatlas.speed.comparing import Reference
from convatlas.speed.theirs import theirs
from convatlas.timing import Timing


@pytest.fixture(scope="module")
def pictures():
    prep = Preprocess(1, 32, (0.5,), (0.25,), "resize", 32)
    return Reference(Saved(torch.nn.Identity(), "", (), prep, {}), 12).images


@pytest.fixture
def quick(monkeypatch, pictures):
    """torch's forms alone, with times of our own: a form is 1 ms slower than the one before it."""
    monkeypatch.setattr(benching, "is_installed", lambda form: form.engine == "torch")
    monkeypatch.setattr(peak, "peaks", lambda threads, clock: {"f32": 1e9 * threads})
    monkeypatch.setattr(comparing, "_prepared", lambda saved, count: pictures[:count])

    def fake(calls, seconds, clock):
        for call in calls.values():
            call()
        shares = (1.0, 0.9, 1.1, 0.5)  # median, quartiles, best
        return {
            name: Timing(*(1e-3 * i * share for share in shares), 5)
            for i, name in enumerate(calls, 1)
        }

    monkeypatch.setattr(benching, "alternated", fake)


def said(capsys, *words: str, code: int = 1) -> str:
    assert run(list(words)) == code
    printed = capsys.readouterr()
    assert printed.err.startswith("convatlas: ") and printed.err.count("\n") == 1
    return printed.err.removeprefix("convatlas: ").rstrip()


def test_a_network_in_its_forms(quick, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["bench", "lenet5", "--threads", "1", "2", "--batches", "1", "12"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines()[2:])) <= 80
    assert "convolution peak, 2 threads: 2 in f32" in printed
    row = next(line for line in printed.splitlines() if line.startswith("channels_last"))
    name, error, ms, spread, times, _, per_second, slower, _ = row.split()
    assert (name, ms, spread, times) == ("channels_last", "2.00", "(1.80-2.20)", "0.50")
    assert (per_second, slower) == ("6000", "0.50")
    assert float(error) <= 1e-5


def test_as_json(quick, capsys):
    assert run(["bench", "lenet5", "--threads", "1", "--batches", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["processor"] and found["versions"]["torch"]
    eager, channels_last = found["rows"]
    assert eager["subject"] == "lenet5" and channels_last["form"] == "channels_last"
    assert channels_last["times"]["2"] == {
        "median": 2e-3,
        "low": pytest.approx(1.8e-3),
        "high": pytest.approx(2.2e-3),
        "best": 1e-3,
        "rounds": 5,
    }
    macs = summary(create_model("lenet5")).macs
    assert channels_last["shares"]["2"] == pytest.approx(2 * macs * 2 / 2e-3 / 1e9)


def test_a_wrong_form_is_a_refused_line_and_never_timed(quick, capsys, monkeypatch):
    asked = []

    def wrong(images):
        asked.append(len(images))
        assert sum(asked) <= 12, "it was called after it had been compared"
        return torch.ones(len(images), 10)

    made = benching.Forms.made
    monkeypatch.setattr(
        benching.Forms,
        "made",
        lambda self, form, threads: (
            wrong if form.name == "channels_last" else made(self, form, threads)
        ),
    )
    assert run(["bench", "lenet5", "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    assert "  channels_last refused: error " in printed and "> 1e-05" in printed


def test_a_form_that_cannot_be_made_is_refused_with_the_reason(quick, capsys, monkeypatch):
    made = benching.Forms.made

    def missing(self, form, threads):
        if form.name == "channels_last":
            raise ExportError("no kernel")
        return made(self, form, threads)

    monkeypatch.setattr(benching.Forms, "made", missing)
    assert run(["bench", "lenet5", "--threads", "1"]) == 0
    assert "  channels_last refused: no kernel" in capsys.readouterr().out


def test_a_plot_is_drawn(quick, capsys, tmp_path):
    assert run(["bench", "lenet5", "--threads", "1", "--plot", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "name what is to be measured: convatlas bench resnet18"),
        ("lenet5 --seconds 0", "--seconds must be above 0, and 3600 at most"),
        ("lenet5 --seconds nan", "--seconds must be above 0, and 3600 at most"),
        ("lenet5 --threads 0", "--threads takes whole numbers from 1 to 1024"),
        ("lenet5 --batches 1 9999", "--batches takes whole numbers from 1 to 1024"),
        ("none.onnx", "cannot read none.onnx (No such file or directory); give an exported file"),
    ],
)
def test_wrong_usage_is_one_sentence(typed, sentence, capsys):
    assert said(capsys, "bench", *typed.split()) == sentence


def test_an_unknown_network_is_one_sentence(capsys, quick):
    assert "it is written resnet18 here" in said(capsys, "bench", "resnet_18", code=2)


def test_another_library_has_to_have_it(capsys, quick):
    assert said(capsys, "bench", "lenet5", "--against", "timm") == (
        "timm has no network with the graph of lenet5"
    )
    assert "there is no library 'keras'" in said(capsys, "bench", "lenet5", "--against", "keras")


def test_a_plot_that_cannot_be_written_is_one_sentence(capsys, quick, tmp_path):
    place = tmp_path / "none" / "a.png"
    words = ("bench", "lenet5", "--threads", "1", "--plot", str(place))
    assert said(capsys, *words) == (
        f"cannot write {place} (No such file or directory); name another file with --plot"
    )


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_another_library_answers_alike_with_our_weights(library):
    if library == "timm":
        pytest.importorskip("timm")
    ours = "squeezenet1_1" if library == "torchvision" else "mobilenet_v2"
    net = create_model(ours, num_classes=7).eval()
    saved = Saved(
        net, ours, tuple("abcdefg"), Preprocess(3, 64, (0.5,) * 3, (0.5,) * 3, "pad", 64), {}
    )
    name, there = theirs(saved, library)
    assert name == {"torchvision": "squeezenet1_1", "timm": "mobilenetv2_100"}[library]
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(there(images), net(images), rtol=1e-4, atol=1e-5)


def test_a_fresh_network_is_settled(monkeypatch):
    saved = benching.fresh("resnet20_cifar")
    assert not saved.net.training
    norms = [m for m in saved.net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all((norm.running_var != 1).all() and not norm._forward_pre_hooks for norm in norms)
    logits = Reference(saved, 12).logits
    assert np.isfinite(logits).all() and logits.std(0).max() > 1e-3


@pytest.fixture
def answering(monkeypatch, tmp_path):
    """An exported file without an engine: the mean of the picture decides."""

    def run_(pictures):
        mean = pictures.mean((1, 2, 3))
        logits = np.stack([mean, 255 - mean], 1).astype(np.float32) / 100
        return logits, logits

    record = Record("lenet5", ("bright", "dark"), {"white": None}, "", {}, {})
    opened = Opened(record, "onnxruntime 1", "f32", run_)
    asked = []

    def open_export(path, precision=None, threads=None):
        asked.append(threads)
        return opened

    monkeypatch.setattr(engines, "open_export", open_export)
    monkeypatch.setattr(benching, "open_export", open_export)
    return asked


def test_predict_takes_an_exported_file(answering, capsys, tmp_path):
    Image.new("RGB", (20, 10), "white").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    words = ["predict", "mine.onnx", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--json"]
    assert run(words) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert [one["class"] for one in first["classes"]] == ["bright", "dark"]
    assert first["classes"][0]["probability"] == pytest.approx(1 / (1 + np.exp(-2.55)), abs=1e-6)
    assert "problem" in second


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("--test 3", "--test has no effect on mine.onnx"),
        ("a.png --weights torchvision", "--weights has no effect on mine.onnx"),
        ("a.png --device cuda", "--device has no effect"),
        ("a.png --engine auto", "--engine has no effect"),
        ("none.png", "the image 'none.png' does not exist"),
    ],
)
def test_what_an_exported_file_cannot_do_is_said(answering, capsys, typed, part):
    assert run(["predict", "mine.onnx", *typed.split()]) in (1, 2)
    assert part in capsys.readouterr().err


def test_the_kinds_of_exported_files_are_those_of_deploy():
    assert set(exported.SUFFIXES) == {kind.suffix for kind in KINDS.values()}


def test_an_exported_file_is_measured_whole(answering, quick, capsys, tmp_path):
    place = tmp_path / "mine.onnx"
    proof_path(place).write_text('{"precision": "int8"}')
    assert run(["bench", str(place), "--threads", "1", "--batches", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["form"], row["precision"], row["compared"]) == ("mine.onnx", "int8", None)
    assert answering == [1]


def test_bf16_without_an_engine_is_refused(capsys):
    assert "give --engine auto too" in said(capsys, "predict", "x", "a.png", "--bf16", code=2)


def test_predict_says_which_form_was_taken(monkeypatch, capsys):
    seen = []

    def on_engine(saved, engine, bf16):
        seen.append((saved, engine, bf16))
        return "there", "channels_last, 1.0 ms a picture"

    monkeypatch.setattr(choosing, "on_engine", on_engine)
    assert opening.formed("auto", True)("network") == "there"
    assert seen == [("network", "auto", True)]
    assert capsys.readouterr().err == "note: form channels_last, 1.0 ms a picture\n"
    assert opening.formed(None, False)("network") == "network"


def test_an_exported_file_answers_without_torch(tmp_path):
    """In a process of its own, which may not import torch."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason="the extra onnx is not installed")
    net = create_model("lenet5").eval()
    prep = Preprocess(1, 32, (0.4,), (0.3,), "pad", 28)
    saved = Saved(net, "lenet5", tuple("abcdefghij"), prep, {})
    place, _ = export(saved, "onnx", tmp_path / "lenet5.onnx")
    Image.new("L", (28, 28), 77).save(tmp_path / "a.png")
    code = (
        "import sys; sys.modules['torch'] = None; from convatlas.cli import run; "
        "sys.exit(run(sys.argv[1:]))"
    )
    words = ["predict", str(place), str(tmp_path / "a.png"), "--json"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True)
    found = json.loads(done.stdout)["classes"]
    (wanted,) = saved(tmp_path / "a.png", top=3)
    assert [one["class"] for one in found] == list(wanted.classes)
    assert [one["probability"] for one in found] == pytest.approx(wanted.probabilities, abs=1e-5)
