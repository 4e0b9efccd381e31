"""cost as a person or a script meets it."""

import json
import subprocess
import sys

import pytest

import convatlas
from convatlas.cli import run


@pytest.fixture
def told(capsys, monkeypatch):
    """What is printed, a line at a time, as words with single spaces."""

    def told(*words: str, columns: int = 200) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run(["cost", *words]) == 0
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return told


def test_one_network_by_kind_and_by_stage_and_in_words(told):
    lines = told("mobilenet_v1")
    assert lines[1].startswith("4,231,976 parameters, 568,740,352 MACs")
    text = " ".join(lines)
    assert "Of the multiply-adds 94.9 % are in 1x1 convolutions." in text
    assert "1x1 539 M 94.9 3.14 M 74.2 2.71 M 17.9 13" in lines
    assert "fc 1.02 M 0.2 1.02 M 24.2 1.00 k 0.0 1000" in lines
    assert lines.index("conv1 10.8 M 1.9 928 0.0 1.20 M 8.0 32x112x112") < lines.index(
        "(between) 1.02 k 0.0 1024"
    )


def test_the_classifier_of_vgg16_is_told(told):
    text = " ".join(told("vgg16"))
    assert (
        "For these 89.4 % of the parameters fully connected layers compute 0.8 % of the "
        "multiply-adds." in text
    )


def test_several_side_by_side(told):
    lines = told("mobilenet_v1", "mobilenet_v2")
    assert "1x1 94.9 89.1" in lines
    assert "in all 569 M 301 M" in lines
    assert (
        "mobilenet_v2 takes 0.53 of the multiply-adds and 0.83 of the parameters of mobilenet_v1, "
        "and 1.50 of its peak." in " ".join(lines)
    )


def test_guidelines_say_what_the_document_says(told):
    """The figures of docs/guidelines.md, which tests/test_lessons.py counts anew."""
    text = " ".join(told("resnet50", "shufflenet_v1_g3", "mobilenet_v1", "--guidelines"))
    assert "MAC 27.0 M of 36 1x1 convolutions, 1.11 times the least" in text
    assert "MAC 5.01 M of 31 convolutions in 3 groups" in text
    assert "mobilenet_v1 no convolution in groups, but for depthwise ones" in text
    assert "MAC = h w (c1 + c2) + c1 c2 >= 2 sqrt(h w B) + B / (h w)" in text


def test_json_holds_all_of_it(capsys):
    assert run(["cost", "lenet5", "vgg16", "--json"]) == 0
    one, other = json.loads(capsys.readouterr().out)
    assert (one["network"], other["network"]) == ("lenet5", "vgg16")
    assert other["macs"] == sum(kind["macs"] for kind in other["kinds"])
    assert other["guidelines"]["G3"] == {"unit": "conv3", "fragments": 3}
    assert one["words"].startswith("Of the multiply-adds")


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("words", [("inception_v3",), ("mobilenet_v3_large", "nin_imagenet")])
def test_it_fits_the_width(told, columns, words):
    assert max(map(len, told(*words, columns=columns))) <= columns


def test_an_unknown_name_is_one_sentence_with_the_nearest(capsys):
    assert run(["cost", "mobilnet_v1"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "mobilenet_v1" in said[0]
    assert run(["cost"]) == 2


def test_somebodys_code_is_counted(told, tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        "import torch.nn as nn\n\nclass Net(nn.Sequential):\n    def __init__(self, width=8):\n"
        "        super().__init__(nn.Conv2d(3, width, 3, groups=1), nn.ReLU(), nn.Flatten(),\n"
        "                         nn.LazyLinear(10))\n"
    )
    lines = told(f"{file}:Net(width=4)", "--size", "3x16x16")
    assert lines[0] == "Net, input 3x16x16"
    macs = 3 * 9 * 4 * 14 * 14 + 4 * 14 * 14 * 10
    assert f"{macs:,} MACs" in lines[1]


def test_another_size(told, capsys):
    assert told("resnet20_cifar", "--size", "64")[0] == "resnet20_cifar, input 3x64x64"
    assert run(["cost", "resnet20_cifar", "--size", "huge"]) != 0
    assert run(["cost", "vgg16", "--size", "3x8x8"]) != 0
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_no_torch():
    code = (
        "import sys, convatlas.cli as c; c.run(['cost', 'vgg16']); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_in_python_by_name_and_of_a_module():
    assert f"{convatlas.cost('mobilenet_v1').share('1x1'):.4f}" == "0.9486"
    large = convatlas.cost("resnet20_cifar", input_size=(3, 64, 64))
    assert large.input_size == (3, 64, 64)
    assert large.total.macs > convatlas.cost("resnet20_cifar").total.macs
    net = convatlas.create_model("lenet5")
    assert convatlas.cost(net).to_record() == convatlas.cost("lenet5").to_record()


def test_code_that_wants_arguments_is_asked_for_again_by_the_same_verb(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(
        "import torch.nn as nn\n\n\ndef net(classes):\n    return nn.Linear(1, classes)\n"
    )
    assert run(["cost", f"{file}:net"]) == 2
    assert f"give them: `convatlas cost '{file}:net(...)'`" in capsys.readouterr().err
