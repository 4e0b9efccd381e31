"""answers.csv: what a run answered for each test image, and that nobody else wrote it."""

import csv
import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from short_runs import SMALL

from convatlas import strict_json
from convatlas.cli import run as convatlas
from convatlas.data import Loader, Preprocess
from convatlas.data.split import ArraySplit
from convatlas.errors import RunError
from convatlas.evaluation import MultiCrop, Noting, evaluate
from convatlas.finished_run import measure, open_run
from convatlas.training import train
from convatlas.training.answers_file import HEADER, fault_of, read_answers, text_of
from convatlas.training.callbacks import Callback

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def run(whole):
    """(folder, what metrics.json holds)"""
    return whole, json.loads((whole / "metrics.json").read_text())


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run[0], tmp_path / "run")


def test_each_test_image_has_a_line_with_what_the_kept_network_answers(run):
    folder, metrics = run
    content = (folder / "answers.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == metrics["answers"]
    rows = list(csv.reader(content.decode().splitlines()))
    assert rows[0] == HEADER
    saved, _, images = open_run(folder)
    split = images.of("test")
    x = saved.preprocess.normalise(saved.preprocess.fit_images(split.images))
    shares = saved.net(x).detach().double().softmax(1)
    for name, label, share, row in zip(
        split.names, split.labels.tolist(), shares, rows[1:], strict=True
    ):
        assert row[:3] == [name, str(label), str(int(share.argmax()))]
        assert [float(text) for text in row[3:]] == pytest.approx(
            [float(share.max()), float(share[label])], abs=2e-6
        )


def test_the_answers_are_those_that_metrics_json_counts(run):
    folder, metrics = run
    found = read_answers(folder, metrics)
    assert found.images[0].startswith("digits/")
    assert found.right.sum() == metrics["test"]["correct"]
    counted = np.zeros((10, 10), int)
    np.add.at(counted, (found.classes, found.answers), 1)
    assert counted.tolist() == metrics["confusion"]
    wrong = ~found.right
    assert (found.probability[found.right] == found.confidence[found.right]).all()
    assert (found.probability[wrong] <= found.confidence[wrong]).all()


def test_a_run_of_an_older_version_has_none(run, copy):
    (copy / "answers.csv").unlink()
    older = {name: value for name, value in run[1].items() if name != "answers"}
    assert read_answers(copy, older) is None


# ---- damaged and hostile


def rewritten(content: bytes) -> dict:
    """Metrics that vouch for the content, as somebody who knows how to write them would."""
    return {
        "answers": hashlib.sha256(content).hexdigest(),
        "classes": ["a", "b"],
        "test": {"count": 2, "correct": 1},
    }


GOOD = b"image,class,answer,confidence,probability\nx,0,0,1.000000,1.000000\ny,1,0,0.75,0.25\n"
GOOD = GOOD.replace(b"0.75,0.25", b"0.750000,0.250000")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"image,", b"picture,"),
        (b"y,1", b"x,1"),  # an image twice
        (b"y,1,0", b"y,1,2"),  # a class that there is not
        (b"y,1,0", b"y,-1,0"),
        (b"y,1,0", b"y,\xd9\xa1,0"),  # an Arabic one
        (b"y,1,0", b"y,1,1"),  # both right, and one was
        (b"0.750000", b"1.750000"),
        (b"0.750000", b"nan"),
        (b"0.750000", b"0.7500000"),
        (b"0.250000\n", b"0.250000,1\n"),
        (b"0.250000\n", b"0.250000\n\n"),
        (b"y,1,0,0.750000,0.250000\n", b""),
        (b"y,", b'"y,'),
        (b"y,", b"\xff,"),
        (GOOD, b""),
    ],
)
def test_what_no_run_writes_is_refused_in_a_sentence(tmp_path, before, after):
    (tmp_path / "answers.csv").write_bytes(GOOD)
    assert read_answers(tmp_path, rewritten(GOOD)).images == ("x", "y")
    bad = GOOD.replace(before, after)
    assert bad != GOOD
    (tmp_path / "answers.csv").write_bytes(bad)
    with pytest.raises(RunError, match=r"it is not what a run writes\); copy it again") as caught:
        read_answers(tmp_path, rewritten(bad))
    assert str(caught.value).count("\n") == 0


@given(st.binary(max_size=200))
def test_bytes_are_answers_or_a_run_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("any")
    (folder / "answers.csv").write_bytes(content)
    with pytest.raises(RunError):
        read_answers(folder, rewritten(content))


@pytest.mark.parametrize("remove", [True, False])
def test_eval_says_where_answers_are_gone_or_changed(run, copy, capsys, remove):
    path = copy / "answers.csv"
    assert measure(copy).notes == ()
    content = path.read_bytes()
    if remove:
        path.unlink()
    else:
        path.write_bytes(content.replace(b",1,", b",2,", 1))
    assert convatlas(["eval", str(copy)]) == 0
    said = capsys.readouterr().out
    reason = "No such file" if remove else "its sha256 is not that of metrics.json"
    assert f"note: {path} is of no use ({reason}" in said
    (copy / "metrics.json").unlink()  # the remedy
    train(SMALL, copy, resume=True, callback=Callback())
    assert path.read_bytes() == content
    assert fault_of(copy) == ""


