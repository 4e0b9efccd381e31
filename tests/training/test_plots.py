"""The plots of a run: names in any letters, of any length and content; no warning, no TeX."""

import io
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image

from convatlas.plotting import lettering
from convatlas.training import plots

NAMES = {  # and how each is drawn where only DejaVu Sans is there
    "cat": "cat",
    "猫": "1: Mao",
    "狗": "2: Gou",
    "नमस्ते": "3: nmste",
    "こんにちは": "4: konnichiha",
    "한국": "5: HanGug",
    r"$\frac$": r"$\frac$",
    "$5_bill$": "$5_bill$",
    "caf\udce9": r"8: caf\udce9",
    "\x1b[31m\n": r"9: \x1b[31m\n",
    "abc\u202e": r"10: abc\u202e",
    "é" * 250: f"11: {'é' * 26}...{'é' * 10}",
    "кот": "кот",
    "\U000e0100x": r"13: \U000e0100x",
}


@pytest.fixture
def only_dejavu(monkeypatch):
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])


def drawn(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def test_names_no_font_has_are_spelled_and_numbered(only_dejavu):
    found = lettering.lettering(list(NAMES))
    assert list(found.labels) == list(NAMES.values())
    assert (found.families, found.is_spelled) == ((lettering.BASE,), True)


def test_names_that_spell_the_same_stay_apart(only_dejavu):
    labels = lettering.lettering(["猫", "貓", "Mao", "a" * 99, "a" * 98]).labels
    assert len(set(labels)) == 5


@pytest.fixture
def system_font(tmp_path, monkeypatch) -> str:
    """The name of a font that has 猫, as a box with a hole, among the fonts of the system; and a
    broken one, a blank one and one that has nothing before it.
    """
    for name, letters in (("A-nothing", "A"), ("Here", "猫"), ("ZBlank", "猫狗")):
        pen = TTGlyphPen(None)
        for left, right in ((0, 1000), (300, 700)):
            pen.moveTo((left, left))
            for point in ((left, right), (right, right), (right, left)):
                pen.lineTo(point)
            pen.closePath()
        glyph = pen.glyph()
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder([".notdef", "letter"])
        builder.setupCharacterMap({ord(letter): "letter" for letter in letters})
        builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "letter": glyph})
        builder.setupHorizontalMetrics({".notdef": (1000, 0), "letter": (1000, 0)})
        builder.setupHorizontalHeader(ascent=1000, descent=0)
        builder.setupNameTable({"familyName": f"Convatlas {name}", "styleName": "Regular"})
        builder.setupOS2()
        builder.setupPost()
        builder.save(tmp_path / f"{name}.ttf")
    (tmp_path / "Broken.ttf").write_bytes(b"no font")
    paths = [str(path) for path in tmp_path.glob("*.ttf")]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*font_manager.fontManager.ttflist])
    return "Convatlas Here"


def test_a_font_of_the_system_draws_what_it_has(system_font):
    found = lettering.lettering(["猫", "cat"])
    assert (found.labels, found.is_spelled) == (("猫", "cat"), False)
    assert found.families == (lettering.BASE, system_font)


def test_the_letters_of_that_font_are_in_the_plot(system_font, monkeypatch):
    counts = torch.tensor([[3, 1], [0, 4]])
    own = drawn(plots.confusion(counts, ("猫", "cat"), "t"))
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    spelled = drawn(plots.confusion(counts, ("猫", "cat"), "t"))
    assert own.shape != spelled.shape or (own != spelled).any()


def test_every_name_is_drawn_without_a_warning_and_never_as_tex(only_dejavu, capfd):
    title = "lenet5 on $\\frac$ 数据\udce9" + "x" * 250
    log = [
        {"epoch": 1, "train_loss": 1.0, "val_loss": 2.0, "train_accuracy": 0.1, "val_accuracy": 0.2}
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        n = len(NAMES)
        square = drawn(plots.confusion(torch.eye(n, dtype=torch.int64), tuple(NAMES), title))
        wide = drawn(plots.curves(log, title))
    assert square.shape[1] > square.shape[0] > 1000
    assert wide.shape == (520, 1300)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("n", [1, 2, 40, 41, 1000])
def test_any_number_of_classes_of_long_names(n, only_dejavu):
    names = tuple(f"{'चित्र' * 40}{i}" for i in range(n))
    counts = torch.ones(n, n, dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = drawn(plots.confusion(counts, names, "t" * 250))
    assert min(pixels.shape) > 400
    assert (pixels < 250).mean() > 0.01


def test_of_more_classes_than_squares_a_square_is_several(only_dejavu):
    counts, names = torch.ones(5, 5, dtype=torch.int64), tuple(f"class {i}" for i in range(10))
    one, two = (drawn(plots.confusion(counts, names[: 5 * n], "t", n)) for n in (1, 2))
    assert one.shape != two.shape  # ten names are none of five rows
    assert min(two.shape) > 400


def test_the_users_own_style_is_neither_followed_nor_changed(only_dejavu):
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True, "figure.facecolor": "black"}):
        pixels = drawn(plots.confusion(torch.eye(2, dtype=torch.int64), ("a", "b"), "t"))
        assert matplotlib.rcParams["text.usetex"] is True
    assert pixels[0, 0] == 255
    assert Figure().get_facecolor() != (0, 0, 0, 1)


PROGRAM = """
import os, sys, torch
from convatlas.training import plots
plots.confusion(torch.eye(2, dtype=torch.int64), ("a", "b"), "t")
print(os.environ["MPLBACKEND"])
"""


def test_a_backend_that_a_notebook_exports_and_we_have_not(tmp_path):
    """And no home, whereupon matplotlib would log where it puts its cache."""
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environment | {"MPLBACKEND": "module://no_such.backend", "MPLCONFIGDIR": "/proc/none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "module://no_such.backend\n"
