"""onnxruntime for the page, as its npm package brings it: 14 MB that a site holds where its builder
gives them, and that a reader loads by a click.
"""

import hashlib
import json
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from convatlas.errors import Error

VERSION = "1.30.0"
FILES = {  # of onnxruntime-web's dist -> sha256
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": (
        "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b"
    ),
    "ort-wasm-simd-threaded.wasm": (
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
    ),
}
TOLD = "data/live/engine.json"  # what the page asks, to know whether the engine is there
REMEDY = f"npm pack onnxruntime-web@{VERSION} fetches the package; give that .tgz, or its folder"


def absent() -> dict[str, Callable[[], bytes]]:
    """A site without the engine."""
    return {TOLD: partial(_told, "")}


def files(package: Path) -> dict[str, Callable[[], bytes]]:
    """The engine's part of a site, from onnxruntime-web's package: the .tgz that npm pack writes,
    or a folder that it was unpacked into. Error for any other version, file or content.
    """
    held = _of_archive(package) if package.is_file() else _of_folder(package)
    for name, content in held.items():
        if hashlib.sha256(content).hexdigest() != FILES[name]:
            raise Error(f"{name} in {package} is not that of onnxruntime-web {VERSION}; {REMEDY}")
    found = {f"ort/{name}": partial(bytes, content) for name, content in held.items()}
    return found | {TOLD: partial(_told, VERSION)}


def _told(version: str) -> bytes:
    return json.dumps({"version": version}).encode()


def _of_folder(package: Path) -> dict[str, bytes]:
    for folder in (package / "dist", package / "package" / "dist", package):
        if all((folder / name).is_file() for name in FILES):
            return {name: (folder / name).read_bytes() for name in FILES}
    raise Error(f"{package} does not hold {', '.join(FILES)}; {REMEDY}")


def _of_archive(package: Path) -> dict[str, bytes]:
    found = {}
    try:
        with tarfile.open(package) as archive:
            for name in FILES:
                member = archive.extractfile(f"package/dist/{name}")
                found[name] = member.read() if member else b""
    except (tarfile.TarError, KeyError, OSError):
        raise Error(f"{package} is no package of onnxruntime-web; {REMEDY}") from None
    return found
