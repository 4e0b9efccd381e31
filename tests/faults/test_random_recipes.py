"""Random recipes, right and wrong, through the real command line: each ends in an exit code that is
written down and in a sentence, and leaves nothing behind that is not its result.
"""

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convatlas.training import Recipe

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
FIELDS = {f.name: f for f in fields(Recipe)}
NETWORKS = [
    *["lenet1989", "lenet1989_zip", "lenet5", "lenet5_tutorial", "lenet_caffe"] * 3,
    *["mobilenet_v2_x0_35", "shufflenet_v2_x0_5", "resnet20_cifar", "squeezenet1_1", "nin_mnist"],
]
STRANGE = [
    "",
    "x" * 300,
    "a\nb",
    "[bold]x",
    "naïve",
    "../..",
    "$\\frac$",
    "-1",
    "%s",
    "\u202e",
    "~",
]
NUMBERS = [-1, 0, 1, 2, 3, 0.5, 1e-320, 1e308, float("nan"), float("inf"), 2**31, 10**12, "1", True]
CALM = {  # values that keep a run short where they are legal; of the other fields any will do
    "epochs": [1, 1, 1, 2],
    "batch_size": [600, 1131, 5000],
    "size": [0, 0, 28, 32],
    "sizes": [(), (28, 32), (40,)],
    "lr": [1e-3, 0.05, 1e-9],
    "workers": [0, 0, 1, 2],
    "threads": [0, 1],
    "device": ["auto", "cpu"],
    "warmup_epochs": [0.0, 0.5, 1.0],
    "weights": ["", "missing.pth", "noise.pth", "photos"],
    "freeze": [(), ("c1",), ("conv1",), ("nothing",)],
    "test_crops": ["center", "center", "10"],
    "test_sizes": [(), (40,)],
    "save_every": [0.0, 0.5, 15.0],
    "timeout": [600.0, 30.0],
    "data_root": ["data", "elsewhere"],
    "source": ["", "timm", "nobody"],
    "compile": [False],  # a compiler takes its time
    "download": [False],  # and a network another's
    "ema": [0.0, 0.9],
    "seed": [0, 1, 2**31 - 1],
}
ABSENT = ("network", "data", "download", "compile", "remote_sync")  # the last asks a network
ODD_CLASSES = ["cat", "[red]", "$a$", "ç né", "-dash", "a,b", "100%", "猫"]
ENDING = {".png": "PNG", ".jpg": "JPEG", ".bmp": "BMP", ".webp": "WEBP", ".tif": "TIFF"}


def values_of(name: str, dice: random.Random):
    """A value of a field: mostly one that is allowed by itself, sometimes anything."""
    field = FIELDS[name]
    if dice.random() < 0.12:
        wild = [*STRANGE, *NUMBERS]
        some = tuple(dice.choice(NUMBERS[:8]) for _ in range(dice.randrange(4)))
        return dice.choice([dice.choice(wild), some])
    if name in CALM:
        return dice.choice(CALM[name])
    if " | " in field.metadata["allowed"] or field.metadata["allowed"].startswith(" | "):
        return dice.choice(field.metadata["allowed"].split(" | "))
    if field.type is bool:
        return dice.random() < 0.7
    legal = [value for value in (0, 1, 2, 0.1, 0.5, 0.9, 1e-3, 4) if _allowed(name, value)]
    pairs = [pair for pair in ((0.5, 1.0), (1.0,), (5.0,), (32,), (32, 40)) if _allowed(name, pair)]
    return dice.choice(legal or pairs or [field.default])


def _allowed(name: str, value) -> bool:
    try:
        Recipe.from_toml(f"{name} = {_toml(value)}")
    except ValueError as error:
        return "has no effect" in str(error)
    return True


