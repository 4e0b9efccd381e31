"""identify as a person or a script meets it."""

import csv
import io
import json

import pytest
import torch
from onnx_writer import LENET as ONNX_LENET
from onnx_writer import LENET_HELD, model
from sources import LENET, SMALL, written

from convatlas.cli import run
from convatlas.registry import create_model
from convatlas.weights import save_weights

pytestmark = pytest.mark.usefixtures("index")
TANH = LENET.replace("torch.sigmoid", "torch.tanh")


@pytest.fixture
def told(capsys, monkeypatch):
    """Exit code, standard output and standard error of words, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def told(*words: str) -> tuple[int, str, str]:
        code = run(["identify", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return told


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_told_in_eighty_columns(folder, told):
    written(folder, TANH, "mine.py")
    code, out, err = told("mine.py:Le")
    assert code == 1
    assert max(map(len, out.splitlines())) <= 80
    lines = out.splitlines()
    text = " ".join(out.split())
    assert text.startswith("mine.py:Le is lenet5_tutorial at 1x28x28 but for ")
    assert "tanh for sigmoid" in text.partition(" docs/")[0]
    assert "  docs/papers/lenet5_tutorial.md, `convatlas show lenet5_tutorial`" in lines
    assert lines[lines.index("activation") + 1].endswith(": sigmoid -> tanh")
    assert lines[-1].strip() == (
        "all of it: `convatlas identify 'mine.py:Le' --against lenet5_tutorial`"
    )
    assert err.startswith("note: identify runs the code that it is given")


def test_a_class_of_files_is_a_table(folder, told):
    """One row each; a bad file stops no other, and no cell is a formula."""
    written(folder, TANH, "=ada.py")
    written(folder, LENET, "bob.py")
    written(folder, "import sys\nsys.exit()", "carl.py")
    written(folder, "def f(:", "dora.py")
    (folder / "eve.onnx").write_bytes(model(ONNX_LENET, LENET_HELD, (1, 1, 28, 28)))
    code, out, _ = told("=ada.py", "bob.py", "carl.py", "dora.py", "eve.onnx", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["name"] for row in rows] == [
        *("'=ada.py:Le()", "bob.py:Le()", "carl.py", "dora.py", "eve.onnx"),
    ]
    assert [row["verdict"] for row in rows] == ["differs", "same", "unread", "unread", "same"]
    assert [row["network"] for row in rows] == [
        *("lenet5_tutorial", "lenet5_tutorial", "", "", "lenet5_tutorial"),
    ]
    assert rows[0]["activation"] == rows[0]["differences"] == "1"
    assert "sigmoid -> tanh" in rows[0]["what"]
    assert rows[2]["problem"].startswith("carl.py: it ends the program in line 2")
    assert rows[3]["problem"] == "dora.py: it is no Python that can be run: line 1: invalid syntax"
    assert code == 2


def test_json_holds_all_of_it(folder, told):
    written(folder, SMALL, "small.py")
    code, out, _ = told("small.py:seven", "--size", "3x32x32", "--json", "--against", "alexnet_owt")
    (record,) = json.loads(out)
    assert code == 1
    assert (record["name"], record["verdict"]) == ("small.py:seven", "another family")
    assert (record["network"], record["input"]) == ("alexnet_owt", [3, 32, 32])
    assert record["classes"] == 7
    assert {"group", "where", "printed", "found", "params", "macs"} <= {*record["differences"][0]}


def test_a_checkpoint_is_read_as_data(folder, told):
    net = create_model("squeezenet1_1", num_classes=4)
    save_weights(net, folder / "mine.safetensors")
    code, out, err = told("mine.safetensors")
    assert code == 0
    assert out.splitlines()[0] == "mine.safetensors holds the weights of squeezenet1_1"
    assert "names and shapes only: strides, padding and activations are" in out
    state = net.state_dict()
    state["fire2.squeeze.conv.weight"] = torch.zeros(17, 64, 1, 1)
    torch.save(state, folder / "other.pth")
    code, out, _ = told("other.pth")
    assert code == 1
    assert "17x64x1x1 instead of 16x64x1x1" in " ".join(out.split())
    (folder / "text.pth").write_text("hello")
    code, out, err = told("text.pth")
    assert (code, out) == (2, "")
    assert "text.pth is no checkpoint" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "what? `convatlas identify FILE.py:NAME`, FILE.onnx or a checkpoint"),
        (("gone.py",), "there is no file gone.py"),
        (("resnet18",), "resnet18 is a network of the atlas itself"),
        (("net.py", "--size", "big"), "--size big is no size; give 224 or 3x224x224"),
        (("net.py", "--size", "0"), "--size 0 is no size"),
        (("net.py", "--size", "3x32"), "--size 3x32 is no size"),
        (("net.py", "--against", "resnet17"), "there is no network called 'resnet17'"),
        (("net.py", "--seconds", "0"), "--seconds is how long a file's code may take, not 0"),
        (("net.py", "--seconds", "nan"), "--seconds is how long a file's code may take, not nan"),
    ],
)
def test_wrong_words_are_one_sentence(words, said, folder, told):
    code, out, err = told(*words)
    assert code == 2
    assert out == ""
    assert said in err
    assert [line for line in err.splitlines() if line.startswith("convatlas: ")] != []
