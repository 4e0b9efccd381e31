"""diff as a person or a script meets it: what each pair of names that people confuse must tell."""

import json
import re
from functools import cache

import pytest

from convatlas import registry
from convatlas.anatomy import Difference
from convatlas.cli import differences, run

PAIRS = (
    ("resnet50", "resnet50_v15"),
    ("inception_resnet_v2", "inception_resnet_v2_released"),
    ("shufflenet_v1_g3", "shufflenet_v1_g8"),
    ("alexnet", "alexnet_owt"),
    ("vgg16", "vgg16_bn"),
    ("resnet50", "se_resnet50"),
    ("squeezenet1_0", "squeezenet1_0_simple_bypass"),
    ("efficientnet_b0", "efficientnet_b0_torchvision"),
    ("densenet121", "densenet121_checkpointed"),
)


@cache
def found(a: str, b: str) -> Difference:
    return differences.compared(a, b)


@pytest.fixture
def told(capsys, monkeypatch):
    """What is printed of a pair behind the sentences that sum it up, a line at a time, as words
    with single spaces.
    """

    def told(a: str, b: str, columns: int = 300) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        assert differences.tell(found(a, b)) == 0
        lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
        return lines if found(a, b).same else lines[lines.index("") + 1 :]

    return told


def test_the_stride_of_resnet50_v15(told):
    lines = told("resnet50", "resnet50_v15")
    assert lines[1:4] == [
        "A resnet50 3x224x224 25,557,032 3,857,973,248",
        "B resnet50_v15 3x224x224 25,557,032 4,089,184,256",
        "B - A +0 +231,211,008",
    ]
    assert lines[6:9] == [
        "conv3-5_x.0 (x3)",
        "branch.conv1 1x1 conv stride 2 stride 1 +231 M",
        "branch.conv2 3x3 conv stride 1 stride 2",
    ]
    assert lines[9] == ""


def test_the_release_of_inception_resnet_v2(told):
    lines = told("inception_resnet_v2", "inception_resnet_v2_released")
    assert "stem | conv_2b, pool_3a, conv_4a, pool_5a, mixed_5b" in lines
    assert (
        "conv_4a - 1x1 conv 80, batch norm, relu, 3x3 conv 192, batch norm, relu +143,904 +724 M"
        in lines
    )
    units = lines.index("inception_resnet_a.0-4 | repeat.0-4 (x5)")
    assert lines[units + 1 : units + 3] == [
        "branches.branch1-3.conv1 1x1 conv reads 384 reads 320 -30,720 -37.6 M",
        "linear 1x1 conv 384 channels 320 channels -41,280 -50.2 M",
    ]
    branches = "1x1 conv 192 (x2), 1x3 conv 224, 3x1 conv 256, concat, 1x1 conv 2080"
    for more in (
        "repeat.5-9 (x5) -",
        "repeat_1.10-19 (x10) -",
        f"repeat_2.5-8 (x4) - {branches}, scale 0.2, add +",
        f"block8 - {branches}, add +",
        "conv_7b - 1x1 conv 1536, batch norm, relu +3,197,952 +204 M",
        "fc linear reads 2144 reads 1536 -608,000 -608 k",
    ):
        assert any(line.startswith(more) for line in lines)


def test_the_groups_of_shufflenet(told):
    lines = told("shufflenet_v1_g3", "shufflenet_v1_g8")
    units = lines.index("Stage3.1-7 (x7)")
    assert lines[units + 1 : units + 5] == [
        (
            "branch.gconv1 1x1 conv + norm 120 channels, 3 groups 192 channels, 8 groups -4,368 "
            "-1.05 M"
        ),
        "branch.shuffle channel shuffle 3 groups 8 groups",
        "branch.dwconv 3x3 depthwise conv + norm 120 channels 192 channels +5,544 +889 k",
        (
            "branch.gconv2 1x1 conv + norm 480 channels, 3 groups 768 channels, 8 groups -1,344 "
            "-1.05 M"
        ),
    ]
    assert "FC linear reads 960 reads 1536 +576,000 +576 k" in lines
    assert not any(line.startswith(("Conv1", "MaxPool")) for line in lines)


