"""Writes the site: as a folder for any static host, or as one file that opens from disk.

Browsers load no module from a file on disk (file://), so the single file carries the whole site as
one compressed text, and a few lines (static/single.js, which no page of a host loads) that show a
page of it: ?at=networks/resnet50.html names which.
"""

import base64
import gzip
import json
import os
import posixpath
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from convatlas.errors import RunError

Made = Mapping[str, Callable[[], bytes]]
TEXTS = (".html", ".js", ".mjs", ".json", ".css", ".svg", ".txt", ".md", ".LICENSE")
IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*)(["'])(\.{1,2}/[^"']+)\2""")


def write_folder(files: Made, folder: Path, tell: Callable[[str], None] = lambda line: None) -> int:
    """Writes every file below `folder`, which must be empty or new; returns how many there are.

    RunError where it is not, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"{folder} is not empty, so the site is not written there; name a new folder, or empty "
            f"that one first"
        )
    try:
        for number, (path, make) in enumerate(files.items(), 1):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(make())
            if number % 100 == 0:
                tell(f"{number} of {len(files)} files")
    except OSError as error:
        raise RunError(f"{folder} cannot be written ({error.strerror or error})") from None
    return len(files)


def write_single(files: Made, file: Path) -> int:
    """Writes the site as one HTML file; returns its size in bytes. RunError where that fails."""
    if file.is_dir():
        raise RunError(f"{file} is a folder; --single-file names a file, such as atlas.html")
    text = single(files)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as there:
            there.write(text)
        os.chmod(there.name, 0o644)
        os.replace(there.name, file)
    except OSError as error:
        raise RunError(f"{file} cannot be written ({error.strerror or error})") from None
    return len(text)


def single(files: Made) -> bytes:
    """The single file: everything but the WebAssembly engine."""
    held = {path: make for path, make in files.items() if not path.startswith("ort/")}
    carried = {path: carry(path, make()) for path, make in _like_beside_like(held).items()}
    packed = base64.b64encode(gzip.compress(json.dumps(carried).encode(), 9, mtime=0)).decode()
    sheets = "".join(carried[path][1] for path in carried if path.endswith(".css"))
    begin = carried.pop("static/single.js")[1]
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>convatlas</title>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<style>{sheets}</style></head><body><script type=text/plain id=carried>{packed}</script>"
        f"<script>{begin}</script></html>\n"
    ).encode()


def carry(path: str, content: bytes) -> list:
    """["text", the text] or ["base64", text]; a module's relative imports become names."""
    if not path.endswith(TEXTS):
        return ["base64", base64.b64encode(content).decode()]
    text = content.decode()
    return ["text", _named(path, text) if path.endswith((".js", ".mjs")) else text]


def _named(path: str, module: str) -> str:
    """The module with `from "../files.js"` as `from "convatlas/static/files.js"`."""
    folder = posixpath.dirname(path)

    def name(found: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[3]))
        return f'{found[1]}"convatlas/{target}"'

    return IMPORT.sub(name, module)


def _like_beside_like(files: Made) -> Made:
    """In an order that compresses well: the forms of a network are neighbours."""
    return dict(sorted(files.items(), key=lambda item: (posixpath.splitext(item[0])[1], item[0])))
