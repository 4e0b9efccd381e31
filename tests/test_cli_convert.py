"""convert as a person starts it."""

import re

import pytest
import torch
from program import convatlas

from convatlas.registry import create_model


def test_convert_there_and_back(tmp_path):
    import torchvision.models as tv

    torch.manual_seed(0)
    state = tv.squeezenet1_1(num_classes=4).state_dict()
    torch.save(state, tmp_path / "squeezenet1_1.pth")
    made = convatlas(
        "convert", tmp_path / "squeezenet1_1.pth", "--network", "squeezenet1_1", cwd=tmp_path
    )
    assert (made.returncode, made.stderr) == (0, "")
    lines = made.stdout.splitlines()
    assert (
        lines[0]
        == "squeezenet1_1 holds torchvision's squeezenet1_1: 52 tensors of squeezenet1_1.pth"
    )
    assert lines[-1] == "wrote squeezenet1_1.safetensors"
    back = convatlas(
        "convert",
        "squeezenet1_1.safetensors",
        "--network",
        "squeezenet1_1",
        "--to",
        "torchvision",
        cwd=tmp_path,
    )
    assert "answers as recorded, within " in back.stdout
    returned = torch.load(tmp_path / "squeezenet1_1-torchvision.pth")
    assert returned.keys() == state.keys()
    assert all(torch.equal(returned[name], state[name]) for name in state)
    again = convatlas(
        "convert",
        "squeezenet1_1.safetensors",
        "--network",
        "squeezenet1_1",
        "--to",
        "torchvision",
        cwd=tmp_path,
    )
    assert again.returncode == 1
    assert again.stderr == "convatlas: squeezenet1_1-torchvision.pth exists; give another name\n"
    assert {path.name for path in tmp_path.iterdir()} == {
        "squeezenet1_1.pth",
        "squeezenet1_1.safetensors",
        "squeezenet1_1-torchvision.pth",
    }


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ["none.pth", "--network", "vgg11"],
            1,
            "cannot read none.pth (No such file or directory); check the path",
        ),
        (
            ["none.pth", "--network", "vgg12"],
            2,
            "there is no network called 'vgg12'; did you mean vgg",
        ),
        (
            ["junk.pth", "--network", "vgg11"],
            1,
            "junk.pth is no checkpoint; give a .safetensors file or a state_dict",
        ),
    ],
)
def test_convert_refuses_in_one_sentence(tmp_path, words, code, sentence):
    (tmp_path / "junk.pth").write_text("<html>not found</html>" * 9)
    done = convatlas("convert", *words, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith(f"convatlas: {sentence}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["train", "lenet5_tutorial", "--epochs", 1, "--output", "run", "--weights", "w.pth"],
        ["convert", "w.pth", "--network", "lenet5_tutorial"],
    ],
    ids=lambda words: words[0],
)
def test_the_remedy_of_a_refused_checkpoint_can_be_typed(tmp_path, words):
    torch.save(create_model("lenet5_tutorial").state_dict(), tmp_path / "w.pth")
    refused = convatlas(*words, cwd=tmp_path)
    assert refused.returncode == 1
    flag = re.search(r"--source \S+(?=\))", refused.stderr)[0].split()
    done = convatlas(*words, *flag, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "lenet5_tutorial holds lenet5_tutorial: 10 tensors of w.pth" in done.stdout
