"""The documents as a site: staged, built by Zensical, joined with the atlas; links followed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from skips import needs

from convatlas.explorer import tours
from convatlas.registry import stored_facts
from docs.site import contents, joining, links, staging

ROOT = Path(__file__).parents[2]
ZENSICAL = needs("zensical is not installed; `make .venv/ready` brings it", "zensical")


@pytest.fixture(scope="module")
def staged() -> dict[str, bytes]:
    return staging.staged(ROOT)


def test_what_a_document_links_to_goes_along(staged):
    assert b"````python\n" in staged["convatlas/nets/lenet5.py.md"]
    assert b"](../../convatlas/nets/lenet5.py.md)" in staged["docs/papers/lenet5.md"]
    assert staged["docs/netadapt.png"].startswith(b"\x89PNG")
    assert "results/ledger.jsonl" in staged
    assert "docs/images/vgg16.svg" in staged  # a picture that is itself a link


def test_an_address_of_a_tour_leads_into_the_atlas(staged):
    text = staged["docs/tours/zh/mobilenet.md"].decode()
    assert '<a href="../../../atlas/networks/mobilenet_v1.html#conv8.dw">conv8.dw</a>' in text
    pair = "diff.html?a=mobilenet_v1&b=mobilenet_v1_shallow"
    assert f'<a href="../../../atlas/{pair}">' in text
    assert '"mobilenet_v1#' not in text


def test_a_papers_page_leads_to_its_drawings(staged):
    for paper in {facts["paper"]["page"] for facts in stored_facts().values()}:
        link = f'<a href="../../atlas/papers/{paper}.html">'
        assert staged[f"docs/papers/{paper}.md"].decode().count(link) == 1


def test_code_is_left_as_it_is():
    code = "```md\n[a](b.md)\n```\n"
    text, linked = staging._joined("docs/a.md", f"{code}[b](b.png)\n{code}", {"docs/a.md"})
    assert text == f"{code}[b](b.png)\n{code}"
    assert linked == ["docs/b.png"]


def test_every_list_of_the_index_is_in_the_navigation(staged):
    index = staged["docs/README.md"].decode()
    pages = [page for section in contents.sections(index) for page in next(iter(section.values()))]
    listed = re.findall(r"^- \[[^\]]*\]\([^)]*\.md\)", index, re.MULTILINE)  # a notebook is no page
    assert len(pages) == len(listed) > 20
    assert all(next(iter(page.values())) in staged for page in pages)


@ZENSICAL
@pytest.mark.slow
def test_the_site_is_built_and_no_link_leads_nowhere(tmp_path):
    out = tmp_path / "site"
    command = [sys.executable, "-m", "docs.site", out, "--no-atlas"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    from convatlas.explorer.contents import site

    for path in site():  # as if the atlas were there: its own tests follow its links
        (out / "atlas" / path).parent.mkdir(parents=True, exist_ok=True)
        (out / "atlas" / path).write_bytes(b"")
    bad = links.broken(out, free=("atlas/",))
    assert [link for link in bad if "atlas/" not in link or "html: atlas" in link] == []
    for language, folder in tours.FOLDERS.items():
        for name in tours.names(language):
            assert (out / "docs" / "tours" / folder / f"{name}.html").is_file()
    assert "googleapis" not in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("networks/plain34.html", '<a href="../../docs/papers/resnet.html"'),
        ("papers/resnet.html", '<a href="../../docs/papers/resnet.html"'),
        ("index.html", '<a href="../docs/index.html"'),
        ("tours/zh/mobilenet.html", '<a href="../../../docs/index.html"'),
    ],
)
def test_a_page_of_the_atlas_leads_to_its_document(path, document):
    page = joining.joined(path, "<nav></nav><main><nav></nav>")
    assert page.count(document) == 1


def test_a_document_that_was_text_in_the_atlas_becomes_a_link():
    text = tours.page("mobilenet", "zh").decode()
    page = joining.joined("tours/zh/mobilenet.html", text)
    assert '<a href="../../../docs/guidelines.html">' in page
    assert "data-document" not in page


@pytest.mark.parametrize(
    ("page", "bad"),
    [
        ('<a href="b.html">', ["a.html: b.html"]),
        ('<a href="#there">', ["a.html: #there"]),
        ('<p id=there><a href="#there">', []),
        ('<a href="../out.html">', ["a.html: ../out.html"]),
        ('<a href="https://example.org/">', []),
        ('<img src="https://example.org/a.png">', ["a.html: https://example.org/a.png"]),
        ('<script src="//example.org/a.js"></script>', ["a.html: //example.org/a.js"]),
        ('<img src="a.png">', ["a.html: a.png"]),
        ('<a href="sub/">', []),
        ('<a href="sub/index.html#x">', ["a.html: sub/index.html#x"]),
        ('<a href="sub/index.html#y%20z">', []),
    ],
)
def test_the_check_sees_what_leads_nowhere(tmp_path, page, bad):
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text('<p id="y z">')
    assert links.broken(tmp_path) == bad


def test_a_folder_with_something_else_is_not_emptied(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    command = [sys.executable, "-m", "docs.site", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "holds something else" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"
