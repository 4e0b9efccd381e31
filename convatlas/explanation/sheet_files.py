"""A contact sheet on disk: a PNG, one HTML file, or a folder with both for every row."""

import os
from pathlib import Path

from convatlas.errors import InputError
from convatlas.explanation.sheet_html import sheet_html
from convatlas.explanation.sheet_png import sheet_png
from convatlas.explanation.sheets import Sheet

INDEX = "index.html"


def require_place(place: Path) -> None:
    """InputError for a file of another kind than .png and .html, for a folder that is not empty,
    and where the folder around it does not exist.
    """
    suffix = place.suffix.lower()
    if place.is_dir() or not suffix:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise InputError(
                f"{place} is not an empty folder; give a new one, or a file that ends in .png or "
                ".html"
            )
    elif suffix not in (".png", ".html"):
        raise InputError(
            f"{place} cannot be written: give a file that ends in .png or .html, or a folder"
        )
    around = place.parent
    if not around.is_dir() or not os.access(around, os.W_OK):
        raise InputError(
            f"{place} cannot be written, for the folder {around} "
            f"{'cannot be written to' if around.is_dir() else 'does not exist'}; give another place"
        )


def write_sheet(sheet: Sheet, place: Path) -> list[Path]:
    """Writes it and says what: FILE.png, FILE.html; or in a folder index.html, and a PNG of each
    row. Raises InputError as `require_place` does, and where the disk refuses.
    """
    require_place(place)
    try:
        if place.suffix.lower() == ".png":
            place.write_bytes(sheet_png(sheet))
            return [place]
        if place.suffix.lower() == ".html" and not place.is_dir():
            place.write_text(sheet_html(sheet), encoding="utf-8")
            return [place]
        place.mkdir(exist_ok=True)
        (place / INDEX).write_text(sheet_html(sheet), encoding="utf-8")
        written = [place / INDEX]
        for number, row in enumerate(sheet.rows, start=1):
            written.append(place / f"{number:03}.png")
            written[-1].write_bytes(sheet_png(Sheet(sheet.title, sheet.notes, (row,))))
        return written
    except OSError as error:
        raise InputError(f"{place} cannot be written ({error.strerror})") from None
