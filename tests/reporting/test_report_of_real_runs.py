"""Runs of the real loop in a report: trained, tested later, and their latency measured."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from convatlas import cli
from convatlas.data import open_data
from convatlas.reporting import gather, report
from convatlas.training import Callback, Recipe, train

SHOWN = re.compile(r'base64,([^"]+)"[^>]*><b>(\d)</b>.*?<span>(digits/\d+)</span></li>')


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two networks, a seed each, of one epoch; and a third run that was not tested."""
    home = tmp_path_factory.mktemp("study")
    for network, seed, test in (("lenet5", 0, True), ("lenet1989", 0, True), ("lenet5", 1, False)):
        recipe = Recipe(network=network, data="digits", epochs=1, seed=seed, test=test)
        train(recipe, home / "runs" / f"{network}-{seed}", callback=Callback())
    return home


def test_all_that_a_run_leaves_is_understood(study):
    found = gather([study])
    assert [run.name for run in found.runs] == ["lenet1989-0", "lenet5-0"]
    for run in found.runs:
        metrics = json.loads((run.folder / "metrics.json").read_text())
        assert run.error == pytest.approx(metrics["test"]["error"])
        assert run.answers.right.sum() == metrics["test"]["correct"]
        assert len(run.log) == 1 and run.log[0]["val_loss"] is not None
    (waiting,) = found.unfinished
    assert (waiting.name, waiting.is_trained) == ("lenet5-1", True)


def test_latency_is_measured_once_and_kept_with_the_runs(study, tmp_path, capsys):
    words = ["report", str(study), "-o", str(tmp_path), "--format", "json", "html"]
    assert cli.run([*words, "--latency"]) == 0
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert "Latency" in first["report.html"]
    for each in json.loads(first["report.json"])["data_sets"][0]["networks"]:
        (run,) = each["runs"]
        kept = json.loads((study / "runs" / run["run"] / "latency.json").read_text())
        assert run["milliseconds"] == kept["milliseconds"] > 0
        assert each["params"] > 2000 and each["macs"] > 50_000
    assert cli.run(words) == 0  # again, from what is kept
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    capsys.readouterr()


def test_latency_of_another_run_is_not_taken(study):
    folder = study / "runs" / "lenet5-0"
    kept = {"run": "somebody's", "milliseconds": 3.0}
    (folder / "latency.json").write_text(json.dumps(kept))
    found = {run.name: run.milliseconds for run in gather([study]).runs}
    assert found["lenet5-0"] is None
    (folder / "latency.json").unlink()


def test_the_pictures_are_those_of_the_run(study, tmp_path):
    (page,) = report(study, tmp_path, formats=["html"])
    shown = SHOWN.findall(page.read_text())
    assert len(shown) > 5
    test = open_data("digits", seed=0, val_fraction=0.1).test
    for data, truth, name in shown:
        i = list(test.names).index(name)
        assert truth == str(int(test.labels[i]))
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        assert np.array_equal(np.asarray(picture), test.read(i)[0].numpy())
    (page,) = report(study, tmp_path, formats=["html"], pictures=False)
    assert "data:image" not in page.read_text()