def test_the_one_tower_of_alexnet(told):
    lines = told("alexnet", "alexnet_owt")
    start = lines.index(
        "conv1 11x11 conv padding bottom 3 right 3, 96 channels padding 2, 64 channels -11,648 "
        "-35.1 M"
    )
    assert lines[start + 1 : start + 8] == [
        "norm1-2 (x2) local response norm -",
        "conv2 5x5 conv 256 channels, 2 groups 192 channels, 1 group -64",
        "conv3 3x3 conv reads 256 reads 192 -221,184 -37.4 M",
        "conv4 3x3 conv 384 channels, 2 groups 256 channels, 1 group +221,056 +37.4 M",
        "conv5 3x3 conv 2 groups 1 group +147,456 +24.9 M",
        "fc6-7 (x2)",
        "dropout order of dropout 0.5 after relu first",
    ]


def test_the_norms_of_vgg16_bn(told):
    lines = told("vgg16", "vgg16_bn")
    assert lines[6:8] == [
        "conv1.conv1_1-2, conv2.conv2_1-2, conv3.conv3_1-3, conv4.conv4_1-3, conv5.conv5_1-3 (x13)",
        "bn - batch norm +8,448",
    ]
    assert lines[8] == ""


def test_the_gates_of_se_resnet50(told):
    lines = told("resnet50", "se_resnet50")
    assert lines[6:9] == [
        "pool1 3x3 max pool padding 1, rounds down padding 0, rounds up",
        "conv2_x.0-2 (x3)",
        (
            "branch.se - global average, linear 16, relu, linear 256, sigmoid, multiply +25,392 "
            "+24.6 k"
        ),
    ]
    assert [line for line in lines if "(x" in line] == [
        "conv2_x.0-2 (x3)",
        "conv3_x.0-3 (x4)",
        "conv4_x.0-5 (x6)",
        "conv5_x.0-2 (x3)",
    ]


def test_the_bypasses_of_squeezenet(told):
    lines = told("squeezenet1_0", "squeezenet1_0_simple_bypass")
    assert lines[6:8] == ["fire3, fire5, fire7, fire9 (x4) - add", ""]


def test_the_padding_and_epsilon_of_torchvisions_efficientnet(told):
    lines = told("efficientnet_b0", "efficientnet_b0_torchvision")
    assert lines[6:8] == [
        "stage1",
        "conv 3x3 conv padding bottom 1 right 1 padding 1",
    ]
    assert lines[10:12] == [
        "stage4.0, stage7.0 (x2)",
        "layers.depthwise 5x5 depthwise conv padding top 1 bottom 2 left 1 right 2 padding 2",
    ]
    assert lines[12].endswith(
        "batch norm (x49) eps 0.001, in training momentum 0.01 eps 1e-05, in training momentum 0.1"
    )


def test_a_form_that_only_trains_otherwise_says_so_and_quotes_its_paper(told):
    lines = told("densenet121", "densenet121_checkpointed")
    assert lines[5] == (
        "Every step agrees: densenet121 and densenet121_checkpointed compute the same in "
        "evaluation. They differ in training, or in name only."
    )
    introduced = registry.describe("densenet121_checkpointed")["paper"]["introduced"]
    assert f"introduced: {introduced}" in lines


def test_a_network_and_itself(told):
    assert told("lenet5", "lenet5")[5:] == ["lenet5 is compared with itself: every step agrees."]


