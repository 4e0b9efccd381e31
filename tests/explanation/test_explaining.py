"""explain in Python: on files, on the pictures of a run, and as sheets."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import convatlas
from convatlas.anatomy.unit_fields import Rectangle
from convatlas.errors import DataError, InputError
from convatlas.explanation import METHODS, colours, embedding, nearest, worst_mistakes
from convatlas.explanation.sheet_files import write_sheet
from convatlas.explanation.sheet_html import sheet_html
from convatlas.explanation.sheet_png import sheet_png
from convatlas.explanation.sheets import Panel, Row, Sheet, explanation_row, field_panel, unit_of
from convatlas.finished_run import open_run

HOSTILE = '<script>alert("1")</script>\x1b[31m\u202e&amp;'


def prepared(saved, split) -> torch.Tensor:
    """All pictures of a split, as the network reads them."""
    fitted = split.fitted(torch.arange(len(split)), saved.preprocess)
    return saved.preprocess.normalise(fitted)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "cam"])
def test_pictures_are_explained_and_others_go_on(run, pictures, method):
    saved = convatlas.load_model(run)
    found = convatlas.explain(saved, pictures, method)
    assert [Path(each.name).name for each in found] == ["3.png", "7.png", "none.png"]
    *found, none = found
    assert "none.png" in none.problem
    assert none.heat.size == 0
    predicted = convatlas.predict(saved, pictures)
    for each, answer in zip(found, predicted, strict=False):
        assert (each.classes, each.target_name) == (answer.classes, answer.classes[0])
        np.testing.assert_allclose(each.probabilities, answer.probabilities, 1e-6)
        side = saved.preprocess.side
        assert each.picture.shape == each.overlay().shape == (side, side, 3)
        assert (each.heat.dtype, each.heat.shape) == (np.float32, (side, side))
        assert 0 <= each.heat.min() <= each.heat.max() <= 1
        assert each.method == method
        assert each.layer == ("" if method == "occlusion" else "H3")


def test_a_class_may_be_asked_about(run, pictures):
    one, other = (
        convatlas.explain(run, pictures / "3.png", target=target)[0] for target in ("5", 8)
    )
    assert (one.target, one.target_name, other.target) == (5, "5", 8)
    assert not np.array_equal(one.maps, other.maps)
    assert one.classes == other.classes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"method": "lime"}, "there is no method 'lime'; take gradcam, "),
        ({"layer": "H9"}, "lenet1989 has no layer 'H9'; "),
        ({"method": "occlusion", "layer": "H1"}, "occlusion reads no layer of your choice"),
        ({"target": 10}, "there is no class 10; the network knows 10"),
        ({"method": "cam"}, "lenet1989 does not end in a global average"),
    ],
)
def test_what_cannot_be_explained_is_said(run, pictures, given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        convatlas.explain(run, pictures, **given)


def test_pictures_that_are_not_there(run, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        convatlas.explain(run, tmp_path / "none.png")


def test_a_notebook_shows_the_picture(run, pictures):
    found = convatlas.explain(run, [pictures / "3.png", pictures / "none.png"])
    assert Image.open(io.BytesIO(found[0]._repr_png_())).size == found[0].picture.shape[1::-1]
    assert "data:image/png;base64," in found[0]._repr_html_()
    assert found[1]._repr_png_() is None
    assert "none.png" in found[1]._repr_html_()


def test_the_nearest_pictures_are_those_of_the_largest_cosine(run):
    saved, _, images = open_run(run)
    train = images.of("train").subset(np.arange(300))
    asked = images.of("test").subset(np.arange(3))
    fitted = asked.fitted(torch.arange(3), saved.preprocess)
    found = nearest(saved, fitted, train, 4)
    read, others = (
        embedding(
            saved.net,
            saved.preprocess.normalise(split.fitted(torch.arange(len(split)), saved.preprocess)),
        )
        for split in (asked, train)
    )
    cosines = np.array([[a @ b / np.sqrt(a @ a * (b @ b)) for b in others] for a in read])
    for row, (indices, values) in enumerate(zip(found.indices, found.cosines, strict=True)):
        np.testing.assert_allclose(values, np.sort(cosines[row])[::-1][:4], 0, 1e-5)
        np.testing.assert_allclose(cosines[row][indices], values, 0, 1e-5)
    itself = nearest(saved, fitted, asked, 1)
    assert itself.indices[:, 0].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="must be 1 or more, not 0"):
        nearest(saved, fitted, train, 0)


def test_the_worst_mistakes_are_the_most_certain_wrong_answers(run):
    saved, _, images = open_run(run)
    split = images.of("val")
    found = worst_mistakes(saved, split, len(split))
    with torch.no_grad():
        shares = saved.net(prepared(saved, split)).double().softmax(1)
    certain, answered = shares.max(1)
    wrong = [i for i in range(len(split)) if answered[i] != split.labels[i]]
    wrong.sort(key=lambda i: -float(certain[i]))
    assert (found.wrong, found.count) == (len(wrong), len(split))
    assert len(wrong) > 5
    assert [each.index for each in found.worst] == wrong
    assert [each.index for each in worst_mistakes(saved, split, 2).worst] == wrong[:2]
    for each in found.worst:
        assert each.truth == int(split.labels[each.index]) != each.answer
        assert each.confidence == pytest.approx(float(certain[each.index]), abs=1e-5)
        assert each.truth_probability < each.confidence
        assert each.answer_heat.shape == each.truth_heat.shape == each.picture.shape[:2]
        if each.right:
            number = split.names.index(each.right.name)
            assert int(split.labels[number]) == int(answered[number]) == each.truth
    assert any(each.right for each in found.worst)
    with pytest.raises(InputError, match="must be 1 or more, not 0"):
        worst_mistakes(saved, split, 0)


def test_no_mistake_is_no_trouble(run):
    saved, _, images = open_run(run)
    split = images.of("val")
    everything = worst_mistakes(saved, split, len(split))
    wrong = {each.index for each in everything.worst}
    right = split.subset(np.array([i for i in range(len(split)) if i not in wrong]))
    found = worst_mistakes(saved, right, 3)
    assert (found.worst, found.wrong, found.count) == ((), 0, len(right))


class Page(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self, source: str):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def hostile_sheet() -> Sheet:
    picture = np.zeros((4, 5, 3), np.uint8)
    row = Row(HOSTILE, (Panel(picture, (HOSTILE, "$x_1$")),), ((HOSTILE, 0.75), ("b", 0.25)))
    return Sheet(HOSTILE, (HOSTILE,), (row, Row("plain", (Panel(picture),))))


def test_a_page_holds_its_pictures_and_asks_for_nothing():
    source = sheet_html(hostile_sheet())
    page = Page(source)
    assert "script" not in [tag for tag, _ in page.tags]
    assert not {"link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    addresses = [given[key] for _, given in page.tags for key in ("src", "href") if key in given]
    assert len(addresses) == 2
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert "url(" not in source
    assert "default-src 'none'" in source
    images = [given for tag, given in page.tags if tag == "img"]
    assert all(given["alt"] for given in images)
    assert "\x1b" not in source
    assert "\u202e" not in source
    assert '<script>alert("1")</script>' in "".join(page.texts)  # as text


def test_a_sheet_is_drawn_with_any_names():
    picture = Image.open(io.BytesIO(sheet_png(hostile_sheet())))
    assert picture.width >= 600
    assert np.asarray(picture.convert("L")).std() > 5
    assert sheet_png(Sheet("nothing", (), ()))
    with pytest.raises(InputError, match="a PNG of 101 rows cannot be looked at"):
        sheet_png(Sheet("t", (), (Row("r", (Panel(np.zeros((2, 2, 3), np.uint8)),)),) * 101))


def test_a_sheet_on_disk(tmp_path, run, pictures):
    found = convatlas.explain(run, pictures / "3.png")[0]
    sheet = Sheet("t", (), (explanation_row(found),))
    assert write_sheet(sheet, tmp_path / "a.png") == [tmp_path / "a.png"]
    assert write_sheet(sheet, tmp_path / "a.HTML") == [tmp_path / "a.HTML"]
    written = write_sheet(sheet, tmp_path / "folder")
    assert [path.name for path in written] == ["index.html", "001.png"]
    for place, said in (
        (tmp_path / "folder", "is not an empty folder; give a new one"),
        (tmp_path / "a.txt", "give a file that ends in .png or .html, or a folder"),
        (tmp_path / "none" / "a.png", "the folder .* does not exist"),
        (Path("/proc/a.png"), "cannot be written"),
    ):
        with pytest.raises(InputError, match=said):
            write_sheet(sheet, place)


def test_a_unit_is_named_and_its_field_outlined():
    net = convatlas.create_model("lenet5_tutorial")
    path, fields, place = unit_of(net, "conv1", (1, 28, 28))
    assert (path, place) == ("conv1", tuple(side // 2 for side in fields.size))
    assert unit_of(net, "conv1@0,3", (1, 28, 28))[2] == (0, 3)
    for unit, said in (
        ("conv1@99,0", "conv1 has no unit 99,0: its maps are"),
        ("conv1@0", "'conv1@0' names no unit; write LAYER or LAYER@ROW,COLUMN"),
        ("conv1@-1,0", "names no unit"),
        ("fc3", "has no units that each see a part"),
        ("conv7", "has no layer 'conv7'"),
    ):
        with pytest.raises(InputError, match=said):
            unit_of(net, unit, (1, 28, 28))
    panel = field_panel(net, np.full((28, 28, 3), 200, np.uint8), "conv1@0,0", 1)
    assert panel.lines[0].startswith("conv1, unit 0,0 of ")


def test_an_outline_is_where_the_rectangle_is():
    shown = colours.outlined(np.full((16, 16, 3), 200, np.uint8), Rectangle(4, -3, 8, 6))
    times = shown.shape[0] // 16
    orange = (shown == colours.FIELD).all(-1)
    rows, columns = (np.flatnonzero(orange.any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1] + 1) == (4 * times, 8 * times)
    assert (columns[0], columns[-1] + 1) == (0, 6 * times)
    assert (shown[6 * times, 3 * times] == 200).all()
    assert (shown[12 * times, 12 * times] < 200).all()


def test_pictures_of_numbers():
    maps = np.array([[[0.0, 1.0], [2.0, 4.0]], [[3.0, 3.0], [3.0, 3.0]]])
    grey = colours.in_grey(maps)
    assert grey[0, :, :, 0].tolist() == [[0, 64], [128, 255]]
    assert not grey[1].any()
    signs = colours.signed(np.array([[1.0, 0.0], [-2.0, 2.0]]))
    assert signs.tolist() == [[[255, 128, 128], [255] * 3], [[0, 0, 255], [255, 0, 0]]]
    tiles = colours.mosaic([np.full((2, 3, 3), i, np.uint8) for i in range(5)])
    assert tiles.shape == (2 * 3 - 1, 3 * 4 - 1, 3)
    assert tiles[3, 4, 0] == 4
    plain = colours.overlay(np.full((2, 2, 3), 90, np.uint8), np.zeros((2, 2), np.float32))
    assert (plain == 90).all()
    for shape, size in (((70, 3, 7, 7), (63, 63)), ((4, 1, 3, 3), (7, 7)), ((5, 6, 1, 1), (5, 6))):
        assert colours.filter_tiles(np.random.randn(*shape), 64)[0].shape[:2] == size
    assert colours.filter_tiles(np.random.randn(3, 2, 5, 5), 64)[0].shape[:2] == (17, 11)
