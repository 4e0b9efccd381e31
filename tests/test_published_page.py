"""docs/published_weights.md keeps its word: each command that it shows is run, offline, with files
that stand for the published ones.
"""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision.models as tv
from PIL import Image
from safetensors.torch import save_file

import convatlas
from convatlas.cli import run as command
from convatlas.weights import fetching

PAGE = (Path(__file__).parents[1] / "docs" / "published_weights.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^    convatlas (.+?)(?:  +#.*)?$", PAGE, re.MULTILINE)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SMALL = {"--size": "32", "--epochs": "1"}  # so that training is short


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The files that the page names; resnet18.pth has random weights."""
    folder, dice = tmp_path_factory.mktemp("page"), np.random.default_rng(0)
    torch.manual_seed(0)
    torch.save(tv.resnet18().state_dict(), folder / "resnet18.pth")
    (folder / "hub").mkdir()
    save_file(timm.create_model("resnet18").state_dict(), folder / "hub" / "model.safetensors")
    for top, names in (("photos", "ab"), ("val", ("tench", "n01443537"))):
        for name in names:
            (folder / top / name).mkdir(parents=True)
            for i in range(5 if top == "photos" else 1):
                pixels = dice.integers(0, 256, (40, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / top / name / f"{i}.png")
    for name in ("photo.jpg", "new.jpg"):
        Image.fromarray(dice.integers(0, 256, (50, 60, 3), dtype=np.uint8)).save(folder / name)
    return folder


@pytest.fixture(autouse=True)
def offline(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(fetching, "_from_torchvision", lambda *words: place / "resnet18.pth")
    monkeypatch.setattr(fetching, "_from_hub", lambda words: place / "hub" / "model.safetensors")


def test_the_page_shows_every_verb():
    assert {words.split()[0] for words in TYPED} == {"list", "predict", "eval", "train", "recipes"}


def test_each_command_of_the_page_runs(place, capsys):
    """One after the other, as they stand: the last one takes the run that an earlier one made."""
    for typed in TYPED:
        words = shlex.split(typed)
        if words[0] == "train":
            words += [word for flag in SMALL.items() if flag[0] not in words for word in flag]
        assert command(words) == 0, typed
        shown = capsys.readouterr()
        if words[:2] == ["predict", "resnet18"]:
            note = re.search(r"^    (note: .+)$", PAGE, re.MULTILINE)[1]
            assert ("hub:" in typed) or shown.err.startswith(note)
        if words[0] == "train":
            assert "recipe: finetune, built in" in shown.out
            assert "not from the file, as they were: fc.weight, fc.bias" in shown.out


def test_its_python_runs_and_prints(capsys):
    for text in PYTHON:
        exec(text, {"convatlas": convatlas})
    assert "conv1" not in capsys.readouterr().out
