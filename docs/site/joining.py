"""The documents' pages and the atlas's, put together: each knows the other."""

import re
from pathlib import Path

from convatlas.registry import stored_facts
from docs.site.staging import ATLAS

PLACEHOLDER = re.compile(r'<a data-document="([^"]+)\.md">')


def join(out: Path) -> None:
    """Gives every page of the atlas under `out` its way to the documents."""
    for file in (out / ATLAS).rglob("*.html"):
        path = file.relative_to(out / ATLAS).as_posix()
        text = file.read_text(encoding="utf-8")
        file.write_text(joined(path, text), encoding="utf-8")


def joined(path: str, text: str) -> str:
    """A page of the atlas, its path in the atlas, with links to the documents."""
    up = "../" * (path.count("/") + 1)
    text = PLACEHOLDER.sub(rf'<a href="{up}\1.html">', text)
    link = f'<a href="{up}{_document(path)}" data-word="bar.documents">Documents</a>'
    return text.replace("</nav>", f"{link}</nav>", 1)


def _document(path: str) -> str:
    """The document that tells more of a page: of a network, its paper's."""
    folder, _, name = path.removesuffix(".html").rpartition("/")
    if folder == "networks" and name in stored_facts():
        return f"docs/papers/{stored_facts()[name]['paper']['page']}.html"
    if folder == "papers" and name != "index":
        return f"docs/papers/{name}.html"
    return "docs/index.html"
