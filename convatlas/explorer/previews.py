"""What a pasted link shows: a picture a paper (OpenGraph), for a site whose address is known, since
such a picture is named by its whole address.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from convatlas import drawing, registry
from convatlas.errors import RunError
from convatlas.pages.works import all_works

SIZE = (1200, 630)  # what those who show such pictures ask for
COLOURS = 32
FRONT = "resnet"  # the paper whose picture stands for all other pages
MARK = b"<link rel=stylesheet"  # before it the picture is named
Files = Mapping[str, Callable[[], bytes]]


def with_previews(files: Files, address: str) -> dict[str, Callable[[], bytes]]:
    """The site with a picture for every page. RunError for what is no address of a host."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise RunError(
            f"--address takes where the site will stand, such as https://example.org/atlas/, not "
            f"{address!r}"
        )
    base = address.rstrip("/")
    pages = {name: facts["paper"]["page"] for name, facts in registry.stored_facts().items()}
    found = {
        path: partial(_shown, make, f"{base}/{where(_paper(path, pages))}")
        if path.endswith(".html")
        else make
        for path, make in files.items()
    }
    return found | {where(work.page): partial(card, work.bare) for work in all_works()}


def where(page: str) -> str:
    return f"previews/{page}.png"


def card(network: str) -> bytes:
    """The stages of a network on a card, as PNG."""
    from PIL import Image

    whole = Image.open(io.BytesIO(drawing.draw(network, level="stage").png())).convert("RGB")
    whole.thumbnail(SIZE, Image.Resampling.LANCZOS)
    page = Image.new("RGB", SIZE, "white")
    page.paste(whole, ((SIZE[0] - whole.width) // 2, (SIZE[1] - whole.height) // 2))
    file = io.BytesIO()
    page.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _paper(path: str, pages: dict[str, str]) -> str:
    """Whose picture a page shows."""
    folder, _, file = path.rpartition("/")
    name = file.removesuffix(".html")
    if folder == "papers":
        return name
    return pages.get(name, FRONT) if folder in ("networks", "live") else FRONT


def _shown(make: Callable[[], bytes], picture: str) -> bytes:
    told = f'<meta property=og:image content="{picture}">'.encode()
    return make().replace(MARK, told + MARK, 1)
