"""Names in a report, which others chose: whatever they are, they stay names in every form."""

import csv
import io
import re
import shutil
import subprocess

import numpy as np
import pytest
from made_runs import draw, make_run
from markdown_it import MarkdownIt

from convatlas.reporting import report

NASTY = (
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "a|b",
    "$x_1^{2}$ & 50% ~ \\input{/etc/passwd}",
    "[link](javascript:1)",
    "\x1b[31mred\u202e",
    "名前",
    '"quoted", with commas',
)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """The files of a report in which every name that others choose means something somewhere."""
    home = tmp_path_factory.mktemp("nasty")
    truth = np.arange(80) % len(NASTY)
    for i, network in enumerate(("lenet5", "<b>net</b>")):
        for seed in range(2):
            dice = np.random.default_rng(10 * i + seed)
            answers = np.where(dice.random(80) < 0.4, (truth + 1) % len(NASTY), truth)
            answers[:3] = (truth[:3] + 1) % len(NASTY)
            make_run(
                home / "runs" / f"=run|<i>{seed}{i}\n",
                network,
                seed,
                truth=truth,
                answers=answers,
                classes=NASTY,
                data="<img src=x onerror=alert(1)>",
                images=[f"=cmd|' /C calc'!A{i}/<u>.png" for i in range(80)],
                source={"device": "<svg onload=alert(1)>", "commit": "@sum"},
                tested_on="<iframe src=x>|<i>\n[link](javascript:2)",
            )
    place = tmp_path_factory.mktemp("out")
    return {path.name: path.read_text() for path in report(home, place)}


def test_no_name_is_markup(nasty):
    tags = re.findall(r"<\s*([a-zA-Z!/][a-zA-Z0-9]*)", nasty["report.html"])
    assert not {"script", "img", "b>net", "u", "iframe"} & {tag.lower().strip("/") for tag in tags}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in nasty["report.html"]
    assert "onerror" in nasty["report.html"]  # as text
    assert "\x1b" not in "".join(nasty.values()) and "\u202e" not in "".join(nasty.values())


def test_no_cell_is_a_formula(nasty):
    for name in ("report.csv", "report-runs.csv"):
        cells = [cell for row in csv.reader(io.StringIO(nasty[name])) for cell in row]
        assert not [cell for cell in cells if cell[:1] in tuple("=+@\t\r")]
        assert not [cell for cell in cells if cell[:1] == "-" and not _is_number(cell)]
        assert "'=run|<i>00\\n" in cells or name == "report.csv"


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[\d.e+-]+", cell) is not None


def test_no_name_leaves_its_place_in_markdown(nasty):
    text = nasty["report.md"]
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert not re.search(r"<(script|img|iframe|b|a|u|i)\b", html)
    head, *lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in [head, *lines[:3]]}) == 1


def test_no_name_commands_tex(nasty):
    text = nasty["report.tex"]
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    commands = set(re.findall(r"\\([a-zA-Z]+)", body))
    known = {
        *("begin", "end", "centering", "caption", "toprule", "midrule", "bottomrule", "textbf"),
        *("pm", "times", "textless", "textgreater", "textbar"),
        *("textbackslash", "textasciitilde", "textasciicircum"),
    }
    assert commands <= known
    assert body.count(r"\begin") == body.count(r"\end") == 2
    unescaped = re.sub(r"\\[&%$#_{}]|\$\\pm\$", "", body)
    assert "$" not in unescaped and "#" not in unescaped and "_" not in unescaped


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The LaTeX of a report in which no name means anything."""
    home = tmp_path_factory.mktemp("usual")
    for i, network in enumerate(("lenet5", "resnet20_cifar")):
        for seed in range(2):
            truth, answers = draw(10 * i + seed)
            folder = home / "runs" / f"{network}-{seed}"
            make_run(folder, network, seed, truth=truth, answers=answers)
    (path,) = report(home, formats=["latex"])
    return path.read_text()


def test_the_table_compiles(usual, nasty, tmp_path):
    tex = next(filter(None, map(shutil.which, ("lualatex", "xelatex", "pdflatex"))), None)
    if tex is None:
        pytest.skip("no TeX is installed; apt-get install texlive-latex-recommended brings one")
    latin = nasty["report.tex"].replace(NASTY[6], "")  # pdflatex has no letters for that
    for number, text in enumerate((usual, latin)):
        document = (
            "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
            f"{text}\n\\end{{document}}\n"
        )
        (tmp_path / f"{number}.tex").write_text(document)
        done = subprocess.run(
            [
                tex,
                "-interaction=nonstopmode",
                "-halt-on-error",
                "-no-shell-escape",
                f"{number}.tex",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]