def test_a_link_in_the_place_of_the_answers_is_not_followed(copy, tmp_path):
    (tmp_path / "theirs").write_bytes((copy / "answers.csv").read_bytes())
    (copy / "answers.csv").unlink()
    (copy / "answers.csv").symlink_to(tmp_path / "theirs")
    assert "it is a link where a file should be" in fault_of(copy)


# ---- names, crops, odd outputs


def test_names_that_would_command_a_terminal_or_a_spreadsheet_are_escaped(tmp_path):
    for label in ("=1+1", "b"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(8):
            Image.new("L", (28, 28), 20 * i).save(tmp_path / "set" / label / f"{i},\n\x1b.png")
    recipe = SMALL.change(data=str(tmp_path / "set"), batch_size=4, epochs=1)
    metrics = train(recipe, tmp_path / "run", callback=Callback())
    found = read_answers(tmp_path / "run", metrics)
    assert len({*found.images}) == metrics["test"]["count"] == len(found.images)
    assert all(name.startswith(("'=1+1/", "b/")) for name in found.images)
    assert all(name.endswith(r",\n\x1b.png") for name in found.images)


@pytest.mark.parametrize(
    "alike", [("a\n", r"a\n"), ("=a", "'=a"), ("x" * 3001, "x" * 1500 + "y" + "x" * 1500)]
)
def test_names_that_are_written_alike_are_numbered_and_read_again(tmp_path, alike):
    content = text_of(alike, np.array([0, 1]), np.array([[0, 10**6, 10**6], [0, 750_000, 250_000]]))
    (tmp_path / "answers.csv").write_bytes(content)
    found = read_answers(tmp_path, rewritten(content))
    assert [name.partition(" ")[0] for name in found.images] == ["0", "1"]


@pytest.mark.parametrize("views", [None, MultiCrop("10", (20,)), MultiCrop("dense", (20,))])
@pytest.mark.parametrize("batch", [3, 64])
def test_what_is_noted_adds_up_to_what_is_counted_for_any_crops_and_batch(views, batch):
    torch.manual_seed(0)
    images = torch.randint(0, 256, (11, 3, 24, 20), dtype=torch.uint8)
    split = ArraySplit(images, torch.arange(11) % 4, [str(i) for i in range(11)])
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    net.largest = None
    prep = Preprocess(3, 16, (0.5,) * 3, (0.25,) * 3, "resize", 16)
    noting = Noting(11)
    found = evaluate(net, Loader(split, prep, batch), 4, views=views, noting=noting)
    counted = torch.zeros(4, 4, dtype=torch.int64)
    counted.index_put_((split.labels, noting.table[:, 0]), torch.tensor(1), accumulate=True)
    assert torch.equal(counted, found.confusion)
    assert float(noting.table[:, 1].sum()) / 1e6 == pytest.approx(
        sum(row["confidence"] * row["count"] for row in found.calibration), abs=1e-5
    )


def test_one_class_and_outputs_that_are_no_numbers():
    noting = Noting(4)
    noting(torch.tensor([2]), torch.tensor([[-3.0]]), torch.tensor([0]))
    wild = torch.tensor([[1.0, float("nan")], [float("inf"), 0.0]])
    noting(torch.tensor([0, 3]), wild, torch.tensor([0, 0]))
    assert noting.table.tolist() == [[1, 0, 0], [0, 0, 0], [0, 10**6, 10**6], [0, 0, 0]]


def test_fifty_thousand_images_of_a_thousand_classes_are_cheap_to_write_and_read(tmp_path):
    import time

    dice = np.random.default_rng(0)
    n, names = 50_000, [f"n01440764/ILSVRC2012_val_{i:08}.JPEG" for i in range(50_000)]
    labels = dice.integers(0, 1000, n)
    table = np.stack([dice.integers(0, 1000, n), *dice.integers(0, 10**6 + 1, (2, n))], 1)
    began = time.process_time()
    content = text_of(names, labels, table)
    (tmp_path / "answers.csv").write_bytes(content)
    metrics = rewritten(content) | {"classes": [str(i) for i in range(1000)]}
    metrics["test"] = {"count": n, "correct": int((labels == table[:, 0]).sum())}
    found = read_answers(tmp_path, metrics)
    assert time.process_time() - began < 5  # measured: 0.4 s
    assert len(content) < 4e6
    assert (found.confidence * 1e6).round().astype(int).tolist() == table[:, 1].tolist()
    assert strict_json.digest(list(found.images)) == strict_json.digest(names)


def test_the_answers_of_a_run_that_is_made_longer_stay_beside_its_coming_ones(run, copy):
    before = (copy / "answers.csv").read_bytes()
    metrics = train(SMALL.change(epochs=3), copy, resume=True, callback=Callback())
    assert (copy / "answers-epoch-2.csv").read_bytes() == before
    kept = json.loads((copy / "metrics-epoch-2.json").read_text())
    assert kept["answers"] == hashlib.sha256(before).hexdigest()
    assert read_answers(copy, metrics).right.sum() == metrics["test"]["correct"]
