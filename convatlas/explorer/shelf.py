"""What is copied as it is: modules, styles, words, the vendored library and its licence."""

from collections.abc import Callable
from pathlib import Path

STATIC = Path(__file__).parent / "static"


def files() -> dict[str, Callable[[], bytes]]:
    return {
        f"static/{file.relative_to(STATIC).as_posix()}": file.read_bytes
        for file in sorted(STATIC.rglob("*"))
        if file.is_file()
    }
