"""draw as a person meets it: files, colours, levels, what is said of bad input."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib.font_manager as fonts
import pytest
import torch.nn as nn
from matplotlib.ft2font import FT2Font, LoadFlags
from PIL import Image

import convatlas
from convatlas.cli import run
from convatlas.drawing import letters, paper, stylesheet
from convatlas.drawing.scene import Box

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("bold", [False, True])
def test_letters_are_as_wide_as_in_the_font_that_matplotlib_brings(bold):
    weight = "bold" if bold else "normal"
    file = fonts.findfont(fonts.FontProperties(family="DejaVu Sans", weight=weight))
    font = FT2Font(file)
    for letter in [*map(chr, range(32, 127)), *letters.FURTHER]:
        wide = font.load_char(ord(letter), flags=LoadFlags.NO_SCALE).horiAdvance
        assert letters.width_of(letter, 1000, bold) == pytest.approx(
            1000 * wide / font.units_per_EM, abs=1
        )


def test_long_texts_are_broken_behind_commas_and_shortened():
    lines = letters.wrapped("1x1 64, 3x3 64, 1x1 256 | 1x1 256", 12, 120)
    assert lines == ["1x1 64, 3x3 64,", "1x1 256 | 1x1 256"]
    assert letters.shortened("a very long name", 12, 60).endswith("…")


def test_text_is_text_and_boxes_have_addresses():
    drawing = convatlas.draw("resnet50")
    root = ET.fromstring(drawing.svg)
    paths = {group.get("data-path"): group for group in root.iter(f"{SVG}g")}
    assert {"conv2_x", "conv2_x.0", "conv2_x.0.branch.conv1.conv", "fc"} <= {*paths}
    stage = paths["conv3_x"]
    assert (stage.get("data-params"), stage.get("data-macs")) == ("1219584", "950534144")
    assert paths["conv3_x.1"].get("data-times") == "3"
    assert paths["conv3_x.1"].get("data-last") == "conv3_x.3"
    assert "256\u00d756\u00d756" in texts(drawing.svg) and "7x7 64 /2" in texts(drawing.svg)
    assert drawing._repr_svg_() == drawing.svg


def test_branches_and_joins_are_drawn():
    words = texts(convatlas.draw("googlenet").svg)
    assert words.count("concat") == 9 and "5x5 32" in words


def test_colours_follow_the_reader_unless_they_are_fixed():
    either, dark, light = (convatlas.draw("lenet5", dark=dark).svg for dark in (None, True, False))
    assert "prefers-color-scheme:dark" in either
    assert "prefers-color-scheme" not in dark + light
    assert "--d-paper:#14171c" in dark and "--d-paper:#ffffff" in light
    assert "#ffffff" not in dark.split("<g", 1)[0].split("paper:")[1][:8]


def test_inline_leaves_the_style_to_the_page():
    inline = convatlas.draw("nasnet_a_4_1056").inline
    assert "<style>" not in inline and 'width="1' not in inline.split(">", 1)[0]
    classes = {
        name for part in ET.fromstring(inline).iter() for name in (part.get("class") or "").split()
    }
    sheet = stylesheet()
    assert all(f".{name}" in sheet for name in classes - {"drawing", "box", "frame"})


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_drawing_is_saved_as_its_suffix_says(tmp_path, suffix):
    drawing = convatlas.draw("lenet5")
    file = drawing.save(tmp_path / f"lenet5{suffix}")
    start = file.read_bytes()[:8]
    assert start.startswith({".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix])
    if suffix == ".png":
        with Image.open(file) as image:
            assert image.size == (2 * drawing.scene.width, 2 * drawing.scene.height)


def test_files_are_the_same_each_time():
    assert convatlas.draw("lenet5").png() == convatlas.draw("lenet5").png()
    assert convatlas.draw("lenet5").pdf() == convatlas.draw("lenet5").pdf()


def test_a_long_drawing_takes_several_pages_and_cuts_no_box():
    pages = convatlas.draw("nasnet_a_4_1056").pdf().count(b"/Type /Page ")
    assert 2 <= pages <= 6
    assert convatlas.draw("resnet50").pdf().count(b"/Type /Page ") == 1
    scene = convatlas.draw("nasnet_a_4_1056").scene
    cuts = [bottom for _, bottom in paper._cut(scene, 1600)][:-1]
    boxes = [item for item in scene.items if isinstance(item, Box) and not item.frame]
    assert cuts and not any(b.bounds[1] < cut < b.bounds[3] for b in boxes for cut in cuts)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, padding=1)
        self.b = nn.Conv2d(3, 8, 1)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        return self.fc((self.a(x) + self.b(x)).mean((2, 3)))


def test_any_module_is_drawn():
    words = texts(convatlas.draw(Two(), input_size=(3, 32, 32)).svg)
    assert {"Two", "3x3 8", "1x1 8", "+", "global average", "linear 2"} <= {*words}


def test_every_layer_has_a_box_at_the_level_of_layers():
    scene = convatlas.draw("lenet5", level="layer").scene
    paths = {item.path for item in scene.items if isinstance(item, Box)}
    assert {row[0] for row in convatlas.describe("lenet5")["layers"]["rows"]} <= paths


def test_volumes_are_to_scale():
    scene = convatlas.draw("vgg16", style="volumes").scene
    fronts = {item.path: item.items[1] for item in scene.items if isinstance(item, Box)}
    assert fronts["conv1"].h == pytest.approx(2 * fronts["pool1"].h)
    assert fronts["conv3"].w == pytest.approx(4 * fronts["conv1"].w)


def test_what_differs_is_coloured():
    drawing = convatlas.drawing.differences("resnet50", "resnet50_d")
    looks = {}
    for item in drawing.scene.items:
        if isinstance(item, Box) and not item.frame:
            looks.setdefault(item.path, []).append(item.items[0].look)
    assert looks["conv2_x.0.branch.conv1.conv"] == ["same", "same"]
    assert looks["conv1.conv3.conv"] == ["only_b"]
    assert looks["conv3_x.0.branch.conv2.conv"] == ["changed", "changed"]
    assert looks["conv3_x.0.shortcut.pool"] == ["only_b"]


def test_the_command_writes_the_file_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["draw", "lenet5"]) == 0
    assert capsys.readouterr().out.startswith("lenet5.svg: ")
    assert (tmp_path / "lenet5.svg").read_text().startswith("<svg")
    assert run(["draw", "resnet18", "resnet34", "--level", "stage", "-o", "two.png"]) == 0
    assert (tmp_path / "two.png").is_file()


def test_the_command_draws_code(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(
        "import torch.nn as nn\n\n\ndef small(classes=3):\n"
        "    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.LazyLinear(classes))\n"
    )
    assert run(["draw", "net.py:small(5)", "--size", "1x8x8"]) == 0
    assert "linear 5" in texts((tmp_path / "small.svg").read_text())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["draw", "resnet5"], "did you mean resnet50"),
        (["draw", "resnet50", "-o", "x.bmp"], "saved as .svg, .png, .pdf, not .bmp"),
        (["draw", "resnet50", "-o", "x"], "not a name without a suffix"),
        (["draw", "resnet50", "-o", "none/x.svg"], "cannot be written (No such file or directory)"),
        (["draw", "resnet50", "--size", "32"], "--size is for code"),
        (["draw", "resnet50", "resnet18", "--style", "volumes"], "leave --style out"),
        (["draw", "resnet50", "resnet18", "--size", "32"], "leave --size out"),
        (["draw", "nowhere.py:Net"], "there is no file nowhere.py"),
        (["draw", "resnet50", "--level", "block"], "level"),
    ],
)
def test_bad_input_is_one_sentence(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(words) in (1, 2)
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_a_stored_network_is_drawn_without_torch():
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, convatlas as c; c.draw('resnet50').svg; sys.exit('torch' in sys.modules)",
        ],
        check=False,
    )
    assert done.returncode == 0


def test_the_picture_of_the_front_page_is_the_drawing():
    shown = Path(__file__).parents[2] / "docs" / "images" / "vgg16.svg"
    assert shown.read_text(encoding="utf-8") == convatlas.draw("vgg16", style="volumes").svg
