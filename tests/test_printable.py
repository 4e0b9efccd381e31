"""Names that others chose, in every place that shows them."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from convatlas.cli import run
from convatlas.data.survey import Finding, write_csv
from convatlas.model_file import load_model
from convatlas.printable import LONGEST, cell, printable, printable_lines
from convatlas.training import train
from convatlas.training.callbacks import Callback
from convatlas.training.progress import Bar, class_counts
from convatlas.training.recipe import Recipe

HOSTILE = {  # a name, and how it stands in a line
    "\x1b]0;owned\x07\x1b[2J": r"\x1b]0;owned\x07\x1b[2J",
    "\nfake.png: cat 100.0 %": r"\nfake.png: cat 100.0 %",
    "\r\t": r"\r\t",
    "\x9b31m": r"\x9b31m",
    "abc\u202egnp.exe": r"abc\u202egnp.exe",
    "zero\u200bwidth": r"zero\u200bwidth",
    "caf\udce9": r"caf\udce9",
    "line\u2028break": r"line\u2028break",
    "\x7f": r"\x7f",
    "a\u3164\u034f\U000e0100": r"a\u3164\u034f\U000e0100",
    "[bold]a[/y]": "[bold]a[/y]",
    ":smile:": ":smile:",
    "猫": "猫",
    "नमस्ते": "नमस्ते",
    "😀": "😀",
    "": "",
}


@pytest.mark.parametrize(("name", "shown"), HOSTILE.items(), ids=range(len(HOSTILE)))
def test_a_line_holds_only_what_can_be_seen(name, shown):
    assert printable(name) == shown
    assert printable(shown) == shown


def test_a_name_of_three_megabytes_is_cut_in_the_middle():
    cut = printable(f"begins {'x' * 3_000_000} and its remedy")
    assert len(cut) < LONGEST
    assert cut.startswith("begins ") and cut.endswith(" and its remedy")
    assert "characters left out" in cut


def test_a_message_keeps_its_indented_lines_and_no_others():
    assert printable_lines("broken:\n  a.png\n  b\nc.png") == "broken:\n  a.png\n  b\\nc.png"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff20"])
def test_a_spreadsheet_runs_no_cell(first, tmp_path):
    write_csv(
        tmp_path / "problems.csv",
        iter([Finding(f"{first}HYPERLINK('x')", f"{first}1", "caf\udce9"), Finding("a", "b", "c")]),
    )
    with open(tmp_path / "problems.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "problem", "remedy"]
    assert [row[0] for row in rows[1:]] == [cell(f"{first}HYPERLINK('x')"), "a"]
    assert rows[1][1][0] == "'" == rows[1][0][0]
    assert rows[1][2] == r"caf\udce9"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of pictures whose classes have such names, and a run that was trained on it."""
    root = tmp_path_factory.mktemp("names") / "set\x1b[31m"
    names = ["\nfake.png: cat 100.0 %", "\x1b[2J", "abc\u202e", "caf\udce9", "[bold]a", "$\\frac$"]
    for number, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for i in range(12):
            pixels = np.random.default_rng(100 * number + i).integers(0, 256, (12, 12), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}\x1b[1m.png")
    folder = root.parent / "run"
    recipe = Recipe(network="lenet1989", data=str(root), epochs=1, batch_size=8)
    train(recipe, folder, callback=Callback())
    return root, folder, names


@pytest.mark.parametrize("words", ["check-data ROOT", "predict RUN ROOT", "eval RUN", "train ROOT"])
def test_no_command_shows_a_name_as_it_is(words, hostile, capsys, tmp_path):
    root, folder, _ = hostile
    given = {
        "ROOT": [str(root)],
        "RUN": [str(folder)],
        "train": ["train", "lenet1989", "--epochs", "1", "--output", str(tmp_path / "r"), "--data"],
    }
    typed = [word for part in words.split() for word in given.get(part, [part])]
    assert run(typed) == 0
    text = capsys.readouterr()
    said = text.out + text.err
    assert all(c.isprintable() or c == "\n" for c in said)
    assert not any(line.startswith("fake.png") for line in said.splitlines())
    assert r"\nfake.png: cat 100.0 %" in said
    assert "[bold]a" in said


def test_an_error_names_such_a_file_in_one_line(capsys):
    assert run(["eval", "no\nsuch\x1b[31m run " + "x" * 100_000]) in (1, 2)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said[:-1].isprintable()
    assert len(said) < 3000


def test_json_stays_exact(hostile, capsys):
    root, folder, names = hostile
    assert run(["eval", str(folder), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["classes"]) == set(names)
    assert run(["predict", str(folder), str(root), "--json", "--top", "6"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[0])
    assert {entry["class"] for entry in answer["classes"]} == set(names)
    assert load_model(folder).classes == tuple(sorted(names))


def test_a_bar_takes_no_name_for_markup_or_an_emoji(capsys):
    bar = Bar()
    bar.print(f"classes: {class_counts(['[bold]a', '[/y]', ':smile:'], [1, 2, 3])}")
    assert capsys.readouterr().out == "classes: [bold]a 1, [/y] 2, :smile: 3\n"