def _toml(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def recipe_of(dice: random.Random, photos: bool) -> dict:
    given = {"network": dice.choice(NETWORKS) if dice.random() < 0.95 else dice.choice(STRANGE)}
    names = [name for name in FIELDS if name not in ABSENT]
    given |= {name: values_of(name, dice) for name in dice.sample(names, dice.randrange(1, 6))}
    given.setdefault("epochs", 1)
    given.setdefault("batch_size", dice.choice([4, 8, 16] if photos else CALM["batch_size"]))
    given.setdefault("warmup_epochs", 0.5)
    given["data"] = dice.choice(["photos"] * 9 + ["missing"]) if photos else "digits"
    if not given["network"].startswith("lenet"):  # at the paper's size a step would take minutes
        given["size"] = given["size"] if given.get("size") in (28, 32, -1, 10**12) else 32
    if not photos and given["batch_size"] not in (-1, 10**12, *CALM["batch_size"]):
        given["batch_size"] = 1131
    return mended(given) if dice.random() < 0.5 else given


def mended(given: dict) -> dict:
    """Without the fields that make the recipe wrong."""
    given = dict(given)
    while True:
        try:
            Recipe(**given)
        except ValueError as error:
            wrong = [
                name for name in given if re.match(rf"(the second value of )?{name}\b", str(error))
            ]
            if not wrong:
                return given
            del given[wrong[0]]
        else:
            return given


def as_words(given: dict, dice: random.Random, folder: Path) -> list[str]:
    """The recipe as flags or as a file, or some of each."""
    given = dict(given)
    words = ["train", "--output", "run"]
    if dice.random() < 0.5:
        flags = {name: given.pop(name) for name in dice.sample(sorted(given), len(given) // 3)}
        lines = [f"{name} = {_toml(value)}" for name, value in given.items()]
        (folder / "mine.toml").write_text("\n".join(lines), encoding="utf-8")
        words += ["--recipe", "mine.toml"]
    else:
        flags = given
    network = flags.pop("network", None)
    for name, value in flags.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, (tuple, list)):
            words += [flag, *map(str, value)] if value else []
        else:
            words.append(f"{flag}={value}")
    return words[:1] + ([network] if network else []) + words[1:]


def fill(folder: Path, dice: random.Random) -> tuple[int, bool]:
    """A folder of images with odd names; how many there are, and whether one is broken."""
    noise, count = np.random.default_rng(dice.randrange(1000)), 0
    for name in dice.sample(ODD_CLASSES, dice.randrange(2, 4)):
        (folder / name).mkdir(parents=True)
        for i in range(dice.randrange(8, 16)):
            ending = dice.choice(sorted(ENDING))
            shape = (dice.randrange(1, 40), dice.randrange(20, 60), 3)[: dice.choice([2, 3])]
            pixels = noise.integers(0, 256, shape, dtype=np.uint8)
            file = folder / name / f"{dice.choice(['', ' ', 'é', '%d', '[x]'])}{i}{ending}"
            Image.fromarray(pixels).save(file, ENDING[ending])
            count += 1
    broken = dice.random() < 0.1
    if broken:
        (folder / name / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    if dice.random() < 0.3:
        (folder / name / "notes.txt").write_text("no image")
        (folder / ".DS_Store").write_bytes(b"x")
    return count + broken, broken


@pytest.fixture(scope="module")
def warmed():
    script = Path(__file__).with_name("forking.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()


def outcome(warmed, folder: Path, words: list[str]) -> dict:
    warmed.stdin.write(json.dumps({"words": words, "folder": str(folder)}) + "\n")
    warmed.stdin.flush()
    return json.loads(warmed.stdout.readline())


@pytest.mark.parametrize(
    "seed", [*range(25), *(pytest.param(n, marks=pytest.mark.full) for n in range(25, 300))]
)
def test_a_random_recipe_ends_in_a_sentence_and_leaves_nothing_behind(warmed, seed, tmp_path):
    """Each trains for a second or more: the first of three hundred, which `make test-all` takes."""
    dice = random.Random(seed)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "noise.pth").write_bytes(dice.randbytes(500))
    photos = dice.random() < 0.7
    images, broken = fill(tmp_path / "photos", dice) if photos else (1797, False)
    words = as_words(recipe_of(dice, photos), dice, tmp_path)
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    found = outcome(warmed, tmp_path, words)
    out, err = ((tmp_path / name).read_text(errors="replace") for name in ("stdout", "stderr"))
    case = f"{words}\n{(tmp_path / 'mine.toml').read_text() if '--recipe' in words else ''}\n{err}"
    assert found["code"] in (0, 1, 2, 75), case
    assert "Traceback" not in err and "(--debug shows where)" not in err, case
    assert not found["left"], case
    last = err.strip().splitlines()[-1] if err.strip() else ""
    assert found["code"] == 0 or (last.startswith("convatlas: ") and len(last) > 30), case
    run = tmp_path / "run"
    after = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    new = {path for path in after if path not in before and run not in path.parents}
    assert {path.name for path in new} <= {"stdout", "stderr"}, case
    assert not list(run.rglob(".tmp-*")), case
    assert (run / "metrics.json").exists() == (found["code"] == 0), case
    if found["code"] == 0:
        told = re.search(r"images: ([\d,]+) to train, ([\d,]+) to validate, ([\d,]+) to test", out)
        used = sum(int(number.replace(",", "")) for number in told.groups())
        skipped = json.loads((run / "metrics.json").read_text())["skipped"]
        assert used + len(skipped) == images, case
        assert not broken or (skipped and "broken.png" in err), case


def test_the_sample_has_runs_that_end_well_and_wrong_ones_of_each_kind():
    """Else the test above would say little: of its recipes some are right, some wrong by
    themselves.
    """
    right = wrong = 0
    for seed in range(300):
        dice = random.Random(seed)
        given = recipe_of(dice, dice.random() < 0.7)
        try:
            Recipe.from_toml("\n".join(f"{name} = {_toml(value)}" for name, value in given.items()))
            right += 1
        except ValueError:
            wrong += 1
    assert right > 60
    assert wrong > 60
