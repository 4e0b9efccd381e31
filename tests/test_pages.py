"""The generated documents are fresh, whole and well formed; `make docs` renews them."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from convatlas import pages, registry
from convatlas.claim import CELLS
from convatlas.pages import markdown, names, page, printed, works

ROOT = Path(__file__).parents[1]
LEDGER = (ROOT / "results/ledger.jsonl").read_text(encoding="utf-8")
RENEW = "`make docs` renews it; read its diff"


@cache
def built() -> dict[str, str]:
    return pages.build(LEDGER)


@cache
def work(name: str) -> works.Work:
    return next(work for work in works.all_works() if work.page == name)


@cache
def drawn() -> dict[str, str]:
    return pages.drawn()


@pytest.mark.parametrize("path", [*built(), *drawn()])
def test_a_document_is_fresh(path):
    assert (ROOT / path).exists(), f"{path} is missing; {RENEW}"
    if (ROOT / path).read_bytes() != (built() | drawn())[path].encode():
        pytest.fail(f"{path} is stale; {RENEW}", pytrace=False)


def test_no_page_of_a_paper_that_is_gone():
    papers = ROOT / "docs" / "papers"
    there = {file.relative_to(ROOT).as_posix() for file in papers.rglob("*") if file.is_file()}
    assert there == {path for path in built() if path.startswith("docs/papers/")} | {*drawn()}


def test_every_paper_has_a_page_of_its_own():
    titles, where = {}, {}
    for name, facts in registry.stored_facts().items():
        paper = facts["paper"]
        assert re.fullmatch(r"[a-z0-9_]+", paper["page"]), (
            f'the Paper of {name} needs a page, such as "resnet"'
        )
        titles.setdefault(paper["page"], set()).add(paper["title"])
        where.setdefault(paper["title"], set()).add(paper["page"])
    assert {page for page, found in titles.items() if len(found) > 1} == set()
    assert {title for title, found in where.items() if len(found) > 1} == set()
    assert len(works.all_works()) == len(titles)
    assert sum(len(work.networks) for work in works.all_works()) == len(registry.stored_facts())


def test_a_network_that_stands_for_others_is_one_of_them():
    for found in works.all_works():
        for record in found.records:
            assert record.paper["bare"] in {"", *found.networks}, record.paper["title"]
    assert [record.bare for record in work("resnet").records] == [
        "resnet50",
        "plain34",
        "resnet20_cifar",
    ]
    assert work("senet").families[0] == "senet"


def test_a_paper_of_which_something_is_told_has_a_recipe_or_says_why_not():
    for found in works.all_works():
        told = (ROOT / "convatlas" / "papers" / f"{found.page}.toml").exists()
        if told and not found.paper["silent"].startswith("There is no paper"):
            assert any(record.paper["recipe"] for record in found.records), found.paper["title"]


@pytest.mark.parametrize("name", [found.page for found in works.all_works()])
def test_a_page_holds_all_that_the_index_knows(name):
    text, found = " ".join(built()[f"docs/papers/{name}.md"].split()), work(name)
    for network, facts in found.networks.items():
        assert f"| `{network}` | {facts['params']:,}" in text
        assert f"| {facts['macs']:,} |" in text
    for record in found.records:
        for key in (
            "title",
            "authors",
            "introduced",
            "silent",
            "departs",
            "elsewhere",
            "recipe",
            "results",
        ):
            said = re.sub(
                r"\[`(\w+)`\]\(\w+\.md\)|`(\w+)`", r"\1\2", text
            )  # names without code and links
            assert re.sub(r"`(\w+)`", r"\1", markdown.plain(record.paper[key])) in said, key
    for network, claim in found.claims():
        if claim["quantity"] in CELLS:
            assert f"{claim['quantity']} {printed.measured_beside(claim)}" in text
        elif claim["quantity"] != "size":
            assert (
                f"| `{network}` | {printed.quantity(claim)} | {claim['printed']} | "
                f"{claim['measured']} | {claim['status']} |"
            ) in text
        else:
            assert f"`{claim['part']}` {claim['printed']}" in text
        if claim["remark"]:
            assert printed.beside(network, claim) in text
            assert markdown.plain(claim["remark"]["why"]) in text
    ours, _, theirs = text.partition("## What others print")
    for _, claim in found.claims():
        row = f"| {printed.place(claim)} |"
        in_table = claim["quantity"] not in (*CELLS, "size")
        assert not in_table or row in (theirs if claim["by"] else ours)


def test_the_errata_are_all_there_under_their_papers():
    text = built()["docs/errata.md"]
    wrong = [
        (found, name, claim)
        for found in works.all_works()
        for name, claim in found.claims()
        if claim["remark"]
    ]
    chapters = {
        chapter.split("papers/")[1].split(".md")[0]: " ".join(chapter.split())
        for chapter in text.split("\n## ")[1:]
    }
    assert set(chapters) == {found.page for found, _, _ in wrong}
    for found, name, claim in wrong:
        assert printed.beside(name, claim) in chapters[found.page]
        assert markdown.plain(claim["remark"]["why"]) in chapters[found.page]
    for kind, (_, meaning) in printed.REMARKS.items():
        count = [
            sum(claim["status"] == kind and bool(claim["by"]) == others for _, _, claim in wrong)
            for others in (False, True)
        ]
        assert f"| {meaning} | {count[0]} | {count[1]} |" in text


def test_a_claim_that_fails_is_seen_on_its_page():
    claim = {
        "quantity": "params",
        "part": "",
        "printed": "1M",
        "measured": "2.0M",
        "status": "fails",
        "source": "Table 9",
        "by": "",
        "remark": None,
        "at": "160x160",
        "than": "",
    }
    facts = {**registry.stored_facts()["lenet5"], "claims": [claim]}
    planted = works.Work("lenet5", (works.Record("lenet5", facts["paper"], {"lenet5": facts}),))
    text = page.page_of(planted)
    assert "Printed numbers: 1. Hold: 0. Fail: 1." in text
    assert "| `lenet5` | parameters at 160x160 | 1M | 2.0M | fails | Table 9 |" in text


def test_links_lead_somewhere():
    for path, text in built().items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not target.startswith(("https://", "http://")):
                assert (ROOT / Path(path).parent / target).resolve().exists() or str(
                    Path(path).parent / target
                ) in built() | drawn(), f"{path}: {target}"


@pytest.mark.parametrize("path", built())
def test_a_document_reads_as_it_is_meant(path):
    """Nothing in a sentence has become a heading, a table or emphasis; every row
    has all its cells.
    """
    text = built()[path]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    lines = re.sub(r"```.*?```", "", text, flags=re.DOTALL).split("\n")
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") == sum(line.startswith("#") for line in lines)
    assert kinds.count("tr_open") == sum(
        line.startswith("|") and not re.match(r"\| ?---", line) for line in lines
    )
    assert "html_block" not in kinds
    assert {child.type for token in tokens for child in token.children or ()} <= {
        "text",
        "text_special",
        "code_inline",
        "link_open",
        "link_close",
        "softbreak",
        *(["image"] if path.startswith("docs/papers/") else []),
    }
    sentences = [line for line in lines if not line.startswith(("|", "#"))]
    assert max(map(len, sentences)) <= 240  # a link is unbroken
    widths = {}
    for line in lines:
        if line.startswith("|"):
            widths.setdefault(len(widths) if not widths else max(widths), set()).add(
                len(re.split(r"(?<!\\)\|", line))
            )
        elif widths:
            widths[max(widths) + 1] = set()
    assert all(len(found) <= 1 for found in widths.values())


@given(
    st.lists(
        st.sampled_from(["1.", "-", "+", "#", "a", "word", "2)", "12", "x"]),
        min_size=1,
        max_size=150,
    )
)
def test_a_broken_line_never_begins_a_list(words):
    sentence = "So " + " ".join(words)
    broken = markdown.paragraph(sentence)
    assert " ".join(broken.split("\n")) == sentence
    assert [token.type for token in MarkdownIt("commonmark").parse(broken)][::2] == [
        "paragraph_open",
        "paragraph_close",
    ]


def test_plain_text_means_nothing_to_markdown():
    text = "<0.5MB, *bold*, _x_ of conv2_x, ~a~ and `code`"
    inline = MarkdownIt("commonmark").parseInline(markdown.plain(text))[0]
    assert {child.type for child in inline.children} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children) == text


def test_suffixes_are_explained_where_they_occur():
    assert dict(names.explained(["vgg16_bn", "vgg11"])).keys() == {"_bn"}
    assert dict(names.explained(["se_bn_inception", "resnet50"])) == {}
    assert dict(names.explained(["lenet5_tutorial_32"])).keys() == {"_tutorial"}
    assert names.stem("lenet5_tutorial_max") == names.stem("lenet5_tutorial") == "lenet5"
    assert names.stem("alexnet_tutorial_padding1") == "alexnet"
    assert dict(names.explained(["resnet18_32", "mobilenet_v2_x0_35"])).keys() == {"_32", "_x…"}


def put_sources(root: Path) -> None:
    """What the documents are written from, besides the index."""
    (root / "results").mkdir()
    (root / "results/ledger.jsonl").write_text(LEDGER, encoding="utf-8")


def test_writing_renews_what_is_stale_and_takes_away_what_is_gone(tmp_path):
    put_sources(tmp_path)
    first = pages.write(tmp_path)
    assert set(first) == {*built(), *drawn()}
    (tmp_path / "docs" / "papers" / "gone.md").write_text("old")
    (tmp_path / "docs" / "papers" / "images" / "gone.svg").write_text("old")
    (tmp_path / "docs" / "errata.md").write_text("stale")
    gone = ["docs/papers/gone.md", "docs/papers/images/gone.svg"]
    assert pages.write(tmp_path) == ["docs/errata.md", *gone]
    assert pages.write(tmp_path) == []
    assert not any((tmp_path / path).exists() for path in gone)


def run(folder: Path) -> subprocess.CompletedProcess:
    code = (
        "import runpy, sys; runpy.run_module('convatlas.pages', run_name='__main__'); "
        "sys.exit(' '.join(name for name in ('torch', 'numpy') if name in sys.modules) or 0)"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )


def test_the_command_needs_no_torch_and_says_what_it_wrote(tmp_path):
    put_sources(tmp_path)
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == {*built(), *drawn()}
    assert run(tmp_path).stdout == "all documents are fresh\n"


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({}, "ledger.jsonl"),
        ({"ledger.jsonl": "no record\n"}, "line 1 of ledger.jsonl"),
    ],
)
def test_the_command_in_the_wrong_place_is_one_sentence(tmp_path, there, words):
    (tmp_path / "results").mkdir()
    for name, text in there.items():
        (tmp_path / ("results" if name == "ledger.jsonl" else "") / name).write_text(text)
    before = {*tmp_path.rglob("*")}
    done = run(tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert {*tmp_path.rglob("*")} == before


def test_a_page_tells_where_the_cost_goes_and_shows_its_network():
    text = " ".join(built()["docs/papers/mobilenet_v1.md"].split())
    assert "![The stages of mobilenet_v1](images/mobilenet_v1.svg)" in text
    assert "Of the multiply-adds 94.9 % are in 1x1 convolutions." in text
    assert "| `conv8` | | | 512x14x14 | 268,800 | 52,283,392 | 9.2 % | 91 |" in text


def test_the_shares_of_a_page_add_up():
    for path, text in built().items():
        for block in text.split("## The layers of ")[1:]:
            rows = [line.split("|")[1:-1] for line in block.split("\n## ")[0].splitlines()]
            shares = [
                float(cells[6].strip(" %"))
                for cells in rows
                if len(cells) == 8 and "%" in cells[6] and "&emsp;" not in cells[0]
            ]
            assert abs(sum(shares) - 100) <= 0.05 * len(shares) + 1e-9, path


def test_a_picture_is_small_and_is_drawn_text():
    for path, svg in drawn().items():
        assert svg.startswith("<svg "), path
        assert len(svg.encode()) <= 60_000, path
        assert f">{Path(path).stem}<" in svg, path
