"""list, show and verify as a person or a script meets them."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from networks import SMALLEST_OF_A_PAPER, first

from convatlas import registry
from convatlas.anatomy import Layer, fold
from convatlas.claim import Claim
from convatlas.cli import atlas, claims, run


@pytest.fixture(params=["80", "120"])
def columns(request, monkeypatch) -> int:
    monkeypatch.setenv("COLUMNS", request.param)
    return int(request.param)


def test_list_groups_networks_under_their_paper(capsys, columns):
    assert atlas.list_("resnet*", max_params=30e6, year=2016, family="resnet") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["network", "params", "MACs", "input"]
    assert lines[1].rstrip() == "2016  Deep Residual Learning for Image Recognition"
    assert lines[2].split() == ["resnet18_option_a", "11.5", "M", "1.79", "G", "3x224x224"]
    assert lines[-1].startswith("6 networks of 1 paper")


def test_the_whole_list_fits_and_wraps_no_row(capsys, columns):
    assert atlas.list_() == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= columns
    rows = {line.split()[0]: line for line in lines if line.startswith("      ")}
    for name, facts in registry.stored_facts().items():
        assert rows[name].endswith("x".join(map(str, facts["input_size"])))


def test_list_counts_the_papers_that_have_a_page(capsys):
    """A paper with two records, a conference's and a journal's, is one."""
    atlas.list_()
    pages = {facts["paper"]["page"] for facts in registry.stored_facts().values()}
    out = capsys.readouterr().out
    count = len(registry.stored_facts())
    assert out.splitlines()[-1].startswith(f"{count} networks of {len(pages)} papers")
    assert out.count("Squeeze-and-Excitation Networks") == 1


def names_listed(capsys, *words: str) -> set[str]:
    assert run(["list", *words, "--json"]) == 0
    return {row["name"] for row in json.loads(capsys.readouterr().out)}


def test_a_word_finds_every_name_that_contains_it(capsys):
    assert names_listed(capsys, "resnet") == {n for n in registry.stored_facts() if "resnet" in n}
    assert names_listed(capsys, "ResNet50", "--family", "resnet_v15") == {"resnet50_v15"}
    assert names_listed(capsys, "lenet*") == {
        "lenet1989",
        "lenet1989_zip",
        "lenet5",
        "lenet5_tutorial",
        "lenet5_tutorial_32",
        "lenet5_tutorial_max",
        "lenet_caffe",
    }


def test_a_word_that_no_name_contains_finds_titles_and_authors(capsys):
    assert "lenet5" in names_listed(capsys, "lecun")
    assert names_listed(capsys, "depthwise separable") == {"xception"}


def test_list_as_json(capsys):
    atlas.list_("lenet5", family="lenet5", json=True)
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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("transformer",), "there is no network called 'transformer'; `convatlas list` shows"),
        (("transformer*",), "no name fits 'transformer*'; `convatlas list` shows them all"),
        (("seresnet50",), "timm's seresnet50 is se_resnet50_v15 here"),
        (("--family", "resnets"), "there is no family 'resnets'; there are alexnet"),
        (("--year", "1999"), "leave one of the conditions out"),
    ],
    ids=" ".join,
)
def test_a_list_of_nothing_says_what_to_type(words, says, capsys):
    assert run(["list", *words]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err
    assert run(["list", *words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == []


@first(SMALLEST_OF_A_PAPER.values())
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
        "misprint",
        "Figure",
        "2,",
        "caption",
    ] in lines
    assert ["conv2", "5x5", "256", "g2", "256x27x27", "307,456", "224", "M", "51"] in lines


def test_show_puts_the_layers_before_the_long_texts(capsys, columns):
    atlas.show("alexnet")
    out = capsys.readouterr().out
    places = ["introduced", "\nlayer ", "\nconv1 ", "\nleft open", "\nclaim ", "\nmisprint "]
    found = [out.index(place) for place in places]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet50", "resnet50_v15: stride in the 3x3 convolution"),
        ("resnet50_v15", "other forms resnet50: as the paper prints it"),
        ("resnet18", "resnet18_option_a: shortcuts without parameters"),
        ("vgg16_bn", "other forms vgg16: as the paper prints it vgg16_bn_32: the widths"),
        ("mobilenet_v2", "mobilenet_v2_x0_35, mobilenet_v2_x0_5, mobilenet_v2_x0_75, mobilenet"),
        ("se_resnet50_post", "se_resnet50_pre: the gate before the branch"),
        ("resnet50", "torchvision's and timm's resnet50 is resnet50_v15 here"),
        ("senet154", "timm's senet154 is not this one: it pads its max pool by 1"),
        ("resnet50", "8 networks: convatlas list --family resnet"),
        ("lenet5", "classifies into 10 classes"),
    ],
)
def test_show_names_the_other_forms_and_who_else_is_called_so(name, says, capsys, columns):
    atlas.show(name)
    assert says in " ".join(capsys.readouterr().out.split())


def test_a_name_that_means_the_same_everywhere_gets_no_note(capsys):
    atlas.show("densenet121")
    assert "elsewhere  " not in capsys.readouterr().out


@pytest.mark.parametrize("width", ["40", "60"])
@pytest.mark.parametrize("layers", [False, True])
def test_a_narrow_terminal_loses_no_layer_and_no_figure(width, layers, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    facts = registry.describe("alexnet")
    atlas.show("alexnet", layers=layers)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= int(width)
    words = " ".join(out.split())
    for row in map(Layer.from_row, facts["layers"]["rows"]):
        is_border = row.kind == "ZeroPad2d"  # which folds into the convolution behind it
        assert (is_border and not layers) or ("x".join(map(str, row.output))) in words
        assert f"{row.params:,}" in words or not layers
    assert "290,400" in words  # the erratum's measured value
    atlas.list_("alexnet")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= int(width)


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
    assert claims.verify("resnet18") == 0
    out = capsys.readouterr().out
    own, others = out.rstrip().splitlines()[-2:]
    assert re.fullmatch(r"\d+ claims of resnet18: \d+ hold, 0 fail", own)
    assert others == "2 by others: 2 hold, 0 fail"
    assert ["macs", "1.8e9", "1.81e9", "holds", "Table", "1,", "FLOPs"] in [
        line.split() for line in out.splitlines()
    ]


def test_verify_and_show_tell_where_a_claim_was_measured(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for command in (claims.verify, atlas.show):
        assert command("mobilenet_v1") == 0
        lines = [line.split()[:8] for line in capsys.readouterr().out.splitlines()]
        assert ["macs", "at", "192x192", "418M", "418.1M", "holds", '"'] in lines
        assert ["params", "at", "120", "classes", "3.3M", "3.33M", "holds", "Table"] in lines
        assert ["share", "of", "macs", "of", "*.pw", "94.86%", "94.857%", "holds"] in lines


def test_verify_prints_every_remark(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    claims.verify("alexnet")
    words = " ".join(capsys.readouterr().out.split())
    for claim in registry.entries()["alexnet"].claims:
        assert claim.remark is None or " ".join(claim.remark.why.split()) in words


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
    assert claims.verify("lenet5") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "FAILS lenet5: params at 10 classes, printed 61,706, measured 60,000 (nowhere)" in out
    assert "no part 'C7' runs" in out
    assert claims.verify("lenet5", json=True) == 1
    assert json.loads(capsys.readouterr().out)["ledger"]["fails"] == 2


@pytest.mark.parametrize("command", [atlas.show, claims.verify])
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
