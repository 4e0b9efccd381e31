"""The page of a finished run, from the files that training leaves."""

import json

import pytest

from convatlas import cli
from convatlas.data import Preprocess
from convatlas.errors import RunError
from convatlas.explorer import run_page
from convatlas.model_description import describe_model

PREP = Preprocess(1, 28, (0.1,), (0.3,), "pad", 28)


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "mine & yours"
    run.mkdir()
    (run / "model.safetensors").write_bytes(b"weights")
    (run / "model.json").write_text(
        describe_model("lenet5", ("a", "b"), PREP, {"commit": "0" * 40}, b"weights")
    )
    (run / "metrics.json").write_text(
        json.dumps({"test": {"accuracy": 0.9875, "count": 1234}, "epochs": 2})
    )
    (run / "log.jsonl").write_text('{"epoch": 1, "val_loss": 0.25}\n{"epoch": 2, "val_lo')
    (run / "recipe.toml").write_text('recipe = "<lenet5>"\n')
    (run / "curves.png").write_bytes(b"curves")
    return run


def test_it_tells_how_the_run_went(folder):
    files = run_page.files(folder)
    assert {path for path in files if path.startswith("run/")} == {
        run_page.WHERE,
        "run/curves.png",
    }
    assert files["run/curves.png"]() == b"curves"
    page = files[run_page.WHERE]().decode()
    for told in (
        "<h1>mine &amp; yours</h1>",
        '<a href="../networks/lenet5.html">lenet5</a>',
        "98.75 %",
        "1,234",
        '<img src="curves.png"',
        "<td>1<td>0.25",
        "&lt;lenet5&gt;",
    ):
        assert told in page, told
    assert "confusion.png" not in page
    assert page.count("<tr>") == 2  # a line that is being written is left out


@pytest.mark.parametrize(
    "metrics",
    [
        {"test": [1], "validation": "good"},
        {"test": {"accuracy": 10**400, "count": 10**4000}, "epochs": -(10**400)},
        ["no object"],
    ],
)
def test_what_no_run_writes_is_left_out(folder, metrics):
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "log.jsonl").write_text(json.dumps({"epoch": 1, "lr": 10**400, "seconds": "long"}))
    page = run_page.files(folder)[run_page.WHERE]().decode()
    assert page.count("<dt>") == 1  # the network alone
    assert "<td>1<td><td>" in page


def test_a_run_that_has_only_weights_has_a_page(folder):
    for name in ("metrics.json", "log.jsonl", "recipe.toml", "curves.png"):
        (folder / name).unlink()
    assert "lenet5" in run_page.files(folder)[run_page.WHERE]().decode()


def test_a_run_without_weights_names_the_remedy(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(RunError, match=r"has no weights .* --resume"):
        run_page.files(folder)


def test_the_command_opens_the_page_of_the_run(folder, monkeypatch):
    seen = []
    monkeypatch.setattr("convatlas.cli.exploring._serve", lambda *given: seen.append(given) or 0)
    assert cli.run(["explore", str(folder), "--no-open", "--port", "8100"]) == 0
    files, *rest = seen[0]
    assert rest == [run_page.WHERE, 8100, True]
    assert {run_page.WHERE, "networks/lenet5.html"} <= files.keys()