@pytest.mark.parametrize(("a", "b"), [*PAIRS, ("lenet5", "efficientnet_b7")])
@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_width_and_cuts_nothing(a, b, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    differences.tell(found(a, b))
    text = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= columns
    assert "…" not in text and "\x1b" not in text
    for block in found(a, b).blocks:
        for change in block.changes:
            assert not change.params or f"{change.params:+,}" in text
            told = " ".join((*block.where, change.inside, change.what, change.a, change.b))
            assert all(word in text for word in re.split(r"[\s._]+", told))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_lines_add_up(a, b):
    changes = [change for block in found(a, b).blocks for change in block.changes]
    facts = registry.stored_facts()
    assert sum(change.params for change in changes) == facts[b]["params"] - facts[a]["params"]
    assert sum(change.macs for change in changes) == facts[b]["macs"] - facts[a]["macs"]


def test_as_json(capsys):
    assert run(["diff", "squeezenet1_0", "squeezenet1_0_simple_bypass", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["same"], told["params"], told["macs"]) == (False, 0, 0)
    assert told["a"] == {
        "name": "squeezenet1_0",
        "input_size": [3, 227, 227],
        "params": 1248424,
        "macs": 832667936,
    }
    added = {
        "group": "structure",
        "inside": "",
        "what": "",
        "a": "-",
        "b": "add",
        "steps": ["add"],
        "times": 4,
        "params": 0,
        "macs": 0,
    }
    assert told["layers"] == [
        {
            "places": [{"a": fire, "b": fire} for fire in ("fire3", "fire5", "fire7", "fire9")],
            "changes": [added],
        }
    ]


def test_the_command_answers_and_does_not_fail_on_a_difference(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["diff", "lenet5", "lenet5_tutorial"]) == 0
    assert "squash" in capsys.readouterr().out
    assert run(["diff", "lenet5", "lenet5"]) == 0


@pytest.mark.parametrize("words", [["resnet5O", "lenet5"], ["lenet5", "resnet5O"]])
def test_an_unknown_name_offers_near_ones(words, capsys):
    assert run(["diff", *words]) == 2
    assert "there is no network called 'resnet5O'; did you mean resnet50" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (
            *("resnet50", "resnet50_v15"),
            "Beside resnet50, resnet50_v15 takes 1.06 times the multiply-adds and as many "
            "parameters. The largest change: conv3-5_x.0, branch.conv1: 1x1 conv: stride 2 -> "
            "stride 1 (+231,211,008 multiply-adds). There are 2 changes in all, all in structure.",
        ),
        (
            *("vgg16", "vgg16_bn"),
            "Beside vgg16, vgg16_bn takes as many multiply-adds and 8,448 more parameters. The "
            "largest change: conv1.conv1_1-2, conv2.conv2_1-2 and others, bn: nothing -> batch "
            "norm (+8,448 parameters). Nothing else differs.",
        ),
        (
            *("densenet121", "densenet121_checkpointed"),
            "densenet121_checkpointed computes the same as densenet121 in evaluation.",
        ),
    ],
)
def test_a_sentence_sums_it_up(capsys, a, b, sentence):
    assert found(a, b).summary == sentence
    if not found(a, b).same:
        differences.tell(found(a, b))
        assert " ".join(capsys.readouterr().out.split()).startswith(sentence)


def test_three_networks_are_a_table_of_steps(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["diff", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert " ".join(lines[:2]) == (
        "From mobilenet_v1 to mobilenet_v3_large in 2 steps: 0.38 times the multiply-adds and 1.30 "
        "times the parameters. The step from mobilenet_v1 to mobilenet_v2 saves most: 268 M "
        "multiply-adds."
    )
    assert "mobilenet_v1 3x224x224 4.23 M 569 M" in lines
    assert "mobilenet_v2 3x224x224 3.50 M 301 M -727 k -268 M 43" in lines
    assert lines[-1] == "convatlas diff mobilenet_v1 mobilenet_v2 tells all of a step"


def test_steps_as_json_are_a_list_of_differences(capsys):
    assert run(["diff", "vgg11", "vgg13", "vgg16", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)
    assert [(step["a"]["name"], step["b"]["name"]) for step in steps] == [
        ("vgg11", "vgg13"),
        ("vgg13", "vgg16"),
    ]
    assert (
        sum(step["params"] for step in steps) == steps[1]["b"]["params"] - (steps[0]["a"]["params"])
    )


@pytest.mark.parametrize("columns", [40, 80])
def test_steps_fit_the_width(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["diff", "alexnet", "mobilenet_v3_large", "densenet121"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns
