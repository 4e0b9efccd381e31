"""Every link of a folder of HTML, followed within the folder."""

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ASKED = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src"}


class _Page(HTMLParser):
    """The names and the links of a page, and what it asks for to be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.names |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        asks = values.get("rel") not in ("canonical", "next", "prev", "preconnect")
        if asks and values.get(ASKED.get(tag, "")):
            self.asked.append(values[ASKED[tag]])


def broken(folder: Path, free: tuple[str, ...] = ()) -> list[str]:
    """ "page: link" of every link that leads nowhere within the folder, fragments too, and of
    everything outside that a page asks for by itself. free: beginnings of paths whose fragments a
    script answers.
    """
    root = folder.resolve()

    @cache
    def page(file: Path) -> _Page:
        parser = _Page()
        parser.feed(file.read_text(encoding="utf-8"))
        return parser

    return [
        f"{file.relative_to(root).as_posix()}: {link}"
        for file in sorted(root.rglob("*.html"))
        for link in _bad(root, file, page, free)
    ]


def _bad(root: Path, file: Path, page, free: tuple[str, ...]) -> Iterator[str]:
    found = page(file)
    for link in found.asked:
        if urlsplit(link).netloc:
            yield link
    for link in dict.fromkeys((*found.links, *found.asked)):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = root / parts.path[1:] if parts.path.startswith("/") else file.parent / parts.path
        target = (target if parts.path else file).resolve()
        target = target / "index.html" if target.is_dir() else target
        if file.name == "404.html" and parts.path.startswith("/"):
            continue  # shown under any path: it cannot know where the site stands
        if not target.is_relative_to(root) or not _there(unquote(str(target))):
            yield link
        elif parts.fragment and target.suffix == ".html":
            path = target.relative_to(root).as_posix()
            if not path.startswith(free) and unquote(parts.fragment) not in page(target).names:
                yield link


def _there(path: str) -> bool:
    return Path(path).is_file()
