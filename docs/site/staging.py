"""The Markdown of the repository, made ready for Zensical.

The tree stays as it is, so that relative links stay right. What a document links to and is none
itself becomes a page (source files) or goes along (pictures, records). Addresses in the atlas, the
titles of links in the tours, become links into it.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from convatlas.explorer import tours

BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
FOLDERS = ("docs", "benchmarks")
ATLAS = "atlas"  # where the explorer is mounted
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)\s]+)(?:\s+\"([^\"]*)\")?\)")
PICTURE_IN_LINK = re.compile(r"\[!\[[^\]]*\]\(([^)\s]+)\)\]\(")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LANGUAGES = {".py": "python", ".toml": "toml", ".sh": "bash"}


def staged(root: Path) -> dict[str, bytes]:
    """Path -> bytes of all that Zensical reads, and of what goes along."""
    documents = [path for path in _documents(root) if (root / path).is_file()]
    files: dict[str, bytes] = {}
    for path in documents:
        text, linked = _joined(path, (root / path).read_text(encoding="utf-8"), set(documents))
        files[path] = text.encode()
        for target in linked:
            files |= _along(root, target)
    return files


def _documents(root: Path) -> list[str]:
    found = [file for folder in FOLDERS for file in sorted((root / folder).rglob("*.md"))]
    return [*BESIDE, *(file.relative_to(root).as_posix() for file in found)]


def _along(root: Path, path: str) -> dict[str, bytes]:
    """What a document links to and is none itself.  FileNotFoundError where there is no such."""
    file = root / path
    if file.suffix not in LANGUAGES:
        return {path: file.read_bytes()}
    code = file.read_text(encoding="utf-8")
    page = f"# {path}\n\n````{LANGUAGES[file.suffix]}\n{code}````\n"
    return {f"{path}.md": page.encode()}


def _joined(path: str, text: str, documents: set[str]) -> tuple[str, list[str]]:
    """A document with its links turned, and the paths of what goes along with it."""
    here, atlas = PurePosixPath(path).parent, f"{_way(path)}{ATLAS}/"
    linked = [
        normpath(str(here / target))
        for target in PICTURE_IN_LINK.findall(FENCED.sub("", text))
        if "://" not in target
    ]

    def turned(found: re.Match) -> str:
        label, target, address = found.groups()
        if "://" in target or target.startswith(("#", "mailto:")):
            return found[0]
        if address:
            return f'<a href="{tours.href(atlas, address)}">{_label(label)}</a>'
        where, _, anchor = target.partition("#")
        reached = normpath(str(here / where))
        if reached in documents:
            return found[0]
        linked.append(reached)
        source = ".md" if PurePosixPath(reached).suffix in LANGUAGES else ""
        return f"{label}({where}{source}{anchor and '#'}{anchor})"

    pieces, end = [], 0
    for fence in FENCED.finditer(text):  # code is left as it is
        pieces += [LINK.sub(turned, text[end : fence.start()]), fence[0]]
        end = fence.end()
    whole = "".join([*pieces, LINK.sub(turned, text[end:])])
    return _with_atlas(path, whole), linked


def _way(path: str) -> str:
    """From a document to the site's root."""
    return "../" * path.count("/")


def _label(label: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", label[1:-1].replace("\n", " "))


def _with_atlas(path: str, text: str) -> str:
    """A paper's page says where its networks are drawn, the page of a tour where it moves them."""
    here = PurePosixPath(path)
    if here.parent.as_posix() == "docs/papers" and here.stem != "README":
        said = f'<a href="{_way(path)}{ATLAS}/papers/{here.stem}.html">Drawn in the atlas</a>'
    elif here.is_relative_to("docs/tours"):
        name = "index" if here.stem == "README" else here.stem
        folder = relpath(here.parent, "docs/tours").replace(".", "").lstrip("/")
        where = f"{ATLAS}/tours/{f'{folder}/' if folder else ''}{name}.html"
        words = "在图谱中走这条路线" if folder == "zh" else "Beside the drawings, in the atlas"
        said = f'<a href="{_way(path)}{where}">{words}</a>'
    else:
        return text
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{said}\n{rest}"
