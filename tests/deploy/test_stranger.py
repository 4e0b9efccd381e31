"""A stranger's way: the README's own lines, from a folder of photographs to an answer over HTTP,
typed in a shell that knows no more than a new account does; then those of docs/ship.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.models as tv
from PIL import Image
from skips import needs

import convatlas

pytestmark = needs(
    "the extras onnx and serve are not installed",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "starlette",
    "uvicorn",
)

ROOT = Path(__file__).parents[2]
COLOURS = {"apple": (200, 40, 30), "leaf": (40, 160, 50), "sky": (90, 150, 230)}
TRAIN = "convatlas train resnet18 --weights torchvision"
SHORTER = " --epochs 3 --size 64"  # than a stranger would train
ADDRESS = "http://127.0.0.1:8000"
PAGES = {name: f"docs/ship/{name}.md" for name in ("README", "onnx", "openvino", "pt2", "aoti")}


def lines(text: str) -> list[str]:
    """Those that are shown to be typed, without their comments."""
    return re.findall(r"^    ((?:convatlas|curl) .+?)(?:  +#.*)?$", text, re.MULTILINE)


def page(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


[SHIPPED] = re.findall(r"^## You ship it\n(.*?)^## ", page("README.md"), re.MULTILINE | re.DOTALL)
README = lines(SHIPPED)


class Account:
    """A new home with photographs in it, and a shell there."""

    def __init__(self, home: Path):
        self.home, self.shown = home, {}
        self.env = {
            "HOME": str(home),
            "PATH": os.pathsep.join([str(home / "bin"), "/usr/bin", "/bin"]),
            "PYTHONPATH": str(Path(convatlas.__file__).parents[1]),  # where it is installed
            "OMP_NUM_THREADS": "1",
        }
        (home / "bin").mkdir()
        command = home / "bin" / "convatlas"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m convatlas "$@"\n')
        command.chmod(0o755)
        dice = np.random.default_rng(0)
        for name in COLOURS:
            (home / "photos" / name).mkdir(parents=True)
            for i in range(12):
                photograph(name, dice).save(home / "photos" / name / f"{i}.jpg")
        photograph("leaf", dice).save(home / "new.jpg")
        torch.save(settled(tv.resnet18()).state_dict(), home / "resnet18.pth")

    def type(self, line: str) -> str:
        """What the line prints; a line that was typed before is not typed again."""
        if line not in self.shown:
            words = line
            if line.startswith(TRAIN):  # no network here: a file stands for what is downloaded
                words = line.replace("torchvision", "resnet18.pth") + SHORTER
            done = subprocess.run(
                ["sh", "-c", words], cwd=self.home, env=self.env, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            self.shown[line] = done.stdout
        return self.shown[line]

    def python(self, text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", text],
            cwd=self.home,
            env=self.env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


def photograph(name: str, dice: np.random.Generator) -> Image.Image:
    size = dice.integers(80, 160, 2)
    pixels = np.array(COLOURS[name]) + dice.normal(0, 30, (*size, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def settled(net: torch.nn.Module) -> torch.nn.Module:
    """With statistics that belong to its weights, as those of a trained network do."""
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        net(torch.randn(8, 3, 64, 64))
    return net


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    torch.manual_seed(0)
    return Account(tmp_path_factory.mktemp("home"))


class Served:
    """`convatlas serve`, on a port that is free."""

    def __init__(self, account: Account, line: str):
        self.account = account
        self.process = subprocess.Popen(
            [*shlex.split(line), "--port", "0"],
            cwd=account.home,
            env=account.env,
            stdout=subprocess.PIPE,
            text=True,
            executable=account.home / "bin" / "convatlas",
        )
        said = iter(self.process.stdout.readline, "")
        self.address = next(one.split()[-1] for one in said if one.startswith("listening on"))

    def curl(self, line: str) -> dict:
        """What the line gives; asked from here where there is no curl."""
        words = shlex.split(line.replace(ADDRESS, self.address))
        assert words[0] == "curl" and words[-1].startswith(self.address)
        assert words[1] == "--data-binary" and len(words) == 4
        body = (self.account.home / words[2].removeprefix("@")).read_bytes()
        asked = urllib.request.Request(words[-1], body)  # of the type that curl gives too
        with urllib.request.urlopen(asked, timeout=60) as answer:
            found = json.loads(answer.read())
        if any((Path(place) / "curl").exists() for place in ("/usr/bin", "/bin")):
            typed = subprocess.run(
                words, cwd=self.account.home, env=self.account.env, capture_output=True, check=True
            )
            assert json.loads(typed.stdout)["classes"] == found["classes"]
        return found

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.process.stdout.close()


def test_the_readme_shows_the_whole_way():
    assert [line.split()[:2] for line in README] == [
        ["convatlas", "train"],
        ["convatlas", "export"],
        ["convatlas", "serve"],
        ["curl", "--data-binary"],
    ]
    assert README[0].startswith(TRAIN)


def test_the_lines_of_the_readme_lead_from_photographs_to_an_answer(account):
    train, export, serve, curl = README
    assert "recipe: finetune" in account.type(train)
    assert "100.0 % the same answer" in account.type(export)
    served = Served(account, serve)
    try:
        found = served.curl(curl)
        maps = Path(f"/proc/{served.process.pid}/maps")
        assert not maps.exists() or "libtorch" not in maps.read_text()
    finally:
        served.close()
    told = json.loads(account.type("convatlas predict runs/tuned new.jpg --json"))["classes"]
    best = [one["class"] for one in told]
    assert sorted(best) == sorted(COLOURS) and found["classes"][: len(best)] == best
    shares = [one["probability"] for one in told]
    np.testing.assert_allclose(found["probabilities"][: len(best)], shares, atol=1e-4)


@pytest.mark.parametrize("name", PAGES)
def test_the_lines_of_a_page_can_be_typed(account, name):
    typed = [line for line in lines(page(PAGES[name])) if line not in README[2:]]
    account.type(README[0])
    assert typed and all(line.startswith("convatlas ") for line in typed)
    for line in typed:
        if "--to openvino" in line:
            pytest.importorskip("openvino", reason="the extra openvino is not installed")
        if "--to aoti" in line and not shutil.which("g++"):
            pytest.skip("g++ is not installed")
        account.type(line)


def test_the_guide_shows_the_lines_of_the_readme():
    assert [line for line in lines(page(PAGES["README"])) if line in README] == README


@pytest.mark.parametrize("name", ["onnx", "openvino", "pt2", "aoti"])
def test_a_file_is_read_by_its_engine_alone(account, name):
    """As the page shows it, and gives what `predict` gives."""
    if name == "openvino":
        pytest.importorskip(name, reason="the extra openvino is not installed")
    if name == "aoti" and not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    account.type(README[0])
    account.type(next(line for line in lines(page(PAGES[name])) if " export " in line))
    [block] = re.findall(r"```python\n(.*?)```", page(PAGES[name]), re.DOTALL)
    assert "import convatlas" not in block
    best, share = account.python(block).split()
    told = json.loads(account.type("convatlas predict runs/tuned new.jpg --json"))["classes"][0]
    assert best == told["class"]
    assert float(share) == pytest.approx(
        told["probability"], abs=0.1 if name == "openvino" else 1e-4
    )
