"""list, show and verify as a person or a script meets them."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from convatlas import registry
from convatlas.anatomy import Layer, fold
from convatlas.cli import atlas
from convatlas.paper import Claim


@pytest.fixture(params=["80", "120"])
def columns(request, monkeypatch) -> int:
    monkeypatch.setenv("COLUMNS", request.param)
    return int(request.param)


def test_list_groups_networks_under_their_paper(capsys, columns):
    assert atlas.list_("resnet*", max_params=30e6, year=2016, family="resnet") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].rstrip() == "2016  Deep Residual Learning for Image Recognition"
    assert lines[1].split() == [
        "resnet18_option_a",
        "11.5",
        "M",
        "params",
        "1.79",
        "G",
        "MACs",
        "3x224x224",
    ]
    assert lines[-1].startswith("5 networks of 1 paper")
    assert max(map(len, lines)) <= columns


def test_list_as_json(capsys):
    atlas.list_("lenet5", json=True)
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "lenet5",
            "year": 1998,
            "title": "Gradient-Based Learning Applied to Document Recognition",
            "family": "lenet5",
            "params": 60000,
            "macs": 326520,
            "input_size": [1, 32, 32],
        }
    ]


def test_list_of_nothing_is_no_error(capsys):
    assert atlas.list_("transformer*") == 0
    assert capsys.readouterr().out.startswith("0 networks of 0 papers")


@pytest.mark.parametrize("name", registry.stored_facts())
def test_show_fits_the_width_and_cuts_nothing(name, capsys, columns):
    facts = registry.stored_facts()[name]
    for layers in (False, True):
        assert atlas.show(name, layers=layers) == 0
        text = capsys.readouterr().out
        assert max(len(line.rstrip()) for line in text.splitlines()) <= columns
        assert "…" not in text
        assert "\x1b" not in text
        words = " ".join(text.split())
        assert f"{facts['params']:,} parameters" in words
        assert f"{facts['macs']:,} MACs" in words
        assert facts["paper"]["title"] in words
        for key in ("silent", "departs", "elsewhere", "recipe", "results"):
            assert " ".join(facts["paper"][key].split()[-3:]) in words


def test_show_tells_the_printed_beside_the_measured(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    atlas.show("alexnet")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["units", "of", "conv2", "186,624", "186,624", "holds", '"'] in lines  # as above
    assert [
        "units",
        "of",
        "conv1",
        "253,440",
        "290,400",
        "erratum",
        "Figure",
        "2,",
        "caption",
    ] in lines
    assert ["conv2", "5x5", "256", "g2", "256x27x27", "307,456", "224", "M", "51"] in lines


@pytest.mark.parametrize("width", ["80", "90", "100"])
def test_a_layer_is_never_torn_apart(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    for name in ("resnet50", "mobilenet_v2"):
        atlas.show(name)
        text = capsys.readouterr().out
        layers = registry.describe(name)["layers"]
        lines = fold(map(Layer.from_row, layers["rows"]), layers["ends"])
        for word in {word for line in lines for word in line.made_of.split(", ")}:
            assert word in text


def test_show_folds_and_unfolds(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    atlas.show("resnet50")
    folded = capsys.readouterr().out
    atlas.show("resnet50", layers=True)
    rows = capsys.readouterr().out
    assert [line.split()[:2] for line in folded.splitlines() if line.startswith("  1-")] == [
        ["1-2", "x2"],
        ["1-3", "x3"],
        ["1-5", "x5"],
        ["1-2", "x2"],
    ]
    assert rows.count("Conv2d") == 53
    assert "0.branch.conv1.conv" in rows


def test_show_as_json(capsys):
    atlas.show("lenet5", json=True)
    assert json.loads(capsys.readouterr().out) == registry.stored_facts()["lenet5"]
    atlas.show("lenet5", json=True, layers=True)
    assert len(json.loads(capsys.readouterr().out)["layers"]["rows"]) == 13


def test_verify_one_network(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert atlas.verify("resnet50") == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith(
        "7 claims of resnet50: 7 hold, 0 are errata with their reason, 0 fail"
    )
    assert ["macs", "3.8e9", "3.86e9", "holds", "Table", "1,", "FLOPs"] in [
        line.split() for line in out.splitlines()
    ]


def test_verify_and_show_tell_where_a_claim_was_measured(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for command in (atlas.verify, atlas.show):
        assert command("mobilenet_v1") == 0
        lines = [line.split()[:8] for line in capsys.readouterr().out.splitlines()]
        assert ["macs", "at", "192x192", "418M", "418.1M", "holds", '"'] in lines
        assert ["params", "at", "120", "classes", "3.3M", "3.33M", "holds", "Table"] in lines
        assert ["share", "of", "macs", "of", "*.pw", "94.86%", "94.857%", "holds"] in lines


def test_verify_prints_every_erratum_with_its_reason(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    atlas.verify("alexnet")
    words = " ".join(capsys.readouterr().out.split())
    for claim in registry.entries()["alexnet"].claims:
        assert " ".join(claim.erratum.split()) in words


def test_verify_fails_on_a_false_claim(capsys, monkeypatch):
    entry = registry.entries()["lenet5"]
    false = replace(
        entry,
        claims=(
            Claim("params", "61,706", "nowhere", at="10 classes"),
            Claim("params", "1", "here", "C7"),
        ),
    )
    monkeypatch.setattr(registry, "entries", lambda: {"lenet5": false})
    assert atlas.verify("lenet5") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "FAILS lenet5: params at 10 classes, printed 61,706, measured 60,000 (nowhere)" in out
    assert "no part 'C7' runs" in out
    assert atlas.verify("lenet5", json=True) == 1
    assert json.loads(capsys.readouterr().out)["ledger"]["fails"] == 2


@pytest.mark.parametrize("command", [atlas.show, atlas.verify])
def test_an_unknown_name_offers_near_ones(command):
    with pytest.raises(registry.UnknownNetwork, match="did you mean resnet50"):
        command("resnet5O")


@pytest.mark.parametrize("call", ["list_()", "show('resnet50')", "show('resnet50', layers=True)"])
def test_list_and_show_never_load_torch(call):
    code = (
        f"import sys; from convatlas.cli import atlas; atlas.{call}; sys.exit(' '.join(name for "
        "name in ('torch', 'numpy', 'torchvision') if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_show_answers_at_once():
    def once() -> float:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from convatlas.cli import atlas; atlas.show('resnet50')"],
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.5
