"""The site as a whole: no dead link, no path twice, both languages whole, small enough."""

import gzip
import html
import io
import json
import posixpath
import re
import tarfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from convatlas import drawing
from convatlas.explorer import contents, shelf

MEGABYTE = 1_000_000
DRAWING = Path(drawing.__file__).parent
SITE_OF_DOCUMENTS = Path(__file__).parents[2] / "docs" / "site"
LIVE = ("data/live/", "ort/")  # weights and the engine are no part of the budget


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return {path: make() for path, make in contents.site().items()}


ATTRIBUTE = re.compile(r"""\s(href|src|id|data-also)=(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
SCRIPTED = re.compile(r"<(script|link|img|iframe|source)\b[^>]*>")
SPOKEN = re.compile(r"""data-word="?([\w.-]+)"?[^>]*>([^<]*)<""")


@pytest.fixture(scope="module")
def pages(site) -> dict[str, str]:
    return {path: content.decode() for path, content in site.items() if path.endswith(".html")}


def attributes(page: str) -> list[tuple[str, str]]:
    return [
        (found[1], html.unescape(found[2] or found[3] or found[4] or ""))
        for found in ATTRIBUTE.finditer(page)
    ]


def test_every_internal_link_resolves(pages, site):
    assert dead_links(pages, site) == []


def dead_links(pages: dict[str, str], site: dict[str, bytes]) -> list[str]:
    told = {path: attributes(page) for path, page in pages.items()}
    anchors = {
        path: {
            place for name, value in each if name in ("id", "data-also") for place in value.split()
        }
        for path, each in told.items()
    }
    return sorted(
        {
            f"{path}: {target}"
            for path, each in told.items()
            for name, target in each
            if name in ("href", "src") and target and not re.match("[a-z]+:", target)
            if not _there(path, target, site, anchors)
        }
    )


def _there(path: str, target: str, site: dict, anchors: dict) -> bool:
    """Whether a link leads to a file, and to a place in it: a unit may lie inside a row's."""
    parts = urlsplit(target)
    file = posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path))
    file = file if parts.path else path
    if file not in site:
        return False
    place = unquote(parts.fragment)
    around = [place.rsplit(".", n)[0] for n in range(place.count(".") + 1)]
    return not place or any(each in anchors[file] for each in around)


def test_a_dead_link_is_seen():
    pages = {"a/b.html": '<a href="c.html">', "a/d.html": '<p id=x><a href=b.html#y><a href="#x">'}
    site = {path: page.encode() for path, page in pages.items()}
    assert dead_links(pages, site) == ["a/b.html: c.html", "a/d.html: b.html#y"]


def test_no_page_names_a_file_of_another_host(pages):
    for path, page in pages.items():
        for tag in SCRIPTED.finditer(page):
            assert "//" not in tag[0].replace("http://www.w3.org/", ""), path


def test_an_id_stands_once(pages):
    for path, page in pages.items():
        ids = [value for name, value in attributes(page) if name == "id"]
        assert len(ids) == len(set(ids)), path


def words(language: str) -> dict[str, str]:
    return json.loads((shelf.STATIC / "words" / f"{language}.json").read_text(encoding="utf-8"))


def test_both_languages_have_the_same_words():
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    holes = re.compile(r"\{\w+\}")
    for key in english:
        assert sorted(holes.findall(english[key])) == sorted(holes.findall(chinese[key])), key
        assert english[key].strip() and chinese[key].strip(), key


def test_every_word_that_is_asked_for_is_there(pages):
    known = words("en")
    for path, page in pages.items():
        for key, text in SPOKEN.findall(page):
            assert html.unescape(text) == known.get(key), f"{path}: {key}"
    for module in shelf.STATIC.rglob("*.js"):
        for key in re.findall(r"""\bword\(\s*"([\w.]+)\"""", module.read_text(encoding="utf-8")):
            assert key in known, f"{module.name}: {key}"


QUOTED = re.compile(r"""["'`=]([a-z][\w-]*(?:\.[\w-]+)+)(?=["'`>\s{}])""")
PUT_TOGETHER = re.compile(r"`([\w.]+\.)\$\{")  # word(`live.op.${op}`)


def test_no_word_is_left_that_nothing_asks_for(pages):
    code = "".join(map(source, rooms("py"))) + "".join(map(source, rooms("js")))
    asked = set(QUOTED.findall(code)) | {
        key for page in pages.values() for key, _ in SPOKEN.findall(page)
    }
    begun = tuple(PUT_TOGETHER.findall(code))
    assert {key for key in words("en").keys() - asked if not key.startswith(begun)} == set()


def test_no_class_is_styled_that_nothing_has():
    code = "".join(map(source, (*rooms("py"), *rooms("js"), *DRAWING.rglob("*.py"))))
    styled = {
        name
        for sheet in rooms("css")
        for rule in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", source(sheet), flags=re.S))
        for name in re.findall(r"\.([a-zA-Z][\w-]*)", rule)
    }
    given = {
        name
        for told in re.findall(r"""class(?:Name)?\s*=\s*(?:["'`]([^"'`]*)|([\w-]+))""", code)
        for name in " ".join(told).split()
    }
    quoted = {
        name for told in re.findall(r"""["'`]([\w -]+)["'`]""", code) for name in told.split()
    }
    assert styled - given - quoted == set()


def rooms(ending: str) -> list[Path]:
    """The files of this room, but what is another's."""
    found = [*shelf.STATIC.parent.rglob(f"*.{ending}"), *SITE_OF_DOCUMENTS.glob(f"*.{ending}")]
    return [file for file in found if "vendor" not in file.parts]


def source(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_modules_import_by_relative_paths_only():
    """What a single file can carry: see building."""
    for module in shelf.STATIC.rglob("*.js"):
        text = module.read_text(encoding="utf-8")
        if module.name in ("files.js", "single.js") or "vendor" in module.parts:
            continue
        assert "import.meta" not in text and not re.search(r"\bimport\(", text), module.name
        for target in re.findall(r"""\bfrom\s*["']([^"']+)["']""", text):
            assert target.startswith(".") and (module.parent / target).is_file(), module.name


def test_the_site_is_small(site):
    """As one archive, without live weights and the engine."""
    held = {path: content for path, content in site.items() if not path.startswith(LIVE)}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for path in sorted(held):
            entry = tarfile.TarInfo(path)
            entry.size = len(held[path])
            archive.addfile(entry, io.BytesIO(held[path]))
    assert len(gzip.compress(file.getvalue(), 9)) <= MEGABYTE


def test_two_parts_with_one_path_are_refused(monkeypatch):
    monkeypatch.setattr(contents, "PARTS", ("tree", "tree"))
    with pytest.raises(ValueError, match=r"tree\.html is written by tree and by tree"):
        contents.site()
