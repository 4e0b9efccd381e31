"""The pictures of the pages: each network that stands for others, drawn stage by stage."""

from convatlas.drawing import draw
from convatlas.pages.works import Work

FOLDER = "images"  # beside the pages


def pictures(works: list[Work]) -> dict[str, str]:
    """Path beside the pages -> SVG, of every network whose layers a page tells."""
    names = [record.bare for work in works for record in work.records]
    return {path(name): f"{draw(name, level='stage').svg}\n" for name in names}


def path(name: str) -> str:
    """Where the picture of a network lies, from a paper's page."""
    return f"{FOLDER}/{name}.svg"
