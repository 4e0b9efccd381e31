"""docs/habits.md: what stands in the right column is run, in the order of the page."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

import convatlas
from convatlas.cli import run as command

PAGE = (Path(__file__).parents[1] / "docs" / "habits.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<there>.+)` \| `(?P<here>.+)` \|$", re.MULTILINE)
ROOT = str(Path(convatlas.__file__).parents[1])
# of the page's left column what is installed here, needs no network and is no other program
THEIRS = re.compile(r"^(?:\w+ = )?(?:timm|torchvision|model|maps|\[stage)\b")


def rows(title: str) -> list[tuple[str, str]]:
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return ROW.findall(section)


SECTIONS = ("timm", "torchvision", "Hugging Face", "fastai", "Keras")
LONG = ("fastai", "Keras")  # they train more, and wait for `make test-all`


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all that the page takes for granted."""
    folder = tmp_path_factory.mktemp("habits")
    torch.manual_seed(0)
    for part, count in (("photos", 10), ("val", 1)):
        for name in ("goldfish", "hen"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                colours = (torch.rand(40, 40, 3) * 255).byte().numpy()
                Image.fromarray(colours).save(folder / part / name / f"{number}.png")
    Image.new("RGB", (60, 50), (200, 20, 20)).save(folder / "photo.jpg")
    convatlas.train(
        "modern",
        folder / "runs" / "mine",
        network="lenet_caffe",
        data="digits",
        epochs=1,
        callback=convatlas.Callback(),
    )
    return folder


@pytest.fixture
def published(place, monkeypatch):
    """Weights as if torchvision, timm and somebody on the hub had published them."""
    from torchvision.models import resnet18

    theirs = place / "resnet18.pth"
    if not theirs.exists():
        torch.save(resnet18().state_dict(), theirs)
        convatlas.push_to_hub(place / "runs" / "mine", "me/mine", folder=place / "hub")
    fetching = "convatlas.weights.fetching."
    monkeypatch.setattr(fetching + "_from_torchvision", lambda network, entry: theirs)
    monkeypatch.setattr(
        fetching + "_from_hub",
        lambda words: place / "hub" / "model.safetensors" if "me/mine" in words else theirs,
    )


@pytest.mark.parametrize(
    "title",
    [pytest.param(title, marks=[pytest.mark.full] * (title in LONG)) for title in SECTIONS],
)
@pytest.mark.usefixtures("published")
def test_what_is_typed_here_runs(place, title, monkeypatch, capsys):
    monkeypatch.chdir(place)
    scope = {
        "convatlas": convatlas,
        "torch": torch,
        "x": torch.rand(2, 3, 64, 64),
        "digits": torch.rand(2, 1, 28, 28),
        "net": convatlas.create_model("resnet18"),
        "convatlas_folder": ROOT,
    }
    assert rows(title)
    for _, here in rows(title):
        if here.startswith("convatlas "):
            assert command(shlex.split(here)[1:]) == 0, (here, capsys.readouterr().err)
        else:
            exec(here, scope)


@pytest.mark.full
@pytest.mark.parametrize("title", ["timm", "torchvision"])
def test_what_is_typed_there_runs_and_gives_the_same_shapes(place, title, monkeypatch):
    monkeypatch.chdir(place)
    timm, torchvision = pytest.importorskip("timm"), pytest.importorskip("torchvision")
    scope = {
        "timm": timm,
        "torchvision": torchvision,
        "torch": torch,
        "model": torchvision.models.resnet18(),
        "x": torch.rand(2, 3, 64, 64),
    }
    ran = 0
    for there, _ in rows(title):
        if THEIRS.match(there) and not re.search(r"pretrained=|weights=", there):
            exec(there, scope)
            ran += 1
    assert ran > 4


@pytest.mark.usefixtures("published")
def test_theirs_and_ours_answer_in_the_same_shape():
    timm = pytest.importorskip("timm")
    x = torch.rand(2, 3, 64, 64)
    theirs, ours = (
        library.create_model("resnet18", num_classes=0) for library in (timm, convatlas)
    )
    assert theirs(x).shape == ours(x).shape
    assert (theirs.num_features, theirs.num_classes) == (ours.num_features, ours.num_classes)


def test_the_examples_below_the_tables_run():
    code = re.search(r"## Embeddings.*?```python\n(.*?)```", PAGE, re.DOTALL)[1]
    images = torch.rand(2, 3, 64, 64)
    scope = {"convatlas": convatlas, "images": images}
    exec(code, scope)
    assert scope["net"](images).shape == (2, 7)
    assert scope["maps"].feature_info.reduction() == [4, 8, 16]


def test_every_row_of_a_table_is_read():
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(lines) == sum(len(rows(title)) for title in SECTIONS)
